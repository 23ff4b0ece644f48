//! Several real processes on one database: what is used once is used once by all of them together,
//! and a process that dies takes no session with it.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::browser::form;
use crate::support::{Answer, Backend, OAuthClient, Person, Process, Tokens, World, on_both};

const PROCESSES: usize = 3;
const CALLERS: usize = 12;
const WALKERS: usize = 8;
const STEPS: usize = 40;
const KILLS: usize = 6;

/// Processes on the world's database that answer to one public address, that of the first.
async fn processes(world: &mut World, folder: &std::path::Path, count: usize) -> Vec<Process> {
    let first = Process::start(world, folder, "p0", &[]).await;
    let public_url = first.url.clone();
    world.url.clone_from(&public_url);
    world.local.clone_from(&public_url);
    world.auth0.in_real_time();
    let mut all = vec![first];
    for number in 1..count {
        let name = format!("p{number}");
        let settings = [("PUBLIC_URL", public_url.as_str())];
        all.push(Process::start(world, folder, &name, &settings).await);
    }
    all
}

/// Calls every process in turn, all at once.
async fn at_once<F>(urls: &[String], call: impl Fn(String) -> F) -> Vec<Answer>
where
    F: Future<Output = Answer> + Send + 'static,
{
    let calls: Vec<_> =
        (0..CALLERS).map(|n| tokio::spawn(call(urls[n % urls.len()].clone()))).collect();
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
        let processes = processes(&mut world, folder.path(), PROCESSES).await;
        let urls: Vec<_> = processes.iter().map(|process| process.url.clone()).collect();
        let client = world.client("editor").await;

        let tokens = client.signed_in(&world, "alice").await;
        let old = tokens.refresh_token().to_owned();
        let answers = at_once(&urls, |url| {
            let (client, old) = (client.at(&url), old.clone());
            async move { client.refresh(&old).await }
        }).await;
        let successors: HashSet<_> = answers.iter()
            .map(|answer| Tokens::of(answer).refresh_token().to_owned()).collect();
        assert_eq!(successors.len(), 1);

        let code = client.code(&world, "alice", &[]).await;
        let answers = at_once(&urls, |url| {
            let (client, code) = (client.at(&url), code.clone());
            async move { client.exchange(&code).await }
        }).await;
        assert_eq!((with_status(&answers, 200), with_status(&answers, 400)), (1, CALLERS - 1));

        let mut browser = world.browser();
        let page = browser.get(&client.authorize_url(&[])).await.expect(200).body;
        let request = form(&page).fields[0].1.clone();
        let answers = at_once(&urls, |url| {
            let (mut browser, request) = (browser.clone(), request.clone());
            let fields = [("request".to_owned(), request), ("decision".into(), "approve".into())];
            let post = world.http.post(format!("{url}/oauth/consent")).form(&fields);
            let post = post.header("origin", &world.url);
            async move { browser.send(post).await }
        }).await;
        assert_eq!((with_status(&answers, 303), with_status(&answers, 400)), (1, CALLERS - 1));

        let location = client.approve(&mut browser, &[]).await;
        let callback = world.auth0.log_in(&location, &Person::named("alice"));
        let answers = at_once(&urls, |url| {
            let (mut browser, callback) = (browser.clone(), callback.replace(&world.url, &url));
            async move { browser.get(&callback).await }
        }).await;
        assert_eq!((with_status(&answers, 303), with_status(&answers, 400)), (1, CALLERS - 1));
    }

    async fn a_killed_process_takes_no_session_with_it(backend: Backend) {
        let mut world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let settings_of_all = ("LIMIT_TOKEN", "100000/1m");
        let first = Process::start(&world, folder.path(), "p0", &[settings_of_all]).await;
        world.url.clone_from(&first.url);
        world.local.clone_from(&first.url);
        world.auth0.in_real_time();
        let public = ("PUBLIC_URL", first.url.clone());
        let settings = [settings_of_all, (public.0, public.1.as_str())];
        let second = Process::start(&world, folder.path(), "p1", &settings).await;
        let mut both = [first, second];
        let urls = Arc::new([both[0].url.clone(), both[1].url.clone()]);
        let client = world.client("editor").await;

        let steps_done = Arc::new(AtomicUsize::new(0));
        let mut walks = Vec::new();
        for number in 0..WALKERS {
            let tokens = client.signed_in(&world, &format!("person{number}")).await;
            let walk = walk(client.clone(), Arc::clone(&urls), tokens, Arc::clone(&steps_done));
            walks.push(tokio::spawn(walk));
        }
        let all = WALKERS * STEPS;
        for kill in 1..=KILLS {
            // The next kill comes when the walkers have gone a stretch further.
            while steps_done.load(Ordering::SeqCst) < all * kill / (KILLS + 1) {
                tokio::task::yield_now().await;
            }
            both[kill % 2].kill();
            both[kill % 2].start_again(&world).await;
        }
        for walk in walks {
            walk.await.unwrap();
        }
        for process in &both {
            // The search itself works: what must be there is found.
            assert!(process.written().contains("\"outcome\":\"rotated\""));
            assert!(!process.written().contains("\"outcome\":\"revoked\""));
        }
    }
}

/// A client that refreshes again and again, at whichever process answers. An answer that is lost is
/// asked for again with the same token, as an honest client does.
async fn walk(
    client: OAuthClient,
    urls: Arc<[String; 2]>,
    mut tokens: Tokens,
    steps_done: Arc<AtomicUsize>,
) {
    for step in 0..STEPS {
        let mut tries = step;
        tokens = loop {
            let there = client.at(&urls[tries % 2]);
            tries += 1;
            match there.try_refresh(tokens.refresh_token()).await {
                Some(answer) if answer.status != 503 => break Tokens::of(&answer),
                Some(_) | None => tokio::task::yield_now().await,
            }
        };
        steps_done.fetch_add(1, Ordering::SeqCst);
    }
}
