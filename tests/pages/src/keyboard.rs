//! Everything by keyboard alone, and where the focus is can be seen.

use fantoccini::key::Key;
use serde_json::Value;

use crate::chromium::Chromium;
use crate::houses::{first_run, native_client, opens_the_door};
use crate::site::{CALLBACK, Site};
use crate::support::{Backend, World};

/// The label of what has the focus, after the key for the next one; none after the last.
async fn next(chromium: &Chromium) -> Option<String> {
    chromium.key(Key::Tab).await;
    let focused = "const it = document.activeElement;
        if (it === document.body || it === document.documentElement) return null;
        const label = it.labels?.[0] ?? it;
        const { outlineStyle, outlineWidth } = getComputedStyle(it);
        const { top, bottom } = it.getBoundingClientRect();
        return [label.innerText, outlineStyle, parseFloat(outlineWidth),
            bottom > 0 && top < innerHeight]";
    let focused = chromium.execute(focused, Vec::new()).await;
    let [Value::String(label), style, width, is_in_view] = focused.as_array()?.as_slice() else {
        panic!("{focused}");
    };
    assert_eq!(style, "solid", "the focus on {label} cannot be seen");
    assert!(width.as_f64() >= Some(2.0), "the focus on {label} can hardly be seen: {width}");
    assert_eq!(is_in_view, true, "{label} has the focus out of sight");
    Some(label.clone())
}

/// All that can have the focus, in order.
async fn round(chromium: &Chromium) -> Vec<String> {
    let mut labels = Vec::new();
    while let Some(label) = next(chromium).await {
        labels.push(label);
        assert!(labels.len() < 50, "the focus never leaves the page: {labels:?}");
    }
    labels
}

async fn move_to(chromium: &Chromium, label: &str) {
    loop {
        let found = next(chromium).await.unwrap_or_else(|| panic!("no way to {label}"));
        if found.starts_with(label) {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_whole_sign_in_needs_no_mouse() {
    let world = first_run().await;
    let mut site = Site::start().await;
    let client = native_client(&world, "editor", &site).await;
    let chromium = Chromium::open().await;
    chromium.go(&client.authorize_url(&[])).await;
    move_to(&chromium, "Allow and sign in").await;
    chromium.key(Key::Enter).await;
    chromium.heading("Development sign-in").await;
    // What stands in a field is selected when it is reached, so that typing replaces it.
    move_to(&chromium, "E-mail address").await;
    chromium.write("carol@example.com").await;
    move_to(&chromium, "Name").await;
    chromium.write("Carol").await;
    move_to(&chromium, "Sign in").await;
    chromium.key(Key::Enter).await;
    let received = site.visited(CALLBACK).await;
    let claims = opens_the_door(&world, &client, &received).await;
    assert!(claims["sub"].is_string(), "{claims}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_focus_goes_through_the_question_in_the_order_it_is_read() {
    let settings =
        [("privacy_url", "https://example.com/privacy"), ("signup_url", "https://example.com/new")];
    let world = World::with(Backend::Sqlite, &settings).await;
    let client = world.client("editor").await;
    let chromium = Chromium::open().await;
    chromium.go(&client.authorize_url(&[])).await;
    let order = ["Privacy policy", "Allow and sign in with your account", "Deny", "Create one"];
    assert_eq!(round(&chromium).await, order);
    move_to(&chromium, "Deny").await;
    chromium.key(Key::Enter).await;
    chromium.heading("Access denied").await;
    assert_eq!(round(&chromium).await, ["Tell the program and return to it"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_front_door_opens_by_keyboard() {
    let world = first_run().await;
    let chromium = Chromium::open().await;
    chromium.go(&world.at("/")).await;
    assert!(!chromium.text().await.contains("gemini mcp add"));
    move_to(&chromium, "Gemini CLI").await;
    chromium.key(Key::Enter).await;
    assert!(chromium.text().await.contains("gemini mcp add"));
    move_to(&chromium, "Codex CLI").await;
    move_to(&chromium, "Others").await;
    move_to(&chromium, "Your account").await;
    assert_eq!(next(&chromium).await, None);
}
