//! What people read: evidence on the consent page, the front door, the looks of a team.

use crate::support::{Backend, OAuthClient, World, on_both};

async fn consent_page(world: &World, client: &OAuthClient) -> String {
    world.browser().get(&client.authorize_url(&[])).await.expect(200).body
}

on_both! {
    async fn a_borrowed_name_is_called_out_before_anything_else(backend: Backend) {
        let world = World::start(backend).await;
        let evil = "https://claude.ai.evil.example/callback";
        for (name, redirect_uri, warned) in [
            ("Claude", evil, Some("Claude")),
            ("Cl\u{0430}ude Desktop", evil, Some("Claude")),
            ("Visual Studio Code", evil, Some("Visual Studio Code")),
            ("Claude", "https://claude.ai/api/mcp/auth_callback", None),
            ("Cursor", "cursor://anysphere.cursor-mcp/oauth/callback", None),
            // A program on the own machine gets the note that it proves nothing.
            ("Claude Code", "http://127.0.0.1/callback", None),
            ("Our own tool", evil, None),
        ] {
            let client = OAuthClient::register(&world, name, &[redirect_uri]).await;
            let page = consent_page(&world, &client).await;
            let warning = warned.map(|vendor| format!("This may not be {vendor}. "));
            match warning {
                Some(warning) => {
                    let (before, _) = page.split_once(&warning).expect("a warning");
                    assert!(!before.contains("<dl>") && !before.contains("<form"), "{page}");
                }
                None => assert!(!page.contains("This may not be"), "{name}: {page}"),
            }
        }
    }

    async fn what_is_kept_is_told_as_it_is_configured(backend: Backend) {
        let world = World::with(backend, &[("refresh_token_ttl", "7d")]).await;
        let page = consent_page(&world, &world.client("editor").await).await;
        for text in ["not used the program for 7 days", "nobody has used it for 90 days",
            "as your account reports them", "not stored"] {
            assert!(page.contains(text), "{text:?} is missing in {page}");
        }
    }

    async fn the_front_door_tells_how_to_connect_and_how_things_are(backend: Backend) {
        let settings = [("help_url", "https://example.com/help"),
            ("docs_url", "https://docs.example.com/"), ("upstream_name", "Example ID")];
        let world = World::with(backend, &settings).await;
        let page = world.browser().get(&world.at("/")).await.expect(200).body;
        for text in [
            "claude mcp add --transport http example-docs",
            "Add custom connector",
            "cursor://anysphere.cursor-deeplink/mcp/install?name=example-docs",
            "vscode:mcp/install?",
            "gemini mcp add",
            "codex mcp add",
            "npx -y mcp-remote",
            "pages can be searched and read",
            "You sign in with Example ID.",
            "https://example.com/help",
            "https://docs.example.com/",
        ] {
            assert!(page.contains(text), "{text:?} is missing in {page}");
        }
        world.auth0.fail_with(500).await;
        let client = world.client("editor").await;
        let mut browser = world.browser();
        let asked = browser.get(&client.authorize_url(&[])).await.expect(200).body;
        client.decide(&mut browser, &asked, "approve").await.expect(503);
        let page = browser.get(&world.at("/")).await.expect(200).body;
        assert!(page.contains("did not answer a moment ago"), "{page}");
    }

    async fn nobody_is_told_to_sign_in_where_nobody_can(backend: Backend) {
        let nobody = [("upstream_issuer", "unset"), ("upstream_client_id", "unset")];
        let world = World::with(backend, &nobody).await;
        let page = world.browser().get(&world.at("/")).await.expect(200).body;
        assert!(page.contains("Sign-in is not set up"), "{page}");
    }

    async fn a_team_gives_the_pages_its_looks(backend: Backend) {
        let folder = tempfile::tempdir().unwrap();
        let logo = folder.path().join("logo.svg");
        std::fs::write(&logo, "<svg xmlns='http://www.w3.org/2000/svg'/>").unwrap();
        let logo = logo.to_str().unwrap();
        let brand = format!("name=Example Docs,accent=#ffcc00,logo={logo},favicon={logo}");
        let world = World::with(backend, &[("brand", &brand)]).await;
        let client = world.client("editor").await;
        for url in [client.authorize_url(&[]), world.at("/"), world.at("/mcp/callback")] {
            let page = world.browser().get(&url).await.body;
            let pictures = ["src=\"/oauth/assets/logo\"", "href=\"/oauth/assets/favicon\""];
            for text in ["Example Docs", pictures[0], pictures[1]] {
                assert!(page.contains(text), "{text:?} is missing in {page}");
            }
        }
        let logo = world.browser().get(&world.at("/oauth/assets/logo")).await.expect(200);
        assert_eq!(logo.header("content-type"), Some("image/svg+xml"));
        assert!(logo.header("content-security-policy").unwrap().contains("default-src 'none'"));
        let style = world.browser().get(&world.at("/oauth/assets/gatehouse.css")).await.expect(200);
        // Yellow cannot be read on white, so it is darker there, and as it was chosen in the dark.
        assert!(style.body.contains("dark) { :root { --accent: #ffcc00; --accent-ink: #000000;"));
        assert!(!style.body.contains("\n:root { --accent: #ffcc00;"), "{}", style.body);
        let plain = World::start(backend).await;
        for path in ["/oauth/assets/logo", "/oauth/assets/x"] {
            plain.browser().get(&plain.at(path)).await.expect(404);
        }
        // An icon there is always, so that no browser looks for one elsewhere on the host.
        let ours = plain.browser().get(&plain.at("/oauth/assets/favicon")).await.expect(200);
        assert_eq!(ours.header("content-type"), Some("image/svg+xml"));
        let page = plain.browser().get(&plain.at("/")).await.expect(200).body;
        assert!(page.contains("href=\"/oauth/assets/favicon\""), "{page}");
    }
}
