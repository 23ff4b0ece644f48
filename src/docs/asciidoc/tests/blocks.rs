use super::*;

#[test]
fn the_head_gives_title_and_description() {
    let source = "// a comment\n= The *Title* of {product}\nAda <ada@x.example>\nv1.0, 2026\n\
                  :product: Gate\n:description: pass:q[About `it`.]\n\nText.\n";
    let document = read_alone(source, "t.adoc");
    assert_eq!(document.title, "The Title of {product}");
    assert_eq!(document.description, "About it.");
    assert_eq!(document.body(0), "Text.");
}

#[test]
fn attributes_above_a_title_are_known_in_it() {
    assert_eq!(read_alone(":p: Gate\n= About {p}\n\nx\n", "t.adoc").title, "About Gate");
}

#[test]
fn a_page_of_nothing_but_a_head_shows_its_description() {
    let document = read_alone("= T\n:description: Lists things.\n:page-layout: index\n", "t.adoc");
    assert_eq!(document.markdown, "# T\n\nLists things.\n");
}

#[test]
fn sections_get_the_ids_of_the_published_page() {
    let source = "= T\n\n== First Thing.\n\na\n\n[[own]]\n=== Second\n\nb\n\n[id=\"named\"]\n\
                  == Third\n\n[#short.role]\n== Fourth ==\n\n== First Thing.\n";
    let document = read_alone(source, "t.adoc");
    let found: Vec<_> = document.sections.iter().map(|it| (it.level, it.anchor.as_str())).collect();
    let expected =
        [(1, ""), (2, "first-thing"), (3, "own"), (2, "named"), (2, "short"), (2, "first-thing-2")];
    assert_eq!(found, expected);
}

#[test]
fn other_ways_to_write_a_heading_are_known() {
    check(&[
        ("Title here\n----------\n\ntext", "## Title here\n\ntext"),
        ("## Like Markdown\n\ntext", "## Like Markdown\n\ntext"),
        ("[discrete]\n=== Apart\n\ntext", "### Apart\n\ntext"),
        ("text\n== Heading without a gap\nmore", "text\n\n## Heading without a gap\n\nmore"),
    ]);
}

#[test]
fn listings_become_fences() {
    check(&[
        ("[source,bash]\n----\nrun *it* {x}\n----", "```bash\nrun *it* {x}\n```"),
        ("[,yaml,lines=4+7,role=no-copy]\n----\na: b\n----", "```yaml\na: b\n```"),
        ("----\nplain\n----", "```\nplain\n```"),
        ("....\nliteral\n....", "```\nliteral\n```"),
        ("```go\nx := 1\n```", "```go\nx := 1\n```"),
        ("[source,md]\n----\n```\nx\n```\n----", "````md\n```\nx\n```\n````"),
        ("[source,sh]\nrun it\nagain", "```sh\nrun it\nagain\n```"),
        (" indented\n   more", "```\nindented\n  more\n```"),
        ("[mermaid]\n....\na-->b\n....", "```mermaid\na-->b\n```"),
        ("[,yaml,indent=0]\n----\n    a:\n      b\n----", "```yaml\na:\n  b\n```"),
        (
            ":v: 7\n\n[source,sh,subs=\"+attributes\"]\n----\nget {v} {w}\n----",
            "```sh\nget 7 {w}\n```",
        ),
        (".`name.yaml`\n[,yaml]\n----\na\n----", "**`name.yaml`**\n\n```yaml\na\n```"),
        ("[source,bash]\n----\nrun # <1>\n----\n<1> Runs.", "```bash\nrun # <1>\n```\n\n1. Runs."),
    ]);
}

#[test]
fn admonitions_become_quotes_with_a_label() {
    check(&[
        ("NOTE: Mind *this*.", "> **Note:** Mind **this**."),
        ("WARNING: One\ntwo.", "> **Warning:** One\n> two."),
        ("[TIP]\n====\nA.\n\nB.\n====", "> **Tip:** A.\n>\n> B."),
        ("[CAUTION]\nShort form.", "> **Caution:** Short form."),
        ("[IMPORTANT]\n--\n* a\n* b\n--", "> **Important:**\n>\n> - a\n> - b"),
        ("NOTE:no space", "NOTE:no space"),
    ]);
}

