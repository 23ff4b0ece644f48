//! Every expected "no", one enum per endpoint.
//!
//! A refusal is a reason for the log; what the client is told is decided in `flow/wire.rs`,
//! exhaustively. A fault (something broke) is never one of these.

/// Why an authorization request goes no further (RFC 6749 §4.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorizeRefusal {
    /// A parameter came more than once (OAuth 2.1 §3.1).
    RepeatedParameter,
    /// No `client_id`.
    MissingClientId,
    /// A `client_id` nobody registered.
    UnknownClient,
    /// A `client_id` that is an address, but not one that a metadata document can have.
    MalformedDocumentUrl,
    /// A metadata document on a host that is not trusted here.
    UntrustedPublisher,
    /// A metadata document that could not be had, or does not describe a client for this server.
    UnusableDocument,
    /// No `redirect_uri`, and the client has not exactly one.
    MissingRedirectUri,
    /// A `redirect_uri` that this client did not register.
    UnregisteredRedirectUri,
    /// No `response_type`.
    MissingResponseType,
    /// A `response_type` other than `code`.
    UnsupportedResponseType,
    /// A `response_mode` other than `query`.
    UnsupportedResponseMode,
    /// No `code_challenge`.
    MissingCodeChallenge,
    /// A challenge method other than S256, or none, which means `plain`.
    UnsupportedChallengeMethod,
    /// A challenge that is not 43 to 128 unreserved characters.
    MalformedCodeChallenge,
    /// A `state` longer than is reasonable.
    StateTooLong,
    /// A `resource` that is not ours.
    UnknownResource,
    /// `request` (OpenID Connect Core §6.1) is not supported.
    RequestObject,
    /// `request_uri` is not supported and never fetched.
    RequestUri,
    /// `prompt=none`, but a person must decide.
    InteractionRequired,
    /// The person said no.
    Denied,
    /// The provider said no, or the person gave up there.
    UpstreamDenied,
    /// The provider answered, but its answer cannot be trusted.
    UpstreamUntrusted,
    /// The provider did not answer.
    UpstreamUnavailable,
    /// A work address is required, and this person has none.
    WorkEmailRequired,
}

/// Why a consent form was not acted on. Always a page, never a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConsentRefusal {
    /// The form did not come from our page in this browser.
    ForeignForm,
    /// The time to decide is over.
    Expired,
    /// It was decided before.
    AlreadyDecided,
}

/// Why a return from the identity provider led nowhere. Always a page, never a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallbackRefusal {
    /// No `state`, or one that came twice.
    MissingState,
    /// A `state` that we did not make, or whose time is over.
    UnknownState,
    /// It was answered before.
    AlreadyAnswered,
    /// Another browser began this sign-in.
    ForeignBrowser,
    /// Somebody else signed in than the one whose earlier approval was used.
    AnotherPerson,
}

/// Why a browser is not sent where it asked to be sent. Always a page, never a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnRefusal {
    /// No `return_to`, or one that came twice.
    Missing,
    /// Not an address in the one spelling that every reader takes alike.
    Malformed,
    /// An address that no setting lists.
    Foreign,
}

/// Why a form of a person's own pages was not acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountRefusal {
    /// The form did not come from our page in this browser, shown to this session.
    ForeignForm,
    /// The form names nothing that could be ended.
    UnknownConnection,
    /// The form names no sink, or no wish.
    UnknownSink,
    /// Nobody can object to this sink.
    RequiredSink,
    /// What has to be typed to be erased was not.
    NotConfirmed,
    /// Whoever wants to be erased signed in too long ago.
    NotRecent,
}

/// Why it is not known which client asks (RFC 6749 §2.3, §3.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientRefusal {
    /// No `client_id`, neither in the body nor in the header.
    MissingClientId,
    /// An `Authorization` header that is not HTTP Basic.
    ForeignCredentials,
    /// The client tried to authenticate with HTTP Basic and failed.
    BasicAuthenticationFailed,
    /// The client tried to authenticate in a way that is not advertised.
    UnsupportedAuthentication,
    /// Two ways to say who the client is, which disagree or are both credentials.
    AmbiguousAuthentication,
}

/// Why the token endpoint refuses (RFC 6749 §5.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefusal {
    /// A required parameter is missing; its name.
    MissingParameter(&'static str),
    /// It is not known which client asks.
    Client(ClientRefusal),
    /// A grant type that does not exist here.
    UnsupportedGrantType,
    /// A grant type that this client did not register.
    UnauthorizedGrantType,
    /// A `client_id` nobody registered.
    UnknownClient,
    /// No such code or refresh token.
    Unknown,
    /// Seen before; what it gave is revoked.
    Replayed,
    /// Its time is over.
    Expired,
    /// It belongs to another client.
    WrongClient,
    /// The `redirect_uri` is not the one of the authorization request.
    RedirectUriMismatch,
    /// The `code_verifier` does not fit the challenge.
    VerifierMismatch,
    /// The grant was revoked.
    Revoked,
    /// A scope beyond what was granted.
    ScopeTooWide,
    /// A `resource` that is not the one authorized.
    UnknownResource,
}

