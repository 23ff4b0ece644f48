//! Lists, answered as they were answered before.
//!
//! What a list says depends on the message alone: it is the same for every caller, and no list
//! changes while the program runs. So rmcp answers each message once, and again only when another
//! one is asked. What is kept is what rmcp said; nothing here knows what a list is made of.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use rmcp::model::RequestId;

use crate::mcp::envelope::Envelope;
use crate::mcp::transport::TOLD_APART;

/// The methods whose answers are kept.
const METHODS: [&str; 5] =
    ["tools/list", "server/discover", "prompts/list", "resources/list", "resources/templates/list"];

/// So many are kept, of the messages that were asked first: clients of one kind all ask alike, and
/// whoever makes messages up takes no more memory than this.
const KEPT_MAX: usize = 64;

/// Nor is one kept that is longer than this, in bytes.
const KEY_BYTES_MAX: usize = 1024;

/// A message without its `id`, and the headers that rmcp compares it with.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key(Vec<u8>);

impl Key {
    /// That of a message, if its answer is kept.
    pub fn of(shown: &HeaderMap, envelope: &Envelope) -> Option<Self> {
        let Envelope::Request { method, message, .. } = envelope else { return None };
        if !METHODS.contains(&method.as_str()) {
            return None;
        }
        let mut key = Vec::with_capacity(256);
        for name in &TOLD_APART {
            // No value of a header holds a line feed.
            for value in shown.get_all(name) {
                key.extend_from_slice(value.as_bytes());
                key.push(b'\n');
            }
            key.push(b'\n');
        }
        for (name, value) in message.iter().filter(|(name, _)| *name != "id") {
            serde_json::to_writer(&mut key, name).ok()?;
            serde_json::to_writer(&mut key, value).ok()?;
        }
        (key.len() <= KEY_BYTES_MAX).then_some(Self(key))
    }
}

/// An answer without its `id`.
#[derive(Clone, Debug)]
struct Kept {
    headers: HeaderMap,
    /// What follows the `id`.
    rest: Bytes,
}

/// The answers that are kept.
#[derive(Debug, Default)]
pub struct Lists(RwLock<HashMap<Key, Kept>>);

impl Lists {
    /// The answer to this message under another `id`, if it was answered before.
    pub fn find(&self, key: &Key, id: &RequestId) -> Option<Response<Bytes>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner).get(key).cloned()?;
        let mut body = up_to_id(id)?;
        body.reserve_exact(kept.rest.len());
        body.extend_from_slice(&kept.rest);
        let mut response = Response::new(body.into());
        *response.headers_mut() = kept.headers;
        Some(response)
    }

    /// Keeps what rmcp said, unless that is an error.
    pub fn keep(&self, key: Key, id: &RequestId, response: &Response<Bytes>) {
        let begin = up_to_id(id).map(|mut begin| {
            begin.extend_from_slice(RESULT.as_bytes());
            begin
        });
        let is_result = begin.is_some_and(|begin| response.body().starts_with(&begin));
        if response.status() != StatusCode::OK || !is_result {
            return;
        }
        let rest = up_to_id(id).map_or(0, |begin| begin.len());
        let kept =
            Kept { headers: response.headers().clone(), rest: response.body().slice(rest..) };
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() < KEPT_MAX {
            all.insert(key, kept);
        }
    }
}

/// What follows the `id` where there is a result.
const RESULT: &str = ",\"result\":{";

/// How an answer begins (JSON-RPC 2.0 §5), in the order in which rmcp writes it.
fn up_to_id(id: &RequestId) -> Option<Vec<u8>> {
    let mut begin = br#"{"jsonrpc":"2.0","id":"#.to_vec();
    serde_json::to_writer(&mut begin, id).ok()?;
    Some(begin)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use serde_json::json;

    use super::*;

    fn key(method: &str, params: &serde_json::Value) -> Option<Key> {
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
        let envelope = Envelope::open(body.to_string().as_bytes()).unwrap();
        Key::of(&HeaderMap::new(), &envelope)
    }

    fn answer(body: &str) -> Response<Bytes> {
        Response::new(Bytes::copy_from_slice(body.as_bytes()))
    }

    #[test]
    fn an_answer_is_found_under_another_id_and_nothing_else_changes() {
        let (lists, key) = (Lists::default(), key("tools/list", &json!({})).unwrap());
        let mut said = answer(r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]}}"#);
        said.headers_mut().insert("x", HeaderValue::from_static("y"));
        lists.keep(key.clone(), &RequestId::Number(1), &said);
        let found = lists.find(&key, &RequestId::String("a\"b".into())).unwrap();
        let expected = r#"{"jsonrpc":"2.0","id":"a\"b","result":{"tools":[]}}"#;
        assert_eq!(found.body(), expected);
        assert_eq!(found.headers(), said.headers());
    }

    #[test]
    fn errors_are_not_kept() {
        let (lists, key) = (Lists::default(), key("tools/list", &json!({})).unwrap());
        let error = answer(r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":""}}"#);
        lists.keep(key.clone(), &RequestId::Number(1), &error);
        let mut refused = answer(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
        *refused.status_mut() = StatusCode::BAD_REQUEST;
        lists.keep(key.clone(), &RequestId::Number(1), &refused);
        assert!(lists.find(&key, &RequestId::Number(1)).is_none());
    }

    #[test]
    fn whatever_differs_but_the_id_is_another_message() {
        let list = key("tools/list", &json!({})).unwrap();
        assert_ne!(key("tools/list", &json!({ "cursor": "" })).unwrap(), list);
        assert_ne!(key("prompts/list", &json!({})).unwrap(), list);
        let body = json!({ "jsonrpc": "2.0", "id": "b", "method": "tools/list", "params": {} });
        let envelope = Envelope::open(body.to_string().as_bytes()).unwrap();
        assert_eq!(Key::of(&HeaderMap::new(), &envelope).unwrap(), list);
        for name in &TOLD_APART {
            let shown = HeaderMap::from_iter([(name.clone(), HeaderValue::from_static("other"))]);
            assert_ne!(Key::of(&shown, &envelope).unwrap(), list, "{name}");
        }
    }

    #[test]
    fn only_lists_are_kept_and_only_so_many() {
        assert_eq!(key("tools/call", &json!({ "name": "whoami" })), None);
        assert_eq!(key("tools/list", &json!({ "_meta": { "x": "x".repeat(2000) } })), None);
        let lists = Lists::default();
        let said = answer(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#);
        let keys: Vec<Key> = (0..=KEPT_MAX)
            .map(|number| key("tools/list", &json!({ "_meta": { "x": number } })).unwrap())
            .collect();
        for key in &keys {
            lists.keep(key.clone(), &RequestId::Number(1), &said);
        }
        let found = keys.iter().filter(|key| lists.find(key, &RequestId::Number(1)).is_some());
        assert_eq!(found.count(), KEPT_MAX);
    }
}
