//! Windows and counters as values; that replicas share them through a database is told in
//! `tests/it/limits.rs`.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::window::{Share, Window, lease};
use super::*;
use crate::config::values::Limit;

const NOW: Timestamp = Timestamp::from_seconds(1000);
const MINUTE: Duration = Duration::from_mins(1);

fn limit(count: u32) -> Limit {
    Limit { count, window: MINUTE }
}

fn counter(count: u32) -> Counter {
    Counter::new("limit", limit(count), Arc::default())
}

fn from(address: &str) -> Counted {
    Counted::address(address.parse().unwrap())
}

fn share(began_at: Timestamp, used: u32) -> Share {
    Share { began_at, used }
}

#[test]
fn a_window_allows_its_count_and_then_says_when_to_come_back() {
    let counter = counter(2);
    assert!(counter.count(from("10.0.0.1"), NOW).allowed);
    let second = counter.count(from("10.0.0.1"), NOW.plus(Duration::from_secs(30)));
    assert!(second.allowed && second.remaining == 0);
    let third = counter.count(from("10.0.0.1"), NOW.plus(Duration::from_millis(59_001)));
    assert!(!third.allowed);
    assert_eq!(third.retry_after_seconds(), 1);
    assert!(counter.count(from("10.0.0.2"), NOW).allowed);
    assert!(counter.count(from("10.0.0.1"), NOW.plus(MINUTE)).allowed);
}

#[test]
fn looking_costs_nothing() {
    let counter = counter(2);
    for _ in 0..10 {
        assert!(counter.look(&from("10.0.0.1"), NOW).allowed);
    }
    assert_eq!(counter.count(from("10.0.0.1"), NOW).remaining, 1);
    counter.count(from("10.0.0.1"), NOW);
    assert!(!counter.look(&from("10.0.0.1"), NOW).allowed);
}

#[test]
fn an_ipv6_host_cannot_count_as_many() {
    let counter = counter(2);
    counter.count(from("2001:db8::1"), NOW);
    counter.count(from("2001:db8::2"), NOW);
    assert!(!counter.count(from("2001:db8::3"), NOW).allowed);
    assert!(counter.count(from("2001:db8:0:1::1"), NOW).allowed);
    assert_eq!(from("::ffff:10.0.0.1"), from("10.0.0.1"));
}

#[test]
fn a_clock_that_is_set_back_keeps_nobody_out() {
    let counter = counter(1);
    counter.count(from("10.0.0.1"), NOW.plus(Duration::from_hours(5)));
    assert!(counter.count(from("10.0.0.1"), NOW).allowed);
}

#[test]
fn somebody_has_used_a_window_up_until_it_is_over() {
    let counter = counter(2);
    counter.count(from("10.0.0.1"), NOW);
    assert!(!counter.is_used_up_by_somebody(NOW));
    counter.count(from("10.0.0.1"), NOW);
    assert!(counter.is_used_up_by_somebody(NOW));
    assert!(!counter.is_used_up_by_somebody(NOW.plus(MINUTE)));
}

#[test]
fn a_lease_is_a_tenth_and_at_least_one() {
    for (count, expected) in [(1, 1), (9, 1), (10, 1), (20, 2), (60, 6), (120, 12)] {
        assert_eq!(lease(limit(count)), expected, "{count}");
    }
}

#[test]
fn only_who_has_used_a_lease_waits_and_only_once() {
    let counter = counter(20);
    counter.count(from("10.0.0.1"), NOW);
    assert_eq!(counter.take_waiting().len(), 0);
    for _ in 0..5 {
        counter.count(from("10.0.0.1"), NOW);
    }
    let waiting = counter.take_waiting();
    assert_eq!(waiting.len(), 1);
    let told = counter.open(&waiting[0], NOW).unwrap();
    assert_eq!(told, share(NOW, 6));
    // Two come while it is told, and wait for the next time.
    counter.count(from("10.0.0.1"), NOW);
    counter.count(from("10.0.0.1"), NOW);
    assert_eq!(counter.take_waiting().len(), 0);
    counter.settle(waiting.into_iter().next().unwrap(), told, share(NOW, 17), NOW);
    assert_eq!(counter.look(&from("10.0.0.1"), NOW).remaining, 1);
    let again = counter.take_waiting();
    assert_eq!(counter.open(&again[0], NOW), Some(share(NOW, 2)));
}

