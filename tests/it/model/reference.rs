//! The reference: what the house promises for one operation at a time, in memory.
//!
//! It is written from the promises (RFC 9700 §4.14.2, OAuth 2.1 §4.1.3, the bound on revocation in
//! `docs/operating.md`) and not from `src/`, so that a mistake has to be made twice to stay unseen.
//!
//! Never here: IO, secrets, what a race may do; see `order` for that.

use std::collections::{BTreeMap, BTreeSet};

use super::words::{
    Act, Counts, Decision, Expected, Party, Proof, Replica, Rules, Seen, SignInNo, TokenNo,
};

/// How long a replica that did not revoke may go on admitting: the bound that `docs/` states.
const REVOCATION_BOUND: i64 = 5;
/// How long the clean-up keeps a dead code, so that a late replay is still seen, and a grant.
const DAY: i64 = 24 * 60 * 60;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Stage {
    Shown { expires_at: i64 },
    Denied,
    AtProvider { expires_at: i64 },
    Returned,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Code {
    expires_at: i64,
    used: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Generation {
    number: usize,
    /// The symbol, once a client has seen the token.
    token: Option<TokenNo>,
    expires_at: i64,
    used_at: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Family {
    created_at: i64,
    revoked_at: Option<i64>,
    /// Which replicas were told of the revocation.
    told: [bool; 2],
    generations: Vec<Generation>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct SignIn {
    stage: Stage,
    code: Option<Code>,
    family: Option<Family>,
}

/// How things may stand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    now: i64,
    /// Kinds and editions that registered: identical software is one client.
    clients: BTreeSet<(usize, usize)>,
    sign_ins: BTreeMap<SignInNo, SignIn>,
}

impl Family {
    fn end(&mut self, replica: Replica, now: i64) {
        self.revoked_at.get_or_insert(now);
        self.told[replica] = true;
    }

    /// Appends the next generation; its number.
    fn grow(&mut self, expires_at: i64) -> usize {
        let number = self.generations.last().map_or(0, |last| last.number + 1);
        self.generations.push(Generation { number, token: None, expires_at, used_at: None });
        number
    }
}

impl State {
    /// The first edition of both clients has registered, and nobody signed in.
    pub fn beginning() -> Self {
        Self { now: 0, clients: BTreeSet::from([(0, 0), (1, 0)]), sign_ins: BTreeMap::new() }
    }

    pub fn advance(&mut self, seconds: i64) {
        self.now += seconds;
    }

    /// A process that starts remembers nothing, so it asks the database at once.
    pub fn restarted(&mut self, replica: Replica) {
        let families = self.sign_ins.values_mut().filter_map(|sign_in| sign_in.family.as_mut());
        for family in families.filter(|family| family.revoked_at.is_some()) {
            family.told[replica] = true;
        }
    }

    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        counts.clients += i64::try_from(self.clients.len()).expect("there are few");
        for sign_in in self.sign_ins.values() {
            counts.codes += i64::from(sign_in.code.is_some());
            counts.codes_used += i64::from(sign_in.code.as_ref().is_some_and(|code| code.used));
            let Some(family) = &sign_in.family else { continue };
            counts.grants += 1;
            counts.grants_revoked += i64::from(family.revoked_at.is_some());
            for generation in &family.generations {
                counts.tokens += 1;
                counts.tokens_unused += i64::from(generation.used_at.is_none());
            }
        }
        counts
    }

    /// Does it, and says what the caller must see.
    pub fn apply(&mut self, rules: &Rules, act: Act, replica: Replica) -> Expected {
        match act {
            Act::SignIn(number) => {
                self.begin(number, Stage::Returned);
                self.issue_code(rules, number);
                Expected::Exactly(Seen::Code)
            }
            Act::Open(number) => {
                self.begin(number, Stage::Shown { expires_at: self.now + rules.request_ttl });
                Expected::Exactly(Seen::Page)
            }
            Act::Register(kind, edition) => {
                self.clients.insert((kind, edition));
                Expected::Exactly(Seen::Registered)
            }
            Act::Decide(number, decision) => self.decide(rules, number, decision),
            Act::Callback(number) => self.call_back(rules, number),
            Act::Exchange(number, proof) => self.exchange(rules, number, proof, replica),
            Act::Refresh(token, by) => self.refresh(rules, token, by, replica),
            Act::RevokeRefresh(token, by) => {
                if let (Party::Owner, Some((number, _))) = (by, self.find(token)) {
                    self.end(number, replica);
                }
                Expected::Exactly(Seen::Revoked)
            }
            Act::RevokeAccess { sign_in, expires_at, by } => {
                if by == Party::Owner && self.now < expires_at {
                    self.end(sign_in, replica);
                }
                Expected::Exactly(Seen::Revoked)
            }
            Act::Call { sign_in, expires_at } => self.call(sign_in, expires_at, replica),
            Act::CleanUp => {
                self.clean_up();
                Expected::Exactly(Seen::CleanedUp)
            }
        }
    }

    /// What may be true after a fault came in the way of an operation: all of it was done, or
    /// nothing. What is done in two steps may have stopped between them.
    pub fn after_failure(&self, rules: &Rules, act: Act, replica: Replica) -> Vec<Self> {
        let mut done = self.clone();
        let _ = done.apply(rules, act, replica);
        // It may have failed before it told its own memory.
        for (number, sign_in) in &mut done.sign_ins {
            let before = self.sign_ins.get(number).and_then(|it| it.family.as_ref());
            let was_over = before.is_some_and(|family| family.revoked_at.is_some());
            if let Some(family) = sign_in.family.as_mut().filter(|_| !was_over) {
                family.told[replica] = false;
            }
        }
        let mut possible = vec![self.clone(), done.clone()];
        if let Act::Callback(number) = act {
            // Claimed, so that nobody else redeems the provider's code, and then nothing.
            let before = &self.sign_ins[&number];
            done.sign_in(number).code.clone_from(&before.code);
            possible.push(done);
        }
        possible
    }

    fn begin(&mut self, number: SignInNo, stage: Stage) {
        self.sign_ins.insert(number, SignIn { stage, code: None, family: None });
    }

    fn sign_in(&mut self, number: SignInNo) -> &mut SignIn {
        self.sign_ins.get_mut(&number).expect("it was begun in an earlier wave")
    }

    fn issue_code(&mut self, rules: &Rules, number: SignInNo) {
        let expires_at = self.now + rules.code_ttl;
        self.sign_in(number).code = Some(Code { expires_at, used: false });
    }

    fn end(&mut self, number: SignInNo, replica: Replica) {
        let now = self.now;
        if let Some(family) = &mut self.sign_in(number).family {
            family.end(replica, now);
        }
    }

    fn decide(&mut self, rules: &Rules, number: SignInNo, decision: Decision) -> Expected {
        let now = self.now;
        let sign_in = self.sign_in(number);
        let seen = match (sign_in.stage, decision) {
            (Stage::Shown { expires_at }, Decision::Approve) if now < expires_at => {
                sign_in.stage = Stage::AtProvider { expires_at: now + rules.request_ttl };
                Seen::AtProvider
            }
            (Stage::Shown { expires_at }, Decision::Deny) if now < expires_at => {
                sign_in.stage = Stage::Denied;
                Seen::Denied
            }
            _ => Seen::Refused,
        };
        Expected::Exactly(seen)
    }

    fn call_back(&mut self, rules: &Rules, number: SignInNo) -> Expected {
        let now = self.now;
        let sign_in = self.sign_in(number);
        let seen = match sign_in.stage {
            Stage::AtProvider { expires_at } if now < expires_at => {
                sign_in.stage = Stage::Returned;
                self.issue_code(rules, number);
                Seen::Code
            }
            _ => Seen::Refused,
        };
        Expected::Exactly(seen)
    }

    fn exchange(
        &mut self,
        rules: &Rules,
        number: SignInNo,
        proof: Proof,
        replica: Replica,
    ) -> Expected {
        let refused = Expected::Exactly(Seen::Refused);
        let now = self.now;
        let sign_in = self.sign_in(number);
        // TK-10: whoever cannot prove that the code is theirs changes nothing.
        let (Some(code), Proof::Right) = (&mut sign_in.code, proof) else { return refused };
        if code.used {
            // TK-09: it was redeemed twice, so one of the two was a thief.
            self.end(number, replica);
            return refused;
        }
        if now >= code.expires_at {
            return refused;
        }
        code.used = true;
        let mut family =
            Family { created_at: now, revoked_at: None, told: [false; 2], generations: Vec::new() };
        let generation = family.grow(now + rules.refresh_ttl);
        sign_in.family = Some(family);
        Expected::Generation(number, generation)
    }

    fn refresh(&mut self, rules: &Rules, token: TokenNo, by: Party, replica: Replica) -> Expected {
        let refused = Expected::Exactly(Seen::Refused);
        let now = self.now;
        let Some((number, at)) = self.find(token) else { return refused };
        let family = self.sign_in(number).family.as_mut().expect("a token has a family");
        let is_over = family.revoked_at.is_some();
        let presented = &family.generations[at];
        let is_expired = now >= presented.expires_at;
        match (by, presented.used_at) {
            _ if is_over => refused,
            // RT-04: a live token in other hands has leaked; a dead one proves nothing.
            (Party::Stranger, None) if !is_expired => {
                family.end(replica, now);
                refused
            }
            (Party::Stranger, _) => refused,
            (Party::Owner, None) if is_expired => refused,
            (Party::Owner, None) => {
                family.generations[at].used_at = Some(now);
                Expected::Generation(number, family.grow(now + rules.refresh_ttl))
            }
            (Party::Owner, Some(used_at)) => {
                let successor = family.generations.get(at + 1);
                let answers = |next: &&Generation| next.used_at.is_none() && now < next.expires_at;
                match successor.filter(answers) {
                    Some(next) if now - used_at < rules.refresh_grace => {
                        Expected::Generation(number, next.number)
                    }
                    _ => {
                        family.end(replica, now);
                        refused
                    }
                }
            }
        }
    }

    fn call(&self, number: SignInNo, expires_at: i64, replica: Replica) -> Expected {
        let family = self.sign_ins.get(&number).and_then(|sign_in| sign_in.family.as_ref());
        let Some(family) = family.filter(|_| self.now < expires_at) else {
            return Expected::Exactly(Seen::TurnedAway);
        };
        match family.revoked_at {
            None => Expected::Exactly(Seen::Admitted),
            Some(at) if !family.told[replica] && self.now < at + REVOCATION_BOUND => {
                Expected::AdmittedOrNot
            }
            Some(_) => Expected::Exactly(Seen::TurnedAway),
        }
    }

    fn clean_up(&mut self) {
        let now = self.now;
        for sign_in in self.sign_ins.values_mut() {
            sign_in.code.take_if(|code| now >= code.expires_at + DAY);
            let Some(family) = &mut sign_in.family else { continue };
            family.generations.retain(|generation| now < generation.expires_at);
            if family.generations.is_empty() && now >= family.created_at + DAY {
                sign_in.family = None;
            }
        }
    }

    fn find(&self, token: TokenNo) -> Option<(SignInNo, usize)> {
        self.sign_ins.iter().find_map(|(number, sign_in)| {
            let generations = &sign_in.family.as_ref()?.generations;
            let at = generations.iter().position(|one| one.token == Some(token))?;
            Some((*number, at))
        })
    }

    /// Whether what was seen is what was expected. The first sight of a generation gives it its
    /// symbol, and from then on it is that token and no other.
    pub fn agrees(&mut self, expected: &Expected, seen: &Seen) -> bool {
        match (expected, seen) {
            (_, Seen::Lost) => true,
            (Expected::Exactly(expected), seen) => expected == seen,
            (Expected::AdmittedOrNot, seen) => matches!(seen, Seen::Admitted | Seen::TurnedAway),
            (Expected::Generation(number, generation), Seen::Tokens(token)) => {
                let is_taken = self.find(*token).is_some();
                let family = self.sign_in(*number).family.as_mut().expect("it was just asked");
                let mut generations = family.generations.iter_mut();
                let named = generations.find(|one| one.number == *generation).expect("it exists");
                match named.token {
                    Some(known) => known == *token,
                    None => {
                        named.token = Some(*token);
                        !is_taken
                    }
                }
            }
            (Expected::Generation(..), _) => false,
        }
    }

    /// What is expected, for people: with the symbol of a token that was seen before.
    pub fn described(&self, expected: &Expected) -> String {
        let Expected::Generation(number, generation) = expected else {
            return match expected {
                Expected::Exactly(seen) => seen.to_string(),
                _ => "200 or 401 (revoked elsewhere moments ago)".to_owned(),
            };
        };
        let family = self.sign_ins[number].family.as_ref().expect("it was just asked");
        let named = family.generations.iter().find(|one| one.number == *generation);
        match named.and_then(|one| one.token) {
            Some(token) => format!("200 with token {token}"),
            None => format!("200 with a new token (generation {generation} of sign-in {number})"),
        }
    }
}
