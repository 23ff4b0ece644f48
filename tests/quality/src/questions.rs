//! The sets of questions, where they lie, and what they are asked of.

use std::{fmt::Display, fs, path::PathBuf};

use gatehouse::docs::library::Settings;
use serde::Deserialize;
use url::Url;

use crate::measure::By;

/// A set of questions to one documentation.
pub struct Set {
    /// Also the folder of its questions.
    pub name: &'static str,
    /// Below the folder of corpora; None for the manual compiled into the product.
    corpus: Option<&'static str>,
    pub measured_by: &'static [By],
}

/// What a score must reach.
pub struct Floor {
    pub recall_at_3: f64,
    pub recall_at_10: f64,
}

/// The half of a set that may be looked at, the one that may not, and both together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Tuning,
    HeldOut,
    All,
}

/// A question and where its answer stands.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What a reader types.
    pub ask: String,
    /// Pages that answer it, each with an anchor where only one section of it does.
    pub pages: Vec<String>,
    /// For people who look for patterns: how-to, error, typo.
    pub kind: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    question: Vec<Question>,
}

/// All there are.
pub const SETS: [Set; 2] = [
    Set { name: "manual", corpus: None, measured_by: &[By::Page, By::Section] },
    Set { name: "site", corpus: Some("redpanda-docs"), measured_by: &[By::Page] },
];

impl Set {
    /// Where to read the documentation, or None if it is not on this machine.
    pub fn settings(&self) -> Option<Settings> {
        // Any address will do: the anchor of a hit is read from it.
        let site_url = Url::parse("https://docs.example").ok();
        let Some(corpus) = self.corpus else {
            return Some(Settings { folders: Vec::new(), site_url });
        };
        let folder = corpora().join(corpus);
        folder.is_dir().then(|| Settings { folders: vec![folder], site_url })
    }

    /// The questions of a part.
    pub fn questions(&self, part: Part) -> Result<Vec<Question>, String> {
        let mut questions = Vec::new();
        for file in part.files() {
            let path = here().join(self.name).join(file);
            let problem = |it: &dyn Display| format!("{}: {it}", path.display());
            let text = fs::read_to_string(&path).map_err(|it| problem(&it))?;
            let file: File = toml::from_str(&text).map_err(|it| problem(&it))?;
            questions.extend(file.question);
        }
        Ok(questions)
    }

    /// What each part must reach.
    pub fn floor(by: By) -> Floor {
        match by {
            By::Page => Floor { recall_at_3: 0.85, recall_at_10: 0.95 },
            By::Section => Floor { recall_at_3: 0.65, recall_at_10: 0.85 },
        }
    }
}

impl Part {
    pub const ALL: [Self; 3] = [Self::Tuning, Self::HeldOut, Self::All];

    pub fn name(self) -> &'static str {
        match self {
            Self::Tuning => "tuning",
            Self::HeldOut => "held out",
            Self::All => "all",
        }
    }

    fn files(self) -> &'static [&'static str] {
        match self {
            Self::Tuning => &["tuning.toml"],
            Self::HeldOut => &["held-out.toml"],
            Self::All => &["tuning.toml", "held-out.toml"],
        }
    }
}

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The folder that the corpus stories of `src/docs` look into as well.
#[expect(clippy::disallowed_methods, reason = "a test is told by its environment what to read")]
fn corpora() -> PathBuf {
    let named = std::env::var_os("GATEHOUSE_TEST_CORPUS").map(PathBuf::from);
    named.unwrap_or_else(|| here().join("../../../shared/corpus"))
}
