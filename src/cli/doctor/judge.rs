//! What a client reads before it signs anybody in: documents, keys, the challenge, what pages
//! elsewhere may read.

use serde_json::Value;

use crate::cli::doctor::findings::Finding;
use crate::cli::doctor::visits::{Seen, Visitor};

const RESOURCE: &str = "/.well-known/oauth-protected-resource";
const RESOURCE_OF_MCP: &str = "/.well-known/oauth-protected-resource/mcp";
const SERVER: &str = "/.well-known/oauth-authorization-server";

/// Where a page may be that no operator has listed (RFC 6761: nobody is there).
const ELSEWHERE: &str = "https://doctor.invalid";

const ROUTE: &str =
    "does the proxy in front pass /.well-known/*, /oauth/* and /mcp* on, unchanged?";
const PUBLIC_URL: &str = "set public_url to what people type, exactly, and restart";
const NOT_OURS: &str = "something in front of it changes answers; let them pass as they are";

/// RFC 9728, RFC 8414, the keys.
pub async fn documents(visitor: &Visitor) -> Vec<Finding> {
    let mut findings = Vec::new();
    let issuer = resource(visitor, &mut findings).await;
    let Some(server) = document(visitor, SERVER, "AM-01", &mut findings).await else {
        return findings;
    };
    let text = |name: &str| server[name].as_str().unwrap_or_default();
    let has = |name: &str, value: &str| {
        server[name].as_array().is_some_and(|items| items.iter().any(|item| item == value))
    };
    let list = |name: &str| format!("{name} is {}", server[name]);
    findings.push(
        Finding::of("AM-02", "the issuer is this address, byte for byte")
            .met_if(text("issuer") == visitor.origin(), list("issuer"))
            .or(PUBLIC_URL),
    );
    if let Some(issuer) = issuer {
        findings.push(
            Finding::of("PRM-05", "the resource names this issuer first")
                .met_if(issuer == text("issuer"), format!("it names {issuer:?}"))
                .or(PUBLIC_URL),
        );
    }
    let endpoints = ["authorization_endpoint", "token_endpoint", "jwks_uri"];
    let stray = endpoints.iter().find(|name| !visitor.owns(text(name)));
    findings.push(
        Finding::of("AM-14", "the endpoints are on this origin")
            .met_if(stray.is_none(), stray.map(|name| list(name)).unwrap_or_default())
            .or(PUBLIC_URL),
    );
    let only_s256 = server["code_challenge_methods_supported"] == serde_json::json!(["S256"]);
    findings.push(
        Finding::of("AM-06", "PKCE with S256, and nothing weaker")
            .met_if(only_s256, list("code_challenge_methods_supported"))
            .or(NOT_OURS),
    );
    findings.push(
        Finding::of("AM-08", "clients without a secret are welcome")
            .met_if(
                has("token_endpoint_auth_methods_supported", "none"),
                list("token_endpoint_auth_methods_supported"),
            )
            .or(NOT_OURS),
    );
    let introduces = server["client_id_metadata_document_supported"] == true
        || server["registration_endpoint"].is_string();
    findings.push(
        Finding::of("AM-10", "a client can introduce itself")
            .met_if(introduces, "neither registration nor metadata documents")
            .or("set dcr or cimd, or every client has to be known beforehand")
            .lightly(),
    );
    findings.push(keys(visitor, text("jwks_uri")).await);
    findings
}

/// The resource's document, and the issuer it names.
async fn resource(visitor: &Visitor, findings: &mut Vec<Finding>) -> Option<String> {
    let found = document(visitor, RESOURCE_OF_MCP, "PRM-02", findings).await?;
    let expected = format!("{}/mcp", visitor.origin());
    findings.push(
        Finding::of("PRM-04", "the resource is the address that people type")
            .met_if(found["resource"] == expected, format!("resource is {}", found["resource"]))
            .or(PUBLIC_URL),
    );
    let scopes = found["scopes_supported"].as_array();
    let is_small = scopes.is_some_and(|scopes| {
        !scopes.is_empty() && scopes.iter().all(|scope| scope != "offline_access")
    });
    findings.push(
        Finding::of("PRM-06", "the scopes are those for reading")
            .met_if(is_small, format!("scopes_supported is {}", found["scopes_supported"]))
            .or(NOT_OURS)
            .lightly(),
    );
    let root = visitor.get(RESOURCE, &[]).await.ok().and_then(|seen| seen.json());
    findings.push(
        Finding::of("PRM-03", "the same stands at the root")
            .met_if(root.as_ref() == Some(&found), "something else, or nothing, is there")
            .or(ROUTE),
    );
    Some(found["authorization_servers"][0].as_str().unwrap_or_default().to_owned())
}

