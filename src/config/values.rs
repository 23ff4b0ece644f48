//! How single values are written: durations, limits, addresses.

use std::time::Duration;

use url::Url;

use crate::loopback::is_loopback;

/// How many events in which time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Events allowed in one window.
    pub count: u32,
    /// Length of the window.
    pub window: Duration,
}

/// Reads `30s`, `10m`, `1h`, `30d`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let complain = || format!("{text:?} is not a duration; write 30s, 10m, 1h or 30d");
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(complain)?;
    let (digits, unit) = text.split_at(split);
    let count: u64 = digits.parse().map_err(|_| complain())?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return Err(complain()),
    };
    count.checked_mul(seconds).map(Duration::from_secs).ok_or_else(complain)
}

/// Reads a duration between `min` and `max`.
pub fn duration_within(text: &str, min: Duration, max: Duration) -> Result<Duration, String> {
    let value = duration(text)?;
    if (min..=max).contains(&value) {
        Ok(value)
    } else {
        Err(format!("{text} is out of range; it must be from {} to {}", show(min), show(max)))
    }
}

/// Reads a duration, or `none`.
pub fn optional_duration(text: &str) -> Result<Option<Duration>, String> {
    if text == "none" {
        return Ok(None);
    }
    match duration(text)? {
        Duration::ZERO => Err("0s would end every sign-in at once; write none for no limit".into()),
        limited => Ok(Some(limited)),
    }
}

fn show(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => "0s".to_owned(),
        s if s % 86_400 == 0 => format!("{}d", s / 86_400),
        s if s % 3600 == 0 => format!("{}h", s / 3600),
        s if s % 60 == 0 => format!("{}m", s / 60),
        s => format!("{s}s"),
    }
}

/// Reads `60/15m`.
pub fn limit(text: &str) -> Result<Limit, String> {
    let complain = || format!("{text:?} is not a limit; write for instance 60/15m");
    let (count, window) = text.split_once('/').ok_or_else(complain)?;
    let count: u32 = count.trim().parse().map_err(|_| complain())?;
    let window = duration(window.trim()).map_err(|_| complain())?;
    if count == 0 || window.is_zero() {
        return Err(format!("{text} would allow nothing"));
    }
    Ok(Limit { count, window })
}

/// Reads `true` or `false`.
pub fn switch(text: &str) -> Result<bool, String> {
    match text {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(format!("{text:?} is neither true nor false")),
    }
}

/// Reads an origin: https unless loopback, no path, no trailing slash.
pub fn origin(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| format!("{text:?} is not a URL"))?;
    secure(&url)?;
    let canonical = url.origin().ascii_serialization();
    if canonical == text { Ok(url) } else { Err(format!("write it as {canonical}")) }
}

/// Reads an absolute address that people or programs are sent to: https unless loopback.
pub fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| format!("{text:?} is not a URL"))?;
    secure(&url)?;
    Ok(url)
}

fn secure(url: &Url) -> Result<(), String> {
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(url) => {}
        "http" => return Err("http is for loopback only; use https".into()),
        other => return Err(format!("{other}: is not https")),
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("it names no host".into());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it must not carry a user name or password".into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_limits_are_read_and_bounded() {
        assert_eq!(duration("30s"), Ok(Duration::from_secs(30)));
        assert_eq!(duration("1h"), Ok(Duration::from_hours(1)));
        assert_eq!(duration("30d"), Ok(Duration::from_hours(720)));
        for bad in ["", "30", "s", "-1s", "1w", "1.5h", "99999999999999999999s", "1 h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        let range = |text| duration_within(text, Duration::ZERO, Duration::from_mins(1));
        assert_eq!(range("60s"), Ok(Duration::from_mins(1)));
        assert_eq!(range("61s").unwrap_err(), "61s is out of range; it must be from 0s to 1m");
        assert_eq!(limit("60/15m"), Ok(Limit { count: 60, window: Duration::from_mins(15) }));
        for bad in ["60", "0/1m", "1/0s", "x/1m", "1/1"] {
            assert!(limit(bad).is_err(), "{bad}");
        }
        assert_eq!(optional_duration("none"), Ok(None));
        assert!(optional_duration("0s").is_err());
    }

    #[test]
    fn a_public_url_is_an_origin_and_secure() {
        for good in ["https://docs.example.com", "http://127.0.0.1:8080", "http://localhost:1"] {
            assert!(origin(good).is_ok(), "{good}");
        }
        for bad in [
            "docs.example.com",
            "http://docs.example.com",
            "https://docs.example.com/",
            "https://docs.example.com/path",
            "https://DOCS.example.com",
            "https://docs.example.com:443",
            "https://u@docs.example.com",
            "ftp://docs.example.com",
        ] {
            assert!(origin(bad).is_err(), "{bad}");
        }
    }
}
