//! The report: the same for people and for programs.

use std::fmt;

use serde::Serialize;

use crate::properties::{Finding, Verdict};

/// What a probe brought to light.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What was probed, as it was given.
    pub address: String,
    /// The authorization server.
    pub issuer: String,
    /// The protected resource, if one is known.
    pub resource: Option<String>,
    /// How many presented the same thing at once.
    pub callers: usize,
    /// One for each property.
    pub findings: [Finding; 5],
}

impl Report {
    /// For programs.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report has only text and numbers")
    }

    /// 0 when everything holds, 1 when something fails, 2 when something was not shown.
    pub fn exit_code(&self) -> u8 {
        if self.count(Verdict::Fails) > 0 {
            1
        } else if self.count(Verdict::NotShown) > 0 {
            2
        } else {
            0
        }
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.verdict == verdict).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Race probe of {}", self.address)?;
        writeln!(f, "issuer    {}", self.issuer)?;
        let resource =
            self.resource.as_deref().unwrap_or("none known, so no access token is tried");
        writeln!(f, "resource  {resource}\n")?;
        for (number, finding) in (1..).zip(&self.findings) {
            let Finding { property, verdict, evidence } = finding;
            writeln!(f, "{number}. {:<11}{}", verdict.told(), property.told())?;
            writeln!(f, "   {evidence}")?;
        }
        write!(
            f,
            "\n{} hold, {} fail, {} not shown",
            self.count(Verdict::Holds),
            self.count(Verdict::Fails),
            self.count(Verdict::NotShown)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::properties::Property;

    fn report(verdicts: [Verdict; 5]) -> Report {
        use Property::{BlastRadius, LostAnswer, OverlappingCallers, SingleLineage, Theft};
        let properties = [SingleLineage, OverlappingCallers, LostAnswer, Theft, BlastRadius];
        let mut numbers = 0..;
        Report {
            address: "https://a.example/mcp".to_owned(),
            issuer: "https://a.example".to_owned(),
            resource: None,
            callers: 8,
            findings: properties.map(|property| {
                let number = numbers.next().expect("there are enough");
                Finding { property, verdict: verdicts[number], evidence: format!("seen {number}") }
            }),
        }
    }

    #[test]
    fn the_exit_code_is_the_worst_verdict() {
        use Verdict::{Fails, Holds, NotShown};
        for (verdicts, code) in [
            ([Holds; 5], 0),
            ([Holds, Holds, Fails, Holds, Holds], 1),
            ([NotShown, Holds, Holds, Fails, Holds], 1),
            ([Holds, Holds, Holds, Holds, NotShown], 2),
        ] {
            assert_eq!(report(verdicts).exit_code(), code, "{verdicts:?}");
        }
    }

    #[test]
    fn people_and_programs_read_the_same() {
        use Verdict::{Fails, Holds, NotShown};
        let report = report([Holds, Fails, NotShown, Holds, Holds]);
        let text = report.to_string();
        assert!(text.contains("2. fails      Overlapping callers are answered\n   seen 1\n"));
        assert!(text.ends_with("3 hold, 1 fail, 1 not shown"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&report.json()).unwrap();
        assert_eq!(json["findings"][1]["property"], "overlapping_callers");
        assert_eq!(json["findings"][1]["verdict"], "fails");
        assert_eq!(json["findings"][2]["verdict"], "not shown");
        assert_eq!(json["findings"][4]["evidence"], "seen 4");
    }
}