/// A document that must be there as JSON without nulls, and be kept for a while.
async fn document(
    visitor: &Visitor,
    path: &str,
    id: &'static str,
    findings: &mut Vec<Finding>,
) -> Option<Value> {
    let what = if id == "AM-01" {
        "the authorization server describes itself"
    } else {
        "the resource is described"
    };
    let seen = match visitor.get(path, &[("origin", ELSEWHERE)]).await {
        Ok(seen) => seen,
        Err(error) => {
            findings.push(Finding::of(id, what).met_if(false, error).or(ROUTE));
            return None;
        }
    };
    let found = seen.json().filter(|_| seen.status == 200);
    findings.push(Finding::of(id, what).met_if(found.is_some(), seen.told()).or(ROUTE));
    let found = found?;
    let is_plain = found.as_object().is_some_and(|all| all.values().all(|it| !it.is_null()));
    findings.push(
        Finding::of("PRM-08", "no member of it is null")
            .met_if(is_plain, "one is; strict clients refuse the whole document")
            .or(NOT_OURS),
    );
    findings.push(
        Finding::of("PRM-13", "caches may keep it for a while")
            .met_if(seen.header("cache-control").contains("max-age"), "Cache-Control does not say")
            .or(NOT_OURS)
            .lightly(),
    );
    findings.push(
        Finding::of("CO-01", "pages of any origin may read it")
            .met_if(seen.header("access-control-allow-origin") == "*", allowed_origin(&seen))
            .or(NOT_OURS),
    );
    Some(found)
}

fn allowed_origin(seen: &Seen) -> String {
    format!("Access-Control-Allow-Origin is {:?}", seen.header("access-control-allow-origin"))
}

async fn keys(visitor: &Visitor, address: &str) -> Finding {
    const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];
    let finding = Finding::of("JW-01", "the keys are there, and only their public halves");
    let seen = match visitor.get(address, &[]).await {
        Ok(seen) => seen,
        Err(error) => return finding.met_if(false, error).or(ROUTE),
    };
    let found = seen.json().filter(|_| seen.status == 200);
    let keys = found.as_ref().and_then(|found| found["keys"].as_array());
    let Some(keys) = keys.filter(|keys| !keys.is_empty()) else {
        return finding.met_if(false, seen.told()).or(ROUTE);
    };
    let is_public = |key: &Value| PRIVATE.iter().all(|member| key.get(member).is_none());
    finding
        .met_if(keys.iter().all(is_public), "a private half is published")
        .or("make another signing key at once, and find out who has seen this one")
}

/// `/mcp` without a token.
pub async fn door(visitor: &Visitor) -> Vec<Finding> {
    let what = "without a token the answer is 401 and a challenge";
    let seen = match visitor.get("/mcp", &[]).await {
        Ok(seen) => seen,
        Err(error) => return vec![Finding::of("CH-01", what).met_if(false, error).or(ROUTE)],
    };
    let challenge = seen.header("www-authenticate");
    let is_challenge = seen.status == 401 && challenge.starts_with("Bearer");
    let metadata = format!("resource_metadata=\"{}{RESOURCE_OF_MCP}\"", visitor.origin());
    let no_error = !challenge.contains("error=");
    vec![
        Finding::of("CH-01", what)
            .met_if(is_challenge, format!("{}, challenge {challenge:?}", seen.told()))
            .or("does the proxy keep WWW-Authenticate, and answer nothing by itself?"),
        Finding::of("CH-02", "the challenge leads to the resource's document")
            .met_if(challenge.contains(&metadata), format!("challenge {challenge:?}"))
            .or(PUBLIC_URL),
        Finding::of("CH-04", "who sent no token is not told that theirs is bad")
            .met_if(no_error, format!("challenge {challenge:?}"))
            .or(NOT_OURS)
            .lightly(),
        Finding::of("BP-13", "caches do not keep that answer")
            .met_if(seen.header("cache-control").contains("no-store"), "Cache-Control does not say")
            .or(NOT_OURS),
    ]
}

/// What pages elsewhere may do.
pub async fn origins(visitor: &Visitor) -> Vec<Finding> {
    let preflight = visitor.preflight("/oauth/token", "POST", ELSEWHERE).await;
    let allows = |seen: &Seen| {
        let headers = seen.header("access-control-allow-headers").to_ascii_lowercase();
        let origin = seen.header("access-control-allow-origin");
        (200..300).contains(&seen.status)
            && origin == "*"
            && headers.contains("content-type")
            && headers.contains("mcp-protocol-version")
    };
    let asked = visitor.preflight("/mcp", "POST", &visitor.origin()).await;
    let foreign = visitor.get("/mcp", &[("origin", ELSEWHERE)]).await;
    let status = |seen: &Result<Seen, String>| {
        seen.as_ref().map_or_else(Clone::clone, |seen| format!("{}", seen.status))
    };
    vec![
        Finding::of("CO-02", "pages of any origin may ask for tokens")
            .met_if(preflight.as_ref().is_ok_and(allows), status(&preflight))
            .or("does the proxy pass OPTIONS on, and leave CORS headers alone?"),
        Finding::of("CH-11", "a preflight of /mcp needs no token")
            .met_if(
                asked.as_ref().is_ok_and(|seen| (200..300).contains(&seen.status)),
                status(&asked),
            )
            .or("does the proxy pass OPTIONS on, without asking for a token itself?"),
        Finding::of("CO-04", "pages of an origin that is not listed are kept out of /mcp")
            .met_if(foreign.as_ref().is_ok_and(|seen| seen.status == 403), status(&foreign))
            .or("is cors_origins `*`? Then this is as you chose")
            .lightly(),
    ]
}
