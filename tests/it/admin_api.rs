//! What the admin API tells and does, to whom it may.

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use crate::delivery::submit;
use crate::support::admin::Operator;
use crate::support::database::db_number;
use crate::support::{Answer, Backend, HOUR, MINUTE, Person, Receiver, World, on_both};

fn texts<'a>(rows: &'a [Value], field: &str) -> Vec<&'a str> {
    rows.iter().map(|row| row[field].as_str().unwrap_or("-")).collect()
}

on_both! {
    async fn programs_and_grants_are_listed_and_chosen(backend: Backend) {
        let world = World::start(backend).await;
        let operator = Operator::with(&world, "o", "write").await;
        let one = world.client("one").await;
        world.advance(MINUTE);
        let two = world.web_client("two").await;
        let alice = one.signed_in(&world, "alice").await;
        world.advance(MINUTE);
        two.signed_in(&world, "alice").await;
        world.advance(MINUTE);
        let bob = two.signed_in(&world, "bob").await;
        let sub = |tokens: &crate::support::Tokens| {
            tokens.claims()["sub"].as_str().unwrap().to_owned()
        };
        let clients = operator.all("/clients", 50).await;
        assert_eq!(texts(&clients, "name"), ["two", "one"]);
        assert_eq!(texts(&clients, "kind"), ["registered", "registered"]);
        assert_eq!(clients[0]["grants"], 2);
        assert_eq!(clients[1]["created_at"], "2027-01-15T08:00:00.000Z");
        assert_eq!(operator.all("/clients?kind=document", 50).await, [] as [Value; 0]);
        let id = clients[0]["id"].as_str().unwrap();
        let found = operator.get(&format!("/clients/{id}")).await.expect(200).json();
        assert_eq!(found, clients[0]);
        assert_eq!(found["redirect_uris"], json!(["https://client.example.com/callback"]));
        let grants = operator.all("/grants", 50).await;
        assert_eq!(texts(&grants, "client_name"), ["two", "two", "one"]);
        assert_eq!(grants[0]["person"], sub(&bob));
        assert_eq!(grants[2]["id"], alice.claims()["gid"]);
        assert_eq!(grants[2]["scope"], "docs:read docs:feedback");
        assert_eq!(grants[2]["active"], true);
        let of = operator.all(&format!("/grants?person={}", sub(&alice)), 50).await;
        assert_eq!(texts(&of, "client_name"), ["two", "one"]);
        let with = operator.all(&format!("/grants?client={}", one.client_id), 50).await;
        assert_eq!(texts(&with, "person"), [sub(&alice)]);
        let ended = operator.post(&format!("/people/{}/revoke", sub(&alice))).await.expect(200);
        assert_eq!(ended.json()["grants"].as_array().unwrap().len(), 2);
        assert_eq!(operator.all("/grants?active=true", 50).await.len(), 1);
        let dead = operator.all("/grants?active=false", 50).await;
        assert_eq!(texts(&dead, "revoked_reason"), ["by_admin", "by_admin"]);
        one.refresh(alice.refresh_token()).await.expect_error(400, "invalid_grant");
        // Her next sign-in asks her again: what she had agreed to is forgotten.
        let consents = "SELECT count(*) FROM consents";
        assert_eq!(db_number(&world.database_url, consents).await, 1);
        // A grant that nobody can renew any more does not work, revoked or not.
        world.advance(31 * 24 * HOUR);
        assert_eq!(operator.all("/grants?active=true", 50).await.len(), 0);
    }

    async fn people_are_told_of_without_their_names_unless_that_is_asked_for(backend: Backend) {
        let world = World::start(backend).await;
        let operator = Operator::with(&world, "o", "read").await;
        let client = world.client("editor").await;
        for (name, email) in [("ann", "ann@one.example.org"), ("dora", "dora@gmail.com")] {
            let person = Person::named(name).with("email", json!(email));
            let person = person.with("org_id", Value::Null).with("org_name", Value::Null);
            client.walk(&world, &mut world.browser(), &person, &[]).await;
            world.advance(MINUTE);
        }
        let people = operator.all("/people", 50).await;
        assert_eq!(texts(&people, "organization"), ["domain:example.org", "-"]);
        assert_eq!(people[1]["no_organization"], "free_mail");
        assert_eq!(people[0]["confidence"], "high");
        let said = json!(people).to_string();
        assert!(!said.contains('@') && !said.contains("ann"), "{said}");
        let named = operator.all("/people?include=email", 1).await;
        assert_eq!(texts(&named, "email"), ["ann@one.example.org", "dora@gmail.com"]);
        let of = operator.all("/people?organization=example.org", 50).await;
        assert_eq!(of, people[..1]);
        assert!(operator.all("/people?organization=nowhere", 50).await.is_empty());
        let search = json!({"email": " Ann@ONE.example.org"});
        let found = operator.post_json("/people/search", &search).await.expect(200).json();
        assert_eq!(found["items"], json!([people[0]]));
        let nobody = operator.post_json("/people/search", &json!({"email": "x"})).await;
        assert_eq!(nobody.expect(200).json()["items"], json!([]));
        let problem = operator.post_json("/people/search", &json!({"mail": "x"})).await;
        assert_eq!(problem.expect(400).json()["parameter"], "email");
        let id = people[0]["id"].as_str().unwrap();
        let full = operator.get(&format!("/people/{id}")).await.expect(200).json();
        assert_eq!(full["person"], people[0]);
        assert_eq!(full["memberships"][0]["organization_name"], "example.org");
        let organizations = operator.all("/organizations", 50).await;
        assert_eq!(texts(&organizations, "key"), ["domain:example.org"]);
        assert_eq!(organizations[0]["people"], 1);
    }

    async fn feedback_and_deliveries_are_told_and_sent_again(backend: Backend) {
        let receiver = Receiver::start().await;
        receiver.says(ResponseTemplate::new(400));
        let world = World::with(backend, &[("feedback", &receiver.form())]).await;
        let operator = Operator::with(&world, "o", "write").await;
        let tokens = world.client("editor").await.signed_in(&world, "alice").await;
        submit(&world.mcp(&tokens.access_token), "the page is wrong").await;
        world.deliver().await.unwrap();
        let messages = operator.all("/feedback", 50).await;
        assert_eq!(messages[0]["category"], "bug");
        assert_eq!(messages[0]["person"], tokens.claims()["sub"]);
        assert!(!json!(messages).to_string().contains("wrong"));
        let told = operator.all("/feedback?include=text", 50).await;
        assert_eq!(told[0]["text"], "the page is wrong");
        assert!(operator.all("/deliveries?sink=elsewhere", 50).await.is_empty());
        // Given up, whatever the receiver says: after days of trying.
        for _ in 0..200 {
            let sinks = operator.get("/sinks").await.expect(200).json();
            if sinks["items"][0]["failed"] == 1 {
                break;
            }
            world.advance(24 * HOUR);
            world.deliver().await.unwrap();
        }
        assert_eq!(operator.all("/feedback", 50).await[0]["delivery"], "failed");
        let given_up = operator.all("/deliveries?sink=feedback&state=failed", 50).await;
        assert_eq!(texts(&given_up, "kind"), ["feedback.submitted"]);
        receiver.says(ResponseTemplate::new(200));
        let queued = operator.post("/sinks/feedback/redeliver").await.expect(200).json();
        assert_eq!(queued, json!({"deliveries": 1}));
        world.deliver().await.unwrap();
        assert_eq!(operator.all("/feedback", 50).await[0]["delivery"], "delivered");
        let sinks = operator.get("/sinks").await.expect(200).json();
        assert_eq!(sinks["items"][0]["delivered"], 1);
        assert_eq!(sinks["items"][0]["waiting"], 0);
        operator.post("/sinks/nobody/redeliver").await.expect(404);
    }

    async fn days_are_counted_with_those_on_which_nothing_happened(backend: Backend) {
        let world = World::start(backend).await;
        let operator = Operator::with(&world, "o", "read").await;
        let client = world.client("editor").await;
        client.signed_in(&world, "alice").await;
        world.advance(48 * HOUR);
        client.signed_in(&world, "alice").await;
        client.signed_in(&world, "bob").await;
        let days = operator.get("/activity?days=4").await.expect(200).json();
        assert_eq!(days["items"], json!([
            {"day": "2027-01-14", "clients": 0, "people": 0, "grants": 0},
            {"day": "2027-01-15", "clients": 1, "people": 1, "grants": 1},
            {"day": "2027-01-16", "clients": 0, "people": 0, "grants": 0},
            {"day": "2027-01-17", "clients": 0, "people": 1, "grants": 2},
        ]));
    }

    async fn calls_and_gaps_are_told_in_counts(backend: Backend) {
        let world = World::with(backend, &[("keep_queries", "true")]).await;
        let operator = Operator::with(&world, "o", "read").await;
        let tokens = world.client("claude-code").await.signed_in(&world, "alice").await;
        let mcp = world.mcp(&tokens.access_token);
        for query in ["harbour", "mooring", "xyzzy plugh"] {
            mcp.tool("search_docs", json!({ "query": query })).await.expect(200);
        }
        world.count_usage().await.unwrap();
        let by = async |by: &str| {
            let rows = operator.all(&format!("/usage?by={by}"), 1).await;
            rows.iter().map(|row| format!("{} {}", row["key"], row["calls"])).collect::<Vec<_>>()
        };
        assert_eq!(by("tool").await, ["\"search_docs\" 3"]);
        assert_eq!(by("product").await, ["\"Claude Code\" 3"]);
        assert_eq!(by("day").await, ["\"2027-01-15\" 3"]);
        assert_eq!(by("outcome").await.len(), 2);
        let all = operator.get("/usage").await.expect(200).json();
        assert_eq!(all["items"][0]["people"], 1);
        let none = operator.get("/usage?from=2026-01-01&to=2026-01-31").await.expect(200);
        assert_eq!(none.json()["items"], json!([]));
        let none = operator.get("/usage?tool=other").await.expect(200);
        assert_eq!(none.json()["items"], json!([]));
        let gaps = operator.get("/gaps").await.expect(200).json();
        assert_eq!(gaps["items"][0]["empty"], 1, "{gaps}");
        assert_eq!(gaps["items"][0].get("queries"), None);
        let told = operator.get("/gaps?include=text").await.expect(200).json();
        assert_eq!(told["items"][0]["queries"], json!(["xyzzy plugh"]));
        for (path, parameter) in [
            ("/usage?by=x", "by"), ("/usage?from=x", "from"), ("/usage?to=2026-02-30", "to"),
            ("/usage?from=2027-01-15&to=2027-01-14", "to"), ("/usage?after=-1", "after"),
            ("/gaps?include=email", "include"), ("/gaps?limit=0", "limit"),
        ] {
            let problem = operator.get(path).await.expect(400).json();
            assert_eq!(problem["parameter"], parameter, "{path}");
        }
    }

    async fn a_list_is_csv_on_request_and_no_formula(backend: Backend) {
        let world = World::start(backend).await;
        let operator = Operator::with(&world, "o", "read").await;
        let evil = "=HYPERLINK(\"https://evil.example\",\"x\")";
        for name in ["plain", evil, "+1", "@a", "-a\nb"] {
            world.client(name).await;
            world.advance(MINUTE);
        }
        let csv = operator.get("/clients?format=csv").await.expect(200);
        assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
        let disposition = csv.header("content-disposition");
        assert_eq!(disposition, Some("attachment; filename=\"clients.csv\""));
        let head = "id,client_id,name,kind,redirect_uris,created_at,last_used_at,grants\r\n";
        assert!(csv.body.starts_with(head), "{}", csv.body);
        let cell = "\"'=HYPERLINK(\"\"https://evil.example\"\",\"\"x\"\")\"";
        for cell in [cell, ",'+1,", ",'@a,", ",plain,"] {
            assert!(csv.body.contains(cell), "{cell}: {}", csv.body);
        }
        let also = operator.get_as("/clients", "text/csv").await.expect(200);
        assert_eq!(also.body, csv.body);
        let json = operator.get_as("/clients?format=json", "text/csv").await.expect(200);
        assert_eq!(json.json()["items"].as_array().unwrap().len(), 5);
        let first = operator.get("/clients?format=csv&limit=2").await.expect(200);
        let after = first.header("x-next-after").unwrap();
        let rest = operator.get(&format!("/clients?format=csv&after={after}")).await.expect(200);
        assert_eq!(rest.body.matches("registered").count(), 3);
        assert_eq!(rest.header("x-next-after"), None);
    }

    async fn each_mistake_is_named_and_nothing_of_it_repeated(backend: Backend) {
        let world = World::start(backend).await;
        let operator = Operator::with(&world, "o", "write").await;
        for (path, parameter) in [
            ("/clients?limit=0", "limit"),
            ("/clients?limit=501", "limit"),
            ("/clients?limit=many", "limit"),
            ("/clients?after=evil", "after"),
            ("/clients?kind=evil", "kind"),
            ("/clients?kind=document&kind=document", "kind"),
            ("/clients?format=evil", "format"),
            ("/clients?evil=1", "evil"),
            ("/clients/evil", "id"),
            ("/grants?person=evil", "person"),
            ("/grants?active=evil", "active"),
            ("/people?include=evil", "include"),
            ("/people/evil", "id"),
            ("/feedback?include=email", "include"),
            ("/deliveries?state=evil", "state"),
            ("/activity?days=0", "days"),
            ("/enforcement?days=0", "days"),
            ("/enforcement?share=evil", "share"),
            ("/activity?days=367", "days"),
        ] {
            let problem = operator.get(path).await.expect(400);
            assert_eq!(problem.header("content-type"), Some("application/problem+json"));
            let said = problem.json();
            assert_eq!(said["parameter"], parameter, "{path}: {said}");
            assert_eq!(said["status"], 400, "{path}");
            assert!(parameter == "evil" || !problem.body.contains("evil"), "{path}: {said}");
        }
        let nobody = uuid::Uuid::from_u128(7);
        for path in ["/nothing", &format!("/clients/{nobody}"), &format!("/people/{nobody}")] {
            assert_eq!(operator.get(path).await.expect(404).json()["code"], "not_found");
        }
        for path in [
            format!("/grants/{nobody}/revoke"), format!("/people/{nobody}/revoke"),
            format!("/people/{nobody}/export"), format!("/people/{nobody}/erase"),
        ] {
            assert_eq!(operator.post(&path).await.expect(404).json()["code"], "not_found");
        }
        operator.post("/grants/evil/revoke").await.expect(400);
        let wrong = operator.post("/clients").await.expect(405).json();
        assert_eq!(wrong["code"], "method_not_allowed");
    }
}

on_both! {
    async fn a_method_that_an_address_has_not_is_told_those_it_has(backend: Backend) {
        let world = World::start(backend).await;
        for (path, allowed) in [
            ("/healthz", "GET"),
            ("/admin/api/v1/grants", "GET"),
            ("/admin/api/v1/people/search", "POST"),
            ("/admin/act", "POST"),
        ] {
            let request = world.http.request(reqwest::Method::TRACE, world.admin_at(path));
            let answer = Answer::to(request).await.expect(405);
            assert_eq!(answer.header("allow"), Some(allowed), "{path}");
        }
    }
}
