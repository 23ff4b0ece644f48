//! The server secret: what it seals, authenticates and derives.
//!
//! One secret, a sub-key for each [`Purpose`], so that a value made for one is void for every
//! other. While it is being rotated the previous one still opens what it made. It also derives the
//! successor of a refresh token, so that no refresh token is ever stored.
//!
//! Never here: where the secret comes from, what is sealed.

use std::fmt;

use aws_lc_rs::aead;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::secret::{Entropy, Kind, Secret, SecretHash, hmac_sha256};

/// The fewest bytes a server secret may have.
pub const SERVER_SECRET_BYTES_MIN: usize = 32;

const NONCE_BYTES: usize = aead::NONCE_LEN;

/// Sealed values begin with their version: this one, a tag of the secret they were made under, the
/// nonce.
const SEAL_VERSION: u8 = 2;
/// Without the tag. Still opened; a clean-up pass makes what is stored anew.
const UNTAGGED_SEAL_VERSION: u8 = 1;
const TAG_BYTES: usize = 4;

/// How a sealed value begins that was made under a certain secret.
pub const SEAL_MARK_BYTES: usize = 1 + TAG_BYTES;

/// What a sealed or authenticated value is for. A value made for one purpose is
/// void for every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The private half of a signing key.
    SigningKey,
    /// What the provider told us of a person.
    Profile,
    /// The client's own `state`.
    ClientState,
    /// Nonce and verifier of our request to the provider.
    UpstreamLogin,
    /// The cookie that says who signed in last.
    PersonCookie,
    /// The cookie that binds one consent form to one browser.
    RequestCookie,
    /// The cookie that binds one upstream login to one browser.
    LoginCookie,
    /// The request that a consent form carries.
    ConsentForm,
    /// The text of a person's feedback.
    Feedback,
    /// The next refresh token of a family.
    RefreshSuccessor,
    /// Whom a limit counts, as the database knows them.
    LimitKey,
    /// The cookie of a sign-in that leads to a browser session; all that is known of it.
    BrowserLogin,
    /// The cookie of a browser session.
    SessionCookie,
    /// The next value of that cookie.
    SessionSuccessor,
    /// What ties a form to the browser session it was shown in.
    SessionForm,
    /// Where a browser goes when it is back from the provider's logout.
    LogoutReturn,
    /// What waits to be handed on to a receiver outside.
    Outbox,
    /// A caller without a token, as the database knows them, and which share they belong to.
    CallerNetwork,
    /// What the admin listener gets for the sign-in of somebody who administers.
    AdminCode,
    /// What ties a form of the admin pages to the session it was shown in.
    AdminForm,
    /// A person's address, as it is found again.
    EmailHash,
    /// What tells sealed values of two secrets apart.
    SealTag,
    /// What somebody searched for.
    Query,
    /// What somebody wants, as their assistant puts it.
    Context,
    /// What a sink knows an event by.
    SinkKey,
    /// What a sink knows a person by.
    SinkPerson,
    /// The identifiers that a sink was told of a person.
    SinkTold,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::SigningKey => b"gatehouse signing key",
            Self::Profile => b"gatehouse profile",
            Self::ClientState => b"gatehouse client state",
            Self::UpstreamLogin => b"gatehouse upstream login",
            Self::PersonCookie => b"gatehouse person cookie",
            Self::RequestCookie => b"gatehouse request cookie",
            Self::LoginCookie => b"gatehouse login cookie",
            Self::ConsentForm => b"gatehouse consent form",
            Self::Feedback => b"gatehouse feedback",
            Self::RefreshSuccessor => b"gatehouse refresh successor",
            Self::LimitKey => b"gatehouse limit key",
            Self::BrowserLogin => b"gatehouse browser login",
            Self::SessionCookie => b"gatehouse session cookie",
            Self::SessionSuccessor => b"gatehouse session successor",
            Self::SessionForm => b"gatehouse session form",
            Self::LogoutReturn => b"gatehouse logout return",
            Self::Outbox => b"gatehouse outbox",
            Self::CallerNetwork => b"gatehouse caller network",
            Self::AdminCode => b"gatehouse admin code",
            Self::AdminForm => b"gatehouse admin form",
            Self::EmailHash => b"gatehouse email hash",
            Self::SealTag => b"gatehouse seal tag",
            Self::Query => b"gatehouse query",
            Self::Context => b"gatehouse context",
            Self::SinkKey => b"gatehouse sink key",
            Self::SinkPerson => b"gatehouse sink person",
            Self::SinkTold => b"gatehouse sink told",
        }
    }
}

