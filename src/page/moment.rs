//! A point in time as people write it. The pages know nobody's time zone, so it is UTC and says so.

use crate::calendar::date;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const SECONDS_OF_DAY: i64 = 86_400;

/// Writes seconds since the epoch, for instance `15 January 2027, 08:00 UTC`.
pub fn in_words(epoch_seconds: i64) -> String {
    let minutes = epoch_seconds.rem_euclid(SECONDS_OF_DAY) / 60;
    let (year, month, day) = date(epoch_seconds.div_euclid(SECONDS_OF_DAY));
    let month = usize::try_from(month - 1).ok().and_then(|index| MONTHS.get(index)).unwrap_or(&"");
    format!("{day} {month} {year}, {:02}:{:02} UTC", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1 January 1970, 00:00 UTC"),
            (-1, "31 December 1969, 23:59 UTC"),
            (951_782_400, "29 February 2000, 00:00 UTC"),
            (951_868_800, "1 March 2000, 00:00 UTC"),
            (1_709_251_199, "29 February 2024, 23:59 UTC"),
            (1_800_000_000, "15 January 2027, 08:00 UTC"),
            (4_107_542_399, "28 February 2100, 23:59 UTC"),
            (4_107_542_400, "1 March 2100, 00:00 UTC"),
        ] {
            assert_eq!(in_words(seconds), text, "{seconds}");
        }
    }
}
