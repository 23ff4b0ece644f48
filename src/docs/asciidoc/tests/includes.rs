use super::*;

#[test]
fn an_include_is_part_of_the_page() {
    let site = files(&[("p.adoc", "From {product}.\n\n== Inside\n")]);
    assert_eq!(
        site.body("Before.\n\ninclude::p.adoc[]\n\nAfter."),
        "Before.\n\nFrom Gate.\n\n## Inside\n\nAfter."
    );
}

#[test]
fn an_unresolvable_include_becomes_a_visible_note() {
    let site = files(&[]);
    assert_eq!(
        site.body("a\n\ninclude::other:x$gone.adoc[]\n\nb"),
        "a\n\n> *Include not found: other:x$gone.adoc*\n\nb"
    );
    let in_code = site.body("----\ninclude::gone.yaml[]\n----");
    assert_eq!(in_code, "```\nInclude not found: gone.yaml\n```");
    assert_eq!(site.body("a\n\ninclude::gone.adoc[opts=optional]"), "a");
}

#[test]
fn tags_levels_and_indentation_are_followed() {
    let site = files(&[
        ("code.go", "x\n\t// tag::a[]\n\tcall()\n\t// end::a[]\n"),
        ("page.adoc", "= Title\n\n== Sub\n\n----\n== in code\n----\n"),
    ]);
    assert_eq!(site.body("----\ninclude::code.go[tag=a,indent=0]\n----"), "```\ncall()\n```");
    assert_eq!(
        site.body("include::page.adoc[leveloffset=+1]\n\n== After"),
        "## Title\n\n### Sub\n\n```\n== in code\n```\n\n## After"
    );
    assert_eq!(site.body(":leveloffset: 1\n\n== A\n\n:leveloffset: 0\n\n== B"), "### A\n\n## B");
}

#[test]
fn targets_may_hold_attributes() {
    let site = files(&[("Gate.adoc", "found\n")]);
    assert_eq!(site.body("include::{product}.adoc[]"), "found");
}

#[test]
fn an_escaped_include_is_text() {
    assert_eq!(body("----\n\\include::x.adoc[]\n----"), "```\ninclude::x.adoc[]\n```");
}

#[test]
fn conditions_decide_about_lines() {
    let site = files(&[("p.adoc", "ifdef::product[]\nseen\nendif::[]\n")]);
    let cases = [
        ("ifdef::product[]\na\nendif::[]\nb", "a\nb"),
        ("ifndef::product[]\na\nendif::product[]\nb", "b"),
        ("ifdef::no[]\nifdef::product[]\na\nendif::[]\nb\nendif::[]\nc", "c"),
        ("ifdef::product[shown {product}]\nifdef::no[hidden]", "shown Gate"),
        (":x:\n\nifdef::x[]\na\nendif::[]", "a"),
        ("ifdef::product[:y: 2]\n\n{y}", "2"),
        ("ifeval::[\"{product}\" == \"Gate\"]\na\nendif::[]", "a"),
        ("include::p.adoc[]\n\nb", "seen\n\nb"),
        ("ifdef::no[]\ninclude::p.adoc[]\nendif::[]\nb", "b"),
        ("----\nifdef::no[]\nx\nendif::[]\ny\n----", "```\ny\n```"),
    ];
    for (source, expected) in cases {
        assert_eq!(site.body(source), expected, "from:\n{source}");
    }
}

#[test]
fn a_slip_in_a_partial_spoils_only_the_partial() {
    let site = files(&[
        ("open.adoc", "----\ncode\n"),
        ("comment.adoc", "////\nhidden\n"),
        ("condition.adoc", "ifdef::no[]\nhidden\n"),
        ("entry.adoc", ":x: begun \\\n"),
        ("text.adoc", "of the partial\n"),
    ]);
    assert_eq!(site.body("include::open.adoc[]\n\ntext"), "```\ncode\n```\n\ntext");
    assert_eq!(site.body("include::comment.adoc[]\n\ntext"), "text");
    assert_eq!(site.body("include::condition.adoc[]\n\ntext"), "text");
    assert_eq!(site.body("include::entry.adoc[]\ntext"), "text");
    let interrupted = ":y: a \\\ninclude::text.adoc[]\nb\n\n{y}";
    assert_eq!(site.body(interrupted), "of the partial\n\na b");
}

#[test]
fn includes_in_circles_end() {
    let site = files(&[("a.adoc", "a\n\ninclude::b.adoc[]\n"), ("b.adoc", "include::a.adoc[]\n")]);
    let text = site.body("include::a.adoc[]");
    assert!(text.starts_with("a\n\na\n") && text.ends_with("not found: a.adoc*"), "{text}");
    let site = files(&[("x.adoc", "include::x.adoc[]\ninclude::x.adoc[]\n")]);
    assert!(site.body("include::x.adoc[]").len() < 8 * 1024 * 1024);
}
