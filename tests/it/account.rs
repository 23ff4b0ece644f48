//! A person's own page: RV-06, SB-19, BP-01 … BP-05, BP-13, BP-17 of the requirements, and the
//! tools that lead there.

use serde_json::json;

use crate::support::answer::query;
use crate::support::browser::{Form, form, forms, link};
use crate::support::publisher::READS_LOOPBACK;
use crate::support::signed_in::{is_signed_in, log_in, signed_in};
use crate::support::{
    Backend, Browser, DAY, HOUR, MINUTE, OAuthClient, Person, Publisher, SECOND, Tokens, World,
    on_both,
};

async fn page(world: &World, browser: &mut Browser) -> String {
    browser.get(&world.at("/account")).await.expect(200).body
}

/// The form that disconnects the program called `name`.
#[track_caller]
fn form_of(page: &str, name: &str) -> Form {
    let card = page.split("<h3>").find(|card| card.starts_with(name));
    form(card.unwrap_or_else(|| panic!("{name} is not connected in {page}")))
}

/// What the page says of the program called `name`.
#[track_caller]
fn card<'a>(page: &'a str, name: &str) -> &'a str {
    let card = page.split("<h3>").find(|card| card.starts_with(name));
    card.and_then(|card| card.split("</form>").next()).expect("it is connected")
}

#[track_caller]
fn field(form: &Form, name: &str) -> String {
    form.fields.iter().find(|(field, _)| field == name).expect("a field").1.clone()
}

/// What ties a form to a session.
#[track_caller]
fn token_of(form: &Form) -> String {
    field(form, "form")
}

/// The form that disconnects everything.
fn all_of(page: &str) -> Form {
    let names = |form: &Form| form.fields.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let names_none = |it: &Form| it.action.ends_with("/disconnect") && names(it) == ["form"];
    forms(page).into_iter().find(names_none).expect("there are several programs")
}

async fn connected(world: &World, name: &str, person: &str) -> (OAuthClient, Tokens) {
    let client = world.client(name).await;
    let tokens = client.signed_in(world, person).await;
    (client, tokens)
}