/// Why a server secret was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretFormatError {
    /// The text is not base64.
    NotBase64,
    /// Fewer than [`SERVER_SECRET_BYTES_MIN`] bytes.
    TooShort,
}

impl fmt::Display for SecretFormatError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBase64 => f.write_str("not base64"),
            Self::TooShort => write!(f, "fewer than {SERVER_SECRET_BYTES_MIN} bytes"),
        }
    }
}

/// Decodes the base64 text of the `secret` setting, with or without padding, either alphabet.
pub fn decode_server_secret(text: &str) -> Result<Vec<u8>, SecretFormatError> {
    let text = text.trim().trim_end_matches('=');
    let standard: String = text
        .chars()
        .map(|c| {
            if c == '-' {
                '+'
            } else if c == '_' {
                '/'
            } else {
                c
            }
        })
        .collect();
    let bytes = STANDARD
        .decode(format!("{standard}{}", "=".repeat((4 - standard.len() % 4) % 4)))
        .map_err(|_| SecretFormatError::NotBase64)?;
    if bytes.len() < SERVER_SECRET_BYTES_MIN { Err(SecretFormatError::TooShort) } else { Ok(bytes) }
}

/// Makes the text of a new server secret.
pub fn generate_server_secret(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 48];
    entropy.fill(&mut bytes);
    STANDARD.encode(bytes)
}

/// The `secret` setting and, while it is being rotated, `secret_previous`.
///
/// New values are made under the current one; both open what exists.
pub struct ServerSecret {
    current: Vec<u8>,
    previous: Option<Vec<u8>>,
}

impl ServerSecret {
    /// From decoded settings.
    pub const fn new(current: Vec<u8>, previous: Option<Vec<u8>>) -> Self {
        Self { current, previous }
    }

    fn generations(&self) -> impl Iterator<Item = &[u8]> {
        [Some(self.current.as_slice()), self.previous.as_deref()].into_iter().flatten()
    }

    /// Encrypts and authenticates `plaintext` for `purpose` (AES-256-GCM-SIV, which stays safe
    /// should a nonce ever repeat).
    pub fn seal(&self, entropy: &dyn Entropy, purpose: Purpose, plaintext: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        entropy.fill(&mut nonce);
        let mut sealed = plaintext.to_vec();
        sealing_key(&self.current, purpose)
            .seal_in_place_append_tag(
                aead::Nonce::assume_unique_for_key(nonce),
                aead::Aad::from(purpose.label()),
                &mut sealed,
            )
            .expect("a value of ours is far below the cipher's size limit");
        [&self.seal_mark()[..], &nonce, &sealed].concat()
    }

    /// How everything begins that is sealed under the current secret, whatever the purpose, and
    /// nothing that was sealed under another. It says nothing else of the secret.
    pub fn seal_mark(&self) -> [u8; SEAL_MARK_BYTES] {
        let mut mark = [SEAL_VERSION; SEAL_MARK_BYTES];
        mark[1..].copy_from_slice(&seal_tag(&self.current));
        mark
    }

