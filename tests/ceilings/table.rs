//! The committed ceilings, and what is held against them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;

use crate::count::{Found, RUNS};
use crate::support::in_repository;

const FILE: &str = "tests/ceilings/ceilings.toml";

const HEAD: &str = "\
# The allocations that each path may make, by tests/ceilings.
# `scripts/ceilings --write` takes them anew.

";

/// Below so many hundredths of its ceiling a path has become cheaper than the table knows.
const LOW_HUNDREDTHS: u64 = 70;

/// The ceilings.
#[derive(Debug, Default)]
pub struct Table(BTreeMap<String, u64>);

impl Table {
    /// The committed ones.
    pub fn read() -> Self {
        let text = fs::read_to_string(in_repository(FILE)).expect("the ceilings are readable");
        Self(toml::from_str(&text).expect("each line is \"a path\" = a number"))
    }

    /// What is to be mended, one line each.
    pub fn findings(&self, found: &[Found]) -> Vec<String> {
        let paths = found.iter().filter_map(|path| {
            let fault = self.fault(path)?;
            Some(format!("{}: {} allocations, {fault}", path.name, path.allocations))
        });
        let is_gone = |name: &&String| found.iter().all(|path| path.name != name.as_str());
        let gone = self.0.keys().filter(is_gone);
        paths.chain(gone.map(|name| format!("{name}: it is in {FILE} and not counted"))).collect()
    }

    fn fault(&self, path: &Found) -> Option<String> {
        // Chance, or another thread, has a say in it: a ceiling would fail now and then.
        if path.runs < RUNS / 2 {
            return Some(format!("in {} of {RUNS} runs only: count a part of it", path.runs));
        }
        let Some(&ceiling) = self.0.get(path.name) else {
            return Some(format!("no ceiling: {FILE} does not have it"));
        };
        if path.allocations > ceiling {
            return Some(format!("the ceiling is {ceiling}"));
        }
        let is_low = path.allocations * 100 < ceiling * LOW_HUNDREDTHS;
        is_low.then(|| format!("far below the ceiling of {ceiling}: lower it"))
    }

    /// What was found beside its ceiling.
    pub fn beside(&self, found: &[Found]) -> String {
        let mut lines = String::from("found  ceiling  same runs\n");
        for path in found {
            let ceiling = self.0.get(path.name).map_or_else(|| "-".to_owned(), u64::to_string);
            let Found { name, allocations, runs } = path;
            let _ = writeln!(lines, "{allocations:>5}  {ceiling:>7}  {runs:>9}  {name}");
        }
        lines
    }
}

/// Whether `scripts/ceilings --write` runs this.
#[expect(clippy::disallowed_methods, reason = "a test is told by its environment what to do")]
pub fn is_to_be_written() -> bool {
    std::env::var("GATEHOUSE_TEST_CEILINGS").is_ok_and(|word| word == "write")
}

/// Makes what was found the ceilings.
pub fn write(found: &[Found]) {
    let mut text = HEAD.to_owned();
    for path in found {
        let _ = writeln!(text, "\"{}\" = {}", path.name, path.allocations);
    }
    fs::write(in_repository(FILE), text).expect("the ceilings can be written");
}

#[test]
fn a_ceiling_is_kept_and_is_near() {
    let table = Table([("a path".to_owned(), 10)].into());
    let findings = |name, allocations| table.findings(&[Found { name, allocations, runs: RUNS }]);
    for kept in [7, 9, 10] {
        assert_eq!(findings("a path", kept), Vec::<String>::new(), "{kept}");
    }
    assert_eq!(findings("a path", 11), ["a path: 11 allocations, the ceiling is 10"]);
    let low = ["a path: 6 allocations, far below the ceiling of 10: lower it"];
    assert_eq!(findings("a path", 6), low);
}

#[test]
fn the_table_has_each_path_and_no_other() {
    let table = Table([("gone".to_owned(), 0)].into());
    let found = [Found { name: "new", allocations: 0, runs: RUNS }];
    let [new, gone] = &table.findings(&found)[..] else { panic!("two findings") };
    assert!(new.contains("no ceiling"), "{new}");
    assert!(gone.starts_with("gone: "), "{gone}");
}

#[test]
fn what_differs_from_run_to_run_has_no_ceiling() {
    let table = Table([("a path".to_owned(), 10)].into());
    let findings = |runs| table.findings(&[Found { name: "a path", allocations: 10, runs }]);
    assert_eq!(findings(RUNS / 2), Vec::<String>::new());
    let [finding] = &findings(RUNS / 2 - 1)[..] else { panic!("one finding") };
    assert!(finding.contains("in 49 of 100 runs only"), "{finding}");
}
