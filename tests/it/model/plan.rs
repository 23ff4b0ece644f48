//! Plans: what happens when, with everything named by symbol, so that a plan means something in
//! every run, and still does when a part of it is taken away.

use std::fmt;

use proptest::prelude::*;
use proptest::strategy::Union;

use super::words::{Decision, Party, Proof, Replica};
use crate::support::relay::Moment;

/// The most operations that run at once: their orders have to be walked (4! = 24).
const WAVE_MAX: usize = 4;
/// The most scenes, of one or two waves, after the opening.
const SCENES_MAX: usize = 8;

/// The last message at which something breaks; few waves have more.
const MESSAGES_MAX: usize = 12;

/// In how many editions a client comes; the first is registered before a plan begins.
const EDITIONS: usize = 3;

/// Waves, one after the other.
#[derive(Clone, PartialEq, Eq)]
pub struct Plan(pub Vec<Wave>);

/// Operations that run at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wave {
    pub pause: Pause,
    pub steps: Vec<Step>,
    pub fault: Fault,
}

/// What breaks in the middle of a wave. The moment is counted in messages to the database, so that
/// every point of an operation is met; where there are no messages (SQLite), a replica is killed
/// before the wave, and nothing else breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// All database connections of a replica break.
    Cut(Replica, Moment),
    /// The same for both replicas, and the database refuses new ones until the wave is over.
    Outage(Moment),
    /// The first replica ends without warning, and is started again after the wave.
    Kill(Moment),
}

/// What happens before a wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    None,
    Second,
    /// The bound within which all replicas know of a revocation.
    FiveSeconds,
    /// One second less than the grace.
    InsideGrace,
    Grace,
    CodeTtl,
    AccessTtl,
    RefreshTtl,
    /// Long enough that the clean-up takes everything.
    TwoDays,
    /// The first replica is stopped and started.
    Restart,
    /// All sessions of the database end, as when it is restarted.
    DatabaseRestart,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    pub replica: Replica,
    /// The operation takes place, and its answer never arrives.
    pub is_lost: bool,
    pub what: Operation,
}

/// Counts back from the newest, which is 0; beyond the oldest it begins again at the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Back(pub usize);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Refresh(Back, Party),
    Exchange(Back, Proof),
    Call(Back),
    RevokeRefresh(Back, Party),
    RevokeAccess(Back, Party),
    SignIn {
        client: usize,
        person: usize,
    },
    Open {
        client: usize,
        person: usize,
    },
    /// A client registers in an edition, and is that one from then on.
    Register {
        client: usize,
        edition: usize,
    },
    Decide(Back, Decision),
    Callback(Back),
    CleanUp,
}

/// Short, because it stands behind the seed of a failure; the story is told in full elsewhere.
impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: usize = self.0.iter().map(|wave| wave.steps.len()).sum();
        write!(f, "{} waves, {steps} steps", self.0.len())
    }
}

/// All plans. Strategies shrink towards their first alternative, so the plainest comes first.
pub fn plans() -> impl Strategy<Value = Plan> {
    let free = wave().prop_map(|wave| vec![wave]);
    let scenes = prop::collection::vec(prop_oneof![9 => free, 1 => ending()], 1..=SCENES_MAX);
    (opening(), scenes).prop_map(|(opening, scenes)| {
        Plan(opening.into_iter().chain(scenes.into_iter().flatten()).collect())
    })
}

/// The beginning of a plan, so that there is something to race for: people who are signed in, or
/// one whose sign-in is raced at every step.
fn opening() -> impl Strategy<Value = Vec<Wave>> {
    let person = || (0..2_usize, 0..2_usize);
    let calm = |steps| Wave { pause: Pause::None, steps, fault: Fault::None };
    let at_home = |what| Step { replica: 0, is_lost: false, what };
    let signed_in = prop::collection::vec(person(), 1..=2).prop_map(move |people| {
        let exchanges = (0..people.len()).map(|n| Operation::Exchange(Back(n), Proof::Right));
        let exchanges = exchanges.map(at_home).collect();
        let sign_ins = people.iter().map(|&(client, person)| Operation::SignIn { client, person });
        vec![calm(sign_ins.map(at_home).collect()), calm(exchanges)]
    });
    let raced = (person(), crowd(decide()), crowd(Just(Operation::Callback(Back(0))))).prop_map(
        move |((client, person), decisions, callbacks)| {
            let open = vec![at_home(Operation::Open { client, person })];
            vec![calm(open), calm(decisions), calm(callbacks)]
        },
    );
    let redeemed = (person(), crowd(exchange())).prop_map(move |((client, person), exchanges)| {
        let sign_in = vec![at_home(Operation::SignIn { client, person })];
        vec![calm(sign_in), calm(exchanges)]
    });
    prop_oneof![6 => signed_in, 1 => redeemed, 1 => raced]
}

/// A sign-in is ended while its access token is in use, and what has ended must have ended: the
/// replica that did it has just been told so, whatever it was remembering at that moment.
fn ending() -> impl Strategy<Value = Vec<Wave>> {
    let end = prop_oneof![
        Just(Operation::RevokeRefresh(Back(0), Party::Owner)),
        Just(Operation::RevokeAccess(Back(0), Party::Owner)),
        Just(Operation::Refresh(Back(1), Party::Owner)),
        Just(Operation::Exchange(Back(0), Proof::Right)),
    ];
    (replica(), end, 0..WAVE_MAX, pause()).prop_map(|(replica, end, at, pause)| {
        let here = |what| Step { replica, is_lost: false, what };
        let mut race = vec![here(Operation::Call(Back(0))); WAVE_MAX - 1];
        race.insert(at, here(end));
        let after = vec![here(Operation::Call(Back(0)))];
        let calm = |pause, steps| Wave { pause, steps, fault: Fault::None };
        vec![calm(pause, race), calm(Pause::None, after)]
    })
}

