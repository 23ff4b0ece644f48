//! The person's yes: what it is bound to and when an earlier one may be used.

use crate::domain::authorization_request::ConsentNeed;
use crate::domain::redirect_uri::{Target, TrustedRedirect};

/// What the person answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes: on to the identity provider.
    Approve,
    /// No: nothing is issued.
    Deny,
}

impl Decision {
    /// The value of the pressed button.
    pub fn from_form(value: &str) -> Option<Self> {
        match value {
            "approve" => Some(Self::Approve),
            "deny" => Some(Self::Deny),
            _ => None,
        }
    }

    /// What the row holds.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Approve => "approved",
            Self::Deny => "denied",
        }
    }
}

/// Whether an earlier yes to the same client, redirect and scopes may stand in for the page.
///
/// Never for loopback or private-use redirects: another program on the machine could imitate the
/// client, and the page is what would show it (OAuth 2.1 §7.3.1).
pub fn may_use_earlier_consent(redirect: &TrustedRedirect, need: ConsentNeed) -> bool {
    need == ConsentNeed::UnlessRemembered && may_be_remembered(redirect)
}

/// Whether a yes is worth remembering: only where it may ever be used.
pub fn may_be_remembered(redirect: &TrustedRedirect) -> bool {
    redirect.target() == Target::Web
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_earlier_yes_serves_web_redirects_only() {
        let redirect = |text: &str| TrustedRedirect::from_stored(text.into());
        let unless = ConsentNeed::UnlessRemembered;
        assert!(may_use_earlier_consent(&redirect("https://e.com/cb"), unless));
        assert!(!may_use_earlier_consent(&redirect("https://e.com/cb"), ConsentNeed::Always));
        assert!(!may_use_earlier_consent(&redirect("http://127.0.0.1:1/cb"), unless));
        assert!(!may_use_earlier_consent(&redirect("cursor://x/cb"), unless));
    }
}
