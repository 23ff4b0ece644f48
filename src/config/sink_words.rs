//! The words of `[[sink]]`: which events there are, which fields an event may carry, and how both
//! are said to people. Closed sets: what is not here cannot be sent.

/// What a sink may be told of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SinkEvent {
    /// Somebody signed in who had never been here.
    FirstSignIn,
    /// Somebody signed in, for the first time or again.
    SignIn,
    /// Somebody's assistant called a tool; several calls in one letter.
    ToolCalled,
    /// Somebody sent feedback.
    FeedbackSubmitted,
    /// Somebody does not want the sink to be told of them any more.
    OptedOut,
    /// Somebody was erased. Sent to every sink that was ever told of them, listed or not.
    Erased,
}

impl SinkEvent {
    /// Every event there is.
    pub const ALL: [Self; 6] = [
        Self::FirstSignIn,
        Self::SignIn,
        Self::ToolCalled,
        Self::FeedbackSubmitted,
        Self::OptedOut,
        Self::Erased,
    ];

    /// The name in settings, in the outbox and in letters.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FirstSignIn => "person.first_sign_in",
            Self::SignIn => "person.sign_in",
            Self::ToolCalled => "tool.called",
            Self::FeedbackSubmitted => "feedback.submitted",
            Self::OptedOut => "person.opted_out",
            Self::Erased => "person.erased",
        }
    }

    /// The event of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|event| event.name() == name)
    }

    /// When it happens, to the person whom it is about.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::FirstSignIn => "when you sign in for the first time",
            Self::SignIn => "when you sign in",
            Self::ToolCalled => "when your assistant uses this server",
            Self::FeedbackSubmitted => "when you send feedback",
            Self::OptedOut => "when you object to it",
            Self::Erased => "when you are erased",
        }
    }

    /// Whether it tells a sink what it has had already, so that it can forget it.
    pub const fn is_farewell(self) -> bool {
        matches!(self, Self::OptedOut | Self::Erased)
    }
}

/// What an event may carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SinkField {
    /// A name of the person that only this sink knows.
    Id,
    /// Our own identifier of the person, the `sub` of access tokens.
    Sub,
    /// The address.
    Email,
    /// Whether the provider has checked it.
    EmailVerified,
    /// The name.
    Name,
    /// The domain of the address.
    Domain,
    /// The organization: as the provider reports it, else the domain of the address.
    Organization,
    /// Which of the two it is: `provider` or `email_domain`.
    OrganizationSource,
    /// The identity provider.
    UpstreamIssuer,
    /// What the provider calls the person.
    UpstreamSubject,
    /// The `client_id` of the program.
    Client,
    /// The product that the program belongs to, where it is known.
    ClientProduct,
    /// The tool that was called.
    Tool,
    /// How the call ended.
    Outcome,
    /// The person's words about the documentation.
    Feedback,
    /// The category of the feedback.
    Category,
    /// The page that the feedback is about.
    PageUrl,
    /// `mcp` for a program, `browser` for a browser.
    Source,
    /// When it happened. The letter says so in any case, beside the data.
    Time,
}

impl SinkField {
    /// Every field there is, in the order they are told.
    pub const ALL: [Self; 19] = [
        Self::Id,
        Self::Sub,
        Self::Email,
        Self::EmailVerified,
        Self::Name,
        Self::Domain,
        Self::Organization,
        Self::OrganizationSource,
        Self::UpstreamIssuer,
        Self::UpstreamSubject,
        Self::Client,
        Self::ClientProduct,
        Self::Tool,
        Self::Outcome,
        Self::Feedback,
        Self::Category,
        Self::PageUrl,
        Self::Source,
        Self::Time,
    ];

    /// The name in settings, letters and the ledger.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Sub => "sub",
            Self::Email => "email",
            Self::EmailVerified => "email_verified",
            Self::Name => "name",
            Self::Domain => "domain",
            Self::Organization => "organization",
            Self::OrganizationSource => "organization_source",
            Self::UpstreamIssuer => "upstream_issuer",
            Self::UpstreamSubject => "upstream_subject",
            Self::Client => "client",
            Self::ClientProduct => "client_product",
            Self::Tool => "tool",
            Self::Outcome => "outcome",
            Self::Feedback => "feedback",
            Self::Category => "category",
            Self::PageUrl => "page_url",
            Self::Source => "source",
            Self::Time => "time",
        }
    }

    /// The field of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    /// What it is, to the person whom it is about.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Id => "an identifier made for it alone",
            Self::Sub => "your identifier on this server",
            Self::Email => "your e-mail address",
            Self::EmailVerified => "whether that address is verified",
            Self::Name => "your name",
            Self::Domain => "the domain of your e-mail address",
            Self::Organization => "your organization",
            Self::OrganizationSource => "where your organization is known from",
            Self::UpstreamIssuer => "where you sign in",
            Self::UpstreamSubject => "your identifier there",
            Self::Client => "the program you use",
            Self::ClientProduct => "the product it belongs to",
            Self::Tool => "the tool that was used",
            Self::Outcome => "how that ended",
            Self::Feedback => "your feedback",
            Self::Category => "its category",
            Self::PageUrl => "the page it is about",
            Self::Source => "whether you came with a program or a browser",
            Self::Time => "when it happened",
        }
    }

    /// Whether somebody outside can find a person again by it alone.
    pub const fn identifies(self) -> bool {
        matches!(
            self,
            Self::Id | Self::Sub | Self::Email | Self::UpstreamIssuer | Self::UpstreamSubject
        )
    }

    /// Whether it says who somebody is beyond the one sink.
    pub const fn is_personal(self) -> bool {
        matches!(
            self,
            Self::Sub | Self::Email | Self::Name | Self::UpstreamIssuer | Self::UpstreamSubject
        )
    }

    /// Whether an event can carry it.
    pub fn is_of(self, event: SinkEvent) -> bool {
        match self {
            Self::Client | Self::ClientProduct => !event.is_farewell(),
            Self::Tool | Self::Outcome => event == SinkEvent::ToolCalled,
            Self::Feedback | Self::Category | Self::PageUrl => {
                event == SinkEvent::FeedbackSubmitted
            }
            Self::Source => matches!(event, SinkEvent::FirstSignIn | SinkEvent::SignIn),
            field => !event.is_farewell() || field.identifies(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_word_is_found_by_its_name_and_is_one_of_its_kind() {
        let events: BTreeSet<_> = SinkEvent::ALL.map(SinkEvent::name).into_iter().collect();
        let fields: BTreeSet<_> = SinkField::ALL.map(SinkField::name).into_iter().collect();
        assert_eq!((events.len(), fields.len()), (SinkEvent::ALL.len(), SinkField::ALL.len()));
        assert!(SinkEvent::ALL.iter().all(|it| SinkEvent::named(it.name()) == Some(*it)));
        assert!(SinkField::ALL.iter().all(|it| SinkField::named(it.name()) == Some(*it)));
        assert!(SinkField::named("e-mail").is_none() && SinkEvent::named("*").is_none());
    }

    #[test]
    fn a_farewell_carries_only_what_finds_the_person() {
        for event in [SinkEvent::OptedOut, SinkEvent::Erased] {
            for field in SinkField::ALL {
                assert_eq!(field.is_of(event), field.identifies(), "{}", field.name());
            }
        }
    }
}
