//! An attempt to sign in, told by its steps: each with its word in rows, what it leads to, what
//! people are told of it, and what is to be done when it was the last.
//!
//! Of a step a row holds its time, its word and at most a short detail: an error of the provider,
//! two addresses without their queries.
//!
//! Never here: tokens, codes, verifiers, states, addresses of people.

use crate::clock::Timestamp;
use crate::domain::attempt::stage::{Leads, Outcome, Stage};

pub mod judge;
pub mod redirects;
pub mod refusals;
pub mod stage;

/// The longest detail, in characters.
const DETAIL_CHARS_MAX: usize = 300;

const fn to(stage: Stage) -> Leads {
    Leads::To(stage)
}

const fn refused(stage: Stage) -> Leads {
    Leads::Ends(stage, Outcome::Refused)
}

const fn failed(stage: Stage) -> Leads {
    Leads::Ends(stage, Outcome::Failed)
}

macro_rules! steps {
    ($($name:ident = $word:literal, $leads:expr, $told:literal, $advice:literal;)+) => {
        /// A step.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Step {
            $(#[doc = $told] $name,)+
        }

        impl Step {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// What rows and answers say.
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// What it leads to.
            pub const fn leads(self) -> Leads {
                match self { $(Self::$name => $leads,)+ }
            }

            /// What people are told.
            pub const fn told(self) -> &'static str {
                match self { $(Self::$name => $told,)+ }
            }

            /// What to do when it ends the attempt.
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$name => $advice,)+ }
            }
        }
    };
}