#[test]
fn who_is_refused_has_nothing_to_tell() {
    let counter = counter(20);
    for _ in 0..20 {
        counter.count(from("10.0.0.1"), NOW);
    }
    let waiting = counter.take_waiting().pop().unwrap();
    let told = counter.open(&waiting, NOW).unwrap();
    counter.settle(waiting, told, told, NOW);
    for _ in 0..100 {
        assert!(!counter.count(from("10.0.0.1"), NOW).allowed);
    }
    assert_eq!(counter.take_waiting().len(), 0);
}

#[test]
fn a_window_that_is_over_is_not_told() {
    let counter = counter(20);
    for _ in 0..2 {
        counter.count(from("10.0.0.1"), NOW);
    }
    let late = NOW.plus(MINUTE);
    let waiting = counter.take_waiting().pop().unwrap();
    assert_eq!(counter.open(&waiting, late), None);
    // It waits no more, so the next lease makes it wait again.
    for _ in 0..2 {
        counter.count(from("10.0.0.1"), late);
    }
    assert_eq!(counter.take_waiting().len(), 1);
}

#[test]
fn an_answer_that_comes_after_the_window_changes_nothing() {
    let mut window = Window::beginning_at(NOW);
    window.count(limit(20));
    let told = window.open(limit(20), NOW).unwrap();
    let late = NOW.plus(MINUTE);
    window.renew(limit(20), late);
    window.count(limit(20));
    window.settle(told, share(NOW, 19), late);
    assert_eq!((window.used(), window.open(limit(20), late)), (1, Some(share(late, 1))));
}

#[test]
fn what_the_database_says_of_a_window_is_taken_over() {
    let before = NOW.minus(Duration::from_secs(20));
    let after = NOW.plus(Duration::from_secs(5));
    // What is learnt; what is used then, and when it ends, counted from now.
    for (learnt, used, ends_in) in [
        (share(NOW, 9), 9, 60),
        (share(before, 9), 9, 40),
        // Begun by a clock that is ahead: it begins now.
        (share(after, 9), 9, 60),
        // The database has lost the window. We have not.
        (share(NOW, 2), 4, 60),
    ] {
        let mut window = Window::beginning_at(NOW);
        let count_two = |window: &mut Window| {
            window.count(limit(20));
            window.count(limit(20));
            window.open(limit(20), NOW).unwrap()
        };
        let told = count_two(&mut window);
        window.settle(told, told, NOW);
        let told = count_two(&mut window);
        window.settle(told, learnt, NOW);
        assert_eq!(window.used(), used, "{learnt:?}");
        let ends_at = NOW.plus(Duration::from_secs(ends_in));
        assert_eq!(window.ends_at(limit(20)), ends_at, "{learnt:?}");
    }
}

/// What the statement of `store/limit_windows` does to a row.
fn add(row: &mut Option<Share>, told: Share, window: Duration, now: Timestamp) -> Share {
    let is_live =
        |row: &Share| now.minus(window) < row.began_at && row.began_at <= now.plus(window);
    let after = match *row {
        Some(row) if is_live(&row) => share(row.began_at, row.used + told.used),
        Some(row) if row.began_at <= now => {
            share(told.began_at.max(row.began_at.plus(window)), told.used)
        }
        _ => told,
    };
    *row.insert(after)
}

/// Replicas that count one caller, and their database.
struct Replicas {
    limit: Limit,
    windows: Vec<Window>,
    row: Option<Share>,
    /// When the windows began that the row has held.
    began: Vec<Timestamp>,
    /// What each has told, and the answer that is under way to it.
    in_flight: BTreeMap<usize, (Share, Share)>,
    allowed: u32,
    /// Those of them that came while a settlement was under way.
    allowed_meanwhile: u32,
}

