//! Administering in a browser: in over the federation, round, and out.

use crate::chromium::Chromium;
use crate::houses::busy_house;
use crate::judge::noise;
use crate::support::admin::ALICE_ADMINISTERS;
use crate::support::{Backend, Person, World};

const NOTHING: [String; 0] = [];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_administrator_signs_in_looks_round_revokes_and_signs_out() {
    let (world, person) = busy_house().await;
    let chromium = Chromium::open().await;
    chromium.go(&world.admin_at("/admin/")).await;
    // The provider lets her in without a form, so the next thing she sees is the overview.
    chromium.heading("Overview").await;
    chromium.press("Grants").await;
    chromium.heading("Grants").await;
    assert_eq!(count(&chromium, "tbody tr").await, 16);
    // A filter by the keyboard: the address says what is shown.
    chromium.go(&world.admin_at(&format!("/admin/grants?person={person}&active=true"))).await;
    assert_eq!(count(&chromium, "tbody tr").await, 4);
    chromium.press("Revoke").await;
    chromium.heading("Person").await;
    assert!(chromium.text().await.contains("Revoked. Access tokens end within 5 seconds."));
    assert_eq!(count(&chromium, "tbody button").await, 3);
    assert!(!chromium.text().await.contains("bob@"));
    chromium.press("Show name and address").await;
    chromium.reaches("include=email").await;
    assert!(chromium.text().await.contains("bob@subsidiary"));
    chromium.press("Revoke all grants").await;
    chromium.reaches("done=revoked").await;
    assert_eq!(count(&chromium, "tbody button").await, 0);
    assert_eq!(noise(&chromium).await, NOTHING);
    chromium.press("Sign out of administration").await;
    chromium.heading("You are signed out of administration").await;
    // She has to sign in again, and the provider is asked.
    let asked = world.auth0.token_requests().await;
    chromium.go(&world.admin_at("/admin/")).await;
    chromium.heading("Overview").await;
    assert_eq!(world.auth0.token_requests().await, asked + 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_erased_after_it_is_typed() {
    let (world, person) = busy_house().await;
    let chromium = Chromium::open().await;
    chromium.go(&world.admin_at("/admin/")).await;
    chromium.heading("Overview").await;
    chromium.go(&world.admin_at(&format!("/admin/people/{person}"))).await;
    chromium.type_into("Type “erase” to confirm", "no").await;
    chromium.press("Erase").await;
    chromium.reaches("done=not_erased").await;
    assert!(chromium.text().await.contains("Nobody was erased"));
    chromium.type_into("Type “erase” to confirm", "erase").await;
    chromium.press("Erase").await;
    let told = chromium.heading("This person is erased").await;
    assert!(told.contains("No sink was told of them"), "{told}");
    chromium.press("To the people").await;
    chromium.heading("People").await;
    assert_eq!(count(&chromium, "tbody tr").await, 3);
    assert_eq!(noise(&chromium).await, NOTHING);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_are_downloaded_as_csv_with_the_filter_that_is_set() {
    let (world, _) = busy_house().await;
    let chromium = Chromium::open().await;
    chromium.go(&world.admin_at("/admin/")).await;
    chromium.heading("Overview").await;
    chromium.go(&world.admin_at("/admin/clients?kind=registered&limit=2")).await;
    let links = "return [...document.querySelectorAll('.more a')].map((link) => link.href)";
    let links = chromium.execute(links, Vec::new()).await;
    let (next, csv) = (links[0].as_str().expect("a link"), links[1].as_str().expect("a link"));
    assert!(next.contains("kind=registered") && next.contains("after="), "{next}");
    // The page's policy lets no script read it; a person follows the link.
    let read = "const [url, done] = arguments;
        fetch(url).then(() => done('read'), () => done('refused'))";
    let refused = chromium.client.execute_async(read, vec![csv.into()]).await;
    assert_eq!(refused.expect("it runs"), "refused");
    let cookie = chromium.client.get_named_cookie("gatehouse_admin").await;
    let cookie = cookie.expect("the browser is signed in");
    let header = format!("gatehouse_admin={}", cookie.value());
    let answer = world.http.get(csv).header("cookie", header).send().await.expect("an answer");
    let text = answer.text().await.expect("text");
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.contains("'=cmd|"), "{text}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_listed_is_told_so_and_sees_nothing() {
    let world = World::with(Backend::Sqlite, &[ALICE_ADMINISTERS]).await;
    world.auth0.welcome(&Person::named("mallory")).await;
    let chromium = Chromium::open().await;
    for path in ["/admin/", "/admin/grants", "/admin/people"] {
        chromium.go(&world.admin_at(path)).await;
        chromium.heading("You are not one of the administrators").await;
    }
    assert_eq!(noise(&chromium).await, NOTHING);
}

async fn count(chromium: &Chromium, selector: &str) -> u64 {
    let script = "return document.querySelectorAll(arguments[0]).length";
    let count = chromium.execute(script, vec![selector.into()]).await;
    count.as_u64().expect("a number")
}

/// The page of an attempt that came to nothing, by the reference that its page showed.
pub async fn looks_at_an_attempt(chromium: &Chromium) -> World {
    let (world, _) = busy_house().await;
    let client = world.web_client("a program with a name that is far too long for a phone").await;
    let elsewhere = [("redirect_uri", "https://client.example.com:8443/callback")];
    let page = world.browser().get(&client.authorize_url(&elsewhere)).await.expect(400).body;
    let shown = page.split("Reference: <code>").nth(1).expect("it has a reference");
    let reference = shown.split('<').next().expect("it ends");
    world.write_attempts().await;
    chromium.go(&world.admin_at("/admin/")).await;
    chromium.heading("Overview").await;
    chromium.go(&world.admin_at(&format!("/admin/attempts/{reference}"))).await;
    chromium.heading("Sign-in attempt").await;
    world
}