    /// Opens what [`Self::seal`] made for the same purpose; `None` for anything else.
    pub fn unseal(&self, purpose: Purpose, sealed: &[u8]) -> Option<Vec<u8>> {
        let (tag, rest) = match sealed.split_first()? {
            (&SEAL_VERSION, rest) => {
                let (tag, rest) = rest.split_at_checked(TAG_BYTES)?;
                (Some(tag), rest)
            }
            (&UNTAGGED_SEAL_VERSION, rest) => (None, rest),
            _ => return None,
        };
        let (nonce, ciphertext) = rest.split_at_checked(NONCE_BYTES)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
        let may_have_made_it = |key: &&[u8]| tag.is_none_or(|tag| tag == seal_tag(key));
        self.generations().filter(may_have_made_it).find_map(|key| {
            let mut buffer = ciphertext.to_vec();
            let plaintext = sealing_key(key, purpose)
                .open_in_place(
                    aead::Nonce::assume_unique_for_key(nonce),
                    aead::Aad::from(purpose.label()),
                    &mut buffer,
                )
                .ok()?;
            Some(plaintext.to_vec())
        })
    }

    /// A name for `parts` under which equal ones are found again, and which tells nobody what they
    /// are: an HMAC, so that even an address, of which there are few, cannot be guessed from it.
    /// Only the current secret makes names.
    pub fn keyed_hash(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; 32] {
        hmac_sha256(&subkey(&self.current, purpose), parts)
    }

    /// The same under each secret that may have made a name: what a search has to look for.
    pub fn keyed_hashes(&self, purpose: Purpose, parts: &[&[u8]]) -> Vec<[u8; 32]> {
        self.generations().map(|key| hmac_sha256(&subkey(key, purpose), parts)).collect()
    }

    /// The refresh token that follows `presented`.
    ///
    /// It depends on nothing else, so every repetition inside the grace derives the same one.
    pub fn successor_of(&self, presented: &Secret) -> Secret {
        successor_under(&self.current, Kind::RefreshToken, presented)
    }

    /// The successor whose hash is stored, whichever generation of the secret derived it.
    pub fn successor_matching(&self, presented: &Secret, stored: SecretHash) -> Option<Secret> {
        self.matching(Kind::RefreshToken, presented, stored)
    }

    /// The value of a browser session that follows `presented`: the same for all requests that
    /// bring the old one at once, and for the next when the browser never got the answer.
    pub fn session_successor_of(&self, presented: &Secret) -> Secret {
        successor_under(&self.current, Kind::BrowserSession, presented)
    }

    /// The same, as its hash is stored.
    pub fn session_successor_matching(
        &self,
        presented: &Secret,
        stored: SecretHash,
    ) -> Option<Secret> {
        self.matching(Kind::BrowserSession, presented, stored)
    }

    fn matching(&self, kind: Kind, presented: &Secret, stored: SecretHash) -> Option<Secret> {
        self.generations()
            .map(|key| successor_under(key, kind, presented))
            .find(|successor| successor.hash() == stored)
    }
}

impl fmt::Debug for ServerSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerSecret(…)")
    }
}

fn successor_under(key: &[u8], kind: Kind, presented: &Secret) -> Secret {
    let purpose = match kind {
        Kind::BrowserSession => Purpose::SessionSuccessor,
        _ => Purpose::RefreshSuccessor,
    };
    let parts = [presented.expose().as_bytes()];
    Secret::derived(kind, &hmac_sha256(&subkey(key, purpose), &parts))
}

fn subkey(key: &[u8], purpose: Purpose) -> [u8; 32] {
    hmac_sha256(key, &[purpose.label()])
}

fn seal_tag(key: &[u8]) -> [u8; TAG_BYTES] {
    let [a, b, c, d, ..] = subkey(key, Purpose::SealTag);
    [a, b, c, d]
}