#[test]
fn quotes_verses_and_sidebars_become_quotes() {
    check(&[
        ("[quote, Ada, \"Notes, G\"]\n____\nText.\n____", "> Text.\n>\n> — Ada, Notes, G"),
        ("[verse]\n____\na\nb\n____", "> a\\\n> b"),
        (".Aside\n****\nText.\n****", "**Aside**\n\n> Text."),
    ]);
}

#[test]
fn containers_show_what_they_hold() {
    check(&[
        (".Example\n====\nText.\n====", "**Example**\n\nText."),
        (".More\n[%collapsible]\n====\nHidden.\n====", "**More**\n\nHidden."),
        ("--\nOpen.\n--", "Open."),
        ("[.lead]\nLed.", "Led."),
        ("[%hardbreaks]\na\nb", "a\\\nb"),
        ("====\nouter\n\n=====\ninner\n=====\n====", "outer\n\ninner"),
    ]);
}

#[test]
fn tabs_are_labelled_and_nested_tabs_name_the_way() {
    let source = "[tabs]\n======\nHelm::\n+\n--\nA.\n\n[tabs]\n====\n--set::\n+\n[,sh]\n----\n\
                  x\n----\n====\n--\nDocker::\n+\nB.\n======\n\nAfter.";
    let expected =
        "**Helm**\n\nA.\n\n**Helm › --set**\n\n```sh\nx\n```\n\n**Docker**\n\nB.\n\nAfter.";
    assert_eq!(body(source), expected);
    assert_eq!(body("[tabs]\nOne::\n+\nA.\n\nTwo::\n+\nB."), "**One**\n\nA.\n\n**Two**\n\nB.");
}

#[test]
fn what_is_not_text_is_not_shown() {
    check(&[
        ("// comment\nText.\n// comment\nMore.", "Text.\nMore."),
        ("////\nblock\n\n== no heading\n////\n\nText.", "Text."),
        ("[comment]\n--\nhidden\n--\n\nText.", "Text."),
        ("toc::[]\n\nText.\n\n<<<\n\nMore.", "Text.\n\nMore."),
        ("image::decoration.svg[]\n\nText.", "Text."),
        ("++++\n<script>run()</script>\n++++\n\nText.", "Text."),
    ]);
}

#[test]
fn block_macros_and_rules_have_their_markdown() {
    check(&[
        ("image::a.png[The door, 300]", "![The door](a.png)"),
        (".Fig\nimage::a.png[alt=\"The, door\"]", "**Fig**\n\n![The, door](a.png)"),
        ("video::abc[youtube]", "[Video](https://www.youtube.com/watch?v=abc)"),
        ("a\n\n'''\n\nb", "a\n\n---\n\nb"),
        ("++++\n<b>raw</b>\n++++", "**raw**"),
        ("[stem]\n++++\nx^2\n++++", "```math\nx^2\n```"),
    ]);
}

#[test]
fn a_delimiter_that_nothing_closes_does_not_swallow_headings() {
    assert_eq!(body("====\nText.\n\n== Next\n\nMore."), "Text.\n\n## Next\n\nMore.");
    assert_eq!(body("--\nText.\n\n== Next"), "Text.\n\n## Next");
    assert_eq!(body("----\ncode\n\n== in code"), "```\ncode\n\n== in code\n```");
}

#[test]
fn attributes_follow_the_text() {
    let source = ":x: 1\n\n{x}\n\n:x: 2\n\n{x}\n\n:!x:\n\n{x} \\{x}";
    assert_eq!(body(source), "1\n\n2\n\n{x} {x}");
    assert_eq!(body(":long: one \\\ntwo \\\nthree\n\n{long}"), "one two three");
}
