//! Several real processes on one database: what is used once is used once by all of them together,
//! and a process that dies takes no session with it.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::browser::form;
use crate::support::{
    Answer, Backend, OAuthClient, Person, Process, Relay, Tokens, World, free_port, on_both,
};

const PROCESSES: usize = 3;
const CALLERS: usize = 12;
const WALKERS: usize = 8;
const STEPS: usize = 40;
const KILLS: usize = 6;

/// Processes on the world's database behind a relay that gives each connection to the next of them,
/// which is the one address that the world knows.
async fn processes(
    world: &mut World,
    folder: &Path,
    count: usize,
    settings: &[(&str, &str)],
) -> (Relay, Vec<Process>) {
    let addresses: Vec<_> = (0..count).map(|_| format!("127.0.0.1:{}", free_port())).collect();
    let relay = Relay::to(addresses.clone()).await;
    let public_url = format!("http://{}", relay.address());
    let settings = [settings, &[("PUBLIC_URL", public_url.as_str())]].concat();
    let mut processes = Vec::new();
    for (number, address) in addresses.iter().enumerate() {
        let name = format!("p{number}");
        processes.push(Process::start_at(address, world, folder, &name, &settings).await);
    }
    world.url.clone_from(&public_url);
    world.local = public_url;
    world.auth0.in_real_time();
    // Every request is a connection of its own, and so goes to the next process.
    world.keep_no_connections();
    (relay, processes)
}

/// The same call from many callers at once.
async fn at_once<F>(call: impl Fn() -> F) -> Vec<Answer>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let calls: Vec<_> = (0..CALLERS).map(|_| tokio::spawn(call())).collect();
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap());
    }
    answers
}

fn with_status(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

on_both! {
    async fn processes_on_one_database_use_each_thing_once_together(backend: Backend) {
        let mut world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let (_relay, _processes) = processes(&mut world, folder.path(), PROCESSES, &[]).await;
        let client = world.client("editor").await;

        let tokens = client.signed_in(&world, "alice").await;
        let old = tokens.refresh_token().to_owned();
        let answers = at_once(|| {
            let (client, old) = (client.clone(), old.clone());
            async move { client.refresh(&old).await }
        }).await;
        let successors: HashSet<_> = answers.iter()
            .map(|answer| Tokens::of(answer).refresh_token().to_owned()).collect();
        assert_eq!(successors.len(), 1);

        let code = client.code(&world, "alice", &[]).await;
        let answers = at_once(|| {
            let (client, code) = (client.clone(), code.clone());
            async move { client.exchange(&code).await }
        }).await;
        assert_eq!((with_status(&answers, 200), with_status(&answers, 400)), (1, CALLERS - 1));

        let mut browser = world.browser();
        let page = browser.get(&client.authorize_url(&[])).await.expect(200).body;
        let request = form(&page).fields[0].1.clone();
        let answers = at_once(|| {
            let (mut browser, request) = (browser.clone(), request.clone());
            let fields = [("request".to_owned(), request), ("decision".into(), "approve".into())];
            let post = world.http.post(world.at("/oauth/consent")).form(&fields);
            let post = post.header("origin", &world.url);
            async move { browser.send(post).await }
        }).await;
        assert_eq!((with_status(&answers, 303), with_status(&answers, 400)), (1, CALLERS - 1));

        let location = client.approve(&mut browser, &[]).await;
        let callback = world.auth0.log_in(&location, &Person::named("alice"));
        let answers = at_once(|| {
            let (mut browser, callback) = (browser.clone(), callback.clone());
            async move { browser.get(&callback).await }
        }).await;
        assert_eq!((with_status(&answers, 303), with_status(&answers, 400)), (1, CALLERS - 1));
    }

    async fn a_killed_process_takes_no_session_with_it(backend: Backend) {
        let mut world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let settings = [("LIMIT_TOKEN", "100000/1m")];
        let (_relay, mut processes) = processes(&mut world, folder.path(), 2, &settings).await;
        let client = world.client("editor").await;

        let steps_done = Arc::new(AtomicUsize::new(0));
        let mut walks = Vec::new();
        for number in 0..WALKERS {
            let tokens = client.signed_in(&world, &format!("person{number}")).await;
            walks.push(tokio::spawn(walk(client.clone(), tokens, Arc::clone(&steps_done))));
        }
        let all = WALKERS * STEPS;
        for kill in 1..=KILLS {
            // The next kill comes when the walkers have gone a stretch further.
            let goal = all * kill / (KILLS + 1);
            // A walker that ended early has failed, and says why below.
            let goes_on = || walks.iter().all(|walk| !walk.is_finished());
            while steps_done.load(Ordering::SeqCst) < goal && goes_on() {
                tokio::task::yield_now().await;
            }
            processes[kill % 2].kill();
            processes[kill % 2].start_again(&world).await;
        }
        for walk in walks {
            walk.await.unwrap();
        }
        for process in &processes {
            // The search itself works: what must be there is found.
            assert!(process.written().contains("\"outcome\":\"rotated\""));
            assert!(!process.written().contains("\"outcome\":\"revoked\""));
        }
    }
}

/// A client that refreshes again and again, at whichever process is next. An answer that is lost is
/// asked for again with the same token, as an honest client does.
async fn walk(client: OAuthClient, mut tokens: Tokens, steps_done: Arc<AtomicUsize>) {
    for _ in 0..STEPS {
        tokens = loop {
            let answer = client.refresh(tokens.refresh_token()).await;
            // Nobody is there, or it cannot answer now.
            if !matches!(answer.status, 0 | 503) {
                break Tokens::of(&answer);
            }
            tokio::task::yield_now().await;
        };
        steps_done.fetch_add(1, Ordering::SeqCst);
    }
}
