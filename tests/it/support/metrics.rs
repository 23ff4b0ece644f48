//! What `/metrics` says, as a scraper reads it.

use std::collections::BTreeMap;

use super::{Answer, World};

/// Each series by its name and labels as they are written.
pub struct Scrape {
    pub text: String,
    series: BTreeMap<String, f64>,
}

impl Scrape {
    /// What is counted now.
    pub async fn of(world: &World) -> Self {
        let answer = Answer::to(world.http.get(world.admin_at("/metrics"))).await.expect(200);
        assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
        let mut series = BTreeMap::new();
        for line in answer.body.lines().filter(|line| !line.starts_with('#')) {
            let (name, value) = line.rsplit_once(' ').expect("a series and its value");
            let value = value.parse().expect("a value is a number");
            let before = series.insert(name.to_owned(), value);
            assert_eq!(before, None, "{name} is told once");
        }
        Self { text: answer.body, series }
    }

    /// The value of a series; 0 for one that was never counted.
    pub fn value(&self, series: &str) -> f64 {
        self.series.get(series).copied().unwrap_or_default()
    }

    /// The whole number that was counted.
    #[track_caller]
    pub fn expect(&self, series: &str, expected: u32) {
        let told = self.value(series);
        assert!(
            (told - f64::from(expected)).abs() < 0.5,
            "{series}: {told}, not {expected}\n{}",
            self.text
        );
    }

    /// A refusal, at the endpoint and for the reason.
    #[track_caller]
    pub fn expect_refused(&self, endpoint: &str, reason: &str, expected: u32) {
        let labels = format!("endpoint=\"{endpoint}\",reason=\"{reason}\"");
        self.expect(&format!("gatehouse_refusals_total{{{labels}}}"), expected);
    }

    /// The names of all series, without values.
    pub fn names(&self) -> Vec<&str> {
        self.series.keys().map(String::as_str).collect()
    }
}
