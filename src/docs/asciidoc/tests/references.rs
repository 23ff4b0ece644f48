use super::*;

#[test]
fn references_to_pages_lead_to_their_addresses() {
    let site = files(&[("m:p.adoc", "= The Page\n")]);
    let cases = [
        ("xref:m:p.adoc[Read]", "[Read](https://x.example/m:p.adoc/)"),
        ("xref:m:p.adoc[]", "[The Page](https://x.example/m:p.adoc/)"),
        ("xref:m:p.adoc#part[`x`]", "[`x`](https://x.example/m:p.adoc/#part)"),
        ("<<m:p.adoc#part,Read>>", "[Read](https://x.example/m:p.adoc/#part)"),
        ("xref:m:p.adoc#part", "[The Page](https://x.example/m:p.adoc/#part)"),
        (":l: m:p.adoc\n\nxref:{l}[Read]", "[Read](https://x.example/m:p.adoc/)"),
    ];
    for (source, expected) in cases {
        assert_eq!(site.body(source), expected, "from:\n{source}");
    }
}

#[test]
fn a_reference_to_nowhere_is_its_text() {
    check(&[
        ("xref:other:m:gone.adoc[Read]", "Read"),
        ("xref:other:m:the-page.adoc[]", "The page"),
    ]);
}

#[test]
fn references_on_the_page_find_headings_by_id_and_by_title() {
    let source = "<<own>>, <<The Part>>, <<own,there>>, xref:own[], <<gone>>, <<Not There>>\n\n\
                  [[own]]\n== The Part\n";
    let expected = "[The Part](#own), [The Part](#own), [there](#own), [The Part](#own), \
                    [gone](#gone), Not There\n\n## The Part";
    assert_eq!(body(source), expected);
}

#[test]
fn images_have_their_addresses() {
    let site = files(&[]);
    assert_eq!(site.body("image::a.png[Alt of {product}]"), "![Alt of Gate](/images/a.png)");
    assert_eq!(site.body("image::https://x.example/a.png[Alt]"), "![Alt](https://x.example/a.png)");
}
