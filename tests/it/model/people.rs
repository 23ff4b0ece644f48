//! The people and clients of one case: what they hold, and how they go about what a plan says.
//!
//! A plan names things by symbol; here the symbols become secrets on the way out, and secrets
//! become symbols on the way back.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use gatehouse::clock::Clock as _;
use gatehouse::store::sweep;

use super::plan::{Back, Operation, Step};
use super::run::{ACCESS_TTL, Houses};
use super::ways::{self, Found};
use super::words::{Act, Decision, Party, Proof, Replica, Seen, SignInNo};
use crate::support::{Browser, OAuthClient, Person, World};

type Way = Pin<Box<dyn Future<Output = Found> + Send>>;

/// A step whose symbols are resolved: what is said of it, and the way to go.
pub struct Errand {
    pub head: Head,
    pub way: Way,
}

/// What is said of an errand.
#[derive(Clone, Copy)]
pub struct Head {
    pub act: Act,
    pub replica: Replica,
    is_lost: bool,
    whose: Whose,
}

/// A sign-in, its client and its person.
#[derive(Clone, Copy)]
struct Whose {
    sign_in: SignInNo,
    client: usize,
    kind: usize,
    person: usize,
}

/// What else was true of a wave.
pub struct Meanwhile {
    /// How long access tokens that it brought are good, in seconds.
    pub access_until: i64,
    /// Which replicas had a fault in their way.
    pub is_struck: [bool; 2],
}

/// Something that somebody of a sign-in holds.
struct Held<T> {
    whose: Whose,
    thing: T,
}

struct AccessToken {
    secret: String,
    expires_at: i64,
}

const KINDS: [&str; 2] = ["editor", "terminal"];

/// The thing that a symbol names, with its place.
fn named<T>(things: &[T], Back(back): Back) -> Option<(usize, &T)> {
    let at = things.len().checked_sub(1)? - back % things.len();
    Some((at, &things[at]))
}

/// All that the clients, people and browsers of a case hold.
pub struct Known {
    /// What the names of the case's clients end in.
    pub name: String,
    /// Their kinds and editions; who registered last comes last.
    clients: Vec<(usize, usize, OAuthClient)>,
    people: [Person; 2],
    sign_ins: usize,
    /// Of the consent: the browser and the text.
    pages: Vec<Held<(Browser, String)>>,
    /// The browser and the address that the provider sends it to.
    logins: Vec<Held<(Browser, String)>>,
    codes: Vec<Held<String>>,
    /// A token's symbol is its place.
    refresh_tokens: Vec<Held<String>>,
    access_tokens: Vec<Held<AccessToken>>,
}

impl Known {
    /// Two clients register and two people appear that no other case has seen.
    pub async fn begin(world: &World, case: usize) -> Self {
        let mut known = Self {
            name: format!("of case {case}"),
            clients: Vec::new(),
            people: ["alice", "bob"].map(|name| Person::named(&format!("{name}-{case}"))),
            sign_ins: 0,
            pages: Vec::new(),
            logins: Vec::new(),
            codes: Vec::new(),
            refresh_tokens: Vec::new(),
            access_tokens: Vec::new(),
        };
        for kind in 0..KINDS.len() {
            let client = world.client(&known.name_of(kind, 0)).await;
            known.clients.push((kind, 0, client));
        }
        known
    }

    fn name_of(&self, kind: usize, edition: usize) -> String {
        format!("{} {edition} {}", KINDS[kind], self.name)
    }

    pub fn client_ids(&self) -> Vec<&str> {
        self.clients.iter().map(|(_, _, client)| client.client_id.as_str()).collect()
    }

    /// The errand that a step stands for; `None` when it names what nobody has.
    pub fn resolve(&mut self, houses: &Houses, step: Step) -> Option<Errand> {
        let (act, whose, way) =
            self.in_a_browser(houses, step).or_else(|| self.by_a_client(houses, step))?;
        self.sign_ins += usize::from(matches!(act, Act::SignIn(_) | Act::Open(_)));
        let head = Head { act, replica: step.replica, is_lost: step.is_lost, whose };
        Some(Errand { head, way })
    }

