use super::*;
use crate::config::Config;
use crate::config::remote_tool::{Piece, Source, Template};

const KAPA: &str = r#"
[[remote]]
name = "kapa"
url = "https://example.mcp.kapa.ai"
credential_env = "KAPA_TOKEN"
user = "domain"
[[remote.tool]]
remote = "search_knowledge_sources"
as = "ask"
[remote.tool.arguments]
query = { from = "question" }
"#;

const HUB: &str = r#"
[[remote]]
name = "hub"
url = "https://hub.example/mcp"
[[remote.tool]]
remote = "list_pages"
as = "list_api_reference_pages"
[remote.tool.arguments]
url = [{ from = "url" }, { template = "https://hub.example/{api}", omit_when = ["", "all"] }]
[[remote.tool]]
remote = "find"
as = "find_posts"
title = "Find posts"
description = "Finds posts."
inputs.words = { description = "Words.", required = true }
arguments.q = { template = "in {words} only" }
arguments.count = { value = 5 }
"#;

fn load(file: &str) -> Result<Config, ConfigError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("gatehouse.toml"), file).unwrap();
    let environment = vec![
        ("KAPA_TOKEN".to_owned(), "hunter2".to_owned()),
        ("BROKEN".to_owned(), "hunter2\nx".to_owned()),
    ];
    let given = Given { environment, folder: folder.path().to_owned(), ..Given::default() };
    Config::load(&given)
}

