//! The commands, as the program that an operator runs.

use crate::support::process::run;
use crate::support::{Backend, Process, World, on_both};

on_both! {
    async fn check_judges_what_serve_would_refuse(backend: Backend) {
        let world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let (code, said) = run(&world, folder.path(), "check", &[]).await;
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("ok    API reference"), "{said}");
        assert!(said.contains("of gatehouse"), "{said}");
        let broken = folder.path().join("broken.yaml");
        std::fs::write(&broken, "openapi: 3.1.0\npaths: [").unwrap();
        let broken = format!("x={}", broken.display());
        for (name, value, setting) in [
            ("CUSTOM_SCHEME_REDIRECTS", "https://e.com/cb", "custom_scheme_redirects"),
            ("CUSTOM_SCHEME_REDIRECTS", "javascript://x/y", "custom_scheme_redirects"),
            ("LOG", "gatehouse=loud", "log"),
            ("API_SPECS", "x=nowhere.yaml", "api_specs"),
            ("API_SPECS", &broken, "api_specs"),
        ] {
            let (code, said) = run(&world, folder.path(), "check", &[(name, value)]).await;
            assert_eq!(code, Some(1), "{value}: {said}");
            assert!(said.contains(&format!("FAIL  {setting}: ")), "{value}: {said}");
            // The rest is judged as well.
            assert!(said.contains("ok    database"), "{value}: {said}");
        }
        let (_, said) = run(&world, folder.path(), "check", &[("API_SPECS", &broken)]).await;
        assert!(said.contains("broken.yaml"), "{said}");
        let ours = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference");
        let (code, said) = run(&world, folder.path(), "check", &[("API_SPECS", ours)]).await;
        assert_eq!(code, Some(0), "{said}");
        assert!(said.contains("pages of harbour, lighthouse, signals"), "{said}");
    }

    async fn a_server_is_asked_whether_it_is_ready(backend: Backend) {
        let world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let mut process = Process::start(&world, folder.path(), "p", &[]).await;
        let listener = process.admin_url.trim_start_matches("http://").to_owned();
        let asked = [("ADMIN_LISTEN", listener.as_str())];
        for question in ["health", "health alive", "health ready"] {
            let (code, said) = run(&world, folder.path(), question, &asked).await;
            assert_eq!(code, Some(0), "{question}: {said}");
        }
        process.terminate();
        let folder = folder.path();
        while run(&world, folder, "health ready", &asked).await.0 == Some(0) {}
        process.kill();
        let (code, _) = run(&world, folder, "health alive", &asked).await;
        assert_eq!(code, Some(1));
    }
}
