//! One path, two eras: ERA-01, ERA-02, LT-01, LT-06, LT-07, ST-10, ST-11, ST-12.

use serde_json::{Value, json};

use super::world::{Call, LEGACY, MODERN, World, meta};

fn initialize(version: &str) -> Call {
    Call::request(
        "initialize",
        json!({
            "protocolVersion": version,
            "capabilities": {},
            "clientInfo": { "name": "editor", "version": "1" },
        }),
    )
}

#[tokio::test]
async fn one_path_serves_both_eras_era_01() {
    let world = World::new();
    let modern = world.send(Call::modern("tools/list", json!({}))).await;
    let legacy = world.send(Call::legacy("tools/list", json!({}))).await;
    assert_eq!(modern.json["result"]["resultType"], "complete");
    assert_eq!(legacy.json["result"].get("resultType"), None);
    assert_eq!(modern.json["result"]["tools"], legacy.json["result"]["tools"]);
}

#[tokio::test]
async fn the_version_header_alone_makes_a_request_modern_era_01() {
    let call = Call::request("tools/list", json!({}))
        .header("mcp-protocol-version", MODERN)
        .header("mcp-method", "tools/list");
    World::new().send(call).await.expect_error(400, -32602);
}

#[tokio::test]
async fn initialize_agrees_on_a_legacy_revision_era_02_lt_01() {
    let world = World::new();
    for (asked, agreed) in [
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
        ("2025-03-26", "2025-03-26"),
        ("2024-11-05", LEGACY),
        ("1999-01-01", LEGACY),
        ("2026-07-28", LEGACY),
        ("banana", LEGACY),
        ("", LEGACY),
    ] {
        let answer = world.send(initialize(asked)).await;
        assert_eq!(answer.status, 200, "{asked}");
        assert_eq!(answer.json["result"]["protocolVersion"], agreed, "{asked}");
    }
}

#[tokio::test]
async fn initialize_may_carry_any_version_header_lt_07() {
    let world = World::new();
    for header in ["2025-11-25", "2025-03-26", "2026-07-28", "banana"] {
        let call = initialize("2025-06-18").header("mcp-protocol-version", header);
        let answer = world.send(call).await;
        assert_eq!(answer.json["result"]["protocolVersion"], "2025-06-18", "{header}");
    }
}

#[tokio::test]
async fn a_request_without_a_version_is_one_of_2025_03_26_lt_06() {
    let answer = World::new().send(Call::request("tools/list", json!({}))).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json["result"].get("resultType"), None);
}

#[tokio::test]
async fn a_version_header_nobody_speaks_is_refused_lt_06_st_12() {
    let world = World::new();
    for header in ["banana", "2099-01-01", "2024-11-05", "2025-11-2"] {
        let call = Call::legacy("tools/list", json!({})).header("mcp-protocol-version", header);
        let answer = world.send(call).await;
        answer.expect_error(400, -32022);
        assert_eq!(answer.json["id"], 1);
        expect_versions(&answer.json["error"]["data"], header);
    }
}

#[tokio::test]
async fn a_version_in_the_body_nobody_speaks_is_refused_st_12() {
    let world = World::new();
    for method in ["tools/list", "server/discover"] {
        let call = Call::request(method, json!({ "_meta": meta("2099-01-01") }))
            .header("mcp-protocol-version", "2099-01-01")
            .header("mcp-method", method);
        let answer = world.send(call).await;
        answer.expect_error(400, -32022);
        expect_versions(&answer.json["error"]["data"], "2099-01-01");
    }
}

#[track_caller]
fn expect_versions(data: &Value, requested: &str) {
    assert_eq!(data["requested"], requested);
    assert_eq!(data["supported"], json!(["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26"]));
}

#[tokio::test]
async fn header_and_body_must_name_one_version_st_10_st_11() {
    let world = World::new();
    for header in ["2025-11-25", "2025-03-26", "2024-11-05", "banana", ""] {
        let call = Call::modern("tools/list", json!({})).header("mcp-protocol-version", header);
        world.send(call).await.expect_error(400, -32020);
    }
}

#[tokio::test]
async fn a_second_version_header_is_refused_st_10() {
    let call = Call::modern("tools/list", json!({})).second_header("mcp-protocol-version", LEGACY);
    World::new().send(call).await.expect_error(400, -32020);
}
