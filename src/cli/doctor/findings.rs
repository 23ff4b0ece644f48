//! What a check found.

use serde_json::{Value, json};

/// How it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it must be.
    Ok,
    /// Some clients will stumble over it, or it is a choice.
    Warn,
    /// Clients cannot connect, or it is not safe.
    Fail,
}

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}

/// One requirement, looked at.
#[derive(Clone, Debug)]
pub struct Finding {
    /// The requirement.
    pub id: &'static str,
    /// What it asks for.
    pub what: &'static str,
    /// How it stands.
    pub verdict: Verdict,
    /// What was seen instead.
    pub seen: String,
    /// What to do.
    pub advice: &'static str,
}

impl Finding {
    /// One that is met.
    pub const fn of(id: &'static str, what: &'static str) -> Self {
        Self { id, what, verdict: Verdict::Ok, seen: String::new(), advice: "" }
    }

    /// It fails unless this holds.
    #[must_use]
    pub fn met_if(self, holds: bool, seen: impl Into<String>) -> Self {
        if holds { self } else { Self { verdict: Verdict::Fail, seen: seen.into(), ..self } }
    }

    /// What to do when it does not hold.
    #[must_use]
    pub fn or(self, advice: &'static str) -> Self {
        Self { advice, ..self }
    }

    /// Not to hold is no more than a pity.
    #[must_use]
    pub fn lightly(self) -> Self {
        match self.verdict {
            Verdict::Fail => Self { verdict: Verdict::Warn, ..self },
            Verdict::Ok | Verdict::Warn => self,
        }
    }

    /// As people read it.
    pub fn lines(&self) -> Vec<String> {
        let Self { id, what, verdict, seen, advice } = self;
        let first = format!("{:<5} {id:<6} {what}", verdict.word());
        match verdict {
            Verdict::Ok => vec![first],
            Verdict::Warn | Verdict::Fail => {
                vec![format!("{first}: {seen}"), format!("             {advice}")]
            }
        }
    }

    /// As programs do.
    pub fn json(&self) -> Value {
        let Self { id, what, verdict, seen, advice } = self;
        let mut value =
            json!({ "id": id, "what": what, "verdict": verdict.word().to_ascii_lowercase() });
        if *verdict != Verdict::Ok {
            value["seen"] = json!(seen);
            value["advice"] = json!(advice);
        }
        value
    }
}
