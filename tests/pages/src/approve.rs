//! Yes: the code arrives, wherever the client lives and however its person gets there.

use crate::chromium::{Chromium, Habits};
use crate::houses::{CLIENT_NAME, Production, first_run, native_client, opens_the_door};
use crate::judge::noise;
use crate::site::{CALLBACK, Site};
use crate::support::answer::query;

const NOTHING: [String; 0] = [];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_on_this_machine_is_allowed_and_gets_a_code_that_works() {
    let world = first_run().await;
    let mut site = Site::start().await;
    let client = native_client(&world, "editor", &site).await;
    let chromium = Chromium::open().await;
    chromium.go(&client.authorize_url(&[])).await;
    chromium.heading("Allow “editor”").await;
    chromium.press("Allow and sign in").await;
    chromium.log_in().await;
    let received = site.visited(CALLBACK).await;
    chromium.heading("Received").await;
    let claims = opens_the_door(&world, &client, &received).await;
    assert_eq!(claims["client_id"], client.client_id.as_str());
    assert_eq!(noise(&chromium).await, NOTHING);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_is_allowed_and_gets_a_code_through_a_provider_that_asks_nothing() {
    let mut house = Production::start().await;
    let client = house.world.web_client("Web").await;
    let chromium = Chromium::with(Habits::on(&house.web)).await;
    chromium.go(&house.authorize_url(&client, &[])).await;
    // Form, provider, callback and client are one chain of redirects (BP-04).
    chromium.press("Allow and sign in").await;
    let received = house.site.visited(CALLBACK).await;
    chromium.heading("Received").await;
    opens_the_door(&house.world, &client, &received).await;
    // The second time nobody is asked.
    chromium.go(&house.authorize_url(&client, &[])).await;
    let received = house.site.visited(CALLBACK).await;
    opens_the_door(&house.world, &client, &received).await;
    assert_eq!(noise(&chromium).await, NOTHING);
}

/// What sites do that connect in a small window: it tells its opener, and closes itself.
const OPENER: &str = "<h1>Not connected</h1><script>
    addEventListener('message', (event) => {
        document.querySelector('h1').textContent = `Connected: ${event.data}`;
    });
</script>";
const IN_POPUP: &str = "<h1>Received</h1><script>
    opener.postMessage(location.search, location.origin);
    close();
</script>";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_window_that_a_site_opened_tells_its_opener_and_closes() {
    let site = Site::with(&[("/", OPENER), (CALLBACK, IN_POPUP)]).await;
    let house = Production::with(site).await;
    let client = house.world.web_client("Web").await;
    let chromium = Chromium::with(Habits::on(&house.web)).await;
    chromium.go(&format!("https://{CLIENT_NAME}/")).await;
    let opener = chromium.client.window().await.expect("a window is open");
    let url = house.authorize_url(&client, &[]);
    chromium
        .execute("open(arguments[0], 'sign-in', 'width=480,height=640')", vec![url.into()])
        .await;
    let windows = chromium.client.windows().await.expect("windows can be counted");
    let small = windows.into_iter().find(|window| *window != opener).expect("one more is open");
    chromium.client.switch_to_window(small).await.expect("it can be looked at");
    chromium.press("Allow and sign in").await;
    chromium.client.switch_to_window(opener.clone()).await.expect("it is still open");
    let told = chromium.heading("Connected").await;
    let search = told.split_once("Connected: ").expect("it was told something").1;
    opens_the_door(&house.world, &client, &format!("{CALLBACK}{search}")).await;
    let left = chromium.client.windows().await.expect("windows can be counted");
    assert_eq!(left, [opener]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_tabs_of_one_browser_finish_in_the_other_order() {
    let world = first_run().await;
    let mut site = Site::start().await;
    let (one, two) =
        (native_client(&world, "one", &site).await, native_client(&world, "two", &site).await);
    let chromium = Chromium::open().await;
    let first = chromium.client.window().await.expect("a window is open");
    chromium.go(&one.authorize_url(&[("state", "first")])).await;
    let second = chromium.client.new_window(true).await.expect("a tab opens").handle;
    chromium.client.switch_to_window(second.clone()).await.expect("it can be looked at");
    chromium.go(&two.authorize_url(&[("state", "second")])).await;
    // Step by step, each time the other tab first.
    for tab in [&second, &first] {
        chromium.client.switch_to_window(tab.clone()).await.expect("it can be looked at");
        chromium.press("Allow and sign in").await;
        chromium.heading("Development sign-in").await;
    }
    for (tab, state, client) in [(second, "second", &two), (first, "first", &one)] {
        chromium.client.switch_to_window(tab).await.expect("it can be looked at");
        chromium.log_in().await;
        let received = site.visited(CALLBACK).await;
        let received = site.at(&received);
        assert_eq!(query(&received, "state").as_deref(), Some(state));
        client.exchange(&query(&received, "code").expect("a code")).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_javascript_everything_works() {
    let world = first_run().await;
    let page = "<h1>Without</h1><script>document.querySelector('h1').textContent = 'With'</script>";
    let mut site = Site::with(&[("/", page)]).await;
    let client = native_client(&world, "editor", &site).await;
    let habits = Habits { is_without_javascript: true, ..Habits::default() };
    let chromium = Chromium::with(habits).await;
    chromium.go(&site.at("/")).await;
    chromium.heading("Without").await;
    chromium.go(&world.at("/")).await;
    chromium
        .client
        .find(fantoccini::Locator::Css("details:not([open]) > summary"))
        .await
        .expect("some are folded")
        .click()
        .await
        .expect("it can be pressed");
    assert!(chromium.text().await.contains("Add custom connector"));
    chromium.go(&client.authorize_url(&[])).await;
    chromium.press("Allow and sign in").await;
    chromium.log_in().await;
    opens_the_door(&world, &client, &site.visited(CALLBACK).await).await;
}
