//! The model: random plans of racing operations, judged by a reference.
//!
//! A [`plan`] is a list of waves. The operations of a wave run truly at once, on two replicas of
//! the house over one database; between waves the clock steps or a replica is restarted. After
//! each wave the answers must be those of *some* order of it in the [`reference`], and the [`rows`]
//! those that such an order leaves. So each operation is shown to be atomic, and each rule of
//! rotation, replay and revocation to hold whatever races it.
//!
//! A failure is shrunk and told as a story; its seed goes to a file below `regressions/` and is run
//! first from then on. `scripts/test-concurrency` runs more plans than `cargo test` does.
//!
//! Never here: waiting by the clock, a second chance for a plan that failed.

mod faults;
mod order;
mod order_tests;
mod people;
mod plan;
mod reference;
mod rows;
mod run;
mod ways;
mod words;

use std::cell::RefCell;

use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestError, TestRunner};

use self::plan::Plan;
use self::run::Houses;
use crate::support::Backend;

/// Plans of each test where nothing else is said.
const CASES: u32 = 64;
/// A smaller plan that passes may only have been lucky: when a race was seen once, it is looked for
/// this often in each smaller plan.
const LOOKS_WHILE_SHRINKING: u32 = 12;
const SHRINK_STEPS_MAX: u32 = 400;
const SHRINK_MILLIS_MAX: u32 = 90_000;

/// A number that the environment may say.
#[expect(clippy::disallowed_methods, reason = "a test is told by its environment how long to run")]
fn told(variable: &str, otherwise: u32) -> u32 {
    let told = std::env::var(variable).ok();
    told.map_or(otherwise, |told| told.parse().unwrap_or_else(|_| panic!("{variable}: a number")))
}

/// Runs plans on one backend with one grace, in seconds.
#[expect(clippy::print_stdout, reason = "a proof says how much was tried")]
fn every_wave_is_some_order(backend: Backend, refresh_grace: i64, regressions: &'static str) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be made");
    let houses = RefCell::new(runtime.block_on(Houses::open(backend, refresh_grace)));
    // Shrinking comes back to plans that failed; luck does not acquit them.
    let failed: RefCell<Vec<(Plan, String)>> = RefCell::default();
    let mut runner = TestRunner::new(Config {
        cases: told("GATEHOUSE_TEST_MODEL_CASES", CASES),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(regressions))),
        max_shrink_iters: told("GATEHOUSE_TEST_MODEL_SHRINK_STEPS", SHRINK_STEPS_MAX),
        max_shrink_time: SHRINK_MILLIS_MAX,
        ..Config::default()
    });
    let outcome = runner.run(&plan::plans(), |plan| {
        let known = failed.borrow().iter().find(|(known, _)| *known == plan).cloned();
        if let Some((_, story)) = known {
            return Err(TestCaseError::fail(story));
        }
        let is_shrinking = !failed.borrow().is_empty();
        for _ in 0..if is_shrinking { LOOKS_WHILE_SHRINKING } else { 1 } {
            let mut houses = houses.borrow_mut();
            if let Err(story) = runtime.block_on(houses.run(&plan)) {
                if !is_shrinking {
                    println!("model: the first failure came after {:?}", houses.tally);
                }
                failed.borrow_mut().push((plan, story.clone()));
                return Err(TestCaseError::fail(story));
            }
        }
        Ok(())
    });
    let tally = houses.borrow().tally;
    let cut = if houses.borrow().relays.of(0).is_some() { "" } else { "; nothing was cut" };
    println!("model: {backend:?}, refresh_grace {refresh_grace}s: {tally:?}{cut}");
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(story, plan)) => panic!("the smallest plan found ({plan:?})\n{story}"),
        Err(TestError::Abort(why)) => panic!("the plans cannot be run: {why}"),
    }
}

#[test]
fn with_grace_every_wave_on_sqlite_is_answered_as_some_order_of_it() {
    every_wave_is_some_order(Backend::Sqlite, 30, "tests/it/model/regressions/sqlite_30s.txt");
}

#[test]
fn with_grace_every_wave_on_postgres_is_answered_as_some_order_of_it() {
    every_wave_is_some_order(Backend::Postgres, 30, "tests/it/model/regressions/postgres_30s.txt");
}

#[test]
fn without_grace_every_wave_on_sqlite_is_answered_as_some_order_of_it() {
    every_wave_is_some_order(Backend::Sqlite, 0, "tests/it/model/regressions/sqlite_0s.txt");
}

#[test]
fn without_grace_every_wave_on_postgres_is_answered_as_some_order_of_it() {
    every_wave_is_some_order(Backend::Postgres, 0, "tests/it/model/regressions/postgres_0s.txt");
}
