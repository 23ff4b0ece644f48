//! Every page there is. Each is led to as a person gets there, judged in every look and pictured.
//!
//! A new page is one more entry: its name, which is also that of its pictures, and the way to it.

use serde_json::json;

use crate::chromium::Chromium;
use crate::houses::{busy_house, first_run};
use crate::judge::judge;
use crate::support::admin::ALICE_ADMINISTERS;
use crate::support::publisher::READS_LOOPBACK;
use crate::support::sinks::SECRETS;
use crate::support::{Backend, MINUTE, OAuthClient, Person, Publisher, World};

/// Each entry leads a browser to its page and says which house it is of.
macro_rules! gallery {
    ($($page:ident($chromium:ident) $way:block)+) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $page() {
            async fn way($chromium: &Chromium) -> World $way
            let chromium = Chromium::open().await;
            let _house = way(&chromium).await;
            judge(&chromium, stringify!($page)).await;
        }
    )+};
}

async fn house(settings: &[(&str, &str)]) -> World {
    World::with(Backend::Sqlite, settings).await
}

const NOBODY: [(&str, &str); 2] = [("upstream_issuer", "unset"), ("upstream_client_id", "unset")];
const EVERY_LINK: [(&str, &str); 5] = [
    ("docs_url", "https://docs.example.com/"),
    ("help_url", "https://example.com/help"),
    ("privacy_url", "https://example.com/privacy"),
    ("signup_url", "https://example.com/signup"),
    ("upstream_name", "Example ID"),
];
const BRANDED: (&str, &str) = ("brand", "name=Example Docs,accent=#ffcc00");

/// A consent page of a client that registered this redirect.
async fn asked(chromium: &Chromium, name: &str, redirect_uri: &str) -> (World, OAuthClient) {
    let world = house(&EVERY_LINK).await;
    let client = OAuthClient::register(&world, name, &[redirect_uri]).await;
    chromium.go(&client.authorize_url(&[])).await;
    chromium.heading(&format!("Allow “{name}”")).await;
    (world, client)
}

/// What a client is told in person that asks like this.
async fn refused(chromium: &Chromium, changes: &[(&str, &str)], heading: &str) -> World {
    let world = house(&[]).await;
    let client = world.client("editor").await;
    chromium.go(&client.authorize_url(changes)).await;
    chromium.heading(heading).await;
    world
}

const LOOPBACK: &str = "http://127.0.0.1/callback";

/// As far as the provider; the address there.
async fn at_provider(chromium: &Chromium, world: &World) -> String {
    at_provider_of(chromium, &world.web_client("Example Chat").await).await
}

async fn at_provider_of(chromium: &Chromium, client: &OAuthClient) -> String {
    chromium.go(&client.authorize_url(&[])).await;
    chromium.press("Allow and sign in").await;
    chromium.reaches("nonce=").await
}

/// The account page of Alice, who connected these programs; their grants.
async fn account(chromium: &Chromium, programs: &[&str]) -> (World, Vec<String>) {
    let world = house(&EVERY_LINK).await;
    world.auth0.welcome(&Person::named("alice")).await;
    let mut grants = Vec::new();
    for program in programs {
        let tokens = world.client(program).await.signed_in(&world, "alice").await;
        grants.push(tokens.claims()["gid"].as_str().expect("a grant").to_owned());
    }
    chromium.go(&world.at("/account")).await;
    chromium.press("Sign in with").await;
    chromium.labelled("Sign out of this browser").await;
    (world, grants)
}

/// Two receivers of events, where nobody listens; the second cannot be objected to.
const RECEIVERS: &str = "
[[sink]]
name = \"crm\"
url = \"http://127.0.0.1:9/\"
secret_env = \"CRM_SECRET\"
preset = \"crm\"
purpose = \"to know which organizations read the documentation\"

