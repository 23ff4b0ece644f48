//! What is counted is what the manual, the dashboard and the alerts speak of.

use std::collections::BTreeSet;

use saphyr_parser::Parser;
use serde_json::Value;

use super::*;
use crate::metrics::sign_in::Step;

const MANUAL: &str = include_str!("../../docs/monitoring.md");
const ALERTS: &str = include_str!("../../docs/monitoring/alerts.yaml");
const DASHBOARD: &str = include_str!("../../docs/monitoring/grafana-dashboard.json");

/// Every name that can be scraped, with the ones that a histogram adds.
fn exported() -> BTreeSet<String> {
    let metrics = Metrics::new(&Names::default(), &StoreMetrics::default());
    let collectors = metrics.collectors(&StoreMetrics::default());
    let names = collectors.iter().flat_map(|collector| collector.desc());
    let names: BTreeSet<String> = names.map(|desc| desc.fq_name.clone()).collect();
    let parts = ["_bucket", "_count", "_sum"];
    let histograms = names.iter().filter(|name| !name.ends_with("_total"));
    let added = histograms.flat_map(|name| parts.map(|part| format!("{name}{part}")));
    added.chain(names.iter().cloned()).collect()
}

/// Words in `text` that look like one of our metrics, or one of the process.
fn named_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let is_metric = |word: &&str| word.starts_with("gatehouse_") || word.starts_with("process_");
    words.filter(is_metric).collect()
}

fn expressions(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            found.extend(fields.get("expr").and_then(Value::as_str).map(str::to_owned));
            fields.values().for_each(|field| expressions(field, found));
        }
        Value::Array(items) => items.iter().for_each(|item| expressions(item, found)),
        _ => {}
    }
}

#[test]
fn what_is_counted_can_be_read_and_nothing_is_counted_twice() {
    let metrics = Metrics::new(&Names::default(), &StoreMetrics::default());
    metrics.sign_in.passed(Step::Register);
    let text = metrics.text();
    assert!(text.contains("gatehouse_sign_in_steps_total{step=\"register\"} 1"), "{text}");
    assert!(text.contains("gatehouse_sign_in_steps_total{step=\"token\"} 0"), "{text}");
    assert!(text.contains("# TYPE gatehouse_build_info gauge"), "{text}");
}

#[test]
fn the_dashboard_and_the_alerts_name_only_what_is_exported() {
    let exported = exported();
    let dashboard: Value = serde_json::from_str(DASHBOARD).expect("it is JSON");
    let mut asked = Vec::new();
    expressions(&dashboard, &mut asked);
    assert!(asked.len() > 10, "{asked:?}");
    let asked = asked.join("\n");
    for (file, text) in [("grafana-dashboard.json", &*asked), ("alerts.yaml", ALERTS)] {
        let named = named_in(text);
        assert!(named.len() > 5, "{file}: {named:?}");
        for name in named {
            assert!(exported.contains(name), "{file} asks for {name}");
        }
    }
}

#[test]
fn the_manual_lists_each_metric_and_no_other() {
    let rows = MANUAL.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let is_metric = |name: &&str| name.starts_with("gatehouse_");
    let listed: BTreeSet<_> = rows.map(|(name, _)| name).filter(is_metric).collect();
    let metrics = Metrics::new(&Names::default(), &StoreMetrics::default());
    let collectors = metrics.collectors(&StoreMetrics::default());
    let names = collectors.iter().flat_map(|collector| collector.desc());
    let names = names.map(|desc| desc.fq_name.as_str()).filter(is_metric);
    assert_eq!(listed, names.collect());
}

#[test]
fn the_alerts_are_rules_that_prometheus_reads() {
    for event in Parser::new_from_str(ALERTS) {
        event.expect("it is YAML");
    }
    let rules: Vec<_> = ALERTS.split("\n      - alert: ").skip(1).collect();
    assert!(rules.len() > 5, "{}", rules.len());
    for rule in rules {
        for key in ["expr:", "for:", "severity:", "summary:", "description:"] {
            assert_eq!(rule.matches(&format!(" {key}")).count(), 1, "{key} in {rule}");
        }
    }
}
