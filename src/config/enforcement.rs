//! From grace to enforced: who of those without a token is asked to sign in already.

use std::time::Duration;

use crate::config::layers::{ConfigError, Layers};
use crate::config::{AuthMode, DAY, values};

/// Who is asked while `auth` is `grace`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnforcementConfig {
    /// Of all callers, in hundredths of a percent.
    pub share_hundredths: u16,
    /// Client products, as they were written.
    pub clients: Vec<String>,
    /// Tools, as they were written.
    pub tools: Vec<String>,
    /// It halts when fewer percent of those who were asked come back; 0 for never.
    pub halt_below: u8,
    /// How long it is kept who came without a token.
    pub anonymous_kept: Duration,
}

/// Settings that ask somebody, and what they say when nobody is asked.
const ASKING: [&str; 3] = ["enforce_share", "enforce_clients", "enforce_tools"];

/// Reads it.
pub fn enforcement(layers: &Layers, auth: AuthMode) -> Result<EnforcementConfig, ConfigError> {
    let config = EnforcementConfig {
        share_hundredths: layers.read("enforce_share", "0", share_hundredths)?,
        clients: layers.items("enforce_clients").unwrap_or_default(),
        tools: layers.items("enforce_tools").unwrap_or_default(),
        halt_below: layers.read("enforce_halt_below", "50", percent)?,
        anonymous_kept: layers.read("anonymous_kept", "30d", |text| {
            values::duration_within(text, DAY * 2, DAY * 3650)
        })?,
    };
    // Whoever set it believes that somebody has to sign in.
    if auth == AuthMode::Open
        && let Some(name) = config.asking().next()
    {
        let message = "it asks nobody to sign in while auth is open; it goes with auth = \"grace\"";
        return Err(layers.error(name, message));
    }
    Ok(config)
}

impl EnforcementConfig {
    /// The settings that ask somebody.
    pub fn asking(&self) -> impl Iterator<Item = &'static str> {
        let asks = [self.share_hundredths > 0, !self.clients.is_empty(), !self.tools.is_empty()];
        ASKING.into_iter().zip(asks).filter(|(_, asks)| *asks).map(|(name, _)| name)
    }
}

/// Reads `10`, `10%` or `0.5%` as hundredths of a percent.
pub fn share_hundredths(text: &str) -> Result<u16, String> {
    let complain = || format!("{text:?} is not a share; write for instance 10% or 0.5%");
    let number = text.strip_suffix('%').unwrap_or(text).trim();
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let are_digits =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    if !are_digits(whole) || !are_digits(part) || part.len() > 2 {
        return Err(complain());
    }
    let whole: u32 = whole.parse().map_err(|_| complain())?;
    let part: u32 = format!("{part:0<2}").parse().map_err(|_| complain())?;
    let hundredths = whole.saturating_mul(100).saturating_add(part);
    u16::try_from(hundredths)
        .ok()
        .filter(|hundredths| *hundredths <= 10_000)
        .ok_or_else(|| format!("{text} is out of range; it must be from 0% to 100%"))
}

fn percent(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim();
    let percent = number.parse::<u8>().ok().filter(|percent| *percent <= 100);
    percent.ok_or_else(|| format!("{text:?} is not a whole percentage from 0 to 100"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_to_the_hundredth() {
        for (text, hundredths) in [
            ("0", 0),
            ("10", 1_000),
            ("10%", 1_000),
            ("0.5 %", 50),
            ("33.33", 3_333),
            ("100", 10_000),
        ] {
            assert_eq!(share_hundredths(text), Ok(hundredths), "{text}");
        }
        for bad in ["", "%", "-1", "100.01", "101", "1.234", "1.", ".5", "ten", "4294967297"] {
            assert!(share_hundredths(bad).is_err(), "{bad}");
        }
        assert_eq!((percent("50%"), percent("0")), (Ok(50), Ok(0)));
        assert!(percent("101").is_err() && percent("0.5").is_err());
    }
}