    fn in_a_browser(&self, houses: &Houses, step: Step) -> Option<(Act, Whose, Way)> {
        let sign_in = self.sign_ins;
        Some(match step.what {
            Operation::SignIn { client: kind, person } => {
                let client = self.newest(kind);
                let whose = Whose { sign_in, client, kind, person };
                let (by, person) =
                    (self.client_at(houses, step, client), self.people[person].clone());
                let way = ways::sign_in(Arc::clone(&houses.world), by, person);
                (Act::SignIn(sign_in), whose, Box::pin(way))
            }
            Operation::Open { client: kind, person } => {
                let client = self.newest(kind);
                let whose = Whose { sign_in, client, kind, person };
                let way = ways::open(houses.world.browser(), self.client_at(houses, step, client));
                (Act::Open(sign_in), whose, Box::pin(way))
            }
            Operation::Decide(page, decision) => {
                let (_, Held { whose, thing: (browser, page) }) = named(&self.pages, page)?;
                let form = ways::Answered {
                    browser: browser.clone(),
                    page: page.clone(),
                    decision,
                    address: houses.addresses[step.replica].clone(),
                };
                let person = self.people[whose.person].clone();
                let way = ways::decide(Arc::clone(&houses.world), form, person);
                (Act::Decide(whose.sign_in, decision), *whose, Box::pin(way))
            }
            Operation::Callback(login) => {
                let (_, Held { whose, thing: (browser, url) }) = named(&self.logins, login)?;
                let url = url.replacen(&houses.world.url, &houses.addresses[step.replica], 1);
                let way = ways::call_back(browser.clone(), url);
                (Act::Callback(whose.sign_in), *whose, Box::pin(way))
            }
            _ => return None,
        })
    }

    fn by_a_client(&self, houses: &Houses, step: Step) -> Option<(Act, Whose, Way)> {
        let client = |whose: &Whose, by| match by {
            Party::Owner => self.client_at(houses, step, whose.client),
            Party::Stranger => {
                let (kind, _, _) = self.clients[whose.client];
                self.client_at(houses, step, self.newest(1 - kind))
            }
        };
        Some(match step.what {
            Operation::Register { client: kind, edition } => {
                let client = self.newest(kind);
                let name = self.name_of(kind, edition);
                let way = ways::register(self.client_at(houses, step, client), name);
                let whose = Whose { sign_in: self.sign_ins, client, kind, person: 0 };
                (Act::Register(kind, edition), whose, Box::pin(way))
            }
            Operation::Exchange(code, proof) => {
                let (_, Held { whose, thing: code }) = named(&self.codes, code)?;
                let is_theirs = proof != Proof::WrongClient;
                let by = client(whose, if is_theirs { Party::Owner } else { Party::Stranger });
                let way = ways::exchange(by, code.clone(), proof);
                (Act::Exchange(whose.sign_in, proof), *whose, Box::pin(way))
            }
            Operation::Refresh(token, by) => {
                let (token, Held { whose, thing }) = named(&self.refresh_tokens, token)?;
                let way = ways::refresh(client(whose, by), thing.clone());
                (Act::Refresh(token, by), *whose, Box::pin(way))
            }
            Operation::RevokeRefresh(token, by) => {
                let (token, Held { whose, thing }) = named(&self.refresh_tokens, token)?;
                let way = ways::revoke(client(whose, by), thing.clone());
                (Act::RevokeRefresh(token, by), *whose, Box::pin(way))
            }
            Operation::RevokeAccess(token, by) => {
                let (_, Held { whose, thing }) = named(&self.access_tokens, token)?;
                let (sign_in, expires_at) = (whose.sign_in, thing.expires_at);
                let way = ways::revoke(client(whose, by), thing.secret.clone());
                (Act::RevokeAccess { sign_in, expires_at, by }, *whose, Box::pin(way))
            }
            Operation::Call(token) => {
                let (_, Held { whose, thing }) = named(&self.access_tokens, token)?;
                let (sign_in, expires_at) = (whose.sign_in, thing.expires_at);
                let mcp = houses.world.mcp(&thing.secret).at(&houses.addresses[step.replica]);
                (Act::Call { sign_in, expires_at }, *whose, Box::pin(ways::call(mcp)))
            }
            Operation::CleanUp => {
                let whose = Whose { sign_in: 0, client: 0, kind: 0, person: 0 };
                let (cleaner, now) = (houses.cleaner.clone(), houses.world.clock.now());
                let way = async move {
                    match sweep::pass(&cleaner, ACCESS_TTL, now).await {
                        Ok(_) => Found::Plain(Seen::CleanedUp),
                        Err(error) => Found::Odd(format!("{error:?}")),
                    }
                };
                (Act::CleanUp, whose, Box::pin(way))
            }
            _ => return None,
        })
    }

    fn client_at(&self, houses: &Houses, step: Step, client: usize) -> OAuthClient {
        self.clients[client].2.at(&houses.addresses[step.replica])
    }

