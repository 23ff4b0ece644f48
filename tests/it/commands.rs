//! The commands, as the program that an operator runs.

use crate::support::process::run;
use crate::support::{Backend, World, on_both};

on_both! {
    async fn check_judges_what_serve_would_refuse(backend: Backend) {
        let world = World::start(backend).await;
        let folder = tempfile::tempdir().unwrap();
        let (code, said) = run(&world, folder.path(), "check", &[]).await;
        assert_eq!(code, Some(0), "{said}");
        for (name, value, setting) in [
            ("CUSTOM_SCHEME_REDIRECTS", "https://e.com/cb", "custom_scheme_redirects"),
            ("CUSTOM_SCHEME_REDIRECTS", "javascript://x/y", "custom_scheme_redirects"),
            ("LOG", "gatehouse=loud", "log"),
        ] {
            let (code, said) = run(&world, folder.path(), "check", &[(name, value)]).await;
            assert_eq!(code, Some(1), "{value}: {said}");
            assert!(said.contains(&format!("FAIL  {setting}: ")), "{value}: {said}");
            // The rest is judged as well.
            assert!(said.contains("ok    database"), "{value}: {said}");
        }
    }
}
