//! What a request costs in allocations, held under ceilings: a number that is the same on every
//! machine, however busy it is.
//!
//! `ceilings.toml` has a ceiling for each path. More is a failure, and so is much less: then the
//! work that made it cheaper also lowers its ceiling, by `scripts/ceilings --write`.
//!
//! A program of its own, because the allocator that counts is the whole program's. It counts for
//! each thread alone, so all that is counted runs on this one: one test, one path after another.

#![allow(missing_docs, reason = "tests are named by sentences")]

#[path = "../it/support/mod.rs"]
#[allow(dead_code, unused_imports, unused_macros, reason = "tests/it uses the rest")]
mod support;

mod count;
mod doors;
mod parts;
mod table;

#[test]
fn no_path_allocates_more_than_its_ceiling_or_much_less() {
    let mut found = parts::all();
    found.extend(doors::all());
    let table = table::Table::read();
    #[expect(clippy::print_stdout, reason = "scripts/ceilings shows it")]
    {
        println!("{}", table.beside(&found));
    }
    if table::is_to_be_written() {
        table::write(&found);
        return;
    }
    let findings = table.findings(&found);
    assert!(findings.is_empty(), "\n{}\nscripts/ceilings says what is what", findings.join("\n"));
}
