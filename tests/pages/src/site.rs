//! A web site of the story's own: the page of a client, or of somebody who means harm.

use std::collections::HashMap;

use poem::listener::TcpAcceptor;
use poem::{Endpoint, IntoResponse as _, Request, Server};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use crate::chromium::PATIENCE;

/// Where clients are answered.
pub const CALLBACK: &str = "/callback";

pub struct Site {
    pub port: u16,
    visits: UnboundedReceiver<String>,
    served: JoinHandle<()>,
}

/// Its pages by path. Every visit to one is told; a browser's search for an icon is not.
struct Pages {
    pages: HashMap<String, String>,
    told: UnboundedSender<String>,
}

impl Endpoint for Pages {
    type Output = poem::Response;

    async fn call(&self, request: Request) -> poem::Result<poem::Response> {
        let Some(page) = self.pages.get(request.uri().path()) else {
            return Ok(http::StatusCode::NOT_FOUND.into_response());
        };
        // A story that has seen enough does not listen any more.
        let _ = self.told.send(request.uri().to_string());
        Ok(poem::web::Html(page.clone()).into_response())
    }
}

impl Site {
    /// A site with a page for answers at [`CALLBACK`] and nothing else.
    pub async fn start() -> Self {
        Self::with(&[]).await
    }

    /// A site that has these pages too.
    pub async fn with(pages: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        let acceptor = TcpAcceptor::from_tokio(listener).expect("it can be used");
        let (told, visits) = unbounded_channel();
        let received = (CALLBACK, "<title>Received</title><h1>Received</h1>");
        let pages = [&received].into_iter().chain(pages);
        let pages = pages
            .map(|(path, body)| {
                let head = "<meta charset=utf-8><link rel=icon href='data:,'>";
                let page = format!("<!doctype html><html lang=en>{head}{body}");
                ((*path).to_owned(), page)
            })
            .collect();
        let pages = Pages { pages, told };
        let served = tokio::spawn(async move {
            Server::new_with_acceptor(acceptor).run(pages).await.expect("the site is served");
        });
        Self { port, visits, served }
    }

    pub fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Waits for the next visit to `path`; the path and the query of it.
    pub async fn visited(&mut self, path: &str) -> String {
        let visit = async {
            loop {
                let visit = self.visits.recv().await.expect("the site is served");
                if visit.split('?').next() == Some(path) {
                    return visit;
                }
            }
        };
        let visit = tokio::time::timeout(PATIENCE, visit).await;
        visit.unwrap_or_else(|_| panic!("nobody came to {path}"))
    }

    /// How often `path` was visited since somebody waited for a visit.
    pub fn visits_to(&mut self, path: &str) -> usize {
        let visits = std::iter::from_fn(|| self.visits.try_recv().ok());
        visits.filter(|visit| visit.split('?').next() == Some(path)).count()
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.served.abort();
    }
}
