//! How far an attempt has come, and how it can end.

/// How far an attempt can come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// At the authorization endpoint.
    Arrived,
    /// The consent page is shown.
    Asked,
    /// The person said yes, now or earlier.
    Decided,
    /// The browser is at the provider.
    ToProvider,
    /// The browser is back.
    Back,
    /// The program has a code.
    Code,
    /// The program has a token.
    Token,
    /// The token was used.
    Used,
    /// Nothing comes after it.
    End,
}

/// How an attempt ended, for whoever looks for those of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The token is in use.
    Finished,
    /// It may still go on.
    UnderWay,
    /// Somebody did not come back.
    Left,
    /// The person said no.
    Declined,
    /// This server or the provider said no.
    Refused,
    /// Something is broken or set up wrong.
    Failed,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Finished, Self::UnderWay, Self::Left, Self::Declined, Self::Refused, Self::Failed];

    /// What answers say.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::UnderWay => "under_way",
            Self::Left => "left",
            Self::Declined => "declined",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }

    /// Reads [`Self::word`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }
}

/// What a step leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leads {
    /// On, as far as this.
    To(Stage),
    /// Not as far as this, and so the attempt ends, unless it was there already or gets there all
    /// the same.
    Ends(Stage, Outcome),
    /// Nowhere: it is told and changes nothing.
    Nowhere,
}
