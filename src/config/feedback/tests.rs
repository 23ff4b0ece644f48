use super::*;
use crate::config::Config;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn load(file: &str, environment: &[(&str, &str)]) -> Result<Option<FeedbackConfig>, String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("gatehouse.toml"), file).unwrap();
    let environment = environment.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let given = Given { folder: folder.path().to_owned(), environment, ..Given::default() };
    Config::load(&given).map(|config| config.feedback).map_err(|error| error.to_string())
}

type Fields = Vec<(&'static str, String)>;

#[track_caller]
fn form_of(config: FeedbackConfig) -> (String, Fields, Vec<(String, String)>) {
    match config.shape {
        FeedbackShape::Form { form_name, fields, constants } => (form_name, fields, constants),
        FeedbackShape::Webhook { .. } => panic!("a form was configured"),
    }
}

#[test]
fn without_the_table_feedback_is_stored_only() {
    assert!(load("", &[]).unwrap().is_none());
}

#[test]
fn a_form_has_the_fields_that_sites_know() {
    let file = "[feedback]\nkind = \"form\"\nurl = \"https://docs.example.com/\"";
    let config = load(file, &[]).unwrap().unwrap();
    assert_eq!((config.host(), config.tells_address()), ("docs.example.com", true));
    let (form_name, fields, constants) = form_of(config);
    assert_eq!((form_name.as_str(), constants), ("api-feedback", Vec::new()));
    let same: Vec<_> = FORM_FIELDS[..7].iter().map(|name| (*name, (*name).to_owned())).collect();
    assert_eq!(fields, same);
}

#[test]
fn fields_are_renamed_left_out_and_added() {
    let config = load(
        r#"[feedback]
        kind = "form"
        url = "https://docs.example.com/form?x=1"
        form_name = "docs"
        omit = ["user_email", "bot-field"]
        [feedback.fields]
        feedback = "message"
        receipt = "reference.no"
        [feedback.constants]
        source = "mcp, and so on"
        "a.b" = 1
        "#,
        &[],
    );
    let config = config.unwrap().unwrap();
    assert_eq!((config.tells_address(), config.tells_domain()), (false, true));
    let (form_name, fields, constants) = form_of(config);
    assert_eq!(form_name, "docs");
    let names: Vec<_> = fields.iter().map(|(ours, sent_as)| (*ours, sent_as.as_str())).collect();
    assert_eq!(
        names,
        [
            ("form-name", "form-name"),
            ("feedback", "message"),
            ("category", "category"),
            ("page-path", "page-path"),
            ("user-domain", "user-domain"),
            ("receipt", "reference.no"),
        ]
    );
    let expected = [("a.b", "1"), ("source", "mcp, and so on")].map(|(k, v)| (k.into(), v.into()));
    assert_eq!(constants, expected);
}

#[test]
fn the_environment_says_the_same_in_pairs() {
    let text = "kind=form,url=https://e.com/f,fields.feedback=message,omit=user-email,\
         omit=user-domain,constants.source=mcp";
    let config = load("", &[("GATEHOUSE_FEEDBACK", text)]).unwrap().unwrap();
    assert_eq!(config.omitted, ["user-email", "user-domain"]);
    let (_, fields, constants) = form_of(config);
    assert!(fields.contains(&("feedback", "message".into())));
    assert_eq!(constants, [("source".into(), "mcp".into())]);
}

#[test]
fn a_webhook_takes_its_secret_from_the_environment() {
    let table = "[feedback]\nkind = \"webhook\"\nurl = \"https://e.com/hook\"\n";
    let named = format!("{table}secret_env = \"HOOK\"");
    let second = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let both = format!("{SECRET} {second}");
    for (file, variable, secrets) in [
        (table, ("GATEHOUSE_FEEDBACK_SECRET", SECRET), 1),
        (&named, ("HOOK", SECRET), 1),
        (&named, ("HOOK", both.as_str()), 2),
    ] {
        match load(file, &[variable]).unwrap().unwrap().shape {
            FeedbackShape::Webhook { secrets: found } => assert_eq!(found.len(), secrets, "{file}"),
            FeedbackShape::Form { .. } => panic!("a webhook was configured"),
        }
    }
}

#[test]
fn what_is_wrong_is_named_and_no_secret_repeated() {
    let form = "kind=form,url=https://e.com/f";
    let hook = "kind=webhook,url=https://e.com/f";
    let secret = ("GATEHOUSE_FEEDBACK_SECRET", SECRET);
    let short = ("HOOK", "whsec_c2hvcnQ=");
    for (text, more, begins) in [
        ("url=https://e.com/f", None, "feedback: kind: it is required"),
        ("kind=mail,url=https://e.com/f", None, "feedback: kind: it is neither"),
        ("kind=form", None, "feedback: url: it is required"),
        ("kind=form,url=http://e.com/f", None, "feedback: url: http is for loopback only"),
        ("kind=form,url=hunter2", None, "feedback: url: \"…\" is not a URL"),
        ("kind=form,url=https://u:p@e.com", None, "feedback: url: it must not carry a user"),
        (&format!("{form},colour=red"), None, "feedback: colour: it is none of"),
        (&format!("{form},a.b=c"), None, "feedback: a.b: it is none of"),
        (&format!("{form},fields.mail=x"), None, "feedback: fields.mail: there is no such field"),
        (&format!("{form},omit=mail"), None, "feedback: omit: mail: there is no such field"),
        (&format!("{form},omit=feedback"), None, "feedback: omit: without the feedback"),
        (
            &format!("{form},omit=category,fields.category=x"),
            None,
            "feedback: fields.category: it is omitted",
        ),
        (&format!("{form},fields.feedback=category"), None, "feedback: category: two fields"),
        (&format!("{form},constants.category=x"), None, "feedback: category: two fields"),
        (&format!("{form},fields.feedback="), None, "feedback: \"\": a field's name"),
        (&format!("{form},form_name="), None, "feedback: form_name: it must have"),
        (&format!("{form},secret_env=HOOK"), None, "feedback: secret_env: a form is not signed"),
        (form, Some(secret), "feedback_secret: a form is not signed"),
        (&format!("{hook},secret=hunter2"), None, "feedback: secret: it does not belong"),
        (hook, None, "feedback: secret_env: a webhook is signed"),
        (&format!("{hook},secret_env=HOOK"), None, "feedback: secret_env: HOOK is not set"),
        (&format!("{hook},secret_env=HOOK"), Some(short), "feedback: secret_env: HOOK: it has"),
        (&format!("{hook},secret_env=HOOK"), Some(secret), "feedback: secret_env: feedback_sec"),
        (&format!("{hook},fields.feedback=x"), Some(secret), "feedback: fields: it is for kind"),
        (&format!("{hook},constants.a=x"), Some(secret), "feedback: constants: it is for kind"),
        (&format!("{hook},form_name=x"), Some(secret), "feedback: form_name: it is for kind"),
        (&format!("{hook},omit=category"), Some(secret), "feedback: omit: category: a webhook"),
    ] {
        let mut environment = vec![("GATEHOUSE_FEEDBACK", text)];
        environment.extend(more);
        let error = load("", &environment).map(|_| ()).unwrap_err();
        assert!(error.starts_with(begins), "{text}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    let error = load("", &[("GATEHOUSE_FEEDBACK_SECRET", "hunter2")]).map(|_| ()).unwrap_err();
    assert!(error.starts_with("feedback_secret: "), "{error}");
    assert!(!error.contains("hunter2"), "{error}");
    let error = load("", &[("GATEHOUSE_FEEDBACK_SECRET", SECRET)]).map(|_| ()).unwrap_err();
    assert!(error.starts_with("feedback_secret: it signs nothing"), "{error}");
    for bad in ["[feedback]\nkind = [[1]]", "[feedback.fields]\n\"a=b\" = \"c\"", "feedback = 1.5"]
    {
        let error = load(bad, &[]).map(|_| ()).unwrap_err();
        assert!(error.starts_with("feedback: its value in the file"), "{bad}: {error}");
    }
}
