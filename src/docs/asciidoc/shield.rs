//! Characters that are text whatever they look like.
//!
//! AsciiDoc takes literal passages out first and formats what is left. Here they stay in their
//! place, each ASCII character moved to a code point that no markup is made of, and come back
//! when the Markdown is written. A source that uses those code points itself loses them.

const BASE: u32 = 0xE000;

/// Stands in the text where an include was not found; the rest of its line is the target.
pub const LOST_INCLUDE: char = '\u{E0FF}';

/// The three marks of an in-page reference: before its id, between id and text, after the text.
/// It is resolved when the whole page is read and all ids are known.
pub const REFERENCE: [char; 3] = ['\u{E0F0}', '\u{E0F1}', '\u{E0F2}'];

/// Takes the code points this reader uses out of a source.
pub fn without_marks(source: &str) -> String {
    source.chars().map(|c| if is_mark(c) { '\u{fffd}' } else { c }).collect()
}

fn is_mark(c: char) -> bool {
    ('\u{E000}'..='\u{E0FF}').contains(&c)
}

/// Shields a text from markup. Line ends stay what they are.
pub fn shield(text: &str) -> String {
    text.chars().map(shielded).collect()
}

fn shielded(c: char) -> char {
    if c.is_ascii() && c != '\n' { char::from_u32(BASE + c as u32).unwrap_or(c) } else { c }
}

/// The character behind a shielded one.
pub fn unshielded(c: char) -> Option<char> {
    let code = (c as u32).checked_sub(BASE)?;
    u8::try_from(code).ok().filter(u8::is_ascii).map(char::from)
}

/// A text with all shields taken off.
pub fn unshield(text: &str) -> String {
    text.chars().map(|c| unshielded(c).unwrap_or(c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shielded_text_comes_back_as_it_was() {
        let text = "a *b* {c}\n`d` é \\";
        assert!(!shield(text).contains('*'));
        assert_eq!(unshield(&shield(text)), text);
    }

    #[test]
    fn marks_in_a_source_are_taken_out() {
        assert_eq!(without_marks("a\u{E0FF}b\u{E02A}"), "a\u{fffd}b\u{fffd}");
    }
}
