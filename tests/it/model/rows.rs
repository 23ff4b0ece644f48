//! What the tables hold after a wave: counts that the reference must know, and rules that hold
//! whatever happened.

use sea_orm::{ConnectionTrait as _, DatabaseConnection, DbBackend, Statement};

use super::words::Counts;

/// Rules of the tables, each with a query that counts what breaks it; `{ours}` are the client
/// identifiers of the case.
const RULES: [(&str, &str); 5] = [
    (
        "a grant has at most one unused refresh token",
        "SELECT count(*) FROM (SELECT t.grant_id
            FROM refresh_tokens t JOIN grants g ON g.id = t.grant_id
            WHERE t.consumed_at IS NULL AND g.client_id IN ({ours})
            GROUP BY t.grant_id HAVING count(*) > 1) broken",
    ),
    (
        "the generations of a grant follow each other without a gap",
        "SELECT count(*) FROM (SELECT t.grant_id
            FROM refresh_tokens t JOIN grants g ON g.id = t.grant_id
            WHERE g.client_id IN ({ours})
            GROUP BY t.grant_id HAVING count(*) <> max(t.generation) - min(t.generation) + 1
                OR count(*) <> count(DISTINCT t.generation)) broken",
    ),
    (
        "a code has at most one grant",
        "SELECT count(*) FROM (SELECT authorization_code_id FROM grants
            WHERE client_id IN ({ours})
            GROUP BY authorization_code_id HAVING count(*) > 1) broken",
    ),
    (
        "a used code and its grant name each other",
        "SELECT count(*) FROM authorization_codes c
            JOIN grants g ON g.authorization_code_id = c.id
            WHERE c.client_id IN ({ours}) AND (c.grant_id IS NULL OR c.grant_id <> g.id)",
    ),
    (
        "nothing is issued for a denied request",
        "SELECT count(*) FROM authorization_requests r
            WHERE r.client_id IN ({ours}) AND r.decision = 'denied' AND (
                EXISTS (SELECT 1 FROM upstream_logins l WHERE l.authorization_request_id = r.id)
             OR EXISTS (SELECT 1 FROM authorization_codes c
                        WHERE c.authorization_request_id = r.id))",
    ),
];

/// In the order of [`Counts`].
const COUNTS: &str = "SELECT
    (SELECT count(*) FROM clients WHERE {name} LIKE '%{case}'),
    (SELECT count(*) FROM authorization_codes WHERE client_id IN ({ours})),
    (SELECT count(*) FROM authorization_codes
        WHERE client_id IN ({ours}) AND consumed_at IS NOT NULL),
    (SELECT count(*) FROM grants WHERE client_id IN ({ours})),
    (SELECT count(*) FROM grants WHERE client_id IN ({ours}) AND revoked_at IS NOT NULL),
    (SELECT count(*) FROM refresh_tokens t JOIN grants g ON g.id = t.grant_id
        WHERE g.client_id IN ({ours})),
    (SELECT count(*) FROM refresh_tokens t JOIN grants g ON g.id = t.grant_id
        WHERE g.client_id IN ({ours}) AND t.consumed_at IS NULL)";

/// The rows of one case: its clients are nobody else's.
pub struct Rows<'a> {
    pub connection: &'a DatabaseConnection,
    /// What the names of the case's clients end in.
    pub name: &'a str,
    pub client_ids: Vec<&'a str>,
}

impl Rows<'_> {
    /// The rules that do not hold.
    pub async fn broken_rules(&self) -> Vec<&'static str> {
        let queries: Vec<_> = RULES.iter().map(|(_, sql)| format!("({sql})")).collect();
        let numbers = self.numbers(&format!("SELECT {}", queries.join(", ")), RULES.len()).await;
        let rules = RULES.iter().zip(numbers);
        rules.filter(|(_, broken)| *broken != 0).map(|((rule, _), _)| *rule).collect()
    }

    pub async fn counts(&self) -> Counts {
        let numbers = self.numbers(COUNTS, 7).await;
        Counts {
            clients: numbers[0],
            codes: numbers[1],
            codes_used: numbers[2],
            grants: numbers[3],
            grants_revoked: numbers[4],
            tokens: numbers[5],
            tokens_unused: numbers[6],
        }
    }

    async fn numbers(&self, sql: &str, columns: usize) -> Vec<i64> {
        let backend = self.connection.get_database_backend();
        let name = match backend {
            DbBackend::Postgres => "metadata ->> 'client_name'",
            _ => "json_extract(metadata, '$.client_name')",
        };
        let ours = format!("'{}'", self.client_ids.join("', '"));
        let sql = sql.replace("{ours}", &ours).replace("{name}", name).replace("{case}", self.name);
        let statement = Statement::from_string(backend, sql);
        let row = self.connection.query_one_raw(statement).await.expect("the query runs");
        let row = row.expect("it gives a row");
        let number = |column| row.try_get_by_index(column).expect("it is a number");
        (0..columns).map(number).collect()
    }
}