    /// The client of this kind that registered last.
    fn newest(&self, kind: usize) -> usize {
        let newest = self.clients.iter().rposition(|(its_kind, _, _)| *its_kind == kind);
        newest.expect("both have registered")
    }

    /// Identical software is one client, whoever was told so first.
    fn learn_client(&mut self, act: Act, client: OAuthClient) -> Seen {
        let Act::Register(kind, edition) = act else { return Seen::Odd("a client".to_owned()) };
        let is_another = |(its_kind, its_edition, known): &(usize, usize, OAuthClient)| {
            (*its_kind, *its_edition) == (kind, edition) && known.client_id != client.client_id
        };
        if self.clients.iter().any(is_another) {
            return Seen::Odd(format!("edition {edition} is registered as another client"));
        }
        self.clients.push((kind, edition, client));
        Seen::Registered
    }

    /// Keeps what an errand brought; the symbol of it. What got lost is kept by nobody.
    pub fn learn(&mut self, head: &Head, found: Found, meanwhile: &Meanwhile) -> Seen {
        let whose = head.whose;
        let found = match found {
            Found::Odd(what) => return Seen::Odd(what),
            Found::Failed(_) if meanwhile.is_struck[head.replica] => return Seen::Failed,
            Found::Failed(what) => return Seen::Odd(format!("for no reason: {what}")),
            _ if head.is_lost => return Seen::Lost,
            found => found,
        };
        match found {
            Found::Client(client) => self.learn_client(head.act, client),
            Found::Page(browser, page) => {
                self.pages.push(Held { whose, thing: (browser, page) });
                Seen::Page
            }
            Found::AtProvider(browser, url) => {
                self.logins.push(Held { whose, thing: (browser, url) });
                Seen::AtProvider
            }
            Found::Code(code) => {
                self.codes.push(Held { whose, thing: code });
                Seen::Code
            }
            Found::Tokens(tokens) => {
                let access =
                    AccessToken { secret: tokens.access_token, expires_at: meanwhile.access_until };
                self.access_tokens.push(Held { whose, thing: access });
                let refresh_token = tokens.refresh_token.expect("these clients may refresh");
                let is_it = |held: &Held<String>| held.thing == refresh_token;
                if let Some(token) = self.refresh_tokens.iter().position(is_it) {
                    return Seen::Tokens(token);
                }
                self.refresh_tokens.push(Held { whose, thing: refresh_token });
                Seen::Tokens(self.refresh_tokens.len() - 1)
            }
            Found::Plain(seen) => seen,
            Found::Failed(_) | Found::Odd(_) => unreachable!("they were handed on above"),
        }
    }
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Whose { sign_in, kind, person, .. } = self.whose;
        let owner = KINDS[kind];
        let name = |by| match by {
            Party::Owner => owner,
            Party::Stranger => KINDS[1 - kind],
        };
        let person = ["alice", "bob"][person];
        match self.act {
            Act::SignIn(_) => write!(f, "{person} signs {owner} in (sign-in {sign_in})")?,
            Act::Open(_) => write!(f, "{person} is asked by {owner} (sign-in {sign_in})")?,
            Act::Decide(_, Decision::Approve) => write!(f, "{person} approves sign-in {sign_in}")?,
            Act::Decide(_, Decision::Deny) => write!(f, "{person} denies sign-in {sign_in}")?,
            Act::Callback(_) => write!(f, "{person} comes back from the provider ({sign_in})")?,
            Act::Exchange(_, proof) => {
                let how = match proof {
                    Proof::Right => "",
                    Proof::WrongVerifier => " with a wrong verifier",
                    Proof::WrongClient => " as the other client",
                };
                write!(f, "{owner} redeems the code of sign-in {sign_in}{how}")?;
            }
            Act::Refresh(token, by) => {
                write!(f, "{} refreshes token {token} (sign-in {sign_in})", name(by))?;
            }
            Act::RevokeRefresh(token, by) => {
                write!(f, "{} revokes token {token} (sign-in {sign_in})", name(by))?;
            }
            Act::RevokeAccess { by, expires_at, .. } => {
                write!(f, "{} revokes an access token of sign-in {sign_in}", name(by))?;
                write!(f, " (good until +{expires_at}s)")?;
            }
            Act::Call { expires_at, .. } => {
                write!(f, "{owner} calls /mcp as sign-in {sign_in} (good until +{expires_at}s)")?;
            }
            Act::Register(_, edition) => write!(f, "{owner} registers as edition {edition}")?,
            Act::CleanUp => f.write_str("a clean-up pass runs")?,
        }
        if self.act != Act::CleanUp {
            write!(f, ", replica {}", self.replica + 1)?;
        }
        Ok(())
    }
}
