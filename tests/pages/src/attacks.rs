//! Attempts on a person who is at the house, each with a browser between.

use fantoccini::Locator;

use crate::chromium::{Chromium, Habits};
use crate::houses::{PUBLIC_NAME, Production, first_run, native_client};
use crate::site::{CALLBACK, Site};
use crate::support::browser::form;
use crate::support::{Backend, MINUTE, OAuthClient, Person, World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_can_be_framed() {
    let world = first_run().await;
    let client = world.client("editor").await;
    for (url, said) in [
        (client.authorize_url(&[]), "Allow"),
        (client.authorize_url(&[("client_id", "x")]), "not known"),
        (world.at("/mcp/callback"), "expired"),
        (world.at("/"), "documentation"),
    ] {
        let frame =
            format!("<h1>Harmless</h1><iframe src='{}'></iframe>", url.replace('&', "&amp;"));
        let site = Site::with(&[("/", &frame)]).await;
        let chromium = Chromium::open().await;
        // By itself it is shown.
        chromium.go(&url).await;
        assert!(chromium.text().await.contains(said), "{url}");
        chromium.go(&site.at("/")).await;
        chromium.heading("Harmless").await;
        chromium.client.enter_frame(0).await.expect("there is a frame");
        let framed = chromium.text().await;
        assert!(!framed.contains(said), "{url} is framed: {framed}");
        let console = format!("{:?}", chromium.log("browser").await);
        assert!(console.contains("frame-ancestors 'none'"), "{console}");
    }
}

/// A page that sends a form by itself, as soon as it is seen.
fn sends(action: &str, fields: &[(String, String)]) -> String {
    let inputs = fields
        .iter()
        .map(|(name, value)| format!("<input type=hidden name=\"{name}\" value=\"{value}\">"));
    let inputs: String = inputs.collect();
    format!(
        "<form method=post action=\"{action}\">{inputs}</form>\
             <script>document.forms[0].submit()</script>"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_another_site_sends_decides_nothing() {
    let mut house = Production::start().await;
    let client = house.world.web_client("Web").await;
    let chromium = Chromium::with(Habits::on(&house.web)).await;
    // The person looks at a question, whose form the other site knows. Worse cannot be.
    chromium.go(&house.authorize_url(&client, &[])).await;
    let page = chromium.client.source().await.expect("a page has a source");
    let mut fields = form(&page).fields;
    fields.push(("decision".to_owned(), "approve".to_owned()));
    let page = sends(&format!("{}/oauth/consent", house.world.url), &fields);
    let evil = Site::with(&[("/", &page)]).await;
    chromium.go(&evil.at("/")).await;
    chromium.heading("This form did not come from here").await;
    assert_eq!(house.site.visits_to(CALLBACK), 0);
    assert_eq!(house.world.auth0.requests().await.len(), 0);
    // Nor was it used up: the person can still answer.
    chromium.client.back().await.expect("there is a way back");
    chromium.press("Allow and sign in").await;
    house.site.visited(CALLBACK).await;
}

/// Somebody who has begun a sign-in elsewhere: the address that would finish it in their name, and
/// the cookie that it takes.
async fn begun_elsewhere(world: &World, client: &OAuthClient) -> (String, String) {
    let mut mallory = world.browser();
    let local = OAuthClient { url: world.local.clone(), ..client.clone() };
    let page = mallory.get(&local.authorize_url(&[])).await.expect(200).body;
    let mut fields = form(&page).fields;
    fields.push(("decision".to_owned(), "approve".to_owned()));
    let request = world.http.post(world.at("/oauth/consent")).form(&fields);
    let answer = mallory.send(request.header("origin", &world.url)).await;
    let location = answer.location();
    let cookie = answer.header("set-cookie").expect("a login has a cookie");
    let cookie = cookie.split(';').next().expect("it has a value").to_owned();
    let callback = world.auth0.log_in(&location, &Person::named("mallory"));
    (callback, cookie)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_that_somebody_else_began_is_not_finished_here() {
    let mut house = Production::start().await;
    let client = house.world.web_client("Web").await;
    let (callback, _) = begun_elsewhere(&house.world, &client).await;
    let chromium = Chromium::with(Habits::on(&house.web)).await;
    // Whether or not the person has something under way.
    for is_asked in [false, true] {
        if is_asked {
            chromium.go(&house.authorize_url(&client, &[("prompt", "consent")])).await;
            chromium.press("Allow and sign in").await;
            house.site.visited(CALLBACK).await;
        }
        chromium.go(&callback).await;
        chromium.heading("This sign-in began in another browser").await;
    }
    assert_eq!(house.site.visits_to(CALLBACK), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_cannot_plant_the_cookie_of_their_own_sign_in() {
    let plant = |cookie: &str| {
        format!(
            "<h1>Neighbour</h1><script>
            document.cookie = 'planted=1; Domain=example.com; Path=/; Secure';
            document.cookie = '{cookie}; Domain=example.com; Path=/; Secure';
            document.querySelector('h1').textContent = `Has ${{document.cookie}}`;
        </script>"
        )
    };
    let house = Production::start().await;
    let client = house.world.web_client("Web").await;
    let (callback, cookie) = begun_elsewhere(&house.world, &client).await;
    let neighbour = Site::with(&[("/", &plant(&cookie))]).await;
    let web = house.web_with(&[("neighbour.example.com", neighbour.port)]).await;
    let chromium = Chromium::with(Habits::on(&web)).await;
    chromium.go("https://neighbour.example.com/").await;
    // A cookie for the whole domain can be planted, only not one of the house's.
    let planted = chromium.heading("Has").await;
    assert!(planted.contains("planted=1"), "{planted}");
    chromium.go(&callback).await;
    chromium.heading("This sign-in began in another browser").await;
    assert!(chromium.url().await.contains(PUBLIC_NAME));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leads_away_to_where_an_address_says() {
    let world = first_run().await;
    let mut evil = Site::start().await;
    let honest = world.client("editor").await;
    let registered = native_client(&world, "registered by somebody", &evil).await;
    let chromium = Chromium::open().await;
    let there = evil.at(CALLBACK);
    let encoded: String = url::form_urlencoded::byte_serialize(there.as_bytes()).collect();
    let host = format!("127.0.0.1:{}", evil.port);
    for url in [
        honest.authorize_url(&[("redirect_uri", &there)]),
        honest.authorize_url(&[("redirect_uri", &format!("{}@{host}", honest.redirect_uri))]),
        // Registered, and yet nobody has agreed to go there (RFC 9700 §4.11.2).
        registered.authorize_url(&[("response_type", "token")]),
        registered.authorize_url(&[("prompt", "none")]),
        world.at(&format!("/mcp/callback?error=access_denied&redirect_uri={encoded}")),
        world.at(&format!("/mcp/callback?state=x&code=y&next={encoded}&return_to={encoded}")),
        world.at(&format!("/dev-provider/authorize?redirect_uri={encoded}&state=x")),
        world.at(&format!("//{host}/callback")),
        world.at(&format!("/\\{host}/callback")),
        world.at(&format!("/?next={encoded}")),
    ] {
        chromium.go(&url).await;
        assert!(chromium.url().await.starts_with(&format!("{}/", world.url)), "{url}");
        let links = chromium.client.find_all(Locator::Css("a, form")).await.expect("a page");
        for link in links {
            let to = link.attr("href").await.expect("it is there").unwrap_or_default();
            // To a client that registered it there is a labelled link, and it says no more.
            assert!(!to.contains(&host) || to.contains("error="), "{url} offers {to}");
            assert!(!to.contains("code="), "{url} offers {to}");
        }
    }
    assert_eq!(evil.visits_to(CALLBACK), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_was_left_lying_has_expired() {
    let world = first_run().await;
    let client = world.client("editor").await;
    let chromium = Chromium::open().await;
    chromium.go(&client.authorize_url(&[])).await;
    world.advance(10 * MINUTE);
    chromium.press("Allow and sign in").await;
    let told = chromium.heading("This request has expired").await;
    assert!(told.contains("connect again"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_blocks_cookies_is_told_so() {
    let world = World::with(Backend::Sqlite, &[]).await;
    let client = world.client("editor").await;
    let chromium = Chromium::with(Habits { is_without_cookies: true, ..Habits::default() }).await;
    chromium.go(&client.authorize_url(&[])).await;
    chromium.press("Allow and sign in").await;
    let told = chromium.heading("This form did not come from here").await;
    assert!(told.contains("Cookies may be blocked"), "{told}");
    assert_eq!(world.auth0.requests().await.len(), 0);
}
