use proptest::prelude::*;

use super::*;

/// Reads a text and looks at everything that came of it.
fn survives(source: &str) {
    let document = read_alone(source, "t.adoc");
    let length = document.markdown.len();
    assert!(length <= 128 * source.len() + 4096, "{length} bytes from {}", source.len());
    for section in 0..document.sections.len() {
        document.body(section);
        document.whole(section);
        document.trail(section);
    }
}

#[test]
fn deep_nesting_ends_in_text() {
    let examples: String = (0..500).map(|depth| "=".repeat(4 + depth) + "\n").collect();
    survives(&examples);
    let closed: String = (0..500).rev().map(|depth| "=".repeat(4 + depth) + "\n").collect();
    survives(&(examples + "deep\n" + &closed));
    let lists: String = (1..40).map(|depth| "*".repeat(depth % 6) + " a\n+\n--\n").collect();
    survives(&lists);
    survives(&"a::\n+\n====\n".repeat(200));
    survives(&"*a _b ".repeat(2000));
}

/// What a page may hold thousands of, closed or not.
const THINGS: &[&str] = &[
    "*a ",
    "_a ",
    "`a ",
    "#a ",
    "^a",
    "~a",
    "**",
    "``",
    "__",
    "[",
    "[[",
    "<<",
    "<<a,",
    "((",
    "(((",
    "{",
    "{a",
    "+",
    "++",
    "$$",
    "pass:[",
    "a:b[",
    "xref:a.adoc[",
    "https://x.example[",
    "footnote:[",
    "\"`",
    "\\",
    "|",
    "a|",
    "====\na\n",
    "----\n",
    "--\n",
    "|===\n",
    "* a\n",
    "* a\n+\n",
    ". a\n\n",
    "a:: b\n",
    "a::\n",
    "+\n",
    "\n+\n",
    "[a]\n",
    ".T\n",
    "== H\n",
    ":a: b\n",
    "ifdef::a[]\n",
    "endif::[]\n",
    "include::a[]\n",
    "////\n",
    "// c\n",
    "```\n",
    "NOTE: a\n",
    "[NOTE]\n====\n",
    "'''\n",
    "image::a[b]\n",
    " a\n",
    "<1> a\n",
    "é",
    "\u{e02a}",
    ":",
    ";",
    "::",
    "a::",
    ":a",
    "a;;",
    "<https://",
    "+a ",
    "a+b",
    "[.a",
    "*a* ",
    "-",
    "=",
    "= ",
    "'",
    "< ",
    "/",
];

/// Each of these would take minutes if anything were searched for again and again.
#[test]
fn large_pages_of_one_thing_are_read() {
    for thing in THINGS {
        survives(&thing.repeat(50_000 / thing.len()));
        survives(&format!("|===\n{}\n|===\n", thing.repeat(10_000 / thing.len())));
        survives(&format!("* {}\n", thing.repeat(10_000 / thing.len())));
    }
}

/// A line is a quarter of a MiB: were it searched to its end from each of its words, it would take
/// minutes.
#[test]
fn long_lines_are_read_once() {
    for (thing, end) in [
        ("^a ", "a^"),
        ("~a ", "a~"),
        ("a-", ""),
        ("a_b-", ": "),
        ("xref:a,", ""),
        ("\\https://a,", ""),
    ] {
        survives(&(thing.repeat((256 << 10) / thing.len()) + end));
    }
}

/// Each line adds to the value; were the value copied for each of them, it would take minutes.
#[test]
fn a_value_over_millions_of_lines_is_cut() {
    let source = format!(":a: b \\\n{}c\n\n{{a}}\n", "b \\\n".repeat(2_000_000));
    let shown = body(&source);
    assert!(shown.len() <= 9 * 1024, "{}", shown.len());
    assert!(shown.starts_with("b b b"), "{shown:.20}");
}

#[test]
fn spans_cannot_blow_up_a_table() {
    survives("|===\n99999999+|a\n.99999999+|b\n99999999*|c\n9.9+|d\n|===");
    survives("[cols=\"9999999*\"]\n|===\n|a\n|===");
    survives("[cols=9999999]\n|===\n|a\n|===");
}

const MARKUP: &[&str] = &[
    "= T\n",
    "== H\n",
    "\n",
    "\n\n",
    "* ",
    ". ",
    "** ",
    "- ",
    "+\n",
    "----\n",
    "====\n",
    "--\n",
    "....\n",
    "****\n",
    "____\n",
    "++++\n",
    "|===\n",
    "| ",
    "a| ",
    "2+| ",
    ".2+| ",
    "```\n",
    "[source,sh]\n",
    "[tabs]\n",
    "[NOTE]\n",
    "NOTE: ",
    ".Title\n",
    "[[id]]\n",
    ":a: b\n",
    "{a}",
    "{empty}",
    "*b*",
    "_i_",
    "`m`",
    "`",
    "*",
    "_",
    "#",
    "^",
    "~",
    "+x+",
    "pass:[",
    "xref:p.adoc[",
    "<<x>>",
    "<<",
    ">>",
    "link:x[",
    "]",
    "[",
    "https://x.example",
    "a:: ",
    "a::\n",
    "<1> ",
    "ifdef::a[]\n",
    "endif::[]\n",
    "include::x[]\n",
    "image::x[y]\n",
    "////\n",
    "// c\n",
    " +\n",
    "\\",
    "é",
    "text ",
    "  indented\n",
    "footnote:[",
    "\t",
    "1. ",
    "a. ",
];

fn markup() -> impl Strategy<Value = &'static str> {
    prop::sample::select(MARKUP)
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(source in "(?s).{0,300}") {
        survives(&source);
    }

    #[test]
    fn arbitrary_markup_never_panics(parts in prop::collection::vec(markup(), 0..80)) {
        survives(&parts.concat());
    }

    #[test]
    fn the_same_text_gives_the_same_page(parts in prop::collection::vec(markup(), 0..40)) {
        let source = parts.concat();
        prop_assert_eq!(body(&source), body(&source));
    }
}
