//! The beginning of a sign-in, as far as it goes without anybody: a client that is not known is
//! shown a page and led nowhere. And, when asked for, a registration.

use serde_json::{Value, json};

use crate::cli::doctor::findings::Finding;
use crate::cli::doctor::visits::Visitor;

/// A client that nobody registered; its place is one where nobody is (RFC 6761).
const DRY: &str = "/oauth/authorize?response_type=code&client_id=doctor-never-registered\
     &redirect_uri=https%3A%2F%2Fdoctor.invalid%2Fcallback\
     &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";

const HEADERS: &str = "something in front of it takes headers away; let them pass as they are";

/// The page.
pub async fn dry(visitor: &Visitor) -> Vec<Finding> {
    let what = "a client that is not known is shown a page";
    let seen = match visitor.get(DRY, &[("accept", "text/html")]).await {
        Ok(seen) => seen,
        Err(error) => {
            let advice = "does the proxy pass /oauth/* on?";
            return vec![Finding::of("AZ-04", what).met_if(false, error).or(advice)];
        }
    };
    let is_page =
        (400..500).contains(&seen.status) && seen.header("content-type").starts_with("text/html");
    let advice = if seen.status == 503 {
        "no identity provider answers; `gatehouse check` says why"
    } else {
        "does the proxy pass /oauth/* on, unchanged?"
    };
    let policy = seen.header("content-security-policy");
    let is_unframed = policy.contains("frame-ancestors 'none'")
        && seen.header("x-frame-options").eq_ignore_ascii_case("deny");
    let header = |id, what, name: &str, value: &str| {
        let said = seen.header(name);
        let is_said = said.contains(value);
        Finding::of(id, what).met_if(is_said, format!("{name} is {said:?}")).or(HEADERS)
    };
    vec![
        Finding::of("AZ-04", what).met_if(is_page, seen.told()).or(advice),
        Finding::of("AZ-04", "and is led nowhere")
            .met_if(!seen.leads_away(), "the browser is sent on")
            .or("an open redirector: this is no Gatehouse, or something in front of it redirects"),
        Finding::of("BP-01", "no other site can frame that page")
            .met_if(is_unframed, format!("Content-Security-Policy is {policy:?}"))
            .or(HEADERS),
        header(
            "BP-02",
            "it tells no other site where one came from",
            "referrer-policy",
            "no-referrer",
        ),
        header("BP-13", "caches do not keep it", "cache-control", "no-store"),
        header("BP-14", "browsers do not guess what it is", "x-content-type-options", "nosniff"),
    ]
}

/// A client that nobody will use.
pub async fn registration(visitor: &Visitor) -> Vec<Finding> {
    let what = "a client can register";
    let metadata = json!({
        "client_name": "gatehouse doctor",
        "redirect_uris": ["http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    });
    let seen = match visitor.post("/oauth/register", &metadata).await {
        Ok(seen) => seen,
        Err(error) => {
            let advice = "does the proxy pass /oauth/* on?";
            return vec![Finding::of("DC-01", what).met_if(false, error).or(advice)];
        }
    };
    let said = seen.json().filter(|_| seen.status == 201).unwrap_or(Value::Null);
    let is_plain = said.as_object().is_some_and(|all| all.values().all(|it| !it.is_null()));
    vec![
        Finding::of("DC-01", what)
            .met_if(said["client_id"].is_string(), seen.told())
            .or("is dcr off, or limit_register used up for this address?"),
        Finding::of("DC-02", "it is told what was registered")
            .met_if(said["redirect_uris"] == metadata["redirect_uris"], "redirect_uris differ")
            .or(HEADERS),
        Finding::of("DC-03", "no member of the answer is null")
            .met_if(is_plain, "one is, or there is no answer; strict clients refuse it")
            .or(HEADERS),
        Finding::of("BP-13", "caches do not keep that answer")
            .met_if(seen.header("cache-control").contains("no-store"), "Cache-Control does not say")
            .or(HEADERS),
    ]
}
