//! Clients: what they claim of themselves, and what of it is registered (RFC 7591).
//!
//! A registration is corrected rather than refused where RFC 7591 §3.2.1 lets the server replace
//! values: clients send more than they need, and refusing one entry loses the client.

use std::collections::BTreeSet;

use crate::domain::redirect_uri::RedirectUri;
use crate::domain::refusal::RegistrationRefusal;
use crate::domain::scope::ScopeSet;

/// The most redirect URIs one client may register.
pub const REDIRECT_URIS_MAX: usize = 32;

/// The longest name that is kept, in characters.
pub const CLIENT_NAME_CHARS_MAX: usize = 200;

const TEXT_CHARS_MAX: usize = 200;
const LINK_BYTES_MAX: usize = 2048;

/// A grant type this server knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GrantType {
    /// RFC 6749 §4.1.
    AuthorizationCode,
    /// RFC 6749 §6.
    RefreshToken,
}

impl GrantType {
    /// The text on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
        }
    }

    /// From the text on the wire.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::AuthorizationCode, Self::RefreshToken].into_iter().find(|g| g.name() == name)
    }
}

/// What a registration request says, types already checked.
#[derive(Clone, Debug, Default)]
pub struct PresentedMetadata {
    /// `redirect_uris`
    pub redirect_uris: Vec<String>,
    /// `client_name`
    pub client_name: Option<String>,
    /// `client_uri`
    pub client_uri: Option<String>,
    /// `logo_uri`
    pub logo_uri: Option<String>,
    /// `grant_types`
    pub grant_types: Option<Vec<String>>,
    /// `response_types`
    pub response_types: Option<Vec<String>>,
    /// `scope`
    pub scope: Option<String>,
    /// `application_type`
    pub application_type: Option<String>,
    /// `software_id`
    pub software_id: Option<String>,
    /// `software_version`
    pub software_version: Option<String>,
}

/// What is registered of a client. Every one is public: `token_endpoint_auth_method` is `none`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientMetadata {
    /// At least one.
    pub redirect_uris: Vec<RedirectUri>,
    /// What it calls itself, cleaned; nobody has checked it.
    pub client_name: Option<String>,
    /// Its home page, `https` only; shown as text, never fetched.
    pub client_uri: Option<String>,
    /// Kept for the answer, never fetched or shown.
    pub logo_uri: Option<String>,
    /// Always with `authorization_code`.
    pub grant_types: Vec<GrantType>,
    /// What it said it would ask for.
    pub scope: ScopeSet,
    /// `native` or `web`, when it said so.
    pub application_type: Option<String>,
    /// Claimed by the client.
    pub software_id: Option<String>,
    /// Claimed by the client.
    pub software_version: Option<String>,
}

/// A client that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Ours, unguessable, never an address and never a subject.
    pub client_id: String,
    /// What it registered.
    pub metadata: ClientMetadata,
}

impl ClientMetadata {
    /// Whether the client said that it uses `grant_type`.
    pub fn may_use(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    /// What identical software has in common, whatever loopback ports it listens on and in whatever
    /// order it names its redirects.
    #[must_use]
    pub fn of_the_software(&self) -> Self {
        let places: BTreeSet<_> =
            self.redirect_uris.iter().map(RedirectUri::without_loopback_port).collect();
        Self { redirect_uris: places.into_iter().collect(), ..self.clone() }
    }
}

/// Decides what is registered of `presented`.
pub fn check_registration(
    presented: &PresentedMetadata,
    custom_schemes: &[String],
) -> Result<ClientMetadata, RegistrationRefusal> {
    if presented.redirect_uris.len() > REDIRECT_URIS_MAX {
        return Err(RegistrationRefusal::TooManyRedirectUris);
    }
    let mut redirect_uris: Vec<RedirectUri> = Vec::new();
    for text in &presented.redirect_uris {
        // One unacceptable entry must not cost the client the others: Cursor registers three
        // kinds at once.
        if let Ok(uri) = RedirectUri::parse(text, custom_schemes)
            && !redirect_uris.contains(&uri)
        {
            redirect_uris.push(uri);
        }
    }
    if redirect_uris.is_empty() {
        return Err(RegistrationRefusal::NoAcceptableRedirectUri);
    }
    Ok(ClientMetadata {
        redirect_uris,
        client_name: presented.client_name.as_deref().and_then(clean_name),
        client_uri: presented.client_uri.as_deref().and_then(https_link),
        logo_uri: presented.logo_uri.as_deref().and_then(https_link),
        grant_types: check_types(presented)?,
        scope: ScopeSet::known_in(presented.scope.as_deref().unwrap_or_default()),
        application_type: presented
            .application_type
            .clone()
            .filter(|kind| kind == "native" || kind == "web"),
        software_id: presented.software_id.as_deref().and_then(clean_text),
        software_version: presented.software_version.as_deref().and_then(clean_text),
    })
}

/// Unknown grant types are dropped; what remains must be able to use the code flow
/// (RFC 7591 §2.1).
fn check_types(presented: &PresentedMetadata) -> Result<Vec<GrantType>, RegistrationRefusal> {
    let responses = presented.response_types.as_deref().unwrap_or_default();
    if !responses.is_empty() && !responses.iter().any(|response| response == "code") {
        return Err(RegistrationRefusal::InconsistentTypes);
    }
    let asked = presented.grant_types.as_deref().unwrap_or_default();
    if asked.is_empty() {
        return Ok(vec![GrantType::AuthorizationCode]);
    }
    let known = |grant_type: GrantType| asked.iter().any(|name| name == grant_type.name());
    if !known(GrantType::AuthorizationCode) {
        return Err(RegistrationRefusal::InconsistentTypes);
    }
    let mut grant_types = vec![GrantType::AuthorizationCode];
    if known(GrantType::RefreshToken) {
        grant_types.push(GrantType::RefreshToken);
    }
    Ok(grant_types)
}

/// A name fit for a page: no control or direction-changing characters, single blanks, bounded.
pub fn clean_name(name: &str) -> Option<String> {
    clean(name, CLIENT_NAME_CHARS_MAX)
}

fn clean_text(text: &str) -> Option<String> {
    clean(text, TEXT_CHARS_MAX)
}

fn clean(text: &str, chars_max: usize) -> Option<String> {
    let visible: String = text
        .chars()
        .take(chars_max * 4)
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !c.is_control() && !is_invisible(*c))
        .collect();
    let words: Vec<_> = visible.split(' ').filter(|word| !word.is_empty()).collect();
    let cleaned: String = words.join(" ").chars().take(chars_max).collect();
    (!cleaned.is_empty()).then_some(cleaned)
}

