//! Other MCP servers as ours: what is offered, what is sent and what is not, and one answer of
//! several sources.

use serde_json::{Value, json};

use crate::support::process::run;
use crate::support::supplier::{Era, Refusal, Way, found};
use crate::support::{Answer, Backend, MINUTE, SECOND, Supplier, World, on_both};

const CREDENTIAL: (&str, &str) = ("KAPA_TOKEN", "kapa-secret-7");

/// A hosted search that answers questions here.
pub fn asked(supplier: &Supplier, more: &str) -> String {
    format!(
        "[[remote]]\nname = \"kapa\"\nurl = \"{}\"\ncredential_env = \"KAPA_TOKEN\"\n{more}\n\
         [[remote.tool]]\nremote = \"search\"\nas = \"ask\"\n\
         [remote.tool.arguments]\nquery = {{ from = \"question\" }}\n",
        supplier.url()
    )
}

/// The house with this file, for anybody to read.
pub async fn open_house(backend: Backend, file: &str) -> World {
    World::with_file(backend, &[("auth", "open")], file, &[CREDENTIAL]).await
}

fn three() -> Value {
    found(&[
        ("Install", "https://kapa.example/install", "Install it with the\u{202e} installer."),
        ("", "javascript:alert(1)", "# Upgrade\n\nOne at a time."),
        ("Tune", "https://user:pw@kapa.example/", "Turn the knobs."),
    ])
}

async fn ask(world: &World, token: Option<&str>) -> Value {
    let mcp = token.map_or_else(|| world.anonymous_mcp(), |token| world.mcp(token));
    let arguments = json!({ "question": " how do I install it? ", "top_k": 3 });
    result(&mcp.tool("ask_example_question", arguments).await)
}

#[track_caller]
pub fn result(answer: &Answer) -> Value {
    answer.clone().expect(200).json()["result"].clone()
}

fn titles(content: &Value) -> Vec<&str> {
    let sections = content["sections"].as_array().expect("sections");
    sections.iter().filter_map(|section| section["title"].as_str()).collect()
}

