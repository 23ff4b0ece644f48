//! Who makes a call, as far as a tool may know.
//!
//! The door makes a [`Caller`] from the access token and the person's record; the token itself
//! stays there. A tool states what it needs as a [`Requirement`], and [`Requirement::check`] is the
//! only place where the two meet.

use std::collections::BTreeSet;
use std::fmt;

/// A scope that means something to a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Search and read.
    DocsRead,
    /// Send feedback.
    DocsFeedback,
}

impl Scope {
    /// Every scope a tool can ask for.
    pub const ALL: [Self; 2] = [Self::DocsRead, Self::DocsFeedback];

    /// The name in a token and in a challenge.
    pub const fn name(self) -> &'static str {
        match self {
            Self::DocsRead => "docs:read",
            Self::DocsFeedback => "docs:feedback",
        }
    }
}

/// The scopes a caller was granted, as far as tools know them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<Scope>);

impl Scopes {
    /// Reads scope names. Names no tool asks for (`openid`, `email`) are left out.
    pub fn from_names<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let scope_named = |name| Scope::ALL.into_iter().find(|scope| scope.name() == name);
        Self(names.into_iter().filter_map(scope_named).collect())
    }

    /// Whether `scope` was granted.
    pub fn contains(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }
}

/// A person who signed in.
#[derive(Clone, PartialEq, Eq)]
pub struct Person {
    /// Our own name for the person: stable, opaque, never the address.
    pub subject: String,
    /// Their name, where it is known.
    pub name: Option<String>,
    /// The address the identity provider vouched for.
    pub email: Option<String>,
    /// The organization the person belongs to, where it is known.
    pub organization: Option<Organization>,
}

/// An organization, as its people are told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// What it is called.
    pub name: String,
    /// Where it is known from, in words to the person: "from your e-mail domain".
    pub source: &'static str,
}

/// Prints the subject alone: a caller ends up in log lines, and an address must not.
impl fmt::Debug for Person {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Person").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// Who makes a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// `None` where anonymous calls are let through.
    pub person: Option<Person>,
    /// What the call may do.
    pub scopes: Scopes,
    /// The OAuth client that carried the token; `None` for an anonymous call.
    pub client_id: Option<String>,
    /// What keeps that client connected; `None` for an anonymous call.
    pub grant: Option<Grant>,
}

/// What a person allowed a client, as far as a tool may know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Our own name for it: opaque, and no secret.
    pub id: String,
    /// The names of all scopes, those included that mean nothing to a tool.
    pub scopes: Vec<&'static str>,
}

impl Caller {
    /// A call without a token, where the setting `auth` lets it through: it may read.
    pub fn anonymous() -> Self {
        Self {
            person: None,
            scopes: Scopes(BTreeSet::from([Scope::DocsRead])),
            client_id: None,
            grant: None,
        }
    }
}

/// Whether a tool acts for somebody in particular.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The tool answers anonymous callers, where such are let through at all.
    Anyone,
    /// The tool acts in a person's name.
    People,
}

/// What a tool needs of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Who may call.
    pub audience: Audience,
    /// Every scope the call needs, so that one challenge can name them all.
    pub scopes: &'static [Scope],
}

/// Why a caller may not make this call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortfall {
    /// Nobody signed in.
    Person,
    /// The token does not reach that far.
    Scope,
}

impl Requirement {
    /// Whether `caller` may make the call.
    ///
    /// The person comes before the scope: an anonymous caller can only mend both by signing in, and
    /// a challenge to step up would send it looking for a token it never had (RFC 6750 §3.1).
    pub fn check(&self, caller: &Caller) -> Result<(), Shortfall> {
        if self.audience == Audience::People && caller.person.is_none() {
            return Err(Shortfall::Person);
        }
        if self.scopes.iter().any(|scope| !caller.scopes.contains(*scope)) {
            return Err(Shortfall::Scope);
        }
        Ok(())
    }
}
