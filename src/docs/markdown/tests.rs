use proptest::prelude::*;

use super::*;

fn outline(document: &Document) -> Vec<(u8, &str, &str)> {
    let sections = document.sections.iter();
    sections.map(|it| (it.level, it.heading.as_str(), it.anchor.as_str())).collect()
}

#[test]
fn front_matter_is_understood_and_removed() {
    let source = "---\ntitle: \"Set up: TLS\"\ndescription: How to.\nslug: /x\n---\n\nText.\n";
    let document = read(source, "tls.md");
    assert_eq!(document.title, "Set up: TLS");
    assert_eq!(document.description, "How to.");
    assert_eq!(document.markdown, "# Set up: TLS\n\nText.\n");
}

#[test]
fn toml_front_matter_is_understood() {
    let document = read("+++\ntitle = \"T\"\n+++\nText.\n", "t.md");
    assert_eq!(document.markdown, "# T\n\nText.\n");
}

#[test]
fn dashes_that_nothing_closes_are_no_front_matter() {
    let document = read("---\ntitle: x\n\nText.\n", "a-page.md");
    assert_eq!(document.title, "A page");
    assert!(document.markdown.contains("title: x"));
}

#[test]
fn headings_cut_sections_but_not_inside_code() {
    let source =
        "# T\n\nintro\n\n```sh\n# no heading\n```\n\nSetext\n------\n\nx\n\n## Setext\ny\n";
    let document = read(source, "t.md");
    assert_eq!(
        outline(&document),
        [(1, "T", "t"), (2, "Setext", "setext"), (2, "Setext", "setext-1")]
    );
    assert_eq!(document.body(0), "intro\n\n```sh\n# no heading\n```");
    assert_eq!(document.body(1), "x");
}

#[test]
fn a_heading_in_a_list_or_quote_does_not_cut() {
    let document = read("# T\n\n- # a\n- b\n\n> ## c\n", "t.md");
    assert_eq!(outline(&document), [(1, "T", "t")]);
}

#[test]
fn an_explicit_heading_id_wins() {
    let source = "# T {#top}\n\nä\n\n## The `x` option {#opt-x}\n\ny\n\nZ {#z}\n---\nw\n";
    let document = read(source, "t.md");
    assert_eq!(outline(&document), [(1, "T", "top"), (2, "The x option", "opt-x"), (2, "Z", "z")]);
    assert_eq!(document.markdown, "# T\n\nä\n\n## The `x` option\n\ny\n\nZ\n---\nw\n");
    let bodies: Vec<&str> = (0..3).map(|section| document.body(section)).collect();
    assert_eq!(bodies, ["ä", "y", "w"]);
}

#[test]
fn comments_are_removed_outside_code() {
    let source = "# T\n\n<!-- a\nb -->\n\nseen <!-- c --> too\n\n```html\n<!-- kept -->\n```\n";
    let markdown = read(source, "t.md").markdown;
    assert!(!markdown.contains("a\nb") && !markdown.contains("<!-- c"), "{markdown}");
    assert!(markdown.contains("seen  too") && markdown.contains("<!-- kept -->"), "{markdown}");
}

#[test]
fn mdx_imports_are_removed_only_in_mdx() {
    let source = "import Tabs from '@theme/Tabs'\n\n# T\n\n<Tabs>x</Tabs>\n\n{/* gone */}\n";
    let markdown = read(source, "t.mdx").markdown;
    assert!(!markdown.contains("import") && !markdown.contains("gone"), "{markdown}");
    assert!(markdown.contains("<Tabs>x</Tabs>"));
    assert!(read("import is a word\n", "t.md").markdown.contains("import is a word"));
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_do_not_show() {
    let document = read("\u{feff}# T\r\n\r\na\r\n", "t.md");
    assert_eq!(document.markdown, "# T\n\na\n");
}

#[test]
fn plain_text_keeps_words_apart_and_drops_link_targets() {
    let markdown = "A [link](https://x.example/y) and `code`.\n\n| a | b |\n|---|---|\n| c | d |\n";
    assert_eq!(plain_text(markdown), "A link and code.\na b \nc d");
}

#[test]
fn an_empty_file_has_its_name_for_a_title() {
    let document = read("", "docs/getting-started.md");
    assert_eq!(document.markdown, "# Getting started\n\n");
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics_and_stays_bounded(source in "(?s).{0,400}") {
        let document = read(&source, "x.mdx");
        prop_assert!(document.markdown.len() <= source.len() + document.title.len() + 8);
        for section in 0..document.sections.len() {
            document.body(section);
            document.whole(section);
        }
    }

    #[test]
    fn arbitrary_markup_never_panics(
        source in prop::collection::vec(
            prop_oneof![
                Just("# "), Just("\n"), Just("---\n"), Just("```\n"), Just("<!--"), Just("-->"),
                Just("- "), Just("> "), Just("a"), Just("="), Just("{#x}"), Just("title: "),
                Just("<div>"), Just("import "), Just("| a |"), Just("é"), Just("    "),
            ],
            0..60,
        )
    ) {
        read(&source.concat(), "x.mdx");
    }
}

#[test]
fn html_in_markdown_goes_and_placeholders_stay() {
    assert!(ELEMENTS.is_sorted());
    for (markdown, kept) in [
        ("a<br/>b <b>c</b>", "a b c"),
        ("use <cluster-id> or <name>", "use <cluster-id> or <name>"),
        ("`<br>` <!-- x -->y", "`<br>` y"),
        ("<p>Hello <i>you</i></p>\n\nnext", "Hello *you*\n\nnext"),
        ("```\n<div>\n```", "```\n<div>\n```"),
        ("<script>alert(1)</script>\n\nx", "\n\nx"),
        ("<a href='https://x.example/'>x</a> <a>y</a>", "[x](https://x.example/) y"),
        ("1 < 2", "1 < 2"),
    ] {
        assert_eq!(without_html(markdown), kept, "{markdown}");
    }
}