fn wave() -> impl Strategy<Value = Wave> {
    let alone = step(operation()).prop_map(|step| vec![step]);
    let mixed = prop::collection::vec(step(operation()), 2..=WAVE_MAX);
    let steps = prop_oneof![4 => alone, 6 => crowd(operation()), 8 => mixed, 1 => rivals()];
    (pause(), steps, fault()).prop_map(|(pause, steps, fault)| Wave { pause, steps, fault })
}

fn fault() -> impl Strategy<Value = Fault> {
    let moment = || {
        let place = (0..MESSAGES_MAX, any::<bool>());
        place.prop_map(|(message, is_delivered)| Moment { message, is_delivered })
    };
    prop_oneof![
        16 => Just(Fault::None),
        2 => (replica(), moment()).prop_map(|(replica, moment)| Fault::Cut(replica, moment)),
        1 => moment().prop_map(Fault::Outage),
        1 => moment().prop_map(Fault::Kill),
    ]
}

/// The same operation several times at once.
fn crowd(what: impl Strategy<Value = Operation>) -> impl Strategy<Value = Vec<Step>> {
    let callers = prop::collection::vec((replica(), is_lost()), 2..=WAVE_MAX);
    (what, callers).prop_map(|(what, callers)| {
        let step = |(replica, is_lost)| Step { replica, is_lost, what };
        callers.into_iter().map(step).collect()
    })
}

/// Owner and thief with one token, which decide differently on what they read before the lock.
fn rivals() -> impl Strategy<Value = Vec<Step>> {
    let party = prop_oneof![Just(Party::Owner), Just(Party::Stranger)];
    prop::collection::vec((replica(), party), 2..=WAVE_MAX).prop_map(|rivals| {
        let refresh = |by| Operation::Refresh(Back(0), by);
        let step = |(replica, by)| Step { replica, is_lost: false, what: refresh(by) };
        rivals.into_iter().map(step).collect()
    })
}

fn step(what: impl Strategy<Value = Operation>) -> impl Strategy<Value = Step> {
    (replica(), is_lost(), what).prop_map(|(replica, is_lost, what)| Step {
        replica,
        is_lost,
        what,
    })
}

fn replica() -> impl Strategy<Value = Replica> {
    0..2_usize
}

fn is_lost() -> impl Strategy<Value = bool> {
    prop_oneof![7 => Just(false), 1 => Just(true)]
}

fn pause() -> impl Strategy<Value = Pause> {
    any_of(&[
        (16, Pause::None),
        (2, Pause::Second),
        (2, Pause::FiveSeconds),
        (4, Pause::InsideGrace),
        (4, Pause::Grace),
        (1, Pause::CodeTtl),
        (2, Pause::AccessTtl),
        (1, Pause::RefreshTtl),
        (1, Pause::TwoDays),
        (1, Pause::Restart),
        (1, Pause::DatabaseRestart),
    ])
}

fn operation() -> impl Strategy<Value = Operation> {
    let refresh = (back(), party()).prop_map(|(token, by)| Operation::Refresh(token, by));
    let revoke_refresh = (back(), party()).prop_map(|(at, by)| Operation::RevokeRefresh(at, by));
    let revoke_access = (back(), party()).prop_map(|(at, by)| Operation::RevokeAccess(at, by));
    let people = || (0..2_usize, 0..2_usize);
    let sign_in = people().prop_map(|(client, person)| Operation::SignIn { client, person });
    let open = people().prop_map(|(client, person)| Operation::Open { client, person });
    let register = (0..2_usize, 0..EDITIONS)
        .prop_map(|(client, edition)| Operation::Register { client, edition });
    prop_oneof![
        24 => refresh,
        6 => exchange(),
        6 => back().prop_map(Operation::Call),
        1 => revoke_refresh,
        1 => revoke_access,
        3 => sign_in,
        1 => open,
        2 => register,
        2 => decide(),
        2 => back().prop_map(Operation::Callback),
        2 => Just(Operation::CleanUp),
    ]
}

fn exchange() -> impl Strategy<Value = Operation> {
    let proofs = any_of(&[(6, Proof::Right), (1, Proof::WrongVerifier), (1, Proof::WrongClient)]);
    (back(), proofs).prop_map(|(code, proof)| Operation::Exchange(code, proof))
}

fn decide() -> impl Strategy<Value = Operation> {
    let decisions = any_of(&[(3, Decision::Approve), (1, Decision::Deny)]);
    (back(), decisions).prop_map(|(page, decision)| Operation::Decide(page, decision))
}

fn party() -> impl Strategy<Value = Party> {
    any_of(&[(9, Party::Owner), (1, Party::Stranger)])
}

/// The newest and the one before it are where the races are.
fn back() -> impl Strategy<Value = Back> {
    any_of(&[(8, 0), (6, 1), (3, 2), (1, 3), (1, 4)]).prop_map(Back)
}

fn any_of<T: Clone + fmt::Debug + 'static>(choices: &[(u32, T)]) -> impl Strategy<Value = T> {
    Union::new_weighted(choices.iter().cloned().map(|(weight, one)| (weight, Just(one))).collect())
}
