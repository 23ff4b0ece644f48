//! People, as whoever administers is shown them. Who is who is told only to whom asks for it.

use gatehouse_api::admin::answer::{Problem, Rows};
use gatehouse_api::admin::reads::PeopleSearch;
use gatehouse_api::admin::rows::{Membership, Person, PersonInFull};

use crate::attribution::people::{Search, search};
use crate::domain::organization::Lack;
use crate::flow::Gatehouse;
use crate::flow::wire_admin::{broken, not_found};
use crate::flow::wire_admin_query::{Asked, bad, cut};
use crate::flow::wire_admin_reads::{Read, list_grants, written};
use crate::flow::wire_admin_rights::told;
use crate::id::UserId;
use crate::store::listings::Window;
use crate::store::listings::grants::GrantSelection;
use crate::store::people::{self, PastMembership, StoredPerson};

/// Grants that are shown beside their person.
const GRANTS_SHOWN: u64 = 100;

/// People that one address finds; several accounts may have it.
const FOUND_MAX: u64 = 100;

/// People in the order they first signed in.
pub async fn people(gatehouse: &Gatehouse, mut asked: Asked) -> Read<Person> {
    let organization = asked.text("organization")?;
    let with_email = asked.includes("email")?;
    let window = asked.window()?;
    asked.finish()?;
    let wanted = Search {
        email: None,
        organization: organization.as_deref(),
        after: window.after.map(UserId::from_uuid),
    };
    let secret = &gatehouse.config.secret;
    let found = search(gatehouse.store.read(), secret, &wanted, window.rows + 1).await;
    let mut found = found.map_err(broken)?;
    let next = cut(&mut found, window.rows, |row| row.attribution.user.to_string());
    let items = found.iter().map(|row| person(gatehouse, row, with_email));
    Ok(Rows { items: items.collect(), next })
}

/// People with an address.
pub async fn with_address(
    gatehouse: &Gatehouse,
    mut asked: Asked,
    wanted: Option<PeopleSearch>,
) -> Read<Person> {
    let with_email = asked.includes("email")?;
    asked.finish()?;
    let wanted = wanted.ok_or_else(|| bad("email", "The body must be JSON with an email."))?;
    let wanted = Search { email: Some(&wanted.email), ..Search::default() };
    let secret = &gatehouse.config.secret;
    let found = search(gatehouse.store.read(), secret, &wanted, FOUND_MAX).await;
    let items = found.map_err(broken)?;
    let items = items.iter().map(|row| person(gatehouse, row, with_email)).collect();
    Ok(Rows { items, next: None })
}

/// A person with what belongs to them.
pub async fn one_person(
    gatehouse: &Gatehouse,
    mut asked: Asked,
    id: &str,
) -> Result<PersonInFull, Problem> {
    let with_email = asked.includes("email")?;
    asked.finish()?;
    let id = UserId::parse(id).ok_or_else(|| bad("id", "It is no identifier of ours."))?;
    let db = gatehouse.store.read();
    let found = people::find(db, id).await.map_err(broken)?.ok_or_else(not_found)?;
    let memberships = people::history(db, id).await.map_err(broken)?;
    let selection = GrantSelection { person: Some(id), ..GrantSelection::default() };
    let window = Window { after: None, rows: GRANTS_SHOWN };
    let (disclosures, objections) = told(gatehouse, id).await.map_err(broken)?;
    Ok(PersonInFull {
        disclosures,
        objections,
        person: person(gatehouse, &found, with_email),
        memberships: memberships.iter().map(membership).collect(),
        grants: list_grants(gatehouse, &selection, window).await?.items,
    })
}

fn person(gatehouse: &Gatehouse, row: &StoredPerson, with_email: bool) -> Person {
    let known = &row.attribution;
    let organization = known.organization.as_ref();
    // A profile that cannot be opened is no reason not to show the rest.
    let profile = if with_email { gatehouse.profile(&row.profile_sealed).ok() } else { None };
    let (email, name) = profile.map(|it| (it.email, it.name)).unwrap_or_default();
    Person {
        id: known.user.to_string(),
        organization: organization.map(|it| it.key.clone()),
        organization_name: organization.map(|it| it.name.clone()),
        source: organization.map(|it| it.source.name().to_owned()),
        confidence: organization.map(|it| it.confidence.name().to_owned()),
        no_organization: known.lack.map(Lack::name).map(str::to_owned),
        email_domain: known.email_domain.clone(),
        first_login_at: written(known.first_login_at),
        last_login_at: written(known.last_login_at),
        email,
        name,
    }
}

fn membership(past: &PastMembership) -> Membership {
    let organization = past.organization.as_ref();
    Membership {
        organization: organization.ok().map(|it| it.key.clone()),
        organization_name: organization.ok().map(|it| it.name.clone()),
        no_organization: organization.err().map(|lack| lack.name().to_owned()),
        began_at: written(past.began_at),
        ended_at: past.ended_at.map(written),
    }
}
