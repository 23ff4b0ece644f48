//! As much of JSON Schema 2020-12 as the tools' output schemas use.

use serde_json::Value;

/// Whether `value` has the shape of `schema`, whose root is `root`.
pub fn fits(value: &Value, schema: &Value, root: &Value) -> bool {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#'));
        return target.is_some_and(|target| fits(value, target, root));
    }
    has_type(value, &schema["type"])
        && has_members(value, schema, root)
        && value
            .as_array()
            .is_none_or(|items| items.iter().all(|item| fits(item, &schema["items"], root)))
}

fn has_type(value: &Value, name: &Value) -> bool {
    match name {
        Value::Null => true,
        one => match one.as_str().expect("a type name") {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            other => panic!("the schemas use no {other}"),
        },
    }
}

/// Stricter than the standard: a member the schema does not name does not fit either.
fn has_members(value: &Value, schema: &Value, root: &Value) -> bool {
    let Some(members) = value.as_object() else { return true };
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let names_all =
        required.iter().all(|name| name.as_str().is_some_and(|name| members.contains_key(name)));
    names_all
        && members.iter().all(|(name, member)| {
            let property = &schema["properties"][name];
            property.is_object() && fits(member, property, root)
        })
}
