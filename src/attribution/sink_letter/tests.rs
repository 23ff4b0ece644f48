use proptest::prelude::*;

use super::*;
use uuid::Uuid;

const KEY: Uuid = Uuid::from_u128(7);

fn receiver(shape: SinkShape, fields: &[SinkField]) -> SinkReceiver {
    SinkReceiver {
        url: Url::parse("https://sink.example.com/in").unwrap(),
        secrets: vec![vec![7; 24]],
        shape,
        fields: fields.to_vec(),
    }
}

/// An event that carries everything there is.
fn everything() -> SinkItem {
    let value = |field: &SinkField| (field.name().to_owned(), json!(field.name()));
    SinkItem {
        key: KEY.to_string(),
        at: 1_800_000_000_000,
        data: SinkField::ALL.iter().map(value).collect(),
    }
}

fn body(receiver: &SinkReceiver, event: SinkEvent, items: Vec<SinkItem>) -> Value {
    let payload = serde_json::to_vec(&SinkPayload { events: items }).unwrap();
    let parcel = Parcel { idempotency_key: KEY, kind: event.name(), payload: &payload };
    let letter = receiver.letter(&parcel, Timestamp::from_seconds(1_800_000_009)).unwrap();
    serde_json::from_slice(&letter.body).unwrap()
}

#[test]
fn a_letter_says_what_when_and_under_which_name() {
    let sink = receiver(SinkShape::Envelope, &[SinkField::Domain, SinkField::Id]);
    let expected = json!({
        "type": "person.sign_in", "idempotency_key": KEY.to_string(),
        "time": "2027-01-15T08:00:00.000Z", "data": {"domain": "domain", "id": "id"},
    });
    assert_eq!(body(&sink, SinkEvent::SignIn, vec![everything()]), expected);
    let batch = body(&sink, SinkEvent::ToolCalled, vec![everything(), everything()]);
    assert_eq!(batch["events"].as_array().unwrap().len(), 2);
    let of_one = json!({"idempotency_key": KEY.to_string(),
        "time": "2027-01-15T08:00:00.000Z", "data": {"domain": "domain", "id": "id"}});
    assert_eq!(batch["events"][1], of_one);
}

#[test]
fn the_crm_gets_its_six_fields_whether_they_are_known_or_not() {
    let sink = receiver(SinkShape::Crm, &[SinkField::Email, SinkField::UpstreamSubject]);
    let expected = json!({
        "email": "email", "domain": null, "sub": "upstream_subject", "emailVerified": null,
        "source": "mcp", "timestamp": "2027-01-15T08:00:00.000Z",
    });
    assert_eq!(body(&sink, SinkEvent::FirstSignIn, vec![everything()]), expected);
    // What asks it to forget somebody does not look like somebody new.
    let erased = body(&sink, SinkEvent::Erased, vec![everything()]);
    assert_eq!(erased["type"], "person.erased");
    assert!(erased.get("email").is_none());
}

#[test]
fn what_is_not_an_event_of_ours_is_no_letter() {
    let sink = receiver(SinkShape::Envelope, &SinkField::ALL);
    for (kind, payload) in [("person.unknown", &b"{\"events\":[]}"[..]), ("person.sign_in", b"x")] {
        let parcel = Parcel { idempotency_key: KEY, kind, payload };
        assert!(sink.letter(&parcel, Timestamp::from_seconds(1)).is_none());
        assert_eq!(sink.told(&parcel), Told::default());
    }
}

proptest! {
    #[test]
    fn nothing_is_sent_that_the_list_does_not_name(
        fields in proptest::sample::subsequence(SinkField::ALL.to_vec(), 0..=SinkField::ALL.len()),
        event in proptest::sample::select(vec![
            SinkEvent::FirstSignIn, SinkEvent::SignIn, SinkEvent::ToolCalled,
            SinkEvent::FeedbackSubmitted,
        ]),
        is_crm: bool,
    ) {
        let shape = if is_crm { SinkShape::Crm } else { SinkShape::Envelope };
        let sink = receiver(shape, &fields);
        let body = body(&sink, event, vec![everything()]);
        let data = match event {
            SinkEvent::ToolCalled => &body["events"][0]["data"],
            _ => &body["data"],
        };
        let named: Vec<_> = fields.iter().map(|field| field.name()).collect();
        if let Some(data) = data.as_object() {
            let mut sent: Vec<_> = data.keys().map(String::as_str).collect();
            let mut named = named.clone();
            sent.sort_unstable();
            named.sort_unstable();
            prop_assert_eq!(sent, named);
        }
        // Every value says its field's name: one that is not named is nowhere in the letter, but
        // for the words of the letter itself.
        let known: Vec<_> = body.to_string().split('"').map(str::to_owned).collect();
        for field in SinkField::ALL.iter().filter(|field| !fields.contains(field)) {
            let own = ["time", "email", "domain", "sub", "source"];
            prop_assert!(
                own.contains(&field.name()) || !known.contains(&field.name().to_owned()),
                "{} in {body}", field.name()
            );
        }
    }
}
