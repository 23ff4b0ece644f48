//! How alike two names are, typing errors included.

/// A miss less like the name than this is no help.
pub const LIKENESS_MIN: f32 = 0.3;

/// The pairs of neighbouring letters in a text. How alike two names are is how many of them they
/// share (the Sørensen–Dice coefficient).
pub struct Pairs(Vec<(char, char)>);

impl Pairs {
    /// Takes the pairs of a text; only letters and digits count, in lower case.
    pub fn of(text: &str) -> Self {
        let letters: Vec<char> =
            text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
        let mut pairs: Vec<(char, char)> = letters.windows(2).map(|it| (it[0], it[1])).collect();
        pairs.sort_unstable();
        Self(pairs)
    }

    /// From 0, nothing in common, to 1, the same letters.
    #[expect(clippy::cast_precision_loss, reason = "a name has few letters")]
    pub fn likeness(&self, other: &Self) -> f32 {
        let (mut mine, mut theirs) = (self.0.iter().peekable(), other.0.iter().peekable());
        let mut shared = 0;
        while let (Some(a), Some(b)) = (mine.peek(), theirs.peek()) {
            match a.cmp(b) {
                std::cmp::Ordering::Less => drop(mine.next()),
                std::cmp::Ordering::Greater => drop(theirs.next()),
                std::cmp::Ordering::Equal => {
                    shared += 1;
                    mine.next();
                    theirs.next();
                }
            }
        }
        let total = self.0.len() + other.0.len();
        if total == 0 { 0.0 } else { (2 * shared) as f32 / total as f32 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_letters_are_alike_and_others_are_not() {
        let likeness = |a: &str, b: &str| Pairs::of(a).likeness(&Pairs::of(b));
        assert!(likeness("get_broker", "GetBroker") > 0.999);
        assert!(likeness("get_broker", "get_brokers") > LIKENESS_MIN);
        assert!(likeness("get_broker", "zzz") < LIKENESS_MIN);
        assert!(likeness("", "") < LIKENESS_MIN);
    }
}
