//! What was seen. Tokens have names here, so that what is judged and told holds no secret.

use std::fmt;
use std::time::Duration;

use crate::secret::Secret;

/// What stands for a refresh token: A, B, C, … in order of first sight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(usize);

impl Name {
    /// The name of the refresh token that was seen after `earlier` others.
    pub const fn after(earlier: usize) -> Self {
        Self(earlier)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = char::from(b'A' + u8::try_from(self.0 % 26).expect("it is below 26"));
        match self.0 / 26 {
            0 => write!(f, "{letter}"),
            round => write!(f, "{letter}{}", round + 1),
        }
    }
}

/// Gives refresh tokens their names.
#[derive(Debug, Default)]
pub struct Names(Vec<Secret>);

impl Names {
    /// The name of this one.
    pub fn of(&mut self, refresh_token: &Secret) -> Name {
        let known = self.0.iter().position(|seen| seen == refresh_token);
        Name(known.unwrap_or_else(|| {
            self.0.push(refresh_token.clone());
            self.0.len() - 1
        }))
    }
}

/// An answer of the token endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// 200 with this refresh token; a refresh that brings none keeps the old one (RFC 6749 §6).
    Granted(Name),
    /// A no: status and error code.
    Refused(String),
    /// Neither yes nor no, and why.
    Unclear(String),
}

impl Seen {
    /// The refresh token, if one was granted.
    pub const fn granted(&self) -> Option<Name> {
        match self {
            Self::Granted(name) => Some(*name),
            Self::Refused(_) | Self::Unclear(_) => None,
        }
    }

    /// Whether it was a no.
    pub const fn is_refused(&self) -> bool {
        matches!(self, Self::Refused(_))
    }

    /// Whether it was neither yes nor no.
    pub const fn is_unclear(&self) -> bool {
        matches!(self, Self::Unclear(_))
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Granted(_) => f.write_str("200"),
            Self::Refused(how) | Self::Unclear(how) => f.write_str(how),
        }
    }
}

/// A refresh whose answer is thrown away, repeated with the same token, and the one after.
#[derive(Clone, Debug)]
pub struct LostAnswer {
    /// The token that was presented twice.
    pub presented: Name,
    /// What the first presentation brought.
    pub first: Seen,
    /// What the second brought.
    pub repeated: Seen,
    /// What the newest token then brought.
    pub continued: Seen,
}

impl LostAnswer {
    /// Whether there was something that a theft could end: a successor that works, or one that
    /// only the repetition put an end to.
    pub const fn left_a_family(&self) -> bool {
        let ended_by_itself = !self.repeated.is_refused() && self.continued.is_refused();
        self.first.granted().is_some() && !ended_by_itself
    }
}

/// An old token comes back after its successor was used.
#[derive(Clone, Debug)]
pub struct Theft {
    /// The old token.
    pub presented: Name,
    /// The newest of the family.
    pub newest: Name,
    /// What the old one brought.
    pub replayed: Seen,
    /// What the newest one brought afterwards.
    pub afterwards: Seen,
    /// What became of the newest access token.
    pub access: Access,
}

impl Theft {
    /// Whether the old token was refused and the family ended with it.
    pub const fn was_noticed(&self) -> bool {
        self.replayed.is_refused() && self.afterwards.is_refused()
    }
}

/// What became of an access token whose family ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// No resource is known, or it did not admit a fresh token either, or nothing ended.
    NotAsked,
    /// It was refused this long after the theft.
    RefusedAfter(Duration),
    /// It was still admitted this long after, when the bound was over.
    StillAdmittedAfter(Duration),
    /// The resource was asked, and said neither yes nor no.
    Unclear,
}

/// One refresh token, presented many times at once.
#[derive(Clone, Debug)]
pub struct RefreshRace {
    /// The token.
    pub presented: Name,
    /// What it brought.
    pub answers: Vec<Seen>,
    /// What the first successor brought afterwards, if there was one.
    pub afterwards: Option<Seen>,
}

/// Everything that was seen.
#[derive(Clone, Debug)]
pub struct Observations {
    /// One code, exchanged many times at once.
    pub code_race: Vec<Seen>,
    /// One answer, thrown away.
    pub lost_answer: LostAnswer,
    /// One token, stolen.
    pub theft: Theft,
    /// A refresh of another sign-in after the theft.
    pub bystander: Seen,
    /// One refresh token, presented many times at once.
    pub refresh_race: RefreshRace,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_named_in_order_of_first_sight() {
        let mut names = Names::default();
        let mut name = |text: &str| names.of(&Secret::new(text.to_owned())).to_string();
        assert_eq!([name("x"), name("y"), name("x")], ["A", "B", "A"]);
        assert_eq!(Name::after(25).to_string(), "Z");
        assert_eq!(Name::after(26).to_string(), "A2");
    }
}
