use super::*;

#[test]
fn markers_nest_lists() {
    check(&[
        ("* a\n** b\n*** c\n* d", "- a\n  - b\n    - c\n- d"),
        ("- a\n* b\n- c", "- a\n  - b\n- c"),
        (". a\n.. b\n. c", "1. a\n   1. b\n2. c"),
        ("* a\n\n* b\n\n\n* c", "- a\n- b\n- c"),
        (". a\n* b\n* c\n. d", "1. a\n   - b\n   - c\n2. d"),
        ("[loweralpha]\n. a\n. b", "1. a\n2. b"),
        ("[start=4]\n. a\n. b", "4. a\n5. b"),
        ("3. a\n4. b", "3. a\n4. b"),
        (". a\n[loweralpha]\n.. b", "1. a\n   1. b"),
        ("* a\n\n//-\n\n* b", "- a\n\n- b"),
    ]);
}

#[test]
fn continuations_attach_blocks() {
    check(&[
        (". a\n+\npara\n. b", "1. a\n\n   para\n\n2. b"),
        (
            ". a\n+\n[,sh]\n----\nx\n\ny\n----\n+\nmore\n. b",
            "1. a\n\n   ```sh\n   x\n\n   y\n   ```\n\n   more\n\n2. b",
        ),
        ("* a\n+\n--\nb\n\n* c\n--\n* d", "- a\n\n  b\n\n  - c\n\n- d"),
        ("* a\n** b\n\n+\nof a", "- a\n  - b\n\n  of a"),
        ("* a\n+\n.T\n[NOTE]\n====\nn\n====", "- a\n\n  **T**\n\n  > **Note:** n"),
        ("* a\n+", "- a"),
        ("* a\n+\n* b", "- a\n- b"),
        ("* a\n\n  literal\n* b", "- a\n\n  ```\n  literal\n  ```\n\n- b"),
    ]);
}

#[test]
fn a_paragraph_after_a_blank_line_ends_a_list() {
    check(&[("* a\nwrapped\n  more\n\nafter", "- a\n  wrapped\n  more\n\nafter")]);
}

#[test]
fn checklists_keep_their_boxes() {
    check(&[("* [ ] open\n* [x] done\n* [*] done", "- [ ] open\n- [x] done\n- [x] done")]);
}

#[test]
fn description_lists_name_their_terms() {
    check(&[
        ("a:: b\nc:: d", "- **a**: b\n- **c**: d"),
        ("`a`::\n  b\nc::\n\nd", "- **`a`**: b\n- **c**: d"),
        ("a::\nb:: both", "- **a**, **b**: both"),
        ("a:: b\n+\nmore\nc:: d", "- **a**: b\n\n  more\n\n- **c**: d"),
        ("a::\n* x\n* y", "- **a**\n  - x\n  - y"),
        ("a:: b\nx::: y\nc:: d", "- **a**: b\n\n  - **x**: y\n\n- **c**: d"),
        ("[horizontal]\na:: b", "- **a**: b"),
        ("a;; b", "- **a**: b"),
        ("std::vector is no term", "std::vector is no term"),
    ]);
}

#[test]
fn comments_and_attributes_between_items_do_not_part_them() {
    check(&[("* a\n// note\n* b\n:x: 1\n* {x}", "- a\n- b\n- 1")]);
}

#[test]
fn what_looks_like_a_list_in_a_paragraph_is_text() {
    check(&[("As follows:\n* not a list", "As follows:\n* not a list")]);
}