fn error_of_file(file: &str) -> String {
    load(file).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn a_server_is_read_whole() {
    let remotes = load(&format!("{KAPA}{HUB}")).unwrap().remotes;
    let [kapa, hub] = remotes.as_slice() else { panic!("two were given") };
    assert_eq!(kapa.url.as_str(), "https://example.mcp.kapa.ai/");
    assert_eq!(kapa.told_of_person, ToldOfPerson::Domain);
    assert_eq!((kapa.connect_timeout.as_secs(), kapa.call_timeout.as_secs()), (8, 22));
    let credential = kapa.credential.as_ref().unwrap();
    assert_eq!(credential.header, header::AUTHORIZATION);
    assert_eq!(credential.value.expose(), "Bearer hunter2");
    assert!(!format!("{kapa:?}").contains("hunter2"));
    assert_eq!(kapa.tools[0].offered, Offered::InPlaceOf(Place::Ask));
    let from = |input: &str| Source::From { input: input.into(), omit_when: Vec::new() };
    assert_eq!(kapa.tools[0].arguments, [("query".to_owned(), vec![from("question")])]);
    assert!(hub.credential.is_none());
    assert_eq!(hub.told_of_person, ToldOfPerson::Nothing);
    let piece = |text: &str| Piece::Text(text.into());
    let template = Template(vec![piece("https://hub.example/"), Piece::Input("api".into())]);
    let omit_when = vec![String::new(), "all".to_owned()];
    let expected = vec![from("url"), Source::Template { template, omit_when }];
    assert_eq!(hub.tools[0].arguments, [("url".to_owned(), expected)]);
    assert_eq!(hub.tools[1].inputs(), ["words"]);
    assert_eq!(hub.tools[1].arguments[0].1, [Source::Constant(5.into())]);
}

#[test]
fn another_header_takes_the_credential_as_it_is() {
    let file = KAPA.replace("user =", "credential_header = \"X-Api-Key\"\nuser =");
    let credential = load(&file).unwrap().remotes.remove(0).credential.unwrap();
    assert_eq!((credential.header.as_str(), credential.value.expose()), ("x-api-key", "hunter2"));
}

type Wrong = (&'static str, &'static str, &'static str, &'static str);

/// What is replaced by what in which file, and how the complaint begins.
fn wrong_values() -> Vec<Wrong> {
    vec![
        (KAPA, "name = \"kapa\"", "", "remote[0].name: it is missing"),
        (KAPA, "\"kapa\"", "\"a<b\"", "remote[0].name: it must have 1 to 40"),
        (KAPA, "\"kapa\"", "\"local\"", "remote[0].name: that is what"),
        (KAPA, "https://example", "http://example", "remote[0].url: http is for loopback"),
        (KAPA, "https://", "https://u:p@", "remote[0].url: it must not carry"),
        (KAPA, "\"KAPA_TOKEN\"", "\"NO_TOKEN\"", "remote[0].credential_env: the environment has"),
        (KAPA, "\"KAPA_TOKEN\"", "\"BROKEN\"", "remote[0].credential_env: the value of BROKEN"),
        (KAPA, "\"KAPA_TOKEN\"", "\"GATEHOUSE_X\"", "remote[0].credential_env: names that"),
        (KAPA, "user =", "credential_header = \"host\"\nuser =", "remote[0].credential_header:"),
        (KAPA, "\"domain\"", "\"email\"", "remote[0].user: \"email\" is none of none, domain"),
        (KAPA, "user = \"domain\"", "call_timeout = \"31s\"", "remote[0].call_timeout: 31s is out"),
        (KAPA, "user = \"domain\"", "connect_timeout = 8", "remote[0].connect_timeout: it must be"),
        (KAPA, "user =", "users =", "remote[0].users: there is no such setting"),
        (KAPA, "[[remote.tool]]", "[[remote.tools]]", "remote[0].tool.remote: it is missing"),
        (KAPA, "remote = \"search_knowledge_sources\"", "", "remote[0].tool[0].remote: it is"),
        (KAPA, "search_knowledge_sources", "a b", "remote[0].tool[0].remote: \"a b\" is no name"),
        (KAPA, "\"ask\"", "\"read_page\"", "remote[0].tool[0].as: read_page is a tool of this"),
        (KAPA, "\"ask\"", "\"ask_x_question\"", "remote[0].tool[0].as: ask_x_question is a tool"),
        (KAPA, "\"ask\"", "\"a b\"", "remote[0].tool[0].as: \"a b\" is no name of a tool"),
        (KAPA, "\"ask\"", "\"other\"", "remote[0].tool[0].title: a new tool needs one"),
        (KAPA, "\"question\"", "\"query\"", "remote[0].tool[0].arguments.query: there is no input"),
        (KAPA, "from =", "form =", "remote[0].tool[0].arguments.query: it must have one of"),
        (KAPA, "{ from = \"question\" }", "\"question\"", "remote[0].tool[0].arguments.query: it"),
        (KAPA, "\"question\" }", "\"question\", value = 1 }", "remote[0].tool[0].arguments.query:"),
        (KAPA, "from = \"question\"", "template = \"x\"", "remote[0].tool[0].arguments.query: it"),
        (
            KAPA,
            "from = \"question\"",
            "template = \"{x\"",
            "remote[0].tool[0].arguments.query: a {",
        ),
        (HUB, "{api}", "{apy}", "remote[0].tool[0].arguments.url[1]: there is no input \"apy\""),
        (
            HUB,
            "[\"\", \"all\"]",
            "\"all\"",
            "remote[0].tool[0].arguments.url[1].omit_when: it must",
        ),
        (
            HUB,
            "\"list_pages\"",
            "\"list_pages\"\ninputs.a.description = \"x\"",
            "remote[0].tool[0].inputs: list_api_reference_pages has inputs of its own",
        ),
        (
            HUB,
            "required = true",
            "required = 1",
            "remote[0].tool[1].inputs.words.required: it must",
        ),
        (
            HUB,
            "required = true",
            "type = \"date\"",
            "remote[0].tool[1].inputs.words.type: \"date\"",
        ),
        (HUB, "required = true", "max_chars = 0", "remote[0].tool[1].inputs.words.max_chars: it"),
        (
            HUB,
            "\"find_posts\"",
            "\"list_api_reference_pages\"",
            "remote[0].tool[1].inputs: list_api",
        ),
    ]
}

#[test]
fn every_wrong_value_is_named_by_its_path() {
    for (file, good, bad, begins) in wrong_values() {
        assert!(file.contains(good), "{good}");
        let error = error_of_file(&file.replacen(good, bad, 1));
        assert!(error.starts_with(begins), "{begins}\n{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_name_and_a_place_are_given_once() {
    let twice = format!("{KAPA}{KAPA}");
    assert!(
        error_of_file(&twice).starts_with("remote[1].name: \"kapa\" is the name of another one")
    );
    let other = format!("{KAPA}{}", KAPA.replace("\"kapa\"", "\"other\""));
    assert!(
        error_of_file(&other)
            .starts_with("remote[1].tool[0].as: another tool is offered so already")
    );
    // But any number of servers may add to a search.
    let search = KAPA.replace("\"ask\"", "\"search_docs\"").replace("\"question\"", "\"query\"");
    let both = format!("{search}{}", search.replace("\"kapa\"", "\"other\""));
    assert_eq!(load(&both).unwrap().remotes.len(), 2);
}

#[test]
fn an_address_that_may_hold_a_key_is_not_repeated() {
    let error = error_of_file(&KAPA.replace("https://example.mcp.kapa.ai", "example/?key=hunter3"));
    assert!(error.starts_with("remote[0].url: ") && !error.contains("hunter3"), "{error}");
}

#[test]
fn servers_stand_only_in_the_file() {
    let mut given = Given::default();
    given.environment.push(("GATEHOUSE_REMOTE".into(), "x".into()));
    let error = Config::load(&given).map(|_| ()).unwrap_err().to_string();
    assert_eq!(error, "remote: it can be given only in the file");
    let error = error_of_file("remote = \"kapa\"");
    assert_eq!(error, "remote: write it as [[remote]] in the file");
}
