//! What is known of people: their organization beside their own row, in one query.

use sea_orm::{ConnectionTrait as _, FromQueryResult, Statement, Value};
use uuid::Uuid;

use crate::clock::Timestamp;
use crate::domain::organization::{Attribution, Confidence, KnownOrganization, Lack, Source};
use crate::id::{OrganizationId, UserId};
use crate::store::{Db, StoreError, Txn, stored_time};

/// Columns of an [`AttributionRow`], of users `u`, memberships `m` and organizations `o`.
pub const ATTRIBUTION: &str = "u.id AS person_id, u.email_domain, u.created_at AS first_login_at, \
     u.last_login_at, m.source, m.confidence, m.began_at, o.id AS organization_id, o.key, o.name, \
     o.domain";

/// What stands behind `users u` in a query for them.
pub const JOIN_MEMBERSHIP: &str =
    "LEFT JOIN memberships m ON m.user_id = u.id AND m.ended_at IS NULL
     LEFT JOIN organizations o ON o.id = m.organization_id";

/// A person and their organization, as a query gives them.
#[derive(FromQueryResult)]
pub struct AttributionRow {
    person_id: Uuid,
    email_domain: Option<String>,
    first_login_at: i64,
    last_login_at: i64,
    source: Option<String>,
    confidence: Option<String>,
    began_at: Option<i64>,
    organization_id: Option<Uuid>,
    key: Option<String>,
    name: Option<String>,
    domain: Option<String>,
}

impl AttributionRow {
    /// In the words of the domain.
    pub fn read(self) -> Result<Attribution, StoreError> {
        let membership = Membership {
            source: self.source,
            confidence: self.confidence,
            began_at: self.began_at,
            organization_id: self.organization_id,
            key: self.key,
            name: self.name,
            domain: self.domain,
        };
        let (organization, lack) = match membership.read()? {
            None => (None, None),
            Some(Ok(organization)) => (Some(organization), None),
            Some(Err(lack)) => (None, Some(lack)),
        };
        Ok(Attribution {
            user: UserId::from_uuid(self.person_id),
            organization,
            lack,
            email_domain: self.email_domain,
            first_login_at: Timestamp::from_millis(self.first_login_at),
            last_login_at: Timestamp::from_millis(self.last_login_at),
        })
    }
}

struct Membership {
    source: Option<String>,
    confidence: Option<String>,
    began_at: Option<i64>,
    organization_id: Option<Uuid>,
    key: Option<String>,
    name: Option<String>,
    domain: Option<String>,
}

impl Membership {
    fn read(self) -> Result<Option<Result<KnownOrganization, Lack>>, StoreError> {
        let torn = StoreError::Corrupt("membership");
        let Some(source) = self.source else { return Ok(None) };
        let Some(id) = self.organization_id else {
            return Lack::parse(&source).map(|lack| Some(Err(lack))).ok_or(torn);
        };
        let confidence = self.confidence.as_deref().and_then(Confidence::parse);
        let (Some(key), Some(name), Some(since), Some(source), Some(confidence)) =
            (self.key, self.name, self.began_at, Source::parse(&source), confidence)
        else {
            return Err(torn);
        };
        Ok(Some(Ok(KnownOrganization {
            id: OrganizationId::from_uuid(id),
            key,
            name,
            domain: self.domain,
            source,
            confidence,
            since: Timestamp::from_millis(since),
        })))
    }
}

/// A person with what is sealed of them. Not `Debug`: a subject may hold an address.
#[derive(Clone)]
pub struct StoredPerson {
    /// The person and their organization.
    pub attribution: Attribution,
    /// The provider.
    pub upstream_issuer: String,
    /// The person there. At some providers an address is part of it.
    pub upstream_subject: String,
    /// What the provider told, sealed.
    pub profile_sealed: Vec<u8>,
}

#[derive(FromQueryResult)]
struct PersonRow {
    upstream_issuer: String,
    upstream_subject: String,
    profile_sealed: Vec<u8>,
    #[sea_orm(nested)]
    attribution: AttributionRow,
}

impl PersonRow {
    fn read(self) -> Result<StoredPerson, StoreError> {
        Ok(StoredPerson {
            attribution: self.attribution.read()?,
            upstream_issuer: self.upstream_issuer,
            upstream_subject: self.upstream_subject,
            profile_sealed: self.profile_sealed,
        })
    }
}

const PERSON: &str = "u.upstream_issuer, u.upstream_subject, u.profile_sealed";

/// One person.
pub async fn find(db: &impl Db, id: UserId) -> Result<Option<StoredPerson>, StoreError> {
    let sql = format!(
        "SELECT {PERSON}, {ATTRIBUTION} FROM users u {JOIN_MEMBERSHIP}
        WHERE u.id = $1"
    );
    let values = [id.uuid().into()];
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let row = PersonRow::find_by_statement(statement).one(db).await?;
    row.map(PersonRow::read).transpose()
}

