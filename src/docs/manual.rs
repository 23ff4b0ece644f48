//! The manual of Gatehouse itself, compiled in: the corpus of a server that was given no folder.

/// Paths relative to `docs/`, and the texts. A new file of the manual is one line here.
pub const PAGES: &[(&str, &str)] = &[];

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    #[test]
    fn every_file_of_the_manual_is_listed() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        let Ok(entries) = fs::read_dir(&folder) else { return };
        let on_disk: BTreeSet<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".md"))
            .collect();
        let listed: BTreeSet<String> = PAGES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(listed, on_disk, "list every docs/*.md in src/docs/manual.rs");
    }
}
