//! Replicas are stopped and started one after another, and no request fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::{
    Answer, Backend, McpClient, OAuthClient, Process, Tokens, World, free_port, on_both,
};

const WALKERS: usize = 3;
/// What all of them do together between two restarts.
const LAPS: usize = 10 * WALKERS;

/// Hands requests to replicas in turn, to none that does not say that it is ready.
struct Balancer {
    replicas: Vec<(String, AtomicBool)>,
    turn: AtomicUsize,
    laps: AtomicUsize,
    is_over: AtomicBool,
}

impl Balancer {
    /// The next replica that is ready.
    async fn next(&self) -> &str {
        loop {
            let turn = self.turn.fetch_add(1, Ordering::SeqCst) % self.replicas.len();
            let (url, is_ready) = &self.replicas[turn];
            if is_ready.load(Ordering::SeqCst) {
                return url;
            }
            tokio::task::yield_now().await;
        }
    }

    /// Asks a replica again and again whether it is ready.
    async fn look(self: Arc<Self>, number: usize, admin_url: String, http: reqwest::Client) {
        let url = format!("{admin_url}/readyz");
        while !self.is_over.load(Ordering::SeqCst) {
            let answer = Answer::to(http.get(&url)).await;
            self.replicas[number].1.store(answer.status == 200, Ordering::SeqCst);
            tokio::task::yield_now().await;
        }
    }

    async fn is_ready(&self, number: usize, expected: bool) {
        while self.replicas[number].1.load(Ordering::SeqCst) != expected {
            tokio::task::yield_now().await;
        }
    }
}

/// A client at work. Whatever is not answered as it should be is a failure.
async fn walk(balancer: Arc<Balancer>, client: OAuthClient, mcp: McpClient, mut tokens: Tokens) {
    while !balancer.is_over.load(Ordering::SeqCst) {
        let url = balancer.next().await;
        tokens = Tokens::of(&client.at(url).refresh(tokens.refresh_token()).await);
        let mcp = mcp.clone().with_token(&tokens.access_token).at(balancer.next().await);
        let listed = mcp.call("tools/list", json!({})).await.expect(200).json();
        assert!(listed["result"]["tools"].is_array(), "{listed}");
        let url = balancer.next().await;
        let metadata = format!("{url}/.well-known/oauth-authorization-server");
        Answer::to(client.http.get(metadata)).await.expect(200);
        balancer.laps.fetch_add(1, Ordering::SeqCst);
    }
}

on_both! {
    async fn a_rolling_restart_under_load_fails_no_request(backend: Backend) {
        let mut world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let public_url = format!("http://{address}");
        let settings = [
            ("PUBLIC_URL", public_url.as_str()),
            ("LIMIT_TOKEN", "1000000/1m"),
            ("LIMIT_MCP", "1000000/1m"),
            ("STOP_DELAY", "2s"),
        ];
        let first = Process::start_at(&address, &world, folder.path(), "p0", &settings).await;
        let second = Process::start(&world, folder.path(), "p1", &settings).await;
        let mut processes = [first, second];
        world.url.clone_from(&public_url);
        world.local = public_url.clone();
        world.auth0.in_real_time();

        let ready = |process: &Process| (process.url.clone(), AtomicBool::new(false));
        let balancer = Arc::new(Balancer {
            replicas: processes.iter().map(ready).collect(),
            turn: AtomicUsize::new(0),
            laps: AtomicUsize::new(0),
            is_over: AtomicBool::new(false),
        });
        for (number, process) in processes.iter().enumerate() {
            let admin_url = process.admin_url.clone();
            tokio::spawn(Arc::clone(&balancer).look(number, admin_url, world.http.clone()));
        }
        let client = world.client("editor").await;
        let mut walkers = Vec::new();
        for number in 0..WALKERS {
            let tokens = client.signed_in(&world, &format!("person{number}")).await;
            let mcp = world.mcp(&tokens.access_token);
            walkers.push(tokio::spawn(walk(Arc::clone(&balancer), client.clone(), mcp, tokens)));
        }
        let go_on = async || {
            let goal = balancer.laps.load(Ordering::SeqCst) + LAPS;
            let has_failed = || walkers.iter().any(tokio::task::JoinHandle::is_finished);
            while balancer.laps.load(Ordering::SeqCst) < goal && !has_failed() {
                tokio::task::yield_now().await;
            }
        };
        for (number, process) in processes.iter_mut().enumerate() {
            balancer.is_ready(number, true).await;
            go_on().await;
            process.terminate();
            balancer.is_ready(number, false).await;
            assert_eq!(process.ended().await, Some(0), "{}", process.written());
            go_on().await;
            process.start_again(&world).await;
            balancer.is_ready(number, true).await;
            go_on().await;
        }
        balancer.is_over.store(true, Ordering::SeqCst);
        for walker in walkers {
            walker.await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_told_to_stop_says_so_before_it_closes() {
    let world = World::start(Backend::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    // Longer than the story takes: a second signal ends it.
    let settings = [("STOP_DELAY", "5m")];
    let mut process = Process::start(&world, folder.path(), "p", &settings).await;
    let readiness = || Answer::to(world.http.get(format!("{}/readyz", process.admin_url)));
    readiness().await.expect(200);
    process.terminate();
    let answer = loop {
        let answer = readiness().await;
        if answer.status != 200 {
            break answer.expect(503).json();
        }
        tokio::task::yield_now().await;
    };
    let needs = answer["needs"].as_array().unwrap();
    let it_is = |need: &&Value| need["name"] == "not_stopping" && need["ready"] == false;
    assert_eq!(needs.iter().filter(it_is).count(), 1, "{answer}");
    // It goes on, and lets no connection be kept.
    let url = format!("{}/.well-known/jwks.json", process.url);
    let answer = Answer::to(world.http.get(&url)).await.expect(200);
    assert_eq!(answer.header("connection"), Some("close"));
    process.terminate();
    assert_eq!(process.ended().await, Some(0), "{}", process.written());
}
