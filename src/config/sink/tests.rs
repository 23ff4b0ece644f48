use super::*;
use crate::config::Config;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

const ANALYTICS: &str = r#"
[[sink]]
name = "analytics"
url = "https://events.example.com/in?key=hunter2"
secret_env = "ANALYTICS_SECRET"
events = ["tool.called", "person.sign_in"]
fields = ["organization", "id", "tool"]
purpose = "to see which tools help."
"#;

const CRM: &str = r#"
[[sink]]
name = "crm"
url = "https://crm.example.com/hook"
secret_env = "CRM_SECRET"
preset = "crm"
purpose = "to welcome new readers"
required = true
"#;

fn load(file: &str) -> Result<Vec<SinkConfig>, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("gatehouse.toml"), file).unwrap();
    let environment = vec![
        ("ANALYTICS_SECRET".to_owned(), format!("{SECRET} {SECRET}")),
        ("CRM_SECRET".to_owned(), SECRET.to_owned()),
        ("SHORT".to_owned(), "aHVudGVyMg==".to_owned()),
    ];
    let given = Given { environment, folder: folder.path().to_owned(), ..Given::default() };
    Config::load(&given).map(|config| config.sinks).map_err(|error| error.to_string())
}

#[test]
fn a_sink_is_read_whole() {
    let sinks = load(&format!("{ANALYTICS}{CRM}")).unwrap();
    let [analytics, crm] = sinks.as_slice() else { panic!("two were given") };
    assert_eq!((analytics.host(), analytics.secrets.len()), ("events.example.com", 2));
    assert_eq!(analytics.events, [SinkEvent::SignIn, SinkEvent::ToolCalled]);
    assert_eq!(analytics.fields, [SinkField::Id, SinkField::Organization, SinkField::Tool]);
    assert_eq!(analytics.purpose, "to see which tools help");
    assert!(!analytics.is_required && analytics.shape == SinkShape::Envelope);
    assert_eq!((crm.destination().as_str(), crm.shape), ("sink:crm", SinkShape::Crm));
    assert!(crm.is_required && crm.events == [SinkEvent::FirstSignIn]);
    assert!(load("").unwrap().is_empty());
}

#[test]
fn what_is_wrong_is_named_by_its_key_and_secrets_are_not_repeated() {
    for (from, to, message) in [
        ("name = \"analytics\"", "", "sink[0].name: it is missing"),
        ("\"analytics\"", "\"a b\"", "sink[0].name: it must have 1 to 40"),
        ("\"analytics\"", "\"crm\"", "sink[1].name: \"crm\" is the name of another one"),
        ("https://events", "http://events", "sink[0].url: http is for loopback only"),
        ("https://events.example.com/", "events/", "sink[0].url: \"…\" is not a URL"),
        ("secret_env = \"ANALYTICS_SECRET\"", "", "sink[0].secret_env: it is missing"),
        ("ANALYTICS_SECRET", "NOBODY", "sink[0].secret_env: the environment has no NOBODY"),
        ("ANALYTICS_SECRET", "GATEHOUSE_X", "sink[0].secret_env: names that begin with"),
        ("ANALYTICS_SECRET", "SHORT", "sink[0].secret_env: SHORT: it has fewer than 24 bytes"),
        ("tool.called", "tool.read", "sink[0].events: \"tool.read\" is none of person.first"),
        (
            "\"tool.called\", ",
            "\"person.sign_in\", ",
            "sink[0].events: \"person.sign_in\" is named",
        ),
        ("\"tool.called\", \"person.sign_in\"", "", "sink[0].events: it is missing"),
        (
            "\"tool.called\", \"person.sign_in\"",
            "\"person.erased\"",
            "sink[0].events: these events are about people it was told of before",
        ),
        ("\"tool\"]", "\"question\"]", "sink[0].fields: \"question\" is none of id, sub"),
        ("\"tool\"]", "\"tool\", \"tool\"]", "sink[0].fields: \"tool\" is named twice"),
        ("\"tool\"]", "\"feedback\"]", "sink[0].fields: none of its events carries feedback"),
        ("fields =", "field =", "sink[0].fields: it is missing"),
        ("purpose = \"to see which tools help.\"", "", "sink[0].purpose: it is missing"),
        ("to see which", "a\\nb", "sink[0].purpose: it must be one line"),
        ("required = true", "required = \"yes\"", "sink[1].required: it must be true or false"),
        ("preset = \"crm\"", "preset = \"erp\"", "sink[1].preset: \"erp\" is none of none, crm"),
        (
            "preset = \"crm\"",
            "preset = \"crm\"\nfields = [\"id\"]",
            "sink[1].fields: the preset says what is sent",
        ),
        (
            "preset = \"crm\"",
            "preset = \"crm\"\nperson = \"pseudonymous\"",
            "sink[1].person: email says who somebody is",
        ),
        ("preset = \"crm\"", "preset = \"crm\"\nquery = 1", "sink[1].query: there is no such"),
    ] {
        let file = format!("{ANALYTICS}{CRM}").replacen(from, to, 1);
        let error = load(&file).map(|_| ()).unwrap_err();
        assert!(error.starts_with(message), "{from} → {to}: {error}");
        for secret in ["hunter2", "aHVudGVyMg", "MfKQ9r8G"] {
            assert!(!error.contains(secret), "{error}");
        }
    }
}

#[test]
fn who_shall_be_pseudonymous_is() {
    let pinned = format!("{ANALYTICS}person = \"pseudonymous\"\n");
    assert_eq!(load(&pinned).unwrap().len(), 1);
    for field in ["sub", "email", "name", "upstream_issuer", "upstream_subject"] {
        let named = pinned.replace("\"tool\"]", &format!("\"{field}\"]"));
        let error = load(&named).map(|_| ()).unwrap_err();
        assert!(error.starts_with("sink[0].person: "), "{error}");
    }
}
