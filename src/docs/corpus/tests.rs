//! The whole way from files to answers, on a real corpus if there is one.
//!
//! `GATEHOUSE_TEST_CORPUS` names a folder that holds `redpanda-docs`; by default it is looked for
//! beside the repository. Without it the tests run on the fixture in `tests/corpus`.

#![expect(clippy::print_stdout, reason = "the run says which corpus it was")]

use std::{
    path::Path,
    sync::{Arc, LazyLock},
};

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::*;
use crate::docs::{
    library::{Library, SearchQuery, Settings},
    read::{ReadAnswer, ReadRequest},
};

struct TestCorpus {
    folders: Vec<PathBuf>,
    /// Questions as readers have them, and a part of the path that answers each.
    questions: &'static [(&'static str, &'static str)],
}

static CORPUS: LazyLock<TestCorpus> = LazyLock::new(|| {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = named_corpus().unwrap_or_else(|| repository.join("../shared/corpus"));
    let real = shared.join("redpanda-docs");
    let corpus = if real.is_dir() {
        TestCorpus { folders: vec![real], questions: REAL_QUESTIONS }
    } else {
        let fixture = repository.join("tests/corpus");
        let folders = vec![fixture.join("antora"), fixture.join("plain")];
        TestCorpus { folders, questions: FIXTURE_QUESTIONS }
    };
    println!("corpus under test: {:?}", corpus.folders);
    corpus
});

#[expect(clippy::disallowed_methods, reason = "a test is told by its environment what to read")]
fn named_corpus() -> Option<PathBuf> {
    std::env::var_os("GATEHOUSE_TEST_CORPUS").map(PathBuf::from)
}

static LIBRARY: LazyLock<Arc<Library>> = LazyLock::new(|| {
    let site_url = Some(Url::parse("https://docs.example/current/").unwrap());
    let settings = Settings { folders: CORPUS.folders.clone(), site_url };
    Arc::new(Library::open(settings).unwrap())
});

static PAGES: LazyLock<Vec<Page>> = LazyLock::new(|| read(&CORPUS.folders, None).unwrap());

const REAL_QUESTIONS: &[(&str, &str)] = &[
    ("my disks are filling up, how do I free space", "disk-utilization"),
    ("how do I encrypt traffic between my clients and the cluster", "encryption"),
    ("safely remove a broker from the cluster in Kubernetes", "k-decommission"),
    ("deploy on Amazon EKS with helm", "eks-guide"),
    ("upgrade to a new version without downtime", "rolling-upgrade"),
    ("stop one noisy client from using all the throughput", "throughput"),
    ("query streaming data as Iceberg tables from Snowflake", "snowflake"),
    ("consume from the closest replica to save cross-zone traffic", "follower-fetching"),
    ("keep an audit trail of who accessed the cluster", "audit-log"),
    ("recover a cluster from object storage after a disaster", "disaster-recovery"),
    ("collect a diagnostics bundle to send to support", "debug-bundle"),
    ("kafka_enable_authorization", "cluster-properties"),
    ("rpk topic produce tombstone", "rpk-topic-produce"),
];

const FIXTURE_QUESTIONS: &[(&str, &str)] = &[
    ("the light bulb is broken", "lamps/replace"),
    ("how fast does the beam rotate", "settings"),
    ("fog_horn_enabled", "settings"),
    ("what happens when power is lost in bad weather", "storms"),
    ("install with docker", "quick-start"),
    ("what does a night in the harbour cost", "mooring"),
    ("wine duty free", "customs"),
];

/// The text of Markdown outside code, as a reader sees it.
fn prose(markdown: &str) -> String {
    let (mut prose, mut in_code) = (String::new(), false);
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => in_code = true,
            Event::End(TagEnd::CodeBlock) => in_code = false,
            Event::Text(text) if !in_code => prose.push_str(&text),
            Event::SoftBreak | Event::HardBreak => prose.push('\n'),
            Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::TableCell) => {
                prose.push('\n');
            }
            _ => {}
        }
    }
    prose
}

#[test]
fn every_page_has_a_title_and_text() {
    assert!(!PAGES.is_empty());
    for page in PAGES.iter() {
        assert!(!page.document.title.trim().is_empty(), "{}", page.path);
        assert!(!page.document.markdown.trim().is_empty(), "{}", page.path);
    }
}

#[test]
fn no_markup_of_the_source_is_left_in_the_text() {
    let leftovers = [
        "include::",
        "ifdef::",
        "ifndef::",
        "endif::",
        "xref:",
        "[tabs]",
        "|===",
        "glossterm:",
        "config_ref:",
        "\n====",
        "\n----",
        "\n--\n",
        "[[",
    ];
    for page in PAGES.iter() {
        let prose = prose(&page.document.markdown);
        for leftover in leftovers {
            assert!(!prose.contains(leftover), "{leftover:?} in {}", page.path);
        }
        assert!(!page.document.markdown.contains(|c| ('\u{e000}'..='\u{e0ff}').contains(&c)));
    }
}