/// Which people to list.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// Those with one of these hashes of their address; anybody when there are none.
    pub email_hashes: Option<Vec<[u8; 32]>>,
    /// Those who belong to one of these now; anybody when there are none.
    pub organizations: Option<Vec<OrganizationId>>,
    /// Those who come after this one.
    pub after: Option<UserId>,
}

/// People in the order they first signed in, at most `rows`.
pub async fn list(
    db: &impl Db,
    selection: &Selection,
    rows: u64,
) -> Result<Vec<StoredPerson>, StoreError> {
    let mut values: Vec<Value> = Vec::new();
    let mut conditions = vec!["1 = 1".to_owned()];
    let mut any_of = |column: &str, wanted: Vec<Value>, values: &mut Vec<Value>| {
        let places: Vec<_> =
            (0..wanted.len()).map(|n| format!("${}", values.len() + n + 1)).collect();
        values.extend(wanted);
        let places = if places.is_empty() { "NULL".to_owned() } else { places.join(", ") };
        conditions.push(format!("{column} IN ({places})"));
    };
    if let Some(hashes) = &selection.email_hashes {
        let hashes = hashes.iter().map(|hash| hash.to_vec().into()).collect();
        any_of("u.email_hash", hashes, &mut values);
    }
    if let Some(ids) = &selection.organizations {
        let ids = ids.iter().map(|id| id.uuid().into()).collect();
        any_of("m.organization_id", ids, &mut values);
    }
    if let Some(after) = selection.after {
        values.push(after.uuid().into());
        conditions.push(format!("u.id > ${}", values.len()));
    }
    values.push(i64::try_from(rows).unwrap_or(i64::MAX).into());
    let sql = format!(
        "SELECT {PERSON}, {ATTRIBUTION} FROM users u {JOIN_MEMBERSHIP}
         WHERE {} ORDER BY u.id LIMIT ${}",
        conditions.join(" AND "),
        values.len(),
    );
    let statement = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    let found = PersonRow::find_by_statement(statement).all(db).await?;
    found.into_iter().map(PersonRow::read).collect()
}

/// Holds people who have no membership yet, after a given one, at most `rows`, in the order of
/// their identifiers. Those whom somebody else holds are passed over: they are just signing in,
/// or another pass is at them.
pub async fn lock_unsettled(
    txn: &Txn,
    after: Option<UserId>,
    rows: u32,
) -> Result<Vec<StoredPerson>, StoreError> {
    let backend = txn.get_database_backend();
    let lock = match backend {
        sea_orm::DbBackend::Postgres => "FOR UPDATE OF u SKIP LOCKED",
        _ => "",
    };
    let sql = format!(
        "SELECT {PERSON}, {ATTRIBUTION} FROM users u {JOIN_MEMBERSHIP}
         WHERE u.id > $1 AND NOT EXISTS (SELECT 1 FROM memberships e WHERE e.user_id = u.id)
         ORDER BY u.id LIMIT $2 {lock}"
    );
    let after = after.map_or(Uuid::nil(), UserId::uuid);
    let values: [Value; 2] = [after.into(), i64::from(rows).into()];
    let statement = Statement::from_sql_and_values(backend, sql, values);
    let found = PersonRow::find_by_statement(statement).all(txn).await?;
    found.into_iter().map(PersonRow::read).collect()
}

/// A time that a person belonged to an organization, or to none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastMembership {
    /// The organization, or why there was none.
    pub organization: Result<KnownOrganization, Lack>,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended; the one that holds has not.
    pub ended_at: Option<Timestamp>,
}

#[derive(FromQueryResult)]
struct PastRow {
    source: String,
    confidence: Option<String>,
    began_at: i64,
    ended_at: Option<i64>,
    organization_id: Option<Uuid>,
    key: Option<String>,
    name: Option<String>,
    domain: Option<String>,
}

/// Everything a person belonged to, the newest first.
pub async fn history(db: &impl Db, id: UserId) -> Result<Vec<PastMembership>, StoreError> {
    let statement = Statement::from_sql_and_values(
        db.get_database_backend(),
        "SELECT m.source, m.confidence, m.began_at, m.ended_at, m.organization_id, o.key, o.name,
             o.domain
         FROM memberships m LEFT JOIN organizations o ON o.id = m.organization_id
         WHERE m.user_id = $1
         ORDER BY CASE WHEN m.ended_at IS NULL THEN 0 ELSE 1 END, m.began_at DESC, m.id DESC",
        [id.uuid().into()],
    );
    let rows = PastRow::find_by_statement(statement).all(db).await?;
    let past = |row: PastRow| {
        let (began_at, ended_at) = (row.began_at, row.ended_at);
        let membership = Membership {
            source: Some(row.source),
            confidence: row.confidence,
            began_at: Some(began_at),
            organization_id: row.organization_id,
            key: row.key,
            name: row.name,
            domain: row.domain,
        };
        Ok(PastMembership {
            organization: membership.read()?.ok_or(StoreError::Corrupt("membership"))?,
            began_at: Timestamp::from_millis(began_at),
            ended_at: stored_time(ended_at),
        })
    };
    rows.into_iter().map(past).collect()
}
