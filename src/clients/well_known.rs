//! Copies of documents that hosts are known not to give to servers: a bot challenge answers instead
//! (seen from datacentres in 2026). A copy stands in only while its document cannot be fetched.
//!
//! Each was taken from what its publisher served between September and November 2026.

use crate::domain::client::PresentedMetadata;
use crate::domain::metadata_document::PresentedDocument;

/// Names and redirects of one document.
struct Pinned {
    client_id: &'static str,
    client_name: &'static str,
    redirect_uris: &'static [&'static str],
}

const PINNED: [Pinned; 5] = [
    Pinned {
        client_id: "https://claude.ai/oauth/mcp-oauth-client-metadata",
        client_name: "Claude",
        redirect_uris: &["https://claude.ai/api/mcp/auth_callback"],
    },
    Pinned {
        client_id: "https://claude.ai/oauth/claude-code-client-metadata",
        client_name: "Claude Code",
        redirect_uris: &["http://localhost/callback", "http://127.0.0.1/callback"],
    },
    Pinned {
        client_id: "https://chatgpt.com/oauth/client.json",
        client_name: "ChatGPT",
        redirect_uris: &["https://chatgpt.com/connector_platform_oauth_redirect"],
    },
    Pinned {
        client_id: "https://chatgpt.com/oauth/codex/client.json",
        client_name: "Codex",
        redirect_uris: &["http://127.0.0.1/callback", "http://localhost/callback"],
    },
    Pinned {
        client_id: "https://vscode.dev/oauth/client-metadata.json",
        client_name: "Visual Studio Code",
        redirect_uris: &["http://127.0.0.1:33418/", "https://vscode.dev/redirect"],
    },
];

/// The copy of the document at `client_id`, if there is one.
pub fn pinned(client_id: &str) -> Option<PresentedDocument> {
    let pinned = PINNED.iter().find(|pinned| pinned.client_id == client_id)?;
    let strings = |items: &[&str]| items.iter().map(ToString::to_string).collect();
    Some(PresentedDocument {
        client_id: Some(client_id.to_owned()),
        metadata: PresentedMetadata {
            client_name: Some(pinned.client_name.to_owned()),
            redirect_uris: strings(pinned.redirect_uris),
            grant_types: Some(strings(&["authorization_code", "refresh_token"])),
            ..PresentedMetadata::default()
        },
        ..PresentedDocument::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::metadata_document::{DocumentHosts, DocumentUrl, check_document};

    #[test]
    fn every_copy_describes_a_client_that_is_accepted() {
        for Pinned { client_id, redirect_uris, .. } in &PINNED {
            let url = DocumentUrl::parse(client_id, DocumentHosts::Public).unwrap();
            let metadata = check_document(&url, &pinned(client_id).unwrap(), &[]).unwrap();
            assert_eq!(metadata.redirect_uris.len(), redirect_uris.len(), "{client_id}");
        }
        assert!(pinned("https://client.example.com/client.json").is_none());
    }
}
