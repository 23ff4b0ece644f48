//! Running plans: two replicas of the house on one database, and one case after the other.
//!
//! One house serves all cases of a test, because a database of its own for each case would cost
//! more than the case. Each case brings clients and people that nobody else has, so what it sees
//! and counts is its own. What cases share can only show more: the clock never goes back, a
//! clean-up pass also takes what earlier cases left, and a process has a past.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use gatehouse::store::Store;
use sea_orm::DatabaseConnection;
use tokio::sync::Barrier;

use super::faults::{self, Relays, Struck};
use super::order::{Deed, expectations, explain};
use super::people::{Errand, Head, Known, Meanwhile};
use super::plan::{Fault, Pause, Plan, Wave};
use super::reference::State;
use super::rows::Rows;
use super::ways::Found;
use super::words::Rules;
use crate::support::database::{database_behind, db_connect};
use crate::support::{Backend, World};

/// Short enough that plans reach them, long enough to be told apart. Limits are another story.
const SETTINGS: [(&str, &str); 7] = [
    ("authorization_request_ttl", "10m"),
    ("authorization_code_ttl", "60s"),
    ("access_token_ttl", "5m"),
    ("refresh_token_ttl", "10m"),
    ("limit_mcp", "1000000/1s"),
    ("limit_register", "1000000/1s"),
    ("limit_token", "1000000/1s"),
];

/// `access_token_ttl` of the settings.
pub const ACCESS_TTL: Duration = Duration::from_mins(5);

/// For how many seconds more an access token is good, because its client counts from when the
/// answer came: one and a third, and the model's clock knows whole ones only.
const ADMITTED_LONGER: i64 = 2;

const fn rules(refresh_grace: i64) -> Rules {
    Rules { request_ttl: 600, code_ttl: 60, access_ttl: 300, refresh_ttl: 600, refresh_grace }
}

/// The house, and how much of the model it has seen.
pub struct Houses {
    pub world: Arc<World>,
    /// Of the two replicas.
    pub addresses: [String; 2],
    /// The clean-up runs beside the replicas, as `gatehouse gc` does, and is never cut off.
    pub cleaner: Store,
    pub relays: Relays,
    rows: DatabaseConnection,
    rules: Rules,
    pub tally: Tally,
}

/// What was run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub plans: usize,
    pub waves: usize,
    pub operations: usize,
    /// Waves in which something broke.
    pub faults: usize,
}

impl Houses {
    pub async fn open(backend: Backend, refresh_grace: i64) -> Self {
        let grace = format!("{refresh_grace}s");
        let mut settings = vec![("refresh_grace", grace.as_str())];
        settings.extend(SETTINGS);
        let relays = Relays::open(backend).await;
        let mut world = World::behind(backend, relays.of(0), &settings).await;
        world.keep_no_connections();
        let second = relays.of(1).map(|relay| database_behind(relay, &world.database_url));
        let second = second.as_deref().unwrap_or(&world.database_url);
        Self {
            addresses: [world.local.clone(), world.replica(&[("database_url", second)]).await],
            relays,
            rows: db_connect(&world.database_url).await,
            cleaner: Store::connect(&world.database_url).await.expect("the database answers"),
            world: Arc::new(world),
            rules: rules(refresh_grace),
            tally: Tally::default(),
        }
    }

    /// Runs a plan; the story of it when it cannot be explained.
    pub async fn run(&mut self, plan: &Plan) -> Result<(), String> {
        self.tally.plans += 1;
        let mut case = Case::begin(self).await;
        for wave in &plan.0 {
            if let Err(why) = case.go_on(self, wave).await {
                return Err(format!("{}\n{why}", case.story));
            }
        }
        Ok(())
    }

    /// Does a wave, and what breaks in the middle of it.
    async fn at_once(
        &mut self,
        errands: Vec<Errand>,
        fault: Fault,
    ) -> (Vec<(Head, Found)>, Struck) {
        let wave = pin!(at_once(errands));
        let (found, struck) = faults::meanwhile(&self.relays, &self.world, fault, wave).await;
        self.tally.faults += usize::from(struck.replicas.contains(&true));
        (found, struck)
    }

    /// Stops the first replica, unless it was killed, and starts it.
    async fn start_again(&mut self) {
        // The tasks of the last wave are over, and a case keeps no hold of it.
        let world = Arc::get_mut(&mut self.world).expect("nobody else holds the world");
        world.restart(&[]).await;
    }

    fn seconds_of(&self, pause: Pause) -> i64 {
        match pause {
            Pause::None | Pause::Restart | Pause::DatabaseRestart => 0,
            Pause::Second => 1,
            Pause::FiveSeconds => 5,
            Pause::InsideGrace => (self.rules.refresh_grace - 1).max(0),
            Pause::Grace => self.rules.refresh_grace,
            Pause::CodeTtl => self.rules.code_ttl,
            Pause::AccessTtl => self.rules.access_ttl + ADMITTED_LONGER,
            Pause::RefreshTtl => self.rules.refresh_ttl,
            Pause::TwoDays => 2 * 24 * 60 * 60,
        }
    }
}

