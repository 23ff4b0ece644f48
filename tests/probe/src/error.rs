//! Why the probe could not be carried out. Nothing of this speaks for or against a server.

use std::fmt;

use url::Url;

use crate::http::Silence;

/// A reason to stop, in words for the person who probes.
#[derive(Debug)]
pub enum ProbeError {
    /// No HTTP client could be made on this machine.
    NoHttp(reqwest::Error),
    /// No port of this machine could be listened on.
    NoLoopback(std::io::Error),
    /// No answer.
    Unreachable(Url, Silence),
    /// An answer that is not the JSON it should be.
    NotJson(Url),
    /// An answer with a status that ends the probe, and its error code if it has one.
    Status(Url, String),
    /// No metadata at any of the places where they may be (RFC 8414 §3, OpenID Discovery §4).
    NoMetadata(String),
    /// The metadata are those of another issuer (RFC 8414 §3.3).
    OtherIssuer(String),
    /// The metadata are those of another resource (RFC 9728 §3.3).
    OtherResource(String),
    /// The metadata do not name this member.
    NoEndpoint(&'static str),
    /// Registration made a confidential client of one that asked to be public.
    NotPublic,
    /// The address to sign in at could not be opened.
    NotOpened(String),
    /// Nobody came back in time; so many came with another `state`.
    NoRedirect(usize),
    /// The server sent the browser back with an error instead of a code.
    Declined(String),
    /// The redirect names another issuer, or none although the metadata promise one (RFC 9207).
    WrongIssuer,
    /// The code of a sign-in was not exchanged.
    NotExchanged(String),
    /// Access tokens alone: there is nothing to race for.
    NoRefreshToken,
}

impl fmt::Display for ProbeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHttp(_) => f.write_str("no HTTP client: are CA certificates installed?"),
            Self::NoLoopback(error) => write!(f, "no loopback port to listen on: {error}"),
            Self::Unreachable(address, silence) => write!(f, "{address}: {silence}"),
            Self::NotJson(address) => {
                write!(f, "{address}: its answer is not the JSON it should be")
            }
            Self::Status(address, status) => write!(f, "{address}: it answered {status}"),
            Self::NoMetadata(issuer) => write!(
                f,
                "{issuer}: no metadata, neither of a protected resource (RFC 9728) nor of an \
                 authorization server (RFC 8414, OpenID Connect Discovery)"
            ),
            Self::OtherIssuer(issuer) => {
                write!(f, "the metadata are those of another issuer, {issuer}")
            }
            Self::OtherResource(resource) => {
                write!(f, "the metadata describe another resource; probe that one: {resource}")
            }
            Self::NoEndpoint("registration_endpoint") => f.write_str(
                "the metadata name no registration_endpoint: without dynamic client registration \
                 (RFC 7591) the probe has no client to be",
            ),
            Self::NoEndpoint(member) => write!(f, "the metadata name no {member}"),
            Self::NotPublic => f.write_str(
                "registration made a confidential client; the probe asks for a public one \
                 (token_endpoint_auth_method none)",
            ),
            Self::NotOpened(why) => write!(f, "the sign-in could not be opened: {why}"),
            Self::NoRedirect(0) => f.write_str("nobody came back from the sign-in in time"),
            Self::NoRedirect(strays) => write!(
                f,
                "nobody came back from the sign-in in time; {strays} came with another state"
            ),
            Self::Declined(error) => write!(f, "the sign-in ended with the error {error}"),
            Self::WrongIssuer => f.write_str(
                "the redirect does not name the issuer that the metadata name (RFC 9207 §2.4)",
            ),
            Self::NotExchanged(answer) => {
                write!(f, "the code of a sign-in was not exchanged: {answer}")
            }
            Self::NoRefreshToken => f.write_str(
                "no refresh token was issued, so there is nothing to race for; does the server \
                 want a scope for it (--scope)?",
            ),
        }
    }
}

impl std::error::Error for ProbeError {}