#[test]
fn every_attribute_of_the_component_is_replaced() {
    for folder in &CORPUS.folders {
        for component in components(&Tree::walk(folder).unwrap()) {
            for (name, _) in component.attributes.iter().filter(|(_, value)| value.is_some()) {
                let reference = format!("{{{name}}}");
                let left =
                    PAGES.iter().find(|it| prose(&it.document.markdown).contains(&reference));
                assert!(left.is_none(), "{reference} in {}", left.unwrap().path);
            }
        }
    }
}

#[test]
fn includes_are_resolved_where_their_files_are_there() {
    let lost = |page: &Page| page.document.markdown.matches("Include not found").count();
    let count: usize = PAGES.iter().map(lost).sum();
    println!("{count} includes not found on {} pages", PAGES.len());
    // Those that remain name examples and attachments that are not part of the corpus.
    assert!(count * 5 <= PAGES.len(), "{count} of {} pages", PAGES.len());
}

#[test]
fn sections_cover_every_page() {
    for page in PAGES.iter() {
        let document = &page.document;
        let covered: usize = (0..document.sections.len()).map(|it| document.body(it).len()).sum();
        assert!(covered <= document.markdown.len(), "{}", page.path);
        assert!(document.whole(0).len() + 2 >= document.markdown.trim().len() || covered > 0);
    }
}

#[test]
fn a_readers_question_finds_its_page_among_the_first_three() {
    let mut missed = Vec::new();
    for (text, expected) in CORPUS.questions {
        let query = SearchQuery { text, limit: 3, max_chars: 3000 };
        let hits = LIBRARY.search(&query).unwrap();
        let paths: Vec<&str> = hits.iter().map(|hit| hit.path.as_str()).collect();
        if !paths.iter().any(|path| path.contains(expected)) {
            missed.push(format!("{text:?} wants {expected} but finds {paths:?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}

#[test]
fn every_hit_can_be_read_under_its_path_and_its_address() {
    for (text, _) in CORPUS.questions {
        let query = SearchQuery { text, limit: 10, max_chars: 2000 };
        for hit in LIBRARY.search(&query).unwrap() {
            for page in [&hit.path, hit.url.as_ref().unwrap()] {
                let request = ReadRequest { page, section: None, offset: 0, max_chars: 500 };
                let answer = LIBRARY.read(&request).unwrap();
                let ReadAnswer::Page(part) = answer else { panic!("{page}: {answer:?}") };
                assert_eq!(part.path, hit.path);
                assert_eq!(part.title, hit.title);
            }
        }
    }
}

#[test]
fn the_fixture_is_read_as_its_sites_would_show_it() {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let site = Url::parse("https://x.example").unwrap();
    let pages = read(&[fixture.join("antora"), fixture.join("plain")], Some(&site)).unwrap();
    let addresses: Vec<&str> = pages.iter().filter_map(|it| it.url.as_deref()).collect();
    let expected = [
        "https://x.example/",
        "https://x.example/quick-start/",
        "https://x.example/operate/lamps/replace/",
        "https://x.example/operate/settings/",
        "https://x.example/operate/storms/",
        "https://x.example/guide/customs",
        "https://x.example/guide/mooring",
        "https://x.example/harbour/",
        "https://x.example/tides",
    ];
    assert_eq!(addresses, expected);

    let page = |path: &str| pages.iter().find(|page| page.path == path).unwrap();
    let start = page("modules/ROOT/pages/quick-start.adoc");
    let text = &start.document.markdown;
    for part in [
        "Lighthouse 3.2.1 runs on one machine.",
        "## Requirements\n\n| Part | Needed |\n| --- | --- |\n| Memory | 512 MB |",
        "| Ports | • `7000` for ships<br>• `7001` for the keeper |",
        "**Debian**\n\n1. Install the package:\n\n   ```bash\n",
        "**Container**\n\n```bash\n",
        "> **Tip:** If the lamp stays dark, see [how to replace a bulb]\
         (https://x.example/operate/lamps/replace/#bulbs).",
        "- [Settings](https://x.example/operate/settings/)",
        "[Ask for help](https://support.lighthouse.example)",
    ] {
        assert!(text.contains(part), "{part:?} not in:\n{text}");
    }
    assert!(!text.contains("beta") && !text.contains("tag::"), "{text}");
    let former =
        ["modules/ROOT/pages/getting-started.adoc", "modules/operate/pages/first-light.adoc"];
    assert_eq!(start.aliases, former);

    let settings = &page("modules/operate/pages/settings.adoc").document.markdown;
    assert!(settings.contains("```yaml\nlamp:\n  rotation_period_seconds: 12\n```"), "{settings}");
    assert!(settings.contains("| **Default** | `12` |"), "{settings}");
    assert!(settings.contains("> *Include not found: weather:partial$forecast.adoc*"));
    let replace = &page("modules/operate/pages/lamps/replace.adoc").document.markdown;
    assert!(replace.contains("512 MB") && !replace.contains("Nobody outside"), "{replace}");
}