/// One plan under way.
struct Case {
    known: Known,
    /// All that may be true.
    states: HashSet<State>,
    now: i64,
    waves: usize,
    story: String,
}

impl Case {
    async fn begin(houses: &Houses) -> Self {
        Self {
            known: Known::begin(&houses.world, houses.tally.plans).await,
            states: HashSet::from([State::beginning()]),
            now: 0,
            waves: 0,
            story: String::new(),
        }
    }

    async fn go_on(&mut self, houses: &mut Houses, wave: &Wave) -> Result<(), String> {
        let seconds = houses.seconds_of(wave.pause);
        houses.world.advance(Duration::from_secs(seconds.unsigned_abs()));
        self.now += seconds;
        match wave.pause {
            Pause::Restart => {
                houses.start_again().await;
                self.tell(format_args!("replica 1 is stopped and started"));
            }
            Pause::DatabaseRestart => {
                houses.relays.end_all_sessions().await;
                self.tell(format_args!("the database is restarted"));
            }
            _ => {}
        }
        self.each_state(|state| {
            state.advance(seconds);
            if wave.pause == Pause::Restart {
                state.restarted(0);
            }
        });
        // What nobody has cannot be presented; such a step is no step.
        let errands: Vec<_> =
            wave.steps.iter().filter_map(|step| self.known.resolve(houses, *step)).collect();
        if errands.is_empty() {
            return Ok(());
        }
        self.waves += 1;
        houses.tally.waves += 1;
        houses.tally.operations += errands.len();
        let (found, struck) = houses.at_once(errands, wave.fault).await;
        if struck.is_killed {
            // Before the judgement: a plan that fails must leave the next one a house.
            houses.start_again().await;
        }
        self.judge(&houses.rules, found, &struck)?;
        if struck.is_killed {
            self.each_state(|state| state.restarted(0));
        }
        self.compare_rows(&houses.rows).await
    }

    fn each_state(&mut self, change: impl Fn(&mut State)) {
        let changed = self.states.drain().map(|mut state| {
            change(&mut state);
            state
        });
        self.states = changed.collect();
    }

    /// Looks for an order of the wave that gives what was seen.
    fn judge(
        &mut self,
        rules: &Rules,
        wave: Vec<(Head, Found)>,
        struck: &Struck,
    ) -> Result<(), String> {
        let (number, now) = (self.waves, self.now);
        self.tell(format_args!("wave {number}, at +{now}s{struck}:"));
        let access_until = self.now + rules.access_ttl + ADMITTED_LONGER;
        let meanwhile = Meanwhile { access_until, is_struck: struck.replicas };
        let (mut deeds, mut lines) = (Vec::new(), Vec::new());
        for (head, found) in wave {
            let seen = self.known.learn(&head, found, &meanwhile);
            lines.push(format!("  {head} → {seen}"));
            deeds.push(Deed { act: head.act, replica: head.replica, seen });
        }
        let afters = explain(rules, &self.states, &deeds);
        if !afters.is_empty() {
            self.states = afters;
            self.tell(format_args!("{}", lines.join("\n")));
            return Ok(());
        }
        for (line, expected) in lines.iter().zip(expectations(rules, &self.states, &deeds)) {
            let expected = expected.into_iter().collect::<Vec<_>>().join(" | ");
            self.tell(format_args!("{line}; in some order: {expected}"));
        }
        Err("No order of this wave gives these answers together.".to_owned())
    }

    /// The rows must be those of one of the states; the other states are no longer possible.
    async fn compare_rows(&mut self, connection: &DatabaseConnection) -> Result<(), String> {
        let rows = Rows { connection, name: &self.known.name, client_ids: self.known.client_ids() };
        let broken = rows.broken_rules().await;
        if !broken.is_empty() {
            return Err(format!("The tables no longer keep to this: {}.", broken.join("; ")));
        }
        let counts = rows.counts().await;
        let possible: HashSet<_> =
            self.states.iter().map(|state| format!("{:?}", state.counts())).collect();
        self.states.retain(|state| state.counts() == counts);
        if self.states.is_empty() {
            let possible = possible.into_iter().collect::<Vec<_>>().join("\n      or ");
            return Err(format!("The tables hold {counts:?},\nand should {possible}."));
        }
        Ok(())
    }

    fn tell(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.story, "{line}").expect("a string takes everything");
    }
}

/// Starts all errands in the same moment, each in a task of its own; what they brought, in their
/// order.
async fn at_once(errands: Vec<Errand>) -> Vec<(Head, Found)> {
    let gate = Arc::new(Barrier::new(errands.len()));
    let start = |Errand { head, way }| {
        let gate = Arc::clone(&gate);
        let task = tokio::spawn(async move {
            gate.wait().await;
            way.await
        });
        (head, task)
    };
    let tasks: Vec<_> = errands.into_iter().map(start).collect();
    let mut brought = Vec::new();
    for (head, task) in tasks {
        let found = task.await.unwrap_or_else(|error| Found::Odd(format!("broke off: {error}")));
        brought.push((head, found));
    }
    brought
}
