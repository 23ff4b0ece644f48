use super::*;

#[test]
fn quoted_text_becomes_markdown() {
    check(&[
        ("*bold* and _it_ and `code`", "**bold** and *it* and `code`"),
        ("un**bold**ed, __it__alic, ``co``de", "un**bold**ed, *it*alic, `co`de"),
        ("*bold _both_*", "**bold *both***"),
        ("#mark# [.underline]#line# [.x]*b*", "mark line **b**"),
        ("2^64^ and H~2~O", "2<sup>64</sup> and H<sub>2</sub>O"),
        ("\"`quoted`\" and '`single`'", "“quoted” and ‘single’"),
        ("snake_case_name and 2*3*4", "snake_case_name and 2\\*3\\*4"),
        ("_unclosed and *open", "_unclosed and \\*open"),
        ("a * b * c", "a * b * c"),
        ("*multi\nline*", "**multi\nline**"),
    ]);
}

#[test]
fn literal_passages_stay_as_they_are() {
    check(&[
        ("`+{not_an_attribute}+`", "`{not_an_attribute}`"),
        ("+*not bold*+", "\\*not bold\\*"),
        ("++a_b_c++ +++<u>x</u>+++", "a_b_c \\<u>x\\</u>"),
        ("pass:[*x*] pass:q[*y*]", "\\*x\\* **y**"),
        ("$$*$$ costs $5", "\\* costs $5"),
        ("C+\\+ and 1 + 2 + 3", "C++ and 1 + 2 + 3"),
        ("stem:[x^2]", "$x^2$"),
        ("{plus}{vbar}{nbsp}x{empty}", "+|\u{a0}x"),
    ]);
}

#[test]
fn a_backslash_takes_the_meaning_of_markup() {
    check(&[
        ("\\*not bold*", "\\*not bold*"),
        ("\\`not code`", "\\`not code\\`"),
        ("\\{product}", "{product}"),
        ("\\https://x.example[no link]", "https://x.example[no link]"),
        ("C:\\path\\to", "C:\\path\\to"),
        ("\\<<no-ref>>", "\\<\\<no-ref>>"),
    ]);
}

#[test]
fn addresses_become_links() {
    check(&[
        ("https://x.example/a_b_c[Text^]", "[Text](https://x.example/a_b_c)"),
        ("see https://x.example/a.", "see https://x.example/a."),
        ("(https://x.example/a)", "(https://x.example/a)"),
        ("<https://x.example>", "<https://x.example>"),
        ("link:file.zip[Get it,window=_blank]", "[Get it](file.zip)"),
        ("link:++https://x.example/?a=b[c]++[`t`]", "[`t`](https://x.example/?a=b[c])"),
        ("https://x.example[]", "https://x.example"),
        ("mailto:a@x.example[Write]", "[Write](mailto:a@x.example)"),
        ("link:a[hosts[0\\].name] b", "[hosts[0].name](a) b"),
        (":u: https://x.example\n\n{u}/y[Y]", "[Y](https://x.example/y)"),
        ("https://x.example/(y)[Y]", "[Y](<https://x.example/(y)>)"),
    ]);
}

#[test]
fn macros_show_their_text() {
    check(&[
        ("kbd:[Ctrl+\\]] btn:[Save]", "`Ctrl+]` **Save**"),
        ("menu:File[Save > As] menu:View[]", "**File > Save > As** **View**"),
        ("image:i.png[An icon] image:j.png[]icon:cog[].", "![An icon](i.png) ."),
        (
            "glossterm:rack[] glossterm:partition[,partitions] glossterm:a b[^]",
            "rack partitions a b",
        ),
        ("config_ref:log_size,true,p/q[]", "`log_size`"),
        ("config_ref:log_size,true,p/q[`l`]", "`l`"),
        ("badge::[label=beta, size=large]", ""),
        ("x badge::[label=beta]", "x (beta)"),
        ("((term)) (((hidden, term)))indexterm:[x] indexterm2:[y]", "term  y"),
        ("[[here]]text anchor:there[]more", "text more"),
        ("localhost:9092[0] and key:[x]", "localhost:9092[0] and key:[x]"),
    ]);
}

#[test]
fn footnotes_stand_under_the_page() {
    let source = "One.footnote:[The *first*.] Two.footnote:n[Named.] Three.footnote:n[]";
    let expected = "One.[^1] Two.[^2] Three.[^2]\n\n[^1]: The **first**.\n\n[^2]: Named.";
    assert_eq!(body(source), expected);
}

#[test]
fn small_signs_are_replaced_with_care() {
    check(&[
        ("a -- b, --flag, a--b", "a — b, --flag, a--b"),
        ("(C) (R) (TM)", "© ® ™"),
        ("wait... -> there", "wait... -> there"),
        ("line one +\nline two", "line one\\\nline two"),
        ("<topic> < 3", "\\<topic> < 3"),
    ]);
}