impl Replicas {
    fn new(limit: Limit, count: usize) -> Self {
        Self {
            limit,
            windows: vec![Window::beginning_at(NOW); count],
            row: None,
            began: Vec::new(),
            in_flight: BTreeMap::new(),
            allowed: 0,
            allowed_meanwhile: 0,
        }
    }

    fn count(&mut self, replica: usize, now: Timestamp) -> bool {
        let window = &mut self.windows[replica];
        window.renew(self.limit, now);
        let is_allowed = window.count(self.limit);
        self.allowed += u32::from(is_allowed);
        let is_meanwhile = self.in_flight.contains_key(&replica);
        self.allowed_meanwhile += u32::from(is_allowed && is_meanwhile);
        if !is_meanwhile {
            self.tell_if_due(replica, now);
        }
        is_allowed
    }

    fn tell_if_due(&mut self, replica: usize, now: Timestamp) {
        let window = self.windows[replica];
        if window.is_due(self.limit)
            && let Some(told) = window.open(self.limit, now)
        {
            let learnt = add(&mut self.row, told, self.limit.window, now);
            if self.began.last() != Some(&learnt.began_at) {
                self.began.push(learnt.began_at);
            }
            self.in_flight.insert(replica, (told, learnt));
        }
    }

    fn answer(&mut self, replica: usize, now: Timestamp) {
        if let Some((told, learnt)) = self.in_flight.remove(&replica) {
            self.windows[replica].settle(told, learnt, now);
            self.tell_if_due(replica, now);
        }
    }

    fn answer_all(&mut self, now: Timestamp) {
        while let Some(replica) = self.in_flight.keys().next().copied() {
            self.answer(replica, now);
        }
    }
}

proptest! {
    /// Steps are events, and answers of the database, at some replica.
    #[test]
    fn together_replicas_allow_the_limit_and_at_most_a_lease_for_each_further_one(
        count in 1_u32..80,
        replicas in 1_usize..5,
        steps in prop::collection::vec((any::<usize>(), any::<bool>()), 0..400),
    ) {
        let mut together = Replicas::new(limit(count), replicas);
        for (number, is_event) in steps {
            let replica = number % replicas;
            if is_event {
                together.count(replica, NOW);
            } else {
                together.answer(replica, NOW);
            }
        }
        // Everybody asks until nobody is let in.
        together.answer_all(NOW);
        for replica in 0..replicas {
            while together.count(replica, NOW) {
                together.answer_all(NOW);
            }
        }
        let replicas = u32::try_from(replicas).unwrap();
        let most = count + (replicas - 1) * lease(limit(count)) + together.allowed_meanwhile;
        prop_assert!(count <= together.allowed, "{} of {count}", together.allowed);
        prop_assert!(together.allowed <= most, "{} of {most}", together.allowed);
    }

    /// Whenever replicas begin their windows, what they share are windows that do not overlap.
    #[test]
    fn as_time_goes_on_no_more_is_allowed_than_windows_have_passed(
        count in 1_u32..40,
        replicas in 1_usize..5,
        steps in prop::collection::vec((any::<usize>(), 0_u64..20, 1_u32..50), 0..200),
    ) {
        let mut together = Replicas::new(limit(count), replicas);
        let mut now = NOW;
        for (number, seconds, events) in steps {
            now = now.plus(Duration::from_secs(seconds));
            for _ in 0..events {
                together.count(number % replicas, now);
                together.answer_all(now);
            }
        }
        let windows = u32::try_from(NOW.until(now).as_secs() / 60 + 1).unwrap();
        let lease = lease(limit(count));
        // A replica that has not used up a lease may be in a window of its own, whose rest is
        // forgotten; two of them fit beside one of all.
        let beyond = u32::try_from(replicas).unwrap() * (lease + 2 * (lease - 1));
        let most = windows * (count + beyond);
        prop_assert!(together.allowed <= most, "{} of {most}", together.allowed);
        for began in together.began.windows(2) {
            prop_assert!(began[0].plus(MINUTE) <= began[1], "{began:?}");
        }
    }
}
