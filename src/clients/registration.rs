//! Reading a registration request: lenient about what is not ours, strict about types
//! (RFC 7591 §2).

use serde_json::{Map, Value};

use crate::domain::client::PresentedMetadata;
use crate::domain::refusal::RegistrationRefusal;
use crate::secret::{Entropy, base64url};

/// Reads the body. Members this server does not know are ignored, `null` counts as absent.
pub fn read(body: &Value) -> Result<PresentedMetadata, RegistrationRefusal> {
    let members = body.as_object().ok_or(RegistrationRefusal::Malformed("body"))?;
    Ok(PresentedMetadata {
        redirect_uris: strings(members, "redirect_uris")?.unwrap_or_default(),
        client_name: text(members, "client_name")?,
        client_uri: text(members, "client_uri")?,
        logo_uri: text(members, "logo_uri")?,
        grant_types: strings(members, "grant_types")?,
        response_types: strings(members, "response_types")?,
        scope: text(members, "scope")?,
        application_type: text(members, "application_type")?,
        software_id: text(members, "software_id")?,
        software_version: text(members, "software_version")?,
    })
}

/// A new client identifier: unguessable, and recognisably neither an address nor a subject.
pub fn new_client_id(entropy: &dyn Entropy) -> String {
    let mut bytes = [0; 18];
    entropy.fill(&mut bytes);
    format!("ghclient_{}", base64url(&bytes))
}

fn member<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    members.get(name).filter(|value| !value.is_null())
}

/// A member that is a text; an empty one counts as absent.
pub fn text(
    members: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<String>, RegistrationRefusal> {
    match member(members, name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone()).filter(|text| !text.is_empty())),
        Some(_) => Err(RegistrationRefusal::Malformed(name)),
    }
}

/// A member that is a list of texts.
pub fn strings(
    members: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<Vec<String>>, RegistrationRefusal> {
    let malformed = || RegistrationRefusal::Malformed(name);
    let Some(value) = member(members, name) else { return Ok(None) };
    let items = value.as_array().ok_or_else(malformed)?;
    let strings = items.iter().map(|item| item.as_str().map(str::to_owned).ok_or_else(malformed));
    strings.collect::<Result<_, _>>().map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn unknown_members_and_nulls_are_ignored_and_wrong_types_named() {
        let read_ok = read(&json!({
            "redirect_uris": ["https://e.com/cb"], "client_name": null, "scope": "",
            "jwks": {"keys": []}, "contacts": 7,
        }));
        let presented = read_ok.unwrap();
        assert_eq!(presented.redirect_uris, ["https://e.com/cb"]);
        assert_eq!((presented.client_name, presented.scope), (None, None));
        for (body, name) in [
            (json!([]), "body"),
            (json!("x"), "body"),
            (json!({"redirect_uris": "https://e.com"}), "redirect_uris"),
            (json!({"redirect_uris": [1]}), "redirect_uris"),
            (json!({"client_name": {}}), "client_name"),
            (json!({"grant_types": "code"}), "grant_types"),
        ] {
            assert_eq!(read(&body).unwrap_err(), RegistrationRefusal::Malformed(name), "{body}");
        }
    }
}
