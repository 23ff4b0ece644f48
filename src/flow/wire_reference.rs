//! The page of the OpenAPI document: what the `api` describes, in the words of the page.

use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::flow::Gatehouse;
use crate::page::reference::{
    self, FieldShown, KindShown, MediaShown, OperationShown, ReferenceContext, ReferenceShown,
    ResponseShown, TypeShown,
};

/// The document is made from types, so reading it once is enough.
static SHOWN: LazyLock<ReferenceShown> = LazyLock::new(|| {
    // Our own document always parses; were it ever not to, the page would be empty.
    shown(&serde_json::from_str(&gatehouse_api::document_json()).unwrap_or_default())
});

const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Where the schemas of a document are.
const SCHEMAS: &str = "#/components/schemas/";

/// Renders the page.
pub fn page(gatehouse: &Gatehouse) -> String {
    let sources = ["/openapi.yaml", "/openapi.json"].map(|path| gatehouse.config.page_path(path));
    let frame = gatehouse.frame();
    reference::render(&ReferenceContext { frame, reference: &SHOWN, sources: &sources })
}

fn shown(document: &Value) -> ReferenceShown {
    let info = &document["info"];
    let operations = members(&document["paths"]).flat_map(|(path, item)| {
        let methods = members(item).filter(|(method, _)| METHODS.contains(&method.as_str()));
        methods.map(move |(method, operation)| operation_of(path, method, operation))
    });
    let types = members(&document["components"]["schemas"]);
    ReferenceShown {
        title: text(info, "title"),
        version: text(info, "version"),
        description: text(info, "description"),
        operations: operations.collect(),
        types: types.map(|(name, schema)| type_of(name, schema)).collect(),
    }
}

fn operation_of(path: &str, method: &str, operation: &Value) -> OperationShown {
    let parameters = items(&operation["parameters"]).map(|parameter| {
        let mut field = field_of(&text(parameter, "name"), parameter);
        field.kind.words.insert_str(0, &format!("{}, ", text(parameter, "in")));
        field
    });
    OperationShown {
        id: text(operation, "operationId"),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: text(operation, "summary"),
        description: text(operation, "description"),
        is_other_spelling: operation["deprecated"] == true,
        parameters: parameters.collect(),
        bodies: media(&operation["requestBody"]),
        responses: members(&operation["responses"])
            .map(|(status, response)| ResponseShown {
                status: status.clone(),
                description: text(response, "description"),
                bodies: media(response),
                headers: members(&response["headers"])
                    .map(|(name, header)| field_of(name, header))
                    .collect(),
            })
            .collect(),
    }
}

/// A parameter or header, which holds its schema.
fn field_of(name: &str, holder: &Value) -> FieldShown {
    FieldShown {
        name: name.to_owned(),
        kind: kind_of(&holder["schema"]),
        is_required: holder["required"] == true,
        description: text(holder, "description"),
    }
}

fn media(holder: &Value) -> Vec<MediaShown> {
    let shown = |(media_type, content): (&String, &Value)| MediaShown {
        media_type: media_type.clone(),
        kind: kind_of(&content["schema"]),
    };
    members(&holder["content"]).map(shown).collect()
}

fn type_of(name: &str, schema: &Value) -> TypeShown {
    // What is flattened into a type stands beside it in an `allOf`.
    let parts = || std::iter::once(schema).chain(items(&schema["allOf"]));
    let fields = parts().flat_map(|part| {
        let required = &part["required"];
        members(&part["properties"]).map(move |(name, member)| FieldShown {
            name: name.clone(),
            kind: kind_of(member),
            is_required: items(required).any(|required| required == name),
            description: text(member, "description"),
        })
    });
    let words = items(&schema["enum"]).filter_map(Value::as_str);
    TypeShown {
        name: name.to_owned(),
        description: text(schema, "description"),
        fields: fields.collect(),
        words: words.map(str::to_owned).collect(),
    }
}

fn kind_of(schema: &Value) -> KindShown {
    let named = |schema: &Value| {
        schema["$ref"]
            .as_str()?
            .strip_prefix(SCHEMAS)
            .map(|name| KindShown { words: String::new(), of: Some(name.to_owned()) })
    };
    let in_part = || items(&schema["allOf"]).find_map(named);
    if let Some(kind) = named(schema).or_else(in_part) {
        return kind;
    }
    let plain = |words: &str| KindShown { words: words.to_owned(), of: None };
    match schema["type"].as_str() {
        Some("array") => {
            let items = kind_of(&schema["items"]);
            KindShown { words: format!("list of {}", items.words), of: items.of }
        }
        Some(name) => plain(name),
        None => plain("any JSON"),
    }
}

fn text(holder: &Value, key: &str) -> String {
    holder[key].as_str().unwrap_or_default().to_owned()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_and_type_of_the_document_is_shown() {
        let document: Value = serde_json::from_str(&gatehouse_api::document_json()).unwrap();
        let described = members(&document["paths"]).flat_map(|(_, item)| members(item)).count();
        assert_eq!(SHOWN.operations.len(), described);
        assert_eq!(SHOWN.types.len(), members(&document["components"]["schemas"]).count());
        for operation in &SHOWN.operations {
            assert!(!operation.summary.is_empty() && !operation.responses.is_empty());
        }
        for shown in &SHOWN.types {
            assert!(!(shown.fields.is_empty() && shown.words.is_empty()), "{}", shown.name);
        }
    }

    #[test]
    fn what_a_kind_names_is_told() {
        let told = |name: &String| SHOWN.types.iter().any(|shown| shown.name == *name);
        let kinds = SHOWN.operations.iter().flat_map(|operation| {
            let answers = operation.responses.iter().flat_map(|response| &response.bodies);
            operation.bodies.iter().chain(answers).map(|body| &body.kind)
        });
        let fields = SHOWN.types.iter().flat_map(|shown| shown.fields.iter().map(|it| &it.kind));
        let mut count = 0;
        for kind in kinds.chain(fields) {
            assert!(!kind.words.is_empty() || kind.of.is_some());
            assert!(kind.of.as_ref().is_none_or(told), "{kind:?}");
            count += usize::from(kind.of.is_some());
        }
        assert!(count > 20, "{count}");
        let scopes = SHOWN.types.iter().find(|it| it.name == "ProtectedResourceMetadata").unwrap();
        assert_eq!(scopes.fields[1].kind.words, "list of string");
        assert!(scopes.fields[1].is_required);
    }
}
