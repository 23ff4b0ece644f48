//! What the machine can do at most: signatures, and the rotation asked by pgbench.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
};
use sqlx::postgres::PgPool;
use tokio::process::Command;

use crate::limit_program::{Key, ROTATION};

/// Clients of pgbench.
const CLIENTS: usize = 16;

/// How often a second this is done by one core.
fn rate(duration: Duration, mut work: impl FnMut() -> bool) -> Option<f64> {
    let begin = Instant::now();
    let mut done = 0_u32;
    while begin.elapsed() < duration {
        if !work() {
            return None;
        }
        done += 1;
    }
    Some(f64::from(done) / begin.elapsed().as_secs_f64())
}

/// Signatures and verifications a second, with a key that is parsed once.
pub fn signatures(
    alg: &str,
    duration: Duration,
) -> Result<(f64, f64), Box<dyn Error + Send + Sync>> {
    // As long as what is signed of an access token.
    let message = [b'm'; 700];
    let key = Key::generate(alg)?;
    let signature = key.sign(&message)?;
    let signing = rate(duration, || key.sign(&message).is_ok());
    let verifying = match &key {
        Key::Rsa(key) => {
            let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key());
            let public = public.parse()?;
            rate(duration, || public.verify_sig(&message, &signature).is_ok())
        }
        Key::P256(key) => {
            let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key());
            let public = public.parse()?;
            rate(duration, || public.verify_sig(&message, &signature).is_ok())
        }
    };
    Ok((signing.ok_or("it does not sign")?, verifying.ok_or("it does not verify")?))
}

/// The rotation in the words of pgbench: each of its clients has a chain, whose tokens are hashes
/// of a number that counts up.
fn script() -> String {
    let hash = |number: &str| {
        format!("sha256(convert_to('c' || :client_id::text || '-' || :{number}::text, 'UTF8'))")
    };
    let now = "(extract(epoch FROM clock_timestamp()) * 1000)::bigint";
    let mut statement = ROTATION.to_owned();
    for (parameter, value) in [
        ("$10", "'client'"),
        ("$9", "'token_refreshed'"),
        ("$8", "gen_random_uuid()"),
        ("$7", "''"),
        ("$6", "4102444800000"),
        ("$5", hash("next").as_str()),
        ("$4", "gen_random_uuid()"),
        ("$3", now),
        ("$2", ":client"),
        ("$1", hash("number").as_str()),
    ] {
        statement = statement.replace(parameter, value);
    }
    let line = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    format!(
        "\\if :number = 0\n\
         SELECT client_id AS client FROM bench_chains WHERE number = :client_id \\gset\n\
         \\endif\n\\set next :number + 1\n{line};\n\\set number :next\n"
    )
}

/// Rotations a second by pgbench; `None` where it is not installed. The chains it takes are lost to
/// everybody else.
pub async fn pgbench(
    url: &str,
    folder: &Path,
    duration: Duration,
) -> Result<Option<f64>, Box<dyn Error + Send + Sync>> {
    let pool = PgPool::connect(url).await?;
    for statement in [
        "CREATE TABLE bench_chains AS
         SELECT row_number() OVER () - 1 AS number, t.id, g.client_id
         FROM refresh_tokens t JOIN grants g ON g.id = t.grant_id
         WHERE t.consumed_at IS NULL AND g.revoked_at IS NULL LIMIT 16",
        "UPDATE refresh_tokens t
         SET token_hash = sha256(convert_to('c' || c.number::text || '-0', 'UTF8'))
         FROM bench_chains c WHERE c.id = t.id",
    ] {
        sqlx::query(statement).execute(&pool).await?;
    }
    let file = folder.join("rotation.sql");
    std::fs::write(&file, script())?;
    let ran = Command::new("pgbench")
        .args(["-n", "-M", "prepared", "-D", "number=0", "-j", "2"])
        .args(["-c", &CLIENTS.to_string(), "-T", &duration.as_secs().max(1).to_string(), "-f"])
        .arg(&file)
        .arg(url)
        .kill_on_drop(true)
        .output()
        .await;
    let Ok(ran) = ran else { return Ok(None) };
    let rotated: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM refresh_tokens t JOIN bench_chains c ON c.id = t.id
         WHERE t.consumed_at IS NOT NULL",
    )
    .fetch_one(&pool)
    .await?;
    pool.close().await;
    let said = String::from_utf8_lossy(&ran.stdout);
    let tps = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
    let tps = tps.and_then(|tps| tps.parse().ok());
    if !ran.status.success() || tps.is_none() || usize::try_from(rotated)? != CLIENTS {
        return Err(format!("pgbench: {}", String::from_utf8_lossy(&ran.stderr)).into());
    }
    Ok(tps)
}