fn sealing_key(key: &[u8], purpose: Purpose) -> aead::LessSafeKey {
    let unbound = aead::UnboundKey::new(&aead::AES_256_GCM_SIV, &subkey(key, purpose))
        .expect("a subkey has the cipher's key length");
    aead::LessSafeKey::new(unbound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::{SystemEntropy, base64url};

    fn secret(byte: u8) -> Vec<u8> {
        vec![byte; 32]
    }

    #[test]
    fn a_sealed_value_opens_only_for_its_purpose_and_unchanged() {
        let server = ServerSecret::new(secret(1), None);
        let sealed = server.seal(&SystemEntropy, Purpose::Profile, b"alice");
        assert_eq!(server.unseal(Purpose::Profile, &sealed).as_deref(), Some(&b"alice"[..]));
        assert_eq!(server.unseal(Purpose::ClientState, &sealed), None);
        for position in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[position] ^= 1;
            assert_eq!(server.unseal(Purpose::Profile, &bent), None, "byte {position}");
        }
        assert_eq!(server.unseal(Purpose::Profile, &[]), None);
        assert_eq!(server.unseal(Purpose::Profile, &[SEAL_VERSION, 1, 2]), None);
    }

    #[test]
    fn a_rotated_secret_still_opens_and_derives_what_the_previous_one_made() {
        let before = ServerSecret::new(secret(1), None);
        let after = ServerSecret::new(secret(2), Some(secret(1)));
        let sealed = before.seal(&SystemEntropy, Purpose::SigningKey, b"key");
        assert_eq!(after.unseal(Purpose::SigningKey, &sealed).as_deref(), Some(&b"key"[..]));
        let presented = Secret::generate(&SystemEntropy, Kind::RefreshToken);
        let stored = before.successor_of(&presented).hash();
        assert!(after.successor_matching(&presented, stored).is_some());
        assert_ne!(after.successor_of(&presented).hash(), stored);
    }

    #[test]
    fn what_is_sealed_shows_under_which_secret() {
        let before = ServerSecret::new(secret(1), None);
        let after = ServerSecret::new(secret(2), Some(secret(1)));
        let sealed = before.seal(&SystemEntropy, Purpose::Profile, b"alice");
        assert!(sealed.starts_with(&before.seal_mark()));
        assert!(!sealed.starts_with(&after.seal_mark()));
        let anew = after.seal(&SystemEntropy, Purpose::Feedback, b"words");
        assert!(anew.starts_with(&after.seal_mark()));
        assert_eq!(before.unseal(Purpose::Feedback, &anew), None);
    }

    #[test]
    fn what_was_sealed_without_a_tag_still_opens() {
        let server = ServerSecret::new(secret(2), Some(secret(1)));
        for made_by in [ServerSecret::new(secret(1), None), ServerSecret::new(secret(2), None)] {
            let sealed = made_by.seal(&SystemEntropy, Purpose::Profile, b"alice");
            let untagged = [&[UNTAGGED_SEAL_VERSION][..], &sealed[SEAL_MARK_BYTES..]].concat();
            assert_eq!(server.unseal(Purpose::Profile, &untagged).as_deref(), Some(&b"alice"[..]));
            assert!(!untagged.starts_with(&server.seal_mark()));
        }
    }

    #[test]
    fn a_name_is_looked_for_under_both_secrets() {
        let before = ServerSecret::new(secret(1), None);
        let after = ServerSecret::new(secret(2), Some(secret(1)));
        let name = |server: &ServerSecret| server.keyed_hash(Purpose::EmailHash, &[b"a@e.com"]);
        let searched = after.keyed_hashes(Purpose::EmailHash, &[b"a@e.com"]);
        assert_eq!(searched, [name(&after), name(&before)]);
    }

    #[test]
    fn a_server_secret_is_base64_of_at_least_32_bytes() {
        assert_eq!(decode_server_secret("!"), Err(SecretFormatError::NotBase64));
        assert_eq!(
            decode_server_secret(&STANDARD.encode([7; 31])),
            Err(SecretFormatError::TooShort)
        );
        assert!(decode_server_secret(&base64url(&[255; 32])).is_ok());
        assert!(decode_server_secret(&generate_server_secret(&SystemEntropy)).is_ok());
    }
}