steps! {
    // GET /oauth/authorize
    Arrived = "arrived", to(Stage::Arrived),
        "The browser came to this server.",
        "";
    Limited = "limited", refused(Stage::Asked),
        "Too many programs asked at once, and it was told to come later (429).",
        "Wait a few minutes. If it comes again, raise limit_cimd.";
    MissingClientId = "missing_client_id", refused(Stage::Asked),
        "The program did not say who it is.",
        "Update the program, or tell its maker: client_id is missing.";
    UnknownClient = "unknown_client", refused(Stage::Asked),
        "The program uses an identifier that is not registered here.",
        "Its saved registration is stale: of another server or another database, or it expired \
         here after 90 days without use. Remove this server in the program and add it again.";
    MalformedDocumentUrl = "malformed_document_url", refused(Stage::Asked),
        "The program names itself by an address that no metadata document can have.",
        "Tell the program's maker.";
    UntrustedPublisher = "untrusted_publisher", refused(Stage::Asked),
        "The settings do not accept programs of this publisher.",
        "Look at cimd_allowed_domains and cimd_denied_domains.";
    UnusableDocument = "unusable_document", refused(Stage::Asked),
        "The program's metadata document could not be fetched, or not be used.",
        "The log line with its document_host says why. Does this server reach that host?";
    MissingRedirect = "missing_redirect_uri", refused(Stage::Asked),
        "The program did not say where to answer it, and has not registered exactly one place.",
        "Update the program, or tell its maker: redirect_uri is missing.";
    RedirectPortDiffers = "redirect_port_differs", refused(Stage::Asked),
        "The program asked to be answered at a registered place, but at another port.",
        "Only on loopback may the port differ. Remove this server in the program and add it \
         again, so that it registers the port that it listens on.";
    RedirectDiffers = "redirect_differs", refused(Stage::Asked),
        "The program asked to be answered at a place that it has not registered.",
        "Its registration or its metadata document is older or newer than the program. Remove \
         this server in the program and add it again.";
    RepeatedParameter = "repeated_parameter", refused(Stage::Asked),
        "A parameter of the request came more than once.",
        "Tell the program's maker.";
    StateTooLong = "state_too_long", refused(Stage::Asked),
        "The program's state is too long to be returned.",
        "Tell the program's maker.";
    NoPkce = "missing_code_challenge", refused(Stage::Asked),
        "The program did not use PKCE.",
        "Update the program: without a code_challenge nothing is granted.";
    WeakPkce = "unsupported_challenge_method", refused(Stage::Asked),
        "The program used PKCE without S256.",
        "Update the program: code_challenge_method must be S256.";
    MalformedPkce = "malformed_code_challenge", refused(Stage::Asked),
        "The program's code_challenge is none.",
        "Tell the program's maker.";
    Unsupported = "unsupported_request", refused(Stage::Asked),
        "The program asked in a way that is not supported here.",
        "It must use the authorization code flow with response_type=code, answered in the query.";
    OtherResource = "unknown_resource", refused(Stage::Asked),
        "The program asked for a resource that is not this server's.",
        "The program was given another address than this server's, or public_url has changed. \
         Remove this server in the program and add it again.";
    InteractionRequired = "interaction_required", refused(Stage::Asked),
        "The program asked to be let in without a page (prompt=none).",
        "Connect again from the program's own settings, in a browser.";
    // POST /oauth/consent
    Asked = "consent_shown", to(Stage::Asked),
        "The consent page was shown.",
        "";
    Remembered = "remembered", to(Stage::Decided),
        "An earlier yes in this browser stood for the consent page.",
        "";
    Approved = "approved", to(Stage::Decided),
        "The person said yes.",
        "";
    Declined = "declined", Leads::Ends(Stage::ToProvider, Outcome::Declined),
        "The person said no.",
        "Nothing is broken. Connect again to be asked again.";
    ForeignForm = "foreign_form", refused(Stage::Decided),
        "The consent form came from a browser that was not shown it, or that keeps no cookies.",
        "Allow cookies for this server, open the link in one browser and stay in it.";
    ConsentExpired = "consent_expired", refused(Stage::Decided),
        "The consent page was answered too late.",
        "Connect again. authorization_request_ttl says how long there is.";
    DecidedTwice = "decided_twice", Leads::Nowhere,
        "The consent page was answered once more.",
        "";
    // The identity provider and the way back.
    SentToProvider = "sent_to_provider", to(Stage::ToProvider),
        "The browser was sent to the identity provider.",
        "";
    CameBack = "came_back", to(Stage::Back),
        "The browser came back from the identity provider.",
        "";
    CameBackTwice = "came_back_twice", Leads::Nowhere,
        "The browser came back once more.",
        "";
    CameBackLate = "came_back_late", refused(Stage::Back),
        "The browser came back from the identity provider too late.",
        "Connect again. authorization_request_ttl says how long there is.";
    OtherBrowser = "other_browser", refused(Stage::Back),
        "Another browser came back than the one that went, or cookies are blocked.",
        "Allow cookies for this server. A provider that mails links must open them in the browser \
         that began.";
    ProviderDenied = "provider_denied", refused(Stage::Code),
        "The identity provider did not let the person in.",
        "The provider's own log says why: may this person use this application there?";
    ProviderFailed = "provider_failed", failed(Stage::Code),
        "The identity provider sent an error instead of a code.",
        "Look in the provider's log. Often the application there is not set up: callback address, \
         grant types, connections.";
    ProviderUnreachable = "provider_unreachable", failed(Stage::Code),
        "The identity provider could not be reached, or did not answer as it should.",
        "Run gatehouse check. Is upstream_issuer right, and can this server get there?";
    ProviderRefusedCode = "provider_refused_code", failed(Stage::Code),
        "The identity provider refused its own code.",
        "Are upstream_client_id and upstream_client_secret right, and the callback address listed \
         there?";
    ProviderUntrusted = "provider_untrusted", failed(Stage::Code),
        "What the identity provider answered is not as its protocol demands.",
        "The log line of this attempt says what. Is upstream_issuer the provider's, byte for \
         byte?";
    ClockAhead = "provider_clock_ahead", failed(Stage::Code),
        "The ID token is issued in the future: the provider's clock is ahead of this server's.",
        "Set both clocks by NTP; 60 seconds are forgiven.";
    ClockBehind = "provider_clock_behind", failed(Stage::Code),
        "The ID token had expired when it came: the provider's clock is behind this server's.",
        "Set both clocks by NTP; 60 seconds are forgiven.";
    IdTokenRefused = "id_token_refused", failed(Stage::Code),
        "The ID token is not believed.",
        "The reason stands in the timeline. Are upstream_issuer and upstream_client_id those of \
         this application?";
    OtherPerson = "other_person", refused(Stage::Code),
        "Somebody else signed in than the one whose earlier yes was used.",
        "Connect again; the consent page is shown this time.";
    NoWorkAddress = "work_email_required", refused(Stage::Code),
        "The person has no work address, and require_work_email is on.",
        "Sign in with an address at the organization, or list its domain.";
    // The code and the token.
    CodeIssued = "code_issued", to(Stage::Code),
        "The browser was sent back to the program with a code.",
        "";
    PkceDiffers = "exchange_verifier", refused(Stage::Token),
        "The code came with a code_verifier that does not fit (PKCE).",
        "Two windows of the program may have mixed up their sign-ins: close all but one and \
         connect again. Else tell its maker.";
    ExchangeRedirectDiffers = "exchange_redirect", refused(Stage::Token),
        "The code came with another redirect_uri than was asked for.",
        "Tell the program's maker: both requests must name the same.";
    OtherClient = "exchange_other_client", refused(Stage::Token),
        "The code came from another program than the one that asked.",
        "The program registered anew between its two requests, or somebody has the code. Connect \
         again.";
    CodeExpired = "exchange_late", refused(Stage::Token),
        "The code came too late.",
        "Connect again. authorization_code_ttl says how long there is; a computer that slept has \
         missed it.";
    ExchangeResource = "exchange_resource", refused(Stage::Token),
        "The code came with a resource that is not this server's.",
        "Remove this server in the program and add it again by its present address.";
    ExchangeMalformed = "exchange_malformed", refused(Stage::Token),
        "The code came in a request that is not acceptable.",
        "Tell the program's maker; the reason stands in the timeline.";
    CodeReplayed = "exchange_replay", refused(Stage::End),
        "The code came a second time, and what it gave was revoked.",
        "The program sent it twice, or somebody else has it. Connect again; if it comes again, \
         tell the program's maker.";
    TokenIssued = "token_issued", to(Stage::Token),
        "The code was exchanged and a token issued.",
        "";
    // What the token is for.
    Used = "used", to(Stage::Used),
        "The token was used at /mcp.",
        "";
    UseRefused = "use_refused", refused(Stage::Used),
        "The token was refused at /mcp.",
        "The reason stands in the timeline. Connect again, unless a setting keeps the person out.";
    Broken = "broken", failed(Stage::Token),
        "This server could not go on.",
        "The log line of this attempt says why.";
}

