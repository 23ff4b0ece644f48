//! A point in time as people write it. The pages know nobody's time zone, so it is UTC and says so.

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

/// Days of 400 years, after which the calendar repeats.
const DAYS_OF_ERA: i64 = 146_097;

/// Days from 1 March of the year 0 to 1 January 1970.
const DAYS_BEFORE_EPOCH: i64 = 719_468;

/// Writes seconds since the epoch, for instance `15 January 2027, 08:00 UTC`.
pub fn in_words(epoch_seconds: i64) -> String {
    let minutes = epoch_seconds.rem_euclid(SECONDS_OF_DAY) / 60;
    let (year, month, day) = date(epoch_seconds.div_euclid(SECONDS_OF_DAY));
    let month = usize::try_from(month - 1).ok().and_then(|index| MONTHS.get(index)).unwrap_or(&"");
    format!("{day} {month} {year}, {:02}:{:02} UTC", minutes / 60, minutes % 60)
}

/// The same for programs, as RFC 3339 has it: `2027-01-15T08:00:00Z`.
pub fn in_digits(epoch_seconds: i64) -> String {
    let seconds = epoch_seconds.rem_euclid(SECONDS_OF_DAY);
    let (year, month, day) = date(epoch_seconds.div_euclid(SECONDS_OF_DAY));
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}Z")
}

/// The Gregorian date of a day since the epoch. Years begin in March here, so that the leap day is
/// a year's last.
const fn date(days_since_epoch: i64) -> (i64, i64, i64) {
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
