use super::*;

fn bucket(number: u64) -> Bucket {
    let mut hash = NOBODY;
    hash[..8].copy_from_slice(&number.to_be_bytes());
    Bucket::of(&hash)
}

fn named(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

fn share(percent: u16) -> Policy {
    Policy { share: Share::from_hundredths(percent * 100), ..Policy::default() }
}

const SEARCH: Asked<'_> = Asked { product: "Cursor", tool: Some("search_docs") };

#[test]
fn clients_and_tools_are_matched_exactly_and_any_part_is_enough() {
    let last = bucket(9_999);
    let policy = Policy {
        share: Share::from_hundredths(1),
        clients: named(&["Claude Code"]),
        tools: named(&["read_page"]),
    };
    for (product, tool, bucket, expected) in [
        ("Cursor", Some("search_docs"), last, Decision::Pass),
        ("Cursor", Some("search_docs"), bucket(0), Decision::Challenge(Reason::Share)),
        ("Cursor", Some("search_docs"), bucket(1), Decision::Pass),
        ("Claude Code", None, last, Decision::Challenge(Reason::Client)),
        ("Claude", None, last, Decision::Pass),
        ("claude code", None, last, Decision::Pass),
        ("Cursor", Some("read_page"), last, Decision::Challenge(Reason::Tool)),
        ("Cursor", Some("read_pages"), last, Decision::Pass),
        ("Claude Code", Some("read_page"), last, Decision::Challenge(Reason::Client)),
        ("read_page", None, last, Decision::Pass),
    ] {
        let decision = decide(&policy, Standing::InForce, bucket, Asked { product, tool });
        assert_eq!(decision, expected, "{product} {tool:?} {bucket:?}");
        let halted = decide(&policy, Standing::Halted, bucket, Asked { product, tool });
        assert_eq!(halted, Decision::Pass);
    }
}

#[test]
fn no_policy_asks_nobody_and_all_of_it_everybody() {
    for number in 0..10_000 {
        let at = bucket(number);
        let asks = |policy: &Policy| decide(policy, Standing::InForce, at, SEARCH);
        assert_eq!(asks(&Policy::default()), Decision::Pass);
        assert_eq!(asks(&Policy::everybody()), Decision::Challenge(Reason::Share));
    }
    assert!(Policy::default().is_empty() && !share(1).is_empty());
}

#[test]
fn shares_and_policies_are_told_in_words() {
    for (hundredths, told) in [(0, "0%"), (1_000, "10%"), (50, "0.5%"), (1_205, "12.05%")] {
        assert_eq!(Share::from_hundredths(hundredths).to_string(), told);
    }
    let policy = Policy { clients: named(&["Zed", "Cursor"]), ..share(10) };
    assert_eq!(policy.to_string(), "10% of callers, clients: Cursor, Zed");
}

#[test]
fn a_client_is_named_as_it_is_counted() {
    for (text, expected) in [
        ("cursor", Some("Cursor")),
        ("claude-code", Some("Claude Code")),
        ("Unknown", Some("unknown")),
        ("curl", None),
    ] {
        assert_eq!(client_named(text), expected, "{text}");
    }
    assert_eq!(product_without_token(Some("cursor-vscode"), Some("node")), "Cursor");
    assert_eq!(product_without_token(Some("mine"), Some("claude-code/2")), "Claude Code");
    assert_eq!(product_without_token(None, Some("curl/8")), "unknown");
}

#[test]
fn it_halts_when_enough_were_asked_and_too_few_came_back() {
    for (challenged, returned, halt_below, expected) in [
        (19, 0, 50, Standing::InForce),
        (20, 9, 50, Standing::Halted),
        (20, 10, 50, Standing::InForce),
        (20, 0, 0, Standing::InForce),
        (20, 19, 100, Standing::Halted),
        (20, 20, 100, Standing::InForce),
        (0, 0, 100, Standing::InForce),
        (u64::MAX, 0, 50, Standing::Halted),
    ] {
        let tally = Tally { challenged, returned };
        assert_eq!(judge(tally, halt_below), expected, "{tally:?} below {halt_below}");
    }
}

#[test]
fn who_still_has_time_and_who_was_asked_before_it_went_on_is_not_judged() {
    let at = |minutes: i64| Timestamp::from_seconds(minutes * 60);
    assert_eq!(judged_span(at(600), None), (at(480), at(570)));
    assert_eq!(judged_span(at(600), Some(at(100))), (at(480), at(570)));
    assert_eq!(judged_span(at(600), Some(at(500))), (at(500), at(570)));
}

#[test]
fn no_address_is_shown_whole() {
    for (address, shown) in [
        ("198.51.100.77", "198.51.100.0/24"),
        ("::ffff:198.51.100.77", "198.51.100.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
    ] {
        assert_eq!(shown_network(address.parse().unwrap()), shown);
    }
}

#[test]
fn raising_the_share_only_adds_callers_one_by_one() {
    let asks = |number, hundredths| {
        let policy = Policy { share: Share::from_hundredths(hundredths), ..Policy::default() };
        decide(&policy, Standing::InForce, bucket(number), SEARCH) != Decision::Pass
    };
    for number in 0..10_000_u16 {
        // A caller is asked from their place on, whatever the share: so it only adds.
        assert!(!asks(number.into(), number) && asks(number.into(), number + 1), "{number}");
        for hundredths in (0..=10_000).step_by(100) {
            assert_eq!(asks(number.into(), hundredths), number < hundredths, "{number}");
        }
    }
    assert_eq!(bucket(10_000), bucket(0));
    assert!(asks(9_999, 10_000) && asks(9_999, u16::MAX));
}

#[test]
fn what_is_listed_adds_to_the_share_and_takes_nobody_away() {
    for (number, hundredths) in (0..10_000).step_by(97).zip((0..=10_000).step_by(89).cycle()) {
        for product in ["Cursor", "Zed", "unknown"] {
            for tool in [None, Some("search_docs"), Some("read_page")] {
                let base =
                    Policy { share: Share::from_hundredths(hundredths), ..Policy::default() };
                let (clients, tools) = (named(&["Cursor"]), named(&["read_page"]));
                let wider = Policy { clients, tools, ..base.clone() };
                let asks = |policy| {
                    let asked = Asked { product, tool };
                    decide(policy, Standing::InForce, bucket(number), asked) != Decision::Pass
                };
                let is_listed = product == "Cursor" || tool == Some("read_page");
                assert_eq!(asks(&wider), asks(&base) || is_listed, "{product} {tool:?}");
            }
        }
    }
}