on_both! {
    async fn a_person_sees_what_they_connected_and_nothing_of_others(backend: Backend) {
        let settings = [READS_LOOPBACK, ("privacy_url", "https://example.com/privacy"),
            ("upstream_name", "Example Login")];
        let (world, publisher) = (World::with(backend, &settings).await, Publisher::start().await);
        let published = publisher.client(&world, "published", &["http://127.0.0.1/callback"]).await;
        let first = published.signed_in(&world, "alice").await;
        world.advance(DAY);
        connected(&world, "Editor <b>", "alice").await;
        connected(&world, "bobs tool", "bob").await;
        world.advance(HOUR + MINUTE);
        published.refresh(first.refresh_token()).await.expect(200);
        let mut browser = signed_in(&world, "alice").await;
        let page = page(&world, &mut browser).await;
        for text in ["alice@example.com", "example-inc", "What is kept", "Example Login",
            "https://example.com/privacy", "Editor &lt;b&gt;"] {
            assert!(page.contains(text), "{text:?} is missing in {page}");
        }
        assert!(!page.contains("bobs tool") && !page.contains("<b>"));
        let verified = card(&page, "published");
        for text in ["<strong>localhost</strong>", "verified", "15 January 2027, 08:00 UTC",
            "16 January 2027, 09:01 UTC", "search and read the documentation"] {
            assert!(verified.contains(text), "{text:?} is missing in {verified}");
        }
        let claimed = card(&page, "Editor");
        assert!(claimed.contains("unknown") && !claimed.contains("localhost"), "{claimed}");
        assert_eq!(claimed.matches("16 January 2027, 08:00 UTC").count(), 3, "{claimed}");
    }

    async fn only_what_still_works_is_listed(backend: Backend) {
        let settings = [("refresh_token_ttl", "3d"), ("grant_max_ttl", "5d")];
        let world = World::with(backend, &settings).await;
        let (revoked, tokens) = connected(&world, "revoked", "alice").await;
        connected(&world, "idle", "alice").await;
        let (used, mut latest) = connected(&world, "used", "alice").await;
        revoked.revoke(tokens.refresh_token()).await.expect(200);
        let listed = async || {
            let page = page(&world, &mut signed_in(&world, "alice").await).await;
            let is_listed = |name: &&str| page.contains(&format!("<h3>{name}"));
            ["revoked", "idle", "used"].into_iter().filter(is_listed).collect::<Vec<_>>()
        };
        assert_eq!(listed().await, ["idle", "used"]);
        world.advance(2 * DAY);
        latest = Tokens::of(&used.refresh(latest.refresh_token()).await);
        world.advance(DAY);
        assert_eq!(listed().await, ["used"]);
        used.refresh(latest.refresh_token()).await.expect(200);
        world.advance(2 * DAY);
        assert_eq!(listed().await, Vec::<&str>::new());
    }

    async fn who_is_not_signed_in_is_told_what_is_kept_and_not_sent_away(backend: Backend) {
        let world = World::start(backend).await;
        let mut browser = world.browser();
        let shown = page(&world, &mut browser).await;
        assert!(shown.contains("What is kept") && forms(&shown).is_empty(), "{shown}");
        let login = link(&shown, "Sign in with").expect("a way in");
        let provider = browser.get(&world.at(&login)).await.location();
        let back = browser.get(&world.auth0.log_in(&provider, &Person::named("alice"))).await;
        assert_eq!(back.location(), world.at("/account"));
        assert!(page(&world, &mut browser).await.contains("No program is connected"));
    }

    async fn disconnecting_one_ends_it_here_at_once_and_elsewhere_within_five_seconds(
        backend: Backend
    ) {
        let world = World::start(backend).await;
        let replica = world.replica(&[]).await;
        let (editor, tokens) = connected(&world, "editor", "alice").await;
        let (other, others) = connected(&world, "other", "alice").await;
        let (bobs, bob) = connected(&world, "editor of bob", "bob").await;
        let there = world.mcp(&tokens.access_token).at(&replica);
        there.ping().await.expect(200);
        world.mcp(&tokens.access_token).ping().await.expect(200);
        let mut browser = signed_in(&world, "alice").await;
        let shown = page(&world, &mut browser).await;
        let form = form_of(&shown, "editor");
        let done = browser.submit(&world.local, &form, &[]).await.location();
        assert_eq!(done, "/account?disconnected=one");
        let after = browser.get(&world.at(&done)).await.expect(200).body;
        assert!(after.contains("The program is disconnected."), "{after}");
        assert!(!after.contains("<h3>editor") && after.contains("<h3>other"), "{after}");
        editor.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
        world.mcp(&tokens.access_token).ping().await.expect(401);
        // Once more is no harm.
        browser.submit(&world.local, &form, &[]).await.expect(303);
        world.advance(5 * SECOND);
        there.ping().await.expect(401);
        for (client, tokens) in [(other, others), (bobs, bob)] {
            world.mcp(&tokens.access_token).ping().await.expect(200);
            client.refresh(tokens.refresh_token()).await.expect(200);
        }
    }

    async fn disconnecting_all_ends_all_of_one_person(backend: Backend) {
        let world = World::start(backend).await;
        let mut mine = vec![connected(&world, "editor", "alice").await];
        mine.push((mine[0].0.clone(), mine[0].0.signed_in(&world, "alice").await));
        mine.push(connected(&world, "other", "alice").await);
        let (bobs, bob) = connected(&world, "third", "bob").await;
        let mut browser = signed_in(&world, "alice").await;
        let shown = page(&world, &mut browser).await;
        assert_eq!(shown.matches("<h3>editor").count(), 2);
        let all = [("grant", "all")];
        let done = browser.submit(&world.local, &all_of(&shown), &all).await.location();
        let after = browser.get(&world.at(&done)).await.expect(200).body;
        assert!(after.contains("All programs are disconnected.") && !after.contains("<h3>"));
        for (client, tokens) in mine {
            client.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
            world.mcp(&tokens.access_token).ping().await.expect(401);
        }
        world.mcp(&bob.access_token).ping().await.expect(200);
        bobs.refresh(bob.refresh_token()).await.expect(200);
        // This browser stays signed in: what ended are the programs.
        assert!(is_signed_in(&world, &mut browser).await);
    }

    async fn what_was_agreed_with_a_client_goes_with_it(backend: Backend) {
        for grant in ["one", "all"] {
            let world = World::start(backend).await;
            let (client, kept) = (world.web_client("web").await, world.web_client("kept").await);
            let mut browser = world.browser();
            let alice = Person::named("alice");
            let end = kept.walk(&world, &mut browser, &alice, &[]).await;
            Tokens::of(&kept.exchange(&query(&end, "code").unwrap()).await);
            let end = client.walk(&world, &mut browser, &alice, &[]).await;
            Tokens::of(&client.exchange(&query(&end, "code").unwrap()).await);
            // A login that the approval begins, and a code that nobody has exchanged.
            let under_way = browser.get(&client.authorize_url(&[])).await.location();
            let again = browser.get(&client.authorize_url(&[])).await.location();
            let end = browser.get(&world.auth0.log_in(&again, &alice)).await.location();
            let code = query(&end, "code").unwrap();

            let account = format!("{}/account", world.url);
            log_in(&world, &mut browser, &alice, &account).await.expect(303);
            let shown = page(&world, &mut browser).await;
            let done = match grant {
                "one" => browser.submit(&world.local, &form_of(&shown, "web"), &[]).await,
                _ => browser.submit(&world.local, &all_of(&shown), &[("grant", "all")]).await,
            };
            done.expect(303);
            client.exchange(&code).await.expect_error(400, "invalid_grant");
            browser.get(&world.auth0.log_in(&under_way, &alice)).await.expect(400);
            browser.get(&client.authorize_url(&[])).await.expect(200);
            // What was agreed with another stands, unless all was taken back.
            let status = if grant == "one" { 303 } else { 200 };
            browser.get(&kept.authorize_url(&[])).await.expect(status);
        }
    }

    async fn a_form_from_elsewhere_disconnects_nothing(backend: Backend) {
        let world = World::start(backend).await;
        let (client, tokens) = connected(&world, "editor", "alice").await;
        connected(&world, "other", "alice").await;
        let (_, bobs) = connected(&world, "bobs tool", "bob").await;
        let mut browser = signed_in(&world, "alice").await;
        let shown = page(&world, &mut browser).await;
        let form = form_of(&shown, "editor");
        let grant = field(&form, "grant");
        let mut bob = signed_in(&world, "bob").await;
        let bobs_page = page(&world, &mut bob).await;
        let bobs_form = form_of(&bobs_page, "bobs tool");
        let bobs_grant = field(&bobs_form, "grant");
        // Another session of the same person has other forms.
        let mut elsewhere = signed_in(&world, "alice").await;
        let elsewheres = token_of(&form_of(&page(&world, &mut elsewhere).await, "editor"));

        let bent: String = token_of(&form).chars().rev().collect();
        let stolen = token_of(&bobs_form);
        for token in ["", "x", &bent, &stolen, &elsewheres, &grant] {
            for which in [grant.as_str(), "all"] {
                let changes = [("form", token), ("grant", which)];
                browser.submit(&world.local, &form, &changes).await.expect(403);
            }
        }
        // The right form, sent by another site, or by another person, or by nobody.
        let fields: Vec<_> = form.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let url = world.at(&form.action);
        for (header, value) in [
            ("origin", "https://evil.example"),
            ("origin", "https://docs.example.com"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let request = world.http.post(&url).form(&fields).header(header, value);
            browser.send(request).await.expect(403);
        }
        bob.submit(&world.local, &form, &[]).await.expect(403);
        world.browser().submit(&world.local, &form, &[]).await.expect(403);
        // A form that cannot be read, and one that came by GET.
        browser.send(world.http.post(&url).body("{}")).await.expect(403);
        let twice = [fields[0], fields[1], ("grant", "all")];
        browser.post(&url, &twice).await.expect(403);
        browser.get(&format!("{url}?form={}&grant=all", token_of(&form))).await.expect(405);
        // The right form that names what is somebody else's, or nothing.
        for other in [bobs_grant.as_str(), "0190a5b4-0000-7000-8000-000000000000", "everything"] {
            browser.submit(&world.local, &form, &[("grant", other)]).await.expect(400);
        }
        world.mcp(&bobs.access_token).ping().await.expect(200);
        world.mcp(&tokens.access_token).ping().await.expect(200);
        client.refresh(tokens.refresh_token()).await.expect(200);
        // None of it used the form up; and `Origin: null` is what our own page may send.
        let request = world.http.post(&url).form(&fields)
            .header("origin", "null").header("sec-fetch-site", "same-origin");
        browser.send(request).await.expect(303);
        world.mcp(&tokens.access_token).ping().await.expect(401);
    }

    async fn a_form_from_elsewhere_signs_nobody_out(backend: Backend) {
        let world = World::start(backend).await;
        let mut browser = signed_in(&world, "alice").await;
        let asked = browser.get(&world.at("/logout")).await.expect(200);
        let form = form(&asked.body);
        let mut bob = signed_in(&world, "bob").await;
        let bobs = token_of(&forms(&page(&world, &mut bob).await)[0]);
        for token in ["", "x", &bobs] {
            browser.submit(&world.local, &form, &[("form", token)]).await.expect(403);
        }
        let fields: Vec<_> = form.fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let url = world.at("/logout");
        let foreign = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
        for (header, value) in foreign {
            let request = world.http.post(&url).form(&fields).header(header, value);
            browser.send(request).await.expect(403);
        }
        browser.send(world.http.post(&url).body("{}")).await.expect(403);
        assert!(is_signed_in(&world, &mut browser).await);
        // The account page has the same form.
        let shown = page(&world, &mut browser).await;
        let own = forms(&shown).into_iter().find(|it| it.action == "/logout").expect("a way out");
        browser.submit(&world.local, &own, &[]).await.expect(303);
        assert!(!is_signed_in(&world, &mut browser).await);
    }

    async fn an_assistant_says_who_is_signed_in_and_hands_out_the_link(backend: Backend) {
        let world = World::start(backend).await;
        let client = world.client("editor").await;
        let scope = [("scope", "docs:read email profile")];
        let tokens = client.signed_in_with(&world, "alice", &scope).await;
        connected(&world, "other", "alice").await;
        let mcp = world.mcp(&tokens.access_token);
        let who = mcp.tool("whoami", json!({})).await.expect(200).json();
        let told = &who["result"]["structuredContent"];
        assert_eq!(told["subject"], tokens.claims()["sub"]);
        assert_eq!((&told["name"], &told["email"]), (&json!("alice"), &json!("alice@example.com")));
        assert_eq!(told["client_id"], client.client_id.as_str());
        assert_eq!(told["scopes"], json!(["docs:read", "email", "profile"]));
        assert_eq!(told["account_url"], world.at("/account"));
        let handed = mcp.tool("disconnect", json!({})).await.expect(200).json();
        let url = handed["result"]["structuredContent"]["url"].as_str().unwrap().to_owned();
        assert!(!url.contains("alice"), "{url}");
        // By itself it ends nothing, whoever opens it.
        mcp.ping().await.expect(200);
        let mut browser = world.browser();
        let signed_out = browser.get(&url).await.expect(200).body;
        let login = link(&signed_out, "Sign in with").expect("a way in");
        let provider = browser.get(&world.at(&login)).await.location();
        let back = browser.get(&world.auth0.log_in(&provider, &Person::named("alice"))).await;
        assert_eq!(back.location(), url);
        let asked = browser.get(&url).await.expect(200).body;
        assert!(asked.contains("Disconnect “editor”?"), "{asked}");
        mcp.ping().await.expect(200);
        // For somebody else it is about nothing.
        let mut bob = signed_in(&world, "bob").await;
        let theirs = bob.get(&url).await.expect(200).body;
        assert!(theirs.contains("not one of yours") && !theirs.contains("editor"), "{theirs}");
        browser.submit(&world.local, &form(&asked), &[]).await.expect(303);
        mcp.ping().await.expect(401);
        client.refresh(tokens.refresh_token()).await.expect_error(400, "invalid_grant");
        assert!(page(&world, &mut browser).await.contains("<h3>other"));
    }

    async fn nobody_is_asked_to_sign_in_by_both_tools_where_reading_is_open(backend: Backend) {
        let world = World::with(backend, &[("auth", "open")]).await;
        for tool in ["whoami", "disconnect"] {
            let refused = world.anonymous_mcp().tool(tool, json!({})).await.expect(401);
            assert!(refused.header("www-authenticate").unwrap().contains("resource_metadata"));
        }
    }
}
