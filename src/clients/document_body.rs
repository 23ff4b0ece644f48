//! Reading the body of a metadata document: lenient about what is not ours, strict about types.

use serde_json::Value;

use crate::clients::registration::{self, strings, text};
use crate::domain::metadata_document::PresentedDocument;
use crate::domain::refusal::DocumentRefusal;

/// Reads a document. Members this server does not know are ignored, `null` counts as absent.
pub fn read(body: &[u8]) -> Result<PresentedDocument, DocumentRefusal> {
    let body: Value = serde_json::from_slice(body).map_err(|_| DocumentRefusal::Malformed)?;
    let metadata = registration::read(&body).map_err(|_| DocumentRefusal::Malformed)?;
    let members = body.as_object().ok_or(DocumentRefusal::Malformed)?;
    let text = |name| text(members, name).map_err(|_| DocumentRefusal::Malformed);
    let strings = |name| strings(members, name).map_err(|_| DocumentRefusal::Malformed);
    Ok(PresentedDocument {
        client_id: text("client_id")?,
        auth_method: text("token_endpoint_auth_method")?,
        auth_methods_supported: strings("token_endpoint_auth_methods_supported")?,
        names_a_secret: members.keys().any(|name| name.starts_with("client_secret")),
        metadata,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read_leniently_about_what_is_not_ours() {
        let read_ok = read(
            br#"{"client_id": "https://e.com/c", "client_name": "E",
                "redirect_uris": ["https://e.com/"], "jwks_uri": "https://e.com/keys",
                "logo_uri": null, "contacts": 7,
                "token_endpoint_auth_method": "private_key_jwt",
                "token_endpoint_auth_methods_supported": ["none"]}"#,
        )
        .unwrap();
        assert_eq!(read_ok.client_id.as_deref(), Some("https://e.com/c"));
        assert!(!read_ok.names_a_secret);
        for secret in [r#"{"client_secret": null}"#, r#"{"client_secret_expires_at": 0}"#] {
            assert!(read(secret.as_bytes()).unwrap().names_a_secret, "{secret}");
        }
        for malformed in [
            "",
            "null",
            "[]",
            "<html>",
            "{\"client_id\": 1}",
            "{\"redirect_uris\": \"https://e.com/\"}",
            "{\"token_endpoint_auth_methods_supported\": \"none\"}",
            "{\"client_name\": \"\u{0}",
        ] {
            let refusal = read(malformed.as_bytes()).unwrap_err();
            assert_eq!(refusal, DocumentRefusal::Malformed, "{malformed}");
        }
    }
}
