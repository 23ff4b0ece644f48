//! Days and dates, and a point in time as programs write it. Always UTC.
//!
//! Never here: what a person is shown, in `page::moment`.

use crate::clock::Timestamp;

/// Milliseconds of a day.
pub const MILLIS_OF_DAY: i64 = 86_400_000;

/// Days of 400 years, after which the calendar repeats.
const DAYS_OF_ERA: i64 = 146_097;

/// Days from 1 March of the year 0 to 1 January 1970.
const DAYS_BEFORE_EPOCH: i64 = 719_468;

/// The Gregorian date of a day since the epoch: year, month from 1, day from 1. Years begin in
/// March inside, so that the leap day is a year's last.
pub const fn date(days_since_epoch: i64) -> (i64, i64, i64) {
    let days = days_since_epoch + DAYS_BEFORE_EPOCH;
    let era = days.div_euclid(DAYS_OF_ERA);
    let day_of_era = days.rem_euclid(DAYS_OF_ERA);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// The day since the epoch of a Gregorian date; the other way round than [`date`].
pub const fn day_number(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * DAYS_OF_ERA + day_of_era - DAYS_BEFORE_EPOCH
}

/// The day since the epoch that a moment lies in.
pub const fn day_of(moment: Timestamp) -> i64 {
    moment.millis().div_euclid(MILLIS_OF_DAY)
}

/// A moment as RFC 3339 writes it, in milliseconds: `2027-01-15T08:00:00.000Z`.
pub fn rfc3339(moment: Timestamp) -> String {
    let (year, month, day) = date(day_of(moment));
    let millis = moment.millis().rem_euclid(MILLIS_OF_DAY);
    let (hours, minutes) = (millis / 3_600_000, millis / 60_000 % 60);
    let (seconds, millis) = (millis / 1000 % 60, millis % 1000);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_those_of_the_calendar() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_800_000_000_123, "2027-01-15T08:00:00.123Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(rfc3339(Timestamp::from_millis(millis)), text);
        }
    }
}
