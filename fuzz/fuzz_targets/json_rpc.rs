//! Messages to `/mcp`, of both eras: headers up to an empty line, then the body.

#![no_main]

use gatehouse_fuzz::mcp::envelope::Envelope;
use gatehouse_fuzz::mcp::transport::{check_http, direct, signs};
use gatehouse_fuzz::signed::line_and_rest;
use http::{HeaderName, HeaderValue, Method, Request};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

const SIGN_CHARS_MAX: usize = 200;

fuzz_target!(|input: &[u8]| {
    let mut request = Request::new(());
    *request.method_mut() = Method::POST;
    let mut rest = input;
    loop {
        let (line, left) = line_and_rest(rest);
        rest = left;
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { break };
        let name = HeaderName::from_bytes(&line[..colon]);
        let value = HeaderValue::from_bytes(&line[colon + 1..]);
        if let (Ok(name), Ok(value)) = (name, value) {
            request.headers_mut().append(name, value);
        }
    }
    let (parts, ()) = request.into_parts();
    if let Err(refusal) = check_http(&parts) {
        assert!(!refusal.into_response(None).status().is_success());
    }
    let opened = Envelope::open(rest);
    let said = signs(&parts.headers, opened.as_ref().ok());
    for text in [said.client_info, said.user_agent].into_iter().flatten() {
        assert!(text.chars().count() <= SIGN_CHARS_MAX);
    }
    let (refusal, id) = match opened {
        Err((refusal, id)) => (refusal, id),
        Ok(envelope) => {
            let message: Value = serde_json::from_slice(rest).expect("a body that was read");
            assert_eq!(message["jsonrpc"], "2.0");
            // What is passed on is what was read, and read again it is the same.
            if !matches!(envelope, Envelope::Answer) {
                let passed_on = envelope.to_bytes();
                assert_eq!(Envelope::open(&passed_on).expect("a message of ours"), envelope);
                let again: Value = serde_json::from_slice(&passed_on).expect("a message of ours");
                assert_eq!(again, message);
            }
            let id = envelope.id();
            match direct(&parts.headers, &envelope) {
                Ok(_) => return,
                Err(refusal) => (refusal, id),
            }
        }
    };
    let expected = id.clone().map(|id| serde_json::to_value(id).expect("a string or a number"));
    let response = refusal.into_response(id);
    assert!(response.status().is_client_error());
    let body: Value = serde_json::from_slice(response.body()).expect("an answer in JSON");
    assert_eq!(body["jsonrpc"], "2.0");
    assert!(body["error"]["code"].is_i64() && body["error"]["message"].is_string());
    assert_eq!(body.get("id").cloned(), expected);
});