on_both! {
    async fn a_hosted_search_answers_questions_in_either_era(backend: Backend) {
        for (era, handshake) in [
            (Era::Stateless, vec!["server/discover"]),
            (Era::Handshake, vec!["server/discover", "initialize", "notifications/initialized"]),
        ] {
            for usual in [Way::Result(three()), Way::Streamed(three())] {
                let supplier = Supplier::start(era, usual).await;
                let world = open_house(backend, &asked(&supplier, "")).await;
                for _ in 0..2 {
                    let answer = ask(&world, None).await;
                    let content = &answer["structuredContent"];
                    assert_eq!(content["source"], "kapa");
                    assert_eq!(titles(content), ["Install", "Upgrade", "Tune"]);
                    let first = &content["sections"][0];
                    assert_eq!(first["url"], "https://kapa.example/install");
                    assert_eq!(first["text"], "Install it with the installer.");
                    // An address that runs code, or carries a password, is none to cite.
                    assert_eq!(content["sections"][1].get("url"), None);
                    assert_eq!(content["sections"][2].get("url"), None);
                    let text = answer["content"][0]["text"].as_str().unwrap();
                    assert!(text.contains("<https://kapa.example/install>"), "{text}");
                }
                let sent = [handshake.clone(), vec!["tools/call", "tools/call"]].concat();
                assert_eq!(supplier.methods().await, sent, "the connection is kept");
                let call = &supplier.calls().await[0];
                assert_eq!(call["name"], "search");
                assert_eq!(call["arguments"], json!({ "query": "how do I install it?" }));
                for request in supplier.requests().await {
                    assert_eq!(request.headers["authorization"], "Bearer kapa-secret-7");
                }
            }
        }
    }

    async fn callers_who_come_at_once_share_one_handshake(backend: Backend) {
        let supplier = Supplier::start(Era::Handshake, Way::Result(three())).await;
        let world = open_house(backend, &asked(&supplier, "")).await;
        let asking = (0..8).map(|_| {
            let mcp = world.anonymous_mcp();
            tokio::spawn(async move {
                mcp.tool("ask_example_question", json!({ "question": "install" })).await
            })
        });
        for answer in asking.collect::<Vec<_>>() {
            assert_eq!(result(&answer.await.unwrap())["structuredContent"]["source"], "kapa");
        }
        let methods = supplier.methods().await;
        assert_eq!(methods.iter().filter(|method| *method == "initialize").count(), 1);
        assert_eq!(supplier.calls().await.len(), 8);
    }

    async fn the_person_travels_only_where_the_settings_say_so(backend: Backend) {
        for (user, told) in [
            ("", Value::Null),
            ("user = \"none\"", Value::Null),
            ("user = \"domain\"", json!({ "email": "alice@example.com",
                "company_name": "example.com" })),
            ("user = \"organization\"", json!({ "email": "alice@example.com",
                "company_name": "example-inc" })),
        ] {
            for era in [Era::Stateless, Era::Handshake] {
                let supplier = Supplier::start(era, Way::Result(three())).await;
                let world = open_house(backend, &asked(&supplier, user)).await;
                let tokens = world.client("editor").await.signed_in(&world, "alice").await;
                ask(&world, Some(&tokens.access_token)).await;
                ask(&world, None).await;
                let calls = supplier.calls().await;
                assert_eq!(calls[0]["_meta"]["user"], told, "{user}");
                assert_eq!(calls[1]["_meta"]["user"], Value::Null, "nobody signed in");
            }
        }
    }

    async fn who_refuses_the_person_is_asked_again_without_and_spared_for_a_while(
        backend: Backend
    ) {
        for refusal in [Refusal::InvalidParams, Refusal::BadRequest, Refusal::ToolError] {
            let supplier = Supplier::start(Era::Stateless, Way::RefusesPerson(refusal)).await;
            let world = open_house(backend, &asked(&supplier, "user = \"domain\"")).await;
            let tokens = world.client("editor").await.signed_in(&world, "alice").await;
            let token = Some(tokens.access_token.as_str());
            for (told, wait) in [
                (vec![true, false], SECOND), (vec![false], 10 * MINUTE), (vec![true, false], SECOND)
            ] {
                supplier.forget().await;
                let answer = ask(&world, token).await;
                assert_eq!(answer["structuredContent"]["source"], "kapa", "{refusal:?}");
                let calls = supplier.calls().await;
                let knows: Vec<_> =
                    calls.iter().map(|call| call["_meta"]["user"].is_object()).collect();
                assert_eq!(knows, told, "{refusal:?}");
                world.advance(wait);
            }
        }
    }

    async fn wrong_arguments_are_not_taken_for_a_refused_person(backend: Backend) {
        let supplier = Supplier::start(Era::Stateless, Way::Error(-32602, "no query")).await;
        let world = open_house(backend, &asked(&supplier, "user = \"domain\"")).await;
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        let token = Some(tokens.access_token.as_str());
        let answer = ask(&world, token).await;
        assert_eq!(answer["structuredContent"]["source"], "local");
        supplier.usually(Way::Result(three()));
        supplier.forget().await;
        ask(&world, token).await;
        assert!(supplier.calls().await[0]["_meta"]["user"].is_object());
    }

    async fn nothing_of_the_caller_is_forwarded(backend: Backend) {
        let supplier = Supplier::start(Era::Handshake, Way::Result(three())).await;
        let world = open_house(backend, &asked(&supplier, "user = \"organization\"")).await;
        let client = world.client("editor").await;
        let tokens = client.signed_in(&world, "alice").await;
        let body = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "ask_example_question", "arguments": { "question": "install" },
            "_meta": { "progressToken": "of-the-caller", "traceparent": "of-the-caller" } } });
        let request = world.mcp(&tokens.access_token).request(&body);
        let request = request.header("cookie", "session=of-the-caller").header("x-own", "caller's");
        Answer::to(request).await.expect(200);
        let requests = supplier.requests().await;
        assert_eq!(requests.len(), 4);
        let subject = tokens.claims()["sub"].as_str().unwrap().to_owned();
        for request in &requests {
            let known = ["accept", "authorization", "content-length", "content-type", "host",
                "mcp-method", "mcp-protocol-version", "mcp-session-id", "user-agent"];
            for name in request.headers.keys() {
                assert!(known.contains(&name.as_str()), "{name}");
            }
            let whole = format!("{:?} {}", request, String::from_utf8_lossy(&request.body));
            for private in [tokens.access_token.as_str(), tokens.refresh_token(),
                client.client_id.as_str(), subject.as_str(), "of-the-caller", "caller's"] {
                assert!(!whole.contains(private), "{private} in {whole}");
            }
        }
    }

    async fn a_hub_of_apis_stands_in_for_the_reference_tools(backend: Backend) {
        let pages = json!({ "structuredContent": { "pages": [
            { "url": "https://hub.example/admin/op", "title": "Op", "type": "operation",
              "description": "Does it." }] }, "content": [] });
        let supplier = Supplier::start(Era::Stateless, Way::Result(pages)).await;
        let url = supplier.url();
        let template = "{ template = \"https://hub.example/{api}\", omit_when = [\"all\"] }";
        let world = open_house(backend, &format!("
            [[remote]]\nname = \"hub\"\nurl = \"{url}\"
            [[remote.tool]]\nremote = \"list_pages\"\nas = \"list_api_reference_pages\"
            arguments.url = [{{ from = \"url\" }}, {template}]
            [[remote.tool]]\nremote = \"search\"\nas = \"search_api_reference\"
            arguments = {{ query = {{ from = \"query\" }}, url = {template} }}
            [[remote.tool]]\nremote = \"get_pages\"\nas = \"get_api_reference_content\"
            arguments.urls = {{ from = \"urls\" }}\n")).await;
        let mcp = world.anonymous_mcp();
        for (tool, ours, theirs, text) in [
            ("list_api_reference_pages", json!({ "api": "admin" }),
                json!({ "url": "https://hub.example/admin" }), "description"),
            ("list_api_reference_pages", json!({ "api": "all" }), json!({}), "description"),
            ("list_api_reference_pages", json!({}), json!({}), "description"),
            ("list_api_reference_pages", json!({ "api": "admin", "url": "https://u.example/" }),
                json!({ "url": "https://u.example/" }), "description"),
            ("search_api_reference", json!({ "query": "topics", "api": "a/../b?c#d" }),
                json!({ "query": "topics", "url": "https://hub.example/a%2F..%2Fb%3Fc%23d" }),
                "excerpt"),
            ("get_api_reference_content", json!({ "urls": ["https://hub.example/admin/op"] }),
                json!({ "urls": ["https://hub.example/admin/op"] }), "markdown"),
        ] {
            supplier.forget().await;
            let answer = result(&mcp.tool(tool, ours).await);
            let mut page = json!({ "url": "https://hub.example/admin/op", "title": "Op" });
            page[text] = json!("Does it.");
            if text != "markdown" {
                page["type"] = json!("operation");
            }
            let expected = json!({ "pages": [page], "source": "hub" });
            assert_eq!(answer["structuredContent"], expected, "{tool}");
            assert_eq!(supplier.calls().await[0]["arguments"], theirs, "{tool}");
        }
        supplier.forget().await;
        for (tool, wrong, named) in [
            ("search_api_reference", json!({ "api": "admin" }), "`query`"),
            ("search_api_reference", json!({ "query": "x", "api": ".." }), "`api`"),
            ("get_api_reference_content", json!({ "urls": [7] }), "`urls`"),
            ("get_api_reference_content", json!({ "urls": vec!["x"; 11] }), "`urls`"),
        ] {
            let answer = result(&mcp.tool(tool, wrong).await);
            assert_eq!(answer["isError"], true);
            assert!(answer["content"][0]["text"].as_str().unwrap().contains(named), "{answer}");
        }
        assert_eq!(supplier.requests().await.len(), 0, "a wrong call does not leave the house");
    }

    async fn a_new_tool_has_the_name_and_the_inputs_it_is_given(backend: Backend) {
        let answer = json!({ "content": [{ "type": "text", "text": "42 messages" },
            { "type": "image", "data": "AAAA", "mimeType": "image/png" },
            { "type": "resource_link", "uri": "https://x.example/", "name": "x" }] });
        let supplier = Supplier::start(Era::Stateless, Way::Result(answer)).await;
        let url = supplier.url();
        let world = open_house(backend, &format!("
            [[remote]]\nname = \"forum\"\nurl = \"{url}\"
            [[remote.tool]]\nremote = \"lookup\"\nas = \"search_forum\"
            title = \"Search the forum\"\ndescription = \"What people say.\"
            inputs.words = {{ description = \"Words.\", required = true, max_chars = 20 }}
            inputs.newest = {{ description = \"The newest first.\", type = \"switch\" }}
            arguments.q = {{ template = \"forum: {{words}}\" }}
            arguments.sort = {{ from = \"newest\" }}
            arguments.site = {{ value = {{ id = 7, tags = [\"a\"] }} }}\n")).await;
        let mcp = world.anonymous_mcp();
        let tools = result(&mcp.call("tools/list", json!({})).await);
        let tool = tools["tools"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&tool["name"], &tool["title"], &tool["description"]),
            (&json!("search_forum"), &json!("Search the forum"), &json!("What people say.")));
        assert_eq!(tool["inputSchema"]["required"], json!(["words"]));
        assert_eq!(tool["inputSchema"]["properties"]["words"]["maxLength"], 20);
        assert_eq!(tool["annotations"]["openWorldHint"], true);
        let given = json!({ "words": "lost", "newest": true, "more": 1 });
        let said = result(&mcp.tool("search_forum", given).await);
        let expected = json!({ "source": "forum", "text": "42 messages" });
        assert_eq!(said["structuredContent"], expected);
        assert_eq!(said["content"].as_array().unwrap().len(), 1);
        assert_eq!(supplier.calls().await[0]["arguments"],
            json!({ "q": "forum: lost", "sort": true, "site": { "id": 7, "tags": ["a"] } }));
    }

    async fn a_search_is_one_answer_of_all_sources(backend: Backend) {
        let supplier = Supplier::start(Era::Stateless, Way::Result(found(&[]))).await;
        let file = asked(&supplier, "").replace("\"ask\"", "\"search_docs\"");
        let file = file.replace("from = \"question\"", "from = \"query\"");
        let world = open_house(backend, &file).await;
        let mcp = world.anonymous_mcp();
        let asked = json!({ "query": "four florins a night, two ropes bow and stern",
            "limit": 6, "max_chars": 900 });
        let alone = result(&mcp.tool("search_docs", asked.clone()).await);
        let local = alone["structuredContent"]["sections"].as_array().unwrap().clone();
        assert!(local.len() > 1 && local.iter().all(|section| section["source"] == "local"));
        // The other server has our second section too, and one of its own.
        let twin = (local[1]["heading"].as_str().unwrap(), local[1]["url"].as_str().unwrap());
        supplier.usually(Way::Result(found(&[
            (twin.0, twin.1, "The same, told by others."),
            ("Forum", "https://forum.example/1", &"Somebody asked. ".repeat(100)),
        ])));
        let merged = result(&mcp.tool("search_docs", asked.clone()).await);
        let sections = merged["structuredContent"]["sections"].as_array().unwrap().clone();
        assert_eq!(sections[0]["path"], local[1]["path"], "what both have comes first");
        assert_eq!(sections[0]["source"], "local");
        assert_eq!(sections[1]["path"], local[0]["path"]);
        assert_eq!((&sections[2]["title"], &sections[2]["source"]),
            (&json!("Forum"), &json!("kapa")));
        assert!(sections.len() <= 6);
        let chars = |it: &Value| it["text"].as_str().unwrap().chars().count();
        assert!(sections.iter().map(chars).sum::<usize>() <= 900);
        let again = result(&mcp.tool("search_docs", asked.clone()).await);
        assert_eq!(again, merged, "the same sources give the same answer");
        supplier.usually(Way::Http(503, &[], "tired"));
        let without = result(&mcp.tool("search_docs", asked).await);
        let note = without["structuredContent"]["note"].as_str().unwrap();
        assert!(note.contains("kapa") && !note.contains("tired"), "{note}");
        assert_eq!(without["structuredContent"]["sections"], json!(local));
        let nothing = json!({ "query": "zzzyx", "limit": 1 });
        supplier.usually(Way::Result(found(&[])));
        let nothing = result(&mcp.tool("search_docs", nothing).await);
        assert!(nothing["content"][0]["text"].as_str().unwrap().contains("Try fewer"));
    }

    async fn the_consent_page_tells_who_else_is_asked(backend: Backend) {
        for (user, words) in [
            ("", "put to kapa, without saying who asks"),
            ("user = \"domain\"", "put to kapa, with your e-mail address"),
        ] {
            let supplier = Supplier::start(Era::Stateless, Way::Result(three())).await;
            let world = open_house(backend, &asked(&supplier, user)).await;
            let client = world.client("editor").await;
            let page = world.browser().get(&client.authorize_url(&[])).await.expect(200).body;
            assert!(page.contains(words), "{page}");
            assert!(page.contains("is not stored here."), "{page}");
        }
    }

    async fn check_says_what_another_server_does_not_have(backend: Backend) {
        let supplier = Supplier::start(Era::Handshake, Way::Result(three())).await;
        let world = World::start(backend).await;
        let good = asked(&supplier, "").replace("credential_env = \"KAPA_TOKEN\"", "");
        for (file, code, says) in [
            (good.clone(), 0, "ok    remote[0] (kapa): it answers, in revision 2025-06-18"),
            (good.replace("remote = \"search\"", "remote = \"find\""), 1,
                "FAIL  remote[0] (kapa) tool[0].remote: it has no tool \"find\""),
            (good.replace("query =", "words ="), 1,
                "FAIL  remote[0] (kapa) tool[0].arguments.words: the tool has no such argument"),
            (good.replace(&supplier.url(), "http://127.0.0.1:1/mcp"), 1,
                "FAIL  remote[0] (kapa): no connection"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join("gatehouse.toml"), file).unwrap();
            let (ended, said) = run(&world, folder.path(), "check", &[]).await;
            assert_eq!(ended, Some(code), "{said}");
            assert!(said.contains(says), "{said}");
        }
    }
}
