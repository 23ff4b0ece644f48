//! Cutting text to a budget of characters, and sharing one budget between several texts.

/// The byte position of the character with this number, or the end of the text.
pub fn byte_of_char(text: &str, chars: usize) -> usize {
    // Every character takes at least one byte, so short texts need no walk.
    if chars >= text.len() {
        return text.len();
    }
    text.char_indices().nth(chars).map_or(text.len(), |(byte, _)| byte)
}

/// At most this many characters from the start of the text, ended at a line break when one lies
/// in the last quarter: a sentence or a table row cut in half reads as if it said something else.
pub fn head(text: &str, max_chars: usize) -> &str {
    let end = byte_of_char(text, max_chars);
    if end == text.len() {
        return text;
    }
    let cut = &text[..end];
    match cut.rfind('\n') {
        Some(line_end) if line_end + 1 > end - end / 4 => &cut[..=line_end],
        _ => cut,
    }
}

/// Shares a budget between texts of these lengths, in their order: everyone gets an equal part,
/// and what a short text leaves goes to the ones after it, then round again.
pub fn share(lengths: &[usize], budget: usize) -> Vec<usize> {
    let mut shares = vec![0; lengths.len()];
    let mut left = budget;
    loop {
        let hungry = lengths.iter().zip(&shares).filter(|(length, share)| share < length).count();
        if hungry == 0 || left == 0 {
            return shares;
        }
        let part = (left / hungry).max(1);
        for (length, share) in lengths.iter().zip(&mut shares) {
            let more = (length - *share).min(part).min(left);
            *share += more;
            left -= more;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_falls_on_a_character_boundary() {
        assert_eq!(head("äöü", 2), "äö");
        assert_eq!(head("äöü", 3), "äöü");
        assert_eq!(head("äöü", 0), "");
    }

    #[test]
    fn a_cut_prefers_a_line_end_that_is_near() {
        assert_eq!(head("aaaa bbbb\ncccc", 12), "aaaa bbbb\n");
        assert_eq!(head("aa\nbbbbbbbbbbbb", 12), "aa\nbbbbbbbbb");
    }

    #[test]
    fn what_a_short_text_leaves_goes_to_the_long_ones() {
        assert_eq!(share(&[10, 100, 100], 90), [10, 40, 40]);
        assert_eq!(share(&[10, 10], 100), [10, 10]);
        assert_eq!(share(&[10, 10], 0), [0, 0]);
        assert_eq!(share(&[5, 5, 5], 2), [1, 1, 0]);
        assert_eq!(share(&[], 7), Vec::<usize>::new());
    }

    #[test]
    fn shares_never_exceed_the_budget() {
        for budget in 0..50 {
            let shares = share(&[3, 0, 17, 29], budget);
            assert!(shares.iter().sum::<usize>() <= budget);
        }
    }
}
