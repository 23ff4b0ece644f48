use proptest::prelude::*;

use super::*;
use crate::secret::{Kind, Secret, SystemEntropy};

/// Credentials in pieces, so that none stands here for scanners to find.
fn credentials() -> Vec<String> {
    let generated = |kind| Secret::generate(&SystemEntropy, kind).reveal();
    let letters = "aZ3".repeat(20);
    vec![
        generated(Kind::AuthorizationCode),
        generated(Kind::RefreshToken),
        format!("eyJ{letters}.eyJ{letters}.{letters}"),
        format!("ghp_{}", &letters[..36]),
        format!("github_pat_{letters}"),
        format!("glpat-{}", &letters[..20]),
        format!("xoxb-{}-{}", "1234567890", &letters[..24]),
        format!("npm_{}", &letters[..36]),
        format!("ya29.{letters}"),
        format!("sk-ant-api03-{letters}"),
        format!("sk_live_{}", &letters[..24]),
        format!("AKIA{}", "ABCDEFGHIJKLMNO7"),
        format!("AIza{}", &letters[..35]),
        format!("whsec_{}", &letters[..32]),
    ]
}

#[test]
fn every_kind_of_credential_goes_and_what_is_around_it_stays() {
    for credential in credentials() {
        let scrubbed = scrub(&format!("I ran `x {credential}` and it failed."));
        assert_eq!(scrubbed.removed, 1, "{credential}: {}", scrubbed.text);
        assert!(scrubbed.text.starts_with("I ran `x [removed: "), "{}", scrubbed.text);
        assert!(scrubbed.text.ends_with("]` and it failed."), "{}", scrubbed.text);
        assert!(!scrubbed.text.contains(&credential[credential.len() - 10..]), "{credential}");
    }
}

#[test]
fn what_a_word_says_is_a_secret_goes_and_the_word_stays() {
    for (text, left) in [
        (
            "curl -H 'Authorization: Bearer abc123def456ghi789' https://e.com",
            "curl -H 'Authorization: Bearer [removed: credential]' https://e.com",
        ),
        ("authorization: Basic YWxpY2U6aHVudGVyMg==", "authorization: Basic [removed: credential]"),
        ("\"Authorization\": \"s3cr3tvalue\"", "\"Authorization\": \"[removed: credential]\""),
        ("with bearer 0123456789abcdef0123, yes", "with bearer [removed: token], yes"),
        (
            "postgres://app:hunter2@db.internal:5432/app?x=1",
            "postgres://app:[removed: password]@db.internal:5432/app?x=1",
        ),
        ("https://:p%40ss@e.com/", "https://:[removed: password]@e.com/"),
        ("API_KEY=abcdef0123456789", "API_KEY=[removed: credential]"),
        ("client_secret: 'Zq8-kP_02LmN7'", "client_secret: '[removed: credential]'"),
        ("{\"password\":\"correct1horse2\"}", "{\"password\":\"[removed: credential]\"}"),
        ("?access_token=abcdef0123456&x=1", "?access_token=[removed: credential]&x=1"),
        (
            "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY",
            "aws_secret_access_key = [removed: credential]",
        ),
    ] {
        assert_eq!(scrub(text), Scrubbed { text: left.into(), removed: 1 }, "{text}");
    }
}

#[test]
fn a_private_key_goes_with_its_lines() {
    let lines = format!("{}\n{}\n", "MIIEvQIBADANBgkqhkiG9w0B".repeat(2), "AQEFAASCBKcwggSj");
    for (head, foot) in
        [("", ""), ("RSA ", "RSA "), ("EC ", "EC "), ("OPENSSH ", "OPENSSH "), ("ENCRYPTED ", "")]
    {
        let text = format!(
            "before\n-----BEGIN {head}PRIVATE KEY-----\n{lines}\
             -----END {foot}PRIVATE KEY-----\nafter"
        );
        assert_eq!(scrub(&text).text, "before\n[removed: private key]\nafter", "{head}");
    }
    let cut_off = format!("-----BEGIN PRIVATE KEY-----\n{lines}and then it went on.");
    assert_eq!(scrub(&cut_off).text, "[removed: private key]\nand then it went on.");
    let escaped = "key = \"-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0B\"";
    assert_eq!(scrub(escaped).text, "key = \"[removed: private key]\"");
}

#[test]
fn what_documentation_is_full_of_stays() {
    for text in [
        "commit 5677cc4b3a1d9e8f7c6b5a4938271605f4e3d2c1 broke it",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "uuid 01934f2e-7c1a-7b3d-9e8f-1234567890ab",
        "Send `Authorization: Bearer <token>` or `Authorization: Bearer $TOKEN`.",
        "The Authorization header: authentication happens before authorization.",
        "A bearer authentication-required error, or bearer token.",
        "password: <your-password>, password=${PASSWORD}, password = YOUR_PASSWORD_HERE",
        "The option sasl.password: required when sasl is on.",
        "secret_key: see configuration-reference",
        "-----BEGIN PRIVATE KEY----- is the line the page should show.",
        "https://docs.example.com:8080/a@b and http://[::1]:9092",
        "mailto user@example.com, git@github.com:a/b.git",
        "sk-learn and task-management-with-long-names-in-it",
        "AKIA is how AWS keys begin; eyJ is how JWTs do; ghp_ and sk- are prefixes.",
        "SGVsbG8sIHdvcmxkISBUaGlzIGlzIGp1c3QgYmFzZTY0IG9mIGEgc2VudGVuY2Uu",
        "Größe: 5 µs; 日本語",
        "",
    ] {
        assert_eq!(scrub(text), Scrubbed { text: text.into(), removed: 0 }, "{text}");
    }
}

#[test]
fn long_texts_take_no_time_to_speak_of() {
    // The longest that a person may send, in the shapes that lead furthest astray.
    for piece in ["-----BEGIN PRIVATE KEY-----", "a://b:c", "password=", "eyJeyJeyJ.", "gh"] {
        let text = piece.repeat(20_000 / piece.len());
        assert!(scrub(&text).text.len() <= 2 * text.len(), "{piece}");
    }
}

proptest! {
    #[test]
    fn a_credential_goes_wherever_it_stands(
        before in r"[ -~\n]{0,60}",
        after in r"[ -~\n]{0,60}",
        which in 0..14_usize,
    ) {
        let credential = credentials().swap_remove(which);
        let scrubbed = scrub(&format!("{before} {credential} {after}"));
        prop_assert!(scrubbed.removed > 0);
        prop_assert!(!scrubbed.text.contains(&credential), "{}", scrubbed.text);
    }

    #[test]
    fn a_scrubbed_text_is_clean(text in r"(\PC|\n|ghr_[a-zA-Z0-9]{25}|://a:b1@|password=){0,40}") {
        let once = scrub(&text);
        prop_assert_eq!(scrub(&once.text), Scrubbed { text: once.text.clone(), removed: 0 });
    }
}