/// Why a registration is refused (RFC 7591 §3.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RegistrationRefusal {
    /// Registration is switched off.
    SwitchedOff,
    /// Not a JSON object, or a member has the wrong type; its name or "body".
    Malformed(&'static str),
    /// Not one acceptable redirect URI.
    NoAcceptableRedirectUri,
    /// More redirect URIs than a client needs.
    TooManyRedirectUris,
    /// Grant types and response types that do not fit each other or this server.
    InconsistentTypes,
}

/// Why an address cannot be that of a metadata document (CIMD §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentUrlRefusal {
    /// Longer than a client identifier may be.
    TooLong,
    /// Not an absolute URL.
    NotAbsolute,
    /// Not in the one spelling that a URL parser leaves as it is.
    NotCanonical,
    /// Carries a fragment.
    Fragment,
    /// Carries a user name or password.
    Userinfo,
    /// No path, or one with dot segments.
    Path,
    /// Not `https`.
    Scheme,
    /// An IP address, a single label, or this machine.
    Host,
}

/// Why a metadata document is not used (CIMD §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentRefusal {
    /// It could not be fetched.
    Fetch(FetchRefusal),
    /// Not JSON, or a member has the wrong type.
    Malformed,
    /// Its `client_id` is not its address.
    AnotherClient,
    /// No `client_name`.
    NoName,
    /// It names a secret, or a way to authenticate with one.
    SharedSecret,
    /// Its client authenticates in a way that is not supported here.
    NotPublic,
    /// What a registration would be refused for too.
    Metadata(RegistrationRefusal),
}

/// Why something a stranger named was not fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FetchRefusal {
    /// The name has no address.
    NoAddress,
    /// The name leads to this machine, a private network, or another special-use address.
    SpecialUseAddress,
    /// No connection, no answer, or one that broke off.
    NoAnswer,
    /// It took too long.
    TooSlow,
    /// An answer with another status than 200; redirects are not followed.
    Status(u16),
    /// Another content type than JSON.
    ContentType,
    /// An encoded body, which could be larger than it looks.
    Encoded,
    /// A body larger than a document needs.
    TooLarge,
}

/// Why a revocation is refused (RFC 7009 §2.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationRefusal {
    /// No `token`.
    MissingToken,
    /// It is not known which client asks.
    Client(ClientRefusal),
    /// A `client_id` nobody registered.
    UnknownClient,
}

/// Why `/mcp` does not admit a request (RFC 6750 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessRefusal {
    /// No credentials; not an error in itself.
    NoCredentials,
    /// An `Authorization` header that is not one well-formed Bearer credential.
    MalformedCredentials,
    /// Not a token of ours, or its signature does not fit.
    BadSignature,
    /// A JWT of another kind (RFC 9068 §4: `typ` must be `at+jwt`).
    WrongType,
    /// Made by another issuer.
    WrongIssuer,
    /// Made for another resource.
    WrongAudience,
    /// Its time is over.
    Expired,
    /// Its time has not come.
    NotYetValid,
    /// Its grant was revoked or is gone.
    Revoked,
    /// A work address is required (403, not 401: signing in again alone would not help).
    WorkEmailRequired(NoWorkEmail),
}

/// Why a person has no work address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoWorkEmail {
    /// The identity provider names no address, or nothing that is one.
    NoAddress,
    /// It calls the address unchecked, which could be anybody's.
    Unverified,
    /// The address is with a free or disposable mail provider.
    PersonalProvider,
}

/// Why what the identity provider said of a person is not believed
/// (OpenID Connect Core §3.1.3.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginRefusal {
    /// Not a JWT, or a claim has the wrong type.
    Malformed,
    /// Signed with an algorithm that is not pinned.
    WrongAlgorithm,
    /// Signed with a key the provider does not publish, or not at all.
    BadSignature,
    /// Another issuer, compared byte for byte.
    WrongIssuer,
    /// Made for another client, or for several without naming us as `azp`.
    WrongAudience,
    /// Expired, so many seconds ago.
    Expired(i64),
    /// Issued in the future, by so many seconds.
    IssuedInFuture(i64),
    /// Not the answer to our request.
    WrongNonce,
    /// No subject.
    MissingSubject,
}
