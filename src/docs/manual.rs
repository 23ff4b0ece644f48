//! The manual of Gatehouse itself, compiled in: the corpus of a server that was given no folder.

/// A file of `docs/`, by its path there.
macro_rules! page {
    ($path:literal) => {
        ($path, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/", $path)))
    };
}

/// Paths relative to `docs/`, and the texts. A new file of the manual is one line here.
pub const PAGES: &[(&str, &str)] = &[
    page!("index.md"),
    page!("connect.md"),
    page!("settings.md"),
    page!("operating.md"),
    page!("monitoring.md"),
    page!("performance.md"),
    page!("sizing.md"),
    page!("postgres.md"),
    page!("rollout.md"),
    page!("runbooks.md"),
    page!("auth0.md"),
    page!("providers.md"),
    page!("clients.md"),
    page!("tools.md"),
    page!("site-login.md"),
    page!("concepts.md"),
    page!("concurrency.md"),
    page!("security.md"),
    page!("privacy.md"),
];

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn every_file_of_the_manual_is_listed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        let on_disk: BTreeSet<String> = fs::read_dir(&folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| Path::new(name).extension().is_some_and(|it| it == "md"))
            .collect();
        let listed: BTreeSet<String> = PAGES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(listed, on_disk, "list every docs/*.md in src/docs/manual.rs");
    }
}
