use super::*;

#[test]
fn cells_in_one_line_make_a_grid() {
    check(&[
        (
            "[cols=\"1,2\",options=\"header\"]\n|===\n| A | B\n| c | d *e*\n|===",
            "| A | B |\n| --- | --- |\n| c | d **e** |",
        ),
        ("|===\n|A |B\n\n|c\n|d\n|===", "| A | B |\n| --- | --- |\n| c | d |"),
        ("|===\n|a |b\n|c |d\n|===", "|  |  |\n| --- | --- |\n| a | b |\n| c | d |"),
        ("[%header,cols=2*]\n|===\n|A\n|B\n\n|c\n|d\n|===", "| A | B |\n| --- | --- |\n| c | d |"),
        ("|===\n|*A* |*B*\n|c |d\n|===", "| **A** | **B** |\n| --- | --- |\n| c | d |"),
        ("|===\n|a \\| b\n|===", "|  |\n| --- |\n| a \\| b |"),
        ("[cols=\"1,1\"]\n|===\n|a\nb\n|c\n|===", "|  |  |\n| --- | --- |\n| a b | c |"),
        (".Title\n|===\n|a\n|===", "**Title**\n\n|  |\n| --- |\n| a |"),
        ("|===\n|===", ""),
    ]);
}

#[test]
fn styles_of_columns_and_cells_are_followed() {
    check(&[
        (
            "[cols=\"1m,1s,1e\"]\n|===\n|a_b |b |c\n|===",
            "|  |  |  |\n| --- | --- | --- |\n| `a_b` | **b** | *c* |",
        ),
        ("|===\nm|a s|b\n|===", "|  |  |\n| --- | --- |\n| `a` | **b** |"),
        (
            "[cols=\"1,1a\"]\n|===\n|a\n|\n* x\n* y\n|===",
            "|  |  |\n| --- | --- |\n| a | • x<br>• y |",
        ),
        ("[cols=\"1m\"]\n|===\n|*B* `c`\n|===", "|  |\n| --- |\n| **B** `c` |"),
    ]);
}

#[test]
fn spans_and_copies_are_laid_out() {
    check(&[
        (
            "|===\n|a |b |c\n2+|wide |d\n.2+|tall |e |f\n|g |h\n3*|x\n|===",
            "|  |  |  |\n| --- | --- | --- |\n| a | b | c |\n| wide |  | d |\n| tall | e | f |\n\
             | tall | g | h |\n| x | x | x |",
        ),
        ("|===\n|a\n.2+|tall\n|===", "|  |\n| --- |\n| a |\n| tall |"),
        ("|===\n|a |b\n|only\n|===", "|  |  |\n| --- | --- |\n| a | b |\n| only |  |"),
    ]);
}

#[test]
fn cells_that_hold_blocks_make_a_list() {
    let source = "[cols=\"1,1a\",options=\"header\"]\n|===\n|Key |Use\n\n|a\n|Run:\n\n[,sh]\n----\n\
                  x\n----\n\n|b\n|Plain.\n|===";
    let expected = "- **a**\n\n  Run:\n\n  ```sh\n  x\n  ```\n\n- **b**\n\n  Plain.";
    assert_eq!(body(source), expected);
}

#[test]
fn a_list_of_rows_names_its_columns() {
    let source = "[cols=\"1,1,1a\",options=\"header\"]\n|===\n|Key |Type |Use\n\n|a |int\n|\n----\n\
                  x\n----\n|===";
    assert_eq!(body(source), "- **a**\n  - Type: int\n  - Use:\n\n    ```\n    x\n    ```");
}

#[test]
fn tables_of_records_are_read() {
    check(&[
        (
            "[%header,format=csv]\n|===\nA,B\n\"c, d\",\"say \"\"x\"\"\"\n|===",
            "| A | B |\n| --- | --- |\n| c, d | say \"x\" |",
        ),
        (",===\na,b\nc,d\n,===", "|  |  |\n| --- | --- |\n| a | b |\n| c | d |"),
        (":===\na:b\\:c\n:===", "|  |  |\n| --- | --- |\n| a | b:c |"),
    ]);
}

#[test]
fn a_table_in_a_cell_is_read() {
    let source = "[cols=\"1,1a\"]\n|===\n|a\n|\n!===\n!x !y\n!===\n|===";
    assert_eq!(body(source), "- **a**\n\n  |  |  |\n  | --- | --- |\n  | x | y |");
}

#[test]
fn conditions_inside_tables_are_decided_first() {
    let source = "[cols=\"1s,2a\"]\n|===\n| Property | Value\n\n| Default\n|\nifdef::cloud[]\nx\n\
                  endif::[]\nifndef::cloud[]\n`50`\nendif::[]\n\n|===";
    assert_eq!(body(source), "| Property | Value |\n| --- | --- |\n| **Default** | `50` |");
}