[[sink]]
name = \"analytics\"
url = \"http://127.0.0.1:9/\"
secret_env = \"SINK_SECRET\"
events = [\"tool.called\", \"person.opted_out\"]
fields = [\"id\", \"organization\", \"tool\", \"outcome\"]
purpose = \"to see which tools help\"
required = true
";

/// The account page of Alice in a house that tells of people.
async fn told_account(chromium: &Chromium) -> World {
    let world = World::with_file(Backend::Sqlite, &EVERY_LINK, RECEIVERS, &SECRETS).await;
    world.auth0.welcome(&Person::named("alice")).await;
    chromium.go(&world.at("/account")).await;
    chromium.press("Sign in with").await;
    chromium.labelled("Sign out of this browser").await;
    world
}

/// A page of the dashboard, as Alice sees it in a house that was busy for some days.
async fn dashboard(chromium: &Chromium, path: &str, heading: &str) -> World {
    let (world, _) = busy_house().await;
    chromium.go(&world.admin_at("/admin/")).await;
    chromium.heading("Overview").await;
    chromium.go(&world.admin_at(path)).await;
    chromium.heading(heading).await;
    world
}

gallery! {
    admin_overview(chromium) {
        dashboard(chromium, "/admin/", "Overview").await
    }
    admin_overview_of_nothing(chromium) {
        let world = house(&[ALICE_ADMINISTERS]).await;
        world.auth0.welcome(&Person::named("alice")).await;
        chromium.go(&world.admin_at("/admin/")).await;
        chromium.heading("Overview").await;
        world
    }
    admin_usage(chromium) {
        dashboard(chromium, "/admin/usage?by=tool", "Usage").await
    }
    admin_gaps(chromium) {
        dashboard(chromium, "/admin/gaps?include=text", "Gaps").await
    }
    admin_enforcement(chromium) {
        let world = house(&[ALICE_ADMINISTERS, ("auth", "grace"), ("enforce_share", "10%")]).await;
        world.auth0.welcome(&Person::named("alice")).await;
        for agent in ["cursor", "a program with a name that is far too long for a phone"] {
            let mcp = world.anonymous_mcp();
            let search = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params":
                {"name": "search_docs", "arguments": {"query": "install"}}});
            let request = mcp.request(&search).header("user-agent", agent);
            request.send().await.expect("it answers");
        }
        world.tend_enforcement().await.expect("it answers");
        chromium.go(&world.admin_at("/admin/")).await;
        chromium.heading("Overview").await;
        chromium.go(&world.admin_at("/admin/enforcement")).await;
        chromium.heading("Enforcement").await;
        world
    }
    admin_organizations(chromium) {
        dashboard(chromium, "/admin/organizations", "Organizations").await
    }
    admin_people(chromium) {
        dashboard(chromium, "/admin/people", "People").await
    }
    admin_programs(chromium) {
        dashboard(chromium, "/admin/clients", "Programs").await
    }
    admin_grants(chromium) {
        dashboard(chromium, "/admin/grants?limit=5", "Grants").await
    }
    admin_feedback(chromium) {
        dashboard(chromium, "/admin/feedback?include=text", "Feedback").await
    }
    admin_deliveries(chromium) {
        dashboard(chromium, "/admin/sinks", "Deliveries").await
    }
    admin_attempts(chromium) {
        dashboard(chromium, "/admin/attempts", "Sign-in attempts").await
    }
    admin_attempt(chromium) {
        crate::administer::looks_at_an_attempt(chromium).await
    }
    admin_audit(chromium) {
        dashboard(chromium, "/admin/audit?limit=9", "Audit log").await
    }
    admin_person(chromium) {
        let (world, person) = busy_house().await;
        chromium.go(&world.admin_at("/admin/")).await;
        chromium.heading("Overview").await;
        chromium.go(&world.admin_at(&format!("/admin/people/{person}?include=email"))).await;
        chromium.heading("Person").await;
        world
    }
    admin_signed_out(chromium) {
        let world = dashboard(chromium, "/admin/", "Overview").await;
        chromium.press("Sign out of administration").await;
        chromium.heading("You are signed out of administration").await;
        world
    }
    admin_bad_filter(chromium) {
        dashboard(chromium, "/admin/grants?person=x", "This list cannot be shown").await
    }
    admin_for_others(chromium) {
        let world = house(&[ALICE_ADMINISTERS]).await;
        world.auth0.welcome(&Person::named("bob")).await;
        chromium.go(&world.admin_at("/admin/")).await;
        chromium.heading("You are not one of the administrators").await;
        world
    }
    admin_sign_in_expired(chromium) {
        let world = house(&[ALICE_ADMINISTERS]).await;
        chromium.go(&world.admin_at("/admin/signed-in?code=x")).await;
        chromium.heading("This sign-in is finished or has expired").await;
        world
    }
    admin_closed(chromium) {
        let world = house(&[]).await;
        chromium.go(&world.admin_at("/admin/")).await;
        chromium.heading("Nobody administers here yet").await;
        world
    }
    front_door(chromium) {
        let world = house(&EVERY_LINK).await;
        chromium.go(&world.at("/")).await;
        world
    }
    front_door_of_a_team(chromium) {
        let world = house(&[BRANDED]).await;
        chromium.go(&world.at("/")).await;
        world
    }
    front_door_where_nobody_signs_in(chromium) {
        let world = house(&NOBODY).await;
        chromium.go(&world.at("/")).await;
        world
    }
    api_reference(chromium) {
        let world = house(&[]).await;
        chromium.go(&world.at("/reference")).await;
        world
    }
    mcp_in_a_browser(chromium) {
        let world = house(&[]).await;
        chromium.go(&world.at("/mcp")).await;
        world
    }
    consent_of_a_program(chromium) {
        asked(chromium, "Claude Code (example)", LOOPBACK).await.0
    }
    consent_of_a_site(chromium) {
        asked(chromium, "Example Chat", "https://chat.example.com/api/mcp/auth_callback").await.0
    }
    consent_of_an_application(chromium) {
        asked(chromium, "Cursor", "cursor://anysphere.cursor-mcp/oauth/callback").await.0
    }
    consent_with_a_borrowed_name(chromium) {
        asked(chromium, "Claude", "https://claude.ai.evil.example/callback").await.0
    }
    consent_with_long_names(chromium) {
        let path = "callback-of-a-tenant/".repeat(9);
        let redirect_uri = format!("https://chat.example.com/{path}");
        let name = "An assistant with a name that goes on and on, as registrations may";
        asked(chromium, name, &redirect_uri).await.0
    }
    consent_of_a_publisher(chromium) {
        let world = house(&[READS_LOOPBACK]).await;
        let publisher = Publisher::start().await;
        let client = publisher.client(&world, "editor", &[LOOPBACK]).await;
        chromium.go(&client.authorize_url(&[])).await;
        chromium.heading("Allow “editor”").await;
        world
    }
    consent_of_a_team(chromium) {
        let world = house(&[BRANDED]).await;
        chromium.go(&world.client("editor").await.authorize_url(&[])).await;
        world
    }
    dev_login(chromium) {
        let world = first_run().await;
        chromium.go(&world.client("editor").await.authorize_url(&[])).await;
        chromium.press("Allow and sign in").await;
        chromium.heading("Development sign-in").await;
        world
    }
    dev_login_once_more(chromium) {
        let world = first_run().await;
        chromium.go(&world.client("editor").await.authorize_url(&[])).await;
        chromium.press("Allow and sign in").await;
        chromium.log_in_as("bob@localhost").await;
        chromium.alert("Type an e-mail address").await;
        world
    }
    denied(chromium) {
        let (world, _) = asked(chromium, "Example Chat", LOOPBACK).await;
        chromium.press("Deny").await;
        chromium.heading("Access denied").await;
        world
    }
    unknown_program(chromium) {
        refused(chromium, &[("client_id", "unknown")], "This program is not known here").await
    }
    nameless_program(chromium) {
        refused(chromium, &[("client_id", "")], "The program did not say who it is").await
    }
    unregistered_address(chromium) {
        let elsewhere = [("redirect_uri", "https://evil.example/callback")];
        refused(chromium, &elsewhere, "The return address is not registered").await
    }
    ambiguous_request(chromium) {
        let twice = [("resource", "a"), ("resource", "b")];
        refused(chromium, &twice, "The request is ambiguous").await
    }
    unsupported_request(chromium) {
        let token = [("response_type", "token")];
        refused(chromium, &token, "The program asked in a way this server does not support").await
    }
    unknown_resource(chromium) {
        let other = [("resource", "https://other.example/mcp")];
        refused(chromium, &other, "The program asked for something else").await
    }
    silent_request(chromium) {
        refused(chromium, &[("prompt", "none")], "You have to decide yourself").await
    }
    malformed_description(chromium) {
        let address = [("client_id", "https://example.com/")];
        refused(chromium, &address, "The program gave no usable description of itself").await
    }
    unusable_description(chromium) {
        let world = house(&[READS_LOOPBACK]).await;
        let publisher = Publisher::start().await;
        let client = publisher.client_of(&world, "editor", LOOPBACK);
        chromium.go(&client.authorize_url(&[])).await;
        chromium.heading("The program's description could not be used").await;
        world
    }
    untrusted_publisher(chromium) {
        let world = house(&[READS_LOOPBACK, ("cimd_denied_domains", "localhost")]).await;
        let publisher = Publisher::start().await;
        let client = publisher.client(&world, "editor", &[LOOPBACK]).await;
        chromium.go(&client.authorize_url(&[])).await;
        chromium.heading("This program is not allowed here").await;
        world
    }
    too_many_programs(chromium) {
        let world = house(&[READS_LOOPBACK, ("limit_cimd", "1/15m")]).await;
        let publisher = Publisher::start().await;
        for name in ["one", "two"] {
            let client = publisher.client(&world, name, &[LOOPBACK]).await;
            chromium.go(&client.authorize_url(&[])).await;
        }
        chromium.heading("Too many programs at once").await;
        world
    }
    sign_in_not_set_up(chromium) {
        let world = house(&NOBODY).await;
        chromium.go(&world.at("/oauth/authorize")).await;
        chromium.heading("Sign-in is not set up").await;
        world
    }
    provider_out_of_order(chromium) {
        let (world, _) = asked(chromium, "Example Chat", LOOPBACK).await;
        world.auth0.fail_with(500).await;
        chromium.press("Allow and sign in").await;
        chromium.heading("Sign-in is not available right now").await;
        world
    }
    foreign_form(chromium) {
        let (world, _) = asked(chromium, "Example Chat", LOOPBACK).await;
        chromium.client.delete_all_cookies().await.expect("cookies can be deleted");
        chromium.press("Allow and sign in").await;
        chromium.heading("This form did not come from here").await;
        world
    }
    expired_request(chromium) {
        let (world, _) = asked(chromium, "Example Chat", LOOPBACK).await;
        world.advance(10 * MINUTE);
        chromium.press("Allow and sign in").await;
        chromium.heading("This request has expired").await;
        world
    }
    expired_sign_in(chromium) {
        let world = house(&[]).await;
        chromium.go(&world.at("/mcp/callback")).await;
        chromium.heading("This sign-in has expired").await;
        world
    }
    finished_sign_in(chromium) {
        let world = first_run().await;
        let location = at_provider(chromium, &world).await;
        chromium.log_in().await;
        chromium.reaches("code=").await;
        chromium.go(&location).await;
        chromium.log_in().await;
        chromium.heading("This sign-in is finished").await;
        world
    }
    somebody_else(chromium) {
        let world = house(&[]).await;
        let client = world.web_client("Example Chat").await;
        let alice = at_provider_of(chromium, &client).await;
        // What is remembered is the approval of a site, and nobody is there to answer for this one.
        let _ = chromium.client.goto(&world.auth0.log_in(&alice, &Person::named("alice"))).await;
        chromium.go(&client.authorize_url(&[])).await;
        let mallory = chromium.reaches("nonce=").await;
        chromium.go(&world.auth0.log_in(&mallory, &Person::named("mallory"))).await;
        chromium.heading("Somebody else signed in").await;
        world
    }
    another_browser(chromium) {
        let world = house(&[]).await;
        let location = at_provider(chromium, &world).await;
        let callback = world.auth0.log_in(&location, &Person::named("alice"));
        chromium.client.delete_all_cookies().await.expect("cookies can be deleted");
        chromium.go(&world.at("/")).await;
        chromium.client.delete_all_cookies().await.expect("cookies can be deleted");
        chromium.go(&callback).await;
        chromium.heading("This sign-in began in another browser").await;
        world
    }
    account_of_nobody_yet(chromium) {
        let world = house(&EVERY_LINK).await;
        chromium.go(&world.at("/account")).await;
        chromium.heading("Your account").await;
        world
    }
    account_without_connections(chromium) {
        account(chromium, &[]).await.0
    }
    account_with_connections(chromium) {
        account(chromium, &["Claude Code (example)", "Example Chat"]).await.0
    }
    account_asked_to_disconnect(chromium) {
        let (world, grants) = account(chromium, &["Example Chat"]).await;
        chromium.go(&world.at(&format!("/account?disconnect={}", grants[0]))).await;
        chromium.labelled("Disconnect").await;
        world
    }
    account_after_disconnecting(chromium) {
        let (world, _) = account(chromium, &["Example Chat", "editor"]).await;
        chromium.press("Disconnect all").await;
        chromium.reaches("disconnected=").await;
        world
    }
    consent_that_names_receivers(chromium) {
        let world = World::with_file(Backend::Sqlite, &EVERY_LINK, RECEIVERS, &SECRETS).await;
        chromium.go(&world.client("editor").await.authorize_url(&[])).await;
        chromium.heading("Allow “editor”").await;
        world
    }
    account_with_receivers(chromium) {
        told_account(chromium).await
    }
    account_after_objecting(chromium) {
        let world = told_account(chromium).await;
        chromium.press("Stop telling it about me").await;
        chromium.reaches("sharing=objected").await;
        world
    }
    erasure_not_confirmed(chromium) {
        let world = told_account(chromium).await;
        chromium.press("Erase me and my data").await;
        chromium.heading("Nothing was erased").await;
        world
    }
    erasure_long_after_the_sign_in(chromium) {
        let world = told_account(chromium).await;
        world.advance(16 * MINUTE);
        chromium.type_into("to confirm", "erase").await;
        chromium.press("Erase me and my data").await;
        chromium.heading("Sign in again first").await;
        world
    }
    erased(chromium) {
        let world = told_account(chromium).await;
        chromium.type_into("to confirm", "erase").await;
        chromium.press("Erase me and my data").await;
        chromium.heading("You are erased").await;
        world
    }
    sign_out(chromium) {
        let (world, _) = account(chromium, &[]).await;
        chromium.go(&world.at("/logout")).await;
        chromium.heading("Sign out of this browser?").await;
        world
    }
    signed_out(chromium) {
        let world = house(&[]).await;
        chromium.go(&world.at("/logout")).await;
        chromium.heading("You are signed out").await;
        world
    }
    login_to_nowhere(chromium) {
        let world = house(&[]).await;
        chromium.go(&world.at("/login?return_to=https://evil.example/")).await;
        chromium.heading("That place is not known here").await;
        world
    }
}
