//! Where a change of files is ours: in the folders of the corpus, and on the way to them.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    path::{Component, Path, PathBuf},
};

use notify::Event;

/// As many links as Linux follows in one path.
const LINKS_MAX: usize = 40;

/// The folders, and the way to them.
pub(super) struct Ground {
    folders: Vec<PathBuf>,
    /// The names on the way to the folders.
    way: BTreeSet<PathBuf>,
}

impl Ground {
    /// Of these folders, as the file system is now.
    pub fn of(folders: &[PathBuf]) -> Self {
        // Events name absolute paths.
        let absolute = |folder: &PathBuf| std::path::absolute(folder).unwrap_or(folder.clone());
        let folders: Vec<_> = folders.iter().map(absolute).collect();
        let way = folders.iter().flat_map(|folder| way_to(folder)).collect();
        Self { folders, way }
    }

    /// Every folder that the way leads through: where its names come and go.
    pub fn above(&self) -> BTreeSet<PathBuf> {
        self.way.iter().filter_map(|name| name.parent()).map(Path::to_path_buf).collect()
    }

    /// Whether what is told may change a page.
    pub fn concerns(&self, event: &Event) -> bool {
        // Reading is an event too, and re-indexing reads: it would set itself off for ever.
        if event.kind.is_access() {
            return false;
        }
        let is_ours = |path: &PathBuf| {
            self.way.contains(path) || self.folders.iter().any(|folder| path.starts_with(folder))
        };
        // Without a path it says that others were lost.
        event.paths.is_empty() || event.paths.iter().any(is_ours)
    }
}

/// Every name that leads to a folder, given by an absolute path; each lies in a folder that is no
/// link. Where one of them comes, goes or is replaced, the way may lead elsewhere.
fn way_to(folder: &Path) -> Vec<PathBuf> {
    let mut ahead = Vec::new();
    push_components(&mut ahead, folder);
    let (mut here, mut way, mut links) = (PathBuf::new(), Vec::new(), 0);
    while let Some(part) = ahead.pop() {
        let next = here.join(&part);
        if part == ".." {
            here.pop();
            continue;
        }
        if next.parent().is_some() {
            way.push(next.clone());
        }
        match fs::read_link(&next) {
            Ok(target) if links < LINKS_MAX => {
                links += 1;
                push_components(&mut ahead, &target);
            }
            _ => here = next,
        }
    }
    way
}

/// The parts of a path, the first one on top.
fn push_components(ahead: &mut Vec<OsString>, path: &Path) {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    ahead.extend(parts.rev().map(|part| part.as_os_str().to_owned()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn the_way_leads_through_links_and_a_neighbour_is_none_of_ours() {
        use notify::event::{AccessKind, CreateKind, EventKind};
        use std::os::unix::fs::symlink;
        let place = tempfile::tempdir().unwrap();
        let place = place.path().canonicalize().unwrap();
        fs::create_dir_all(place.join("real/docs")).unwrap();
        fs::create_dir(place.join("links")).unwrap();
        symlink("../real", place.join("links/site")).unwrap();
        symlink(place.join("round"), place.join("round")).unwrap();
        let folder = place.join("links/site/docs");
        let way = way_to(&folder);
        let below: Vec<_> = way.iter().filter_map(|name| name.strip_prefix(&place).ok()).collect();
        let names: Vec<_> = ["", "links", "links/site", "real", "real/docs"].map(Path::new).into();
        assert_eq!(below, names);
        let round = way_to(&place.join("round"));
        let turns = round.iter().filter(|name| name.ends_with("round")).count();
        assert_eq!(turns, LINKS_MAX + 1);

        let ground = Ground::of(std::slice::from_ref(&folder));
        let created = EventKind::Create(CreateKind::Any);
        for (path, kind, ours) in [
            ("links/site/docs/a.md", created, true),
            ("links/site", created, true),
            ("real/docs", created, true),
            ("real/other", created, false),
            ("links/site/docs/a.md", EventKind::Access(AccessKind::Any), false),
        ] {
            let event = Event::new(kind).add_path(place.join(path));
            assert_eq!(ground.concerns(&event), ours, "{path}");
        }
        assert!(ground.concerns(&Event::new(EventKind::Other)));
    }
}
