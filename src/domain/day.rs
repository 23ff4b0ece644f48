//! A day of the calendar, in UTC: what usage is counted by.

use std::fmt;
use std::time::Duration;

use crate::calendar::{self, MILLIS_OF_DAY, day_of};
use crate::clock::Timestamp;

/// A day, as the number of days since 1 January 1970 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

/// The last day with four digits for the year, 9999-12-31, and the first one, 0000-03-01: more than
/// any clock says, and little enough for every sum.
const BOUNDS: (i64, i64) = (-719_468, 2_932_896);

impl Day {
    /// The day on which a moment lies.
    pub const fn of(moment: Timestamp) -> Self {
        Self::from_number(day_of(moment))
    }

    /// From what a column holds: days since the epoch.
    pub const fn from_number(number: i64) -> Self {
        let (first, last) = BOUNDS;
        Self(if number < first {
            first
        } else if number > last {
            last
        } else {
            number
        })
    }

    /// What a column holds: days since the epoch.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// The day so many days later, or earlier.
    #[must_use]
    pub const fn plus(self, days: i64) -> Self {
        Self::from_number(self.0.saturating_add(days))
    }

    /// The day that lies so long before; a part of a day counts as none.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let days = i64::try_from(duration.as_secs() / 86_400).unwrap_or(i64::MAX);
        self.plus(days.saturating_neg())
    }

    /// When it is over.
    pub const fn end(self) -> Timestamp {
        Timestamp::from_millis((self.0 + 1) * MILLIS_OF_DAY)
    }

    /// Reads `2026-11-23`.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let is_written_so = [year, month, day].map(str::len) == [4, 2, 2]
            && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        if !is_written_so || parts.next().is_some() {
            return None;
        }
        let (year, month, day) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let read = Self(calendar::day_number(year, month, day));
        // 30 February would be another day's name.
        (read.to_string() == text).then_some(read)
    }
}

/// As ISO 8601 writes it: `2026-11-23`.
impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = calendar::date(self.0);
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// Reads a moment as [`calendar::rfc3339`] writes it, with or without seconds and what is below
/// them, in UTC (`Z`) alone; `None` for anything else.
pub fn from_rfc3339(text: &str) -> Option<Timestamp> {
    let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
    let day = Day::parse(day)?;
    let whole = match time.len() {
        5 => format!("{time}:00.000"),
        8 => format!("{time}.000"),
        _ => time.to_owned(),
    };
    let number = |range: std::ops::Range<usize>| whole.get(range)?.parse::<i64>().ok();
    let (hours, minutes) = (number(0..2)?, number(3..5)?);
    let (seconds, millis) = (number(6..8)?, number(9..12)?);
    let clock = ((hours * 60 + minutes) * 60 + seconds) * 1000 + millis;
    let read = Timestamp::from_millis(day.number() * MILLIS_OF_DAY + clock);
    // What is out of range would be another moment's name.
    (calendar::rfc3339(read) == format!("{day}T{whole}Z")).then_some(read)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_and_written_as_the_calendar_has_them() {
        for (text, number) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("2026-11-23", 20_780),
            ("2027-01-15", 20_833),
        ] {
            assert_eq!(Day::parse(text), Some(Day(number)), "{text}");
            assert_eq!(Day(number).to_string(), text);
        }
        for bad in
            ["", "2026-02-30", "2026-13-01", "2026-1-1", "26-01-01", "2026-01-01-", "+026-01-01"]
        {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_day_of_four_centuries_comes_back() {
        for number in -10_000..140_000 {
            assert_eq!(Day::parse(&Day(number).to_string()), Some(Day(number)));
        }
    }

    #[test]
    fn a_moment_lies_on_one_day_and_the_next_begins_where_it_ends() {
        for (millis, day) in [(0, 0), (MILLIS_OF_DAY - 1, 0), (MILLIS_OF_DAY, 1), (-1, -1)] {
            assert_eq!(Day::of(Timestamp::from_millis(millis)), Day(day));
        }
        assert_eq!(Day::of(Day(7).end()), Day(8));
        assert_eq!(Day(100).minus(Duration::from_hours(24 * 90)), Day(10));
        assert_eq!(Day(7).plus(i64::MAX).to_string(), "9999-12-31");
    }

    #[test]
    fn a_moment_may_be_written_shorter_and_not_otherwise() {
        let whole = "2027-01-15T08:00:00.123Z";
        assert_eq!(from_rfc3339(whole), Some(Timestamp::from_millis(1_800_000_000_123)));
        for text in ["2027-01-15T08:00Z", "2027-01-15T08:00:00Z", "2027-01-15T08:00:00.000Z"] {
            assert_eq!(from_rfc3339(text), Some(Timestamp::from_millis(1_800_000_000_000)));
        }
        for text in [
            "",
            "Z",
            "TZ",
            "2027-01-15",
            "2027-01-15T",
            "2027-01-15T08:00",
            "2027-01-15T8:00Z",
            "2027-01-15T24:00Z",
            "2027-01-15T08:60Z",
            "2027-02-30T08:00Z",
            "2027-01-15 08:00Z",
            "2027-01-15T08:00+01:00",
            "2027-01-15T08-00Z",
            "2027-01-15T+8:00Z",
            "2027-01-15T08:00:00.0Z",
            "2027-01-15T0é:00Z",
            "2027-01-15T08:00:00.000ZZ",
        ] {
            assert_eq!(from_rfc3339(text), None, "{text}");
        }
    }
}
