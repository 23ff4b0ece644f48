//! No, later, again: what the buttons of a browser do to a sign-in.

use crate::chromium::{Chromium, Habits};
use crate::houses::{first_run, native_client, opens_the_door};
use crate::site::{CALLBACK, Site};
use crate::support::answer::query;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_no_is_said_here_and_told_to_the_program_only_by_the_person() {
    let world = first_run().await;
    let mut site = Site::start().await;
    let client = native_client(&world, "editor", &site).await;
    let chromium = Chromium::open().await;
    chromium.go(&client.authorize_url(&[])).await;
    chromium.press("Deny").await;
    let told = chromium.heading("Access denied").await;
    assert!(told.contains("The program got nothing"), "{told}");
    assert!(chromium.url().await.starts_with(&world.url));
    assert_eq!(site.visits_to(CALLBACK), 0);
    chromium.press("Tell the program and return to it").await;
    let received = site.visited(CALLBACK).await;
    let received = site.at(&received);
    assert_eq!(query(&received, "error").as_deref(), Some("access_denied"));
    assert_eq!(query(&received, "state").as_deref(), Some("client-state"));
    assert_eq!(query(&received, "iss").as_deref(), Some(world.url.as_str()));
    assert_eq!(query(&received, "code"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_back_after_a_no_may_say_yes() {
    let world = first_run().await;
    let mut site = Site::start().await;
    let client = native_client(&world, "editor", &site).await;
    let chromium = Chromium::open().await;
    chromium.go(&client.authorize_url(&[])).await;
    chromium.press("Deny").await;
    chromium.heading("Access denied").await;
    chromium.client.back().await.expect("there is a way back");
    chromium.heading("Allow “editor”").await;
    chromium.press("Allow and sign in").await;
    chromium.log_in().await;
    opens_the_door(&world, &client, &site.visited(CALLBACK).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_to_an_answered_question_is_told_that_it_is() {
    let world = first_run().await;
    let mut site = Site::start().await;
    let client = native_client(&world, "editor", &site).await;
    let chromium = Chromium::with(Habits { is_keeping_pages: true, ..Habits::default() }).await;
    chromium.go(&client.authorize_url(&[])).await;
    chromium.press("Deny").await;
    chromium.heading("Access denied").await;
    // The page as it was left, with the form that was sent.
    chromium.client.back().await.expect("there is a way back");
    chromium.press("Allow and sign in").await;
    let told = chromium.heading("You have answered this already").await;
    assert!(told.contains("go back to your client and connect again"), "{told}");
    assert_eq!(site.visits_to(CALLBACK), 0);
    chromium.go(&client.authorize_url(&[])).await;
    chromium.press("Allow and sign in").await;
    chromium.log_in().await;
    opens_the_door(&world, &client, &site.visited(CALLBACK).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_goes_back_after_a_yes_is_told_and_may_begin_again() {
    let world = first_run().await;
    let mut site = Site::start().await;
    let client = native_client(&world, "editor", &site).await;
    let chromium = Chromium::open().await;
    chromium.go(&client.authorize_url(&[])).await;
    chromium.press("Allow and sign in").await;
    chromium.log_in().await;
    opens_the_door(&world, &client, &site.visited(CALLBACK).await).await;
    chromium.heading("Received").await;
    // The form of the provider is still there, and leads to a sign-in that is over.
    chromium.client.back().await.expect("there is a way back");
    chromium.log_in().await;
    let told = chromium.heading("This sign-in is finished").await;
    assert!(told.contains("go back to your client and connect again"), "{told}");
    assert_eq!(site.visits_to(CALLBACK), 0);
    // Further back the question is asked anew.
    chromium.client.back().await.expect("there is a way back");
    chromium.heading("Development sign-in").await;
    chromium.client.back().await.expect("there is a way back");
    chromium.heading("Allow “editor”").await;
    chromium.press("Allow and sign in").await;
    chromium.log_in().await;
    opens_the_door(&world, &client, &site.visited(CALLBACK).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_that_was_loaded_again_can_be_answered() {
    let world = first_run().await;
    let mut site = Site::start().await;
    let client = native_client(&world, "editor", &site).await;
    let chromium = Chromium::open().await;
    chromium.go(&client.authorize_url(&[])).await;
    for _ in 0..2 {
        chromium.client.refresh().await.expect("it loads again");
        chromium.heading("Allow “editor”").await;
    }
    chromium.press("Allow and sign in").await;
    chromium.heading("Development sign-in").await;
    chromium.client.refresh().await.expect("it loads again");
    chromium.log_in().await;
    opens_the_door(&world, &client, &site.visited(CALLBACK).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_presses_a_button_twice_goes_on_or_is_told_how() {
    let world = first_run().await;
    let mut site = Site::start().await;
    let client = native_client(&world, "editor", &site).await;
    let chromium = Chromium::open().await;
    for (button, next, told) in [
        ("Allow and sign in", "Development sign-in", "You have answered this already"),
        ("Sign in", "Received", "This sign-in is finished"),
    ] {
        chromium.go(&client.authorize_url(&[])).await;
        if button == "Sign in" {
            chromium.press("Allow and sign in").await;
            chromium.heading("Development sign-in").await;
        }
        // The second time may come before, while or after the first is answered.
        chromium.press_twice(button).await;
        let (heading, text) = chromium.either_heading(next, told).await;
        if heading == told {
            assert!(text.contains("go back to your client and connect again"), "{text}");
            assert_eq!(site.visits_to(CALLBACK), 0);
        }
    }
    site.visits_to(CALLBACK);
    chromium.go(&client.authorize_url(&[])).await;
    chromium.press("Allow and sign in").await;
    chromium.log_in().await;
    opens_the_door(&world, &client, &site.visited(CALLBACK).await).await;
}