impl Step {
    /// Reads [`Self::word`].
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|it| it.word() == word)
    }
}

/// A step that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// When.
    pub at: Timestamp,
    /// Which.
    pub step: Step,
    /// What else is known of it.
    pub detail: Option<String>,
}

impl Taken {
    /// The line of a row.
    pub fn line(&self) -> String {
        let detail = self.detail.as_deref().unwrap_or_default();
        let is_plain = |c: &char| !c.is_control();
        let detail: String = detail.chars().filter(is_plain).take(DETAIL_CHARS_MAX).collect();
        format!("{} {} {detail}\n", self.at.millis(), self.step.word())
    }
}

/// Reads the lines of a row, in the order of their times. A line that stands twice was written
/// twice; a step that this version does not know is left out.
pub fn read(lines: &str) -> Vec<Taken> {
    let mut taken: Vec<Taken> = Vec::new();
    for line in lines.lines() {
        let mut parts = line.splitn(3, ' ');
        let at = parts.next().and_then(|millis| millis.parse().ok());
        let step = parts.next().and_then(Step::parse);
        let (Some(at), Some(step)) = (at, step) else { continue };
        let detail = parts.next().filter(|detail| !detail.is_empty()).map(str::to_owned);
        let one = Taken { at: Timestamp::from_millis(at), step, detail };
        if !taken.contains(&one) {
            taken.push(one);
        }
    }
    taken.sort_by_key(|it| it.at);
    taken
}

/// Reads a reference as somebody typed it: eight hexadecimal digits.
pub fn parse_reference(text: &str) -> Option<String> {
    let text = text.trim();
    let is_one = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_one.then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_is_read_back_from_its_word_and_says_what_to_do_when_it_is_the_last() {
        for step in Step::ALL {
            assert_eq!(Step::parse(step.word()), Some(*step));
            let ends = matches!(step.leads(), Leads::Ends(..));
            assert_eq!(step.advice().is_empty(), !ends, "{step:?}");
            assert!(step.told().ends_with(['.', ')']), "{step:?}");
        }
        assert_eq!(Step::parse("teleported"), None);
        assert!(Outcome::ALL.iter().all(|it| Outcome::parse(it.word()) == Some(*it)));
    }

    #[test]
    fn lines_are_read_in_the_order_of_their_times_each_once() {
        let taken = |at, step, detail: Option<&str>| Taken {
            at: Timestamp::from_millis(at),
            step,
            detail: detail.map(str::to_owned),
        };
        let late = taken(7, Step::ProviderDenied, Some("access_denied"));
        let early = taken(5, Step::Arrived, None);
        let lines = [late.line(), early.line(), "9 teleported x\nx\n".into(), late.line()];
        assert_eq!(read(&lines.concat()), [early, late]);
    }

    #[test]
    fn a_detail_is_one_short_line() {
        let long = "x\ny\0".repeat(DETAIL_CHARS_MAX);
        let taken = Taken { at: Timestamp::from_millis(1), step: Step::Broken, detail: Some(long) };
        let line = taken.line();
        assert_eq!(line.lines().count(), 1);
        assert_eq!(read(&line)[0].detail.as_ref().map(String::len), Some(DETAIL_CHARS_MAX));
    }

    #[test]
    fn a_reference_is_eight_digits_however_they_are_typed() {
        assert_eq!(parse_reference(" 0E9FA0B1 ").as_deref(), Some("0e9fa0b1"));
        for bad in ["", "0e9fa0b", "0e9fa0b11", "0e9fa0bg", "http://a"] {
            assert_eq!(parse_reference(bad), None, "{bad}");
        }
    }
}