/// Characters that hide, join or turn around what a person reads (Unicode TR 36 §3).
const fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00ad}' | '\u{034f}' | '\u{061c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

fn https_link(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let plain = url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
    (plain && text.len() <= LINK_BYTES_MAX).then(|| url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn presented(redirect_uris: &[&str]) -> PresentedMetadata {
        PresentedMetadata {
            redirect_uris: redirect_uris.iter().map(ToString::to_string).collect(),
            ..PresentedMetadata::default()
        }
    }

    fn strings(items: &[&str]) -> Option<Vec<String>> {
        Some(items.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_acceptable_redirect_uris_of_a_mixed_list_are_kept() {
        let mixed = presented(&["foo://x", "https://e.com/cb", "https://e.com/cb", "http://e.com"]);
        let registered = check_registration(&mixed, &[]).unwrap();
        assert_eq!(registered.redirect_uris.len(), 1);
        let none = presented(&["foo://x"]);
        let refusal = check_registration(&none, &[]).unwrap_err();
        assert_eq!(refusal, RegistrationRefusal::NoAcceptableRedirectUri);
    }

    #[test]
    fn unknown_grant_types_are_dropped_and_impossible_ones_refused() {
        let mut asked = presented(&["https://e.com/cb"]);
        for (grants, responses, expected) in [
            (None, None, Ok(vec![GrantType::AuthorizationCode])),
            (strings(&[]), strings(&[]), Ok(vec![GrantType::AuthorizationCode])),
            (
                strings(&["device_code", "refresh_token", "authorization_code"]),
                strings(&["code"]),
                Ok(vec![GrantType::AuthorizationCode, GrantType::RefreshToken]),
            ),
            (strings(&["refresh_token"]), None, Err(RegistrationRefusal::InconsistentTypes)),
            (strings(&["client_credentials"]), None, Err(RegistrationRefusal::InconsistentTypes)),
            (None, strings(&["token"]), Err(RegistrationRefusal::InconsistentTypes)),
        ] {
            asked.grant_types = grants;
            asked.response_types = responses;
            let registered = check_registration(&asked, &[]).map(|metadata| metadata.grant_types);
            assert_eq!(registered, expected, "{asked:?}");
        }
    }

    #[test]
    fn names_lose_what_would_mislead_a_reader() {
        for (name, cleaned) in [
            ("Claude  Code\n", Some("Claude Code")),
            ("\u{202e}edualC", Some("edualC")),
            ("a\u{200b}b\u{7}c", Some("abc")),
            ("<script>", Some("<script>")),
            (" \t ", None),
            ("", None),
        ] {
            assert_eq!(clean_name(name).as_deref(), cleaned, "{name:?}");
        }
        let long = clean_name(&"é".repeat(900)).unwrap();
        assert_eq!(long.chars().count(), CLIENT_NAME_CHARS_MAX);
    }

    #[test]
    fn identical_software_is_one_whatever_its_ports() {
        let software = |redirect_uris: &[&str]| {
            check_registration(&presented(redirect_uris), &[]).unwrap().of_the_software()
        };
        let one = software(&["http://127.0.0.1:5000/cb", "https://e.com/cb"]);
        for (redirect_uris, is_same) in [
            (&["https://e.com/cb", "http://127.0.0.1:6000/cb"][..], true),
            (&["http://127.0.0.1/cb", "http://127.0.0.1:1/cb", "https://e.com/cb"], true),
            (&["http://localhost:5000/cb", "https://e.com/cb"], false),
            (&["http://127.0.0.1:5000/other", "https://e.com/cb"], false),
            (&["http://127.0.0.1:5000/cb", "https://e.com:5000/cb"], false),
            (&["http://127.0.0.1:5000/cb"], false),
        ] {
            assert_eq!(software(redirect_uris) == one, is_same, "{redirect_uris:?}");
        }
    }

    #[test]
    fn only_https_links_are_kept() {
        let mut metadata = presented(&["https://e.com/cb"]);
        metadata.client_uri = Some("javascript:alert(1)".into());
        metadata.logo_uri = Some("https://e.com/logo.png".into());
        let registered = check_registration(&metadata, &[]).unwrap();
        assert_eq!(registered.client_uri, None);
        assert_eq!(registered.logo_uri.as_deref(), Some("https://e.com/logo.png"));
    }
}
