//! Swagger 2.0 in the words of OpenAPI 3.
//!
//! Only what moved is moved: the host becomes servers, body and form parameters become request
//! bodies, and a response's schema its content. Definitions stay where they are, so every
//! reference in the document still leads there.

use super::node::{Map, Node};
use super::spec::METHODS;

/// How often a parameter may be a reference to another one.
const HOPS_MAX: usize = 8;

/// Whether this is such a document.
pub fn is_one(root: &Node) -> bool {
    root.find("openapi").is_none() && root.find("swagger").is_some()
}

/// Rewrites a document.
pub fn as_openapi(root: &Node) -> Node {
    let mut converted = Map::new();
    for (name, node) in root.members() {
        let node = match name {
            "paths" => paths(root, node),
            "responses" => mapped(node, |response| self::response(root, root, response)),
            "parameters" => mapped(node, parameter),
            "host" | "basePath" | "schemes" => continue,
            _ => node.clone(),
        };
        converted.insert(name.to_owned(), node);
    }
    converted.insert("servers".to_owned(), servers(root));
    let schemes = mapped(root.get("securityDefinitions"), security_scheme);
    let components = Map::from_iter([("securitySchemes".to_owned(), schemes)]);
    converted.insert("components".to_owned(), Node::Map(components));
    Node::Map(converted)
}

fn mapped(node: &Node, convert: impl Fn(&Node) -> Node) -> Node {
    let members = node.members().map(|(name, member)| (name.to_owned(), convert(member)));
    Node::Map(members.collect())
}

fn servers(root: &Node) -> Node {
    let path = root.text_of("basePath").unwrap_or("/");
    let path = format!("/{}", path.trim_start_matches('/'));
    let Some(host) = root.text_of("host") else {
        return Node::List(vec![server(path)]);
    };
    let schemes = root.get("schemes").items().iter().filter_map(Node::text);
    let schemes: Vec<&str> = schemes.collect();
    let schemes = if schemes.is_empty() { vec!["https"] } else { schemes };
    let url = |scheme: &&str| server(format!("{scheme}://{host}{}", path.trim_end_matches('/')));
    Node::List(schemes.iter().map(url).collect())
}

fn server(url: String) -> Node {
    Node::Map(Map::from_iter([("url".to_owned(), Node::Text(url))]))
}

fn paths(root: &Node, paths: &Node) -> Node {
    mapped(paths, |item| {
        let shared = item.get("parameters").items();
        let members = item.members().filter_map(|(name, node)| {
            let node = match name {
                _ if METHODS.contains(&name) && node.is_map() => operation(root, shared, node),
                // They are with each operation now, since a body among them belongs there.
                "parameters" => return None,
                _ => node.clone(),
            };
            Some((name.to_owned(), node))
        });
        Node::Map(members.collect())
    })
}

fn operation(root: &Node, shared: &[Node], operation: &Node) -> Node {
    let own: Vec<&Node> =
        operation.get("parameters").items().iter().map(|it| followed(root, it)).collect();
    let is_own = |other: &Node| {
        let same = |it: &&&Node| ["name", "in"].iter().all(|key| it.get(key) == other.get(key));
        own.iter().any(|it| same(&it))
    };
    let inherited = shared.iter().map(|it| followed(root, it)).filter(|it| !is_own(it));
    let all: Vec<&Node> = inherited.chain(own.iter().copied()).collect();
    let is_in = |it: &Node, place: &str| it.get("in").text() == Some(place);
    let mut converted = Map::new();
    for (name, node) in operation.members() {
        let node = match name {
            "parameters" | "consumes" | "produces" | "schemes" => continue,
            "responses" => mapped(node, |it| response(root, operation, it)),
            _ => node.clone(),
        };
        converted.insert(name.to_owned(), node);
    }
    let plain = all.iter().filter(|it| !is_in(it, "body") && !is_in(it, "formData"));
    let plain: Vec<Node> = plain.map(|it| parameter(it)).collect();
    converted.insert("parameters".to_owned(), Node::List(plain));
    let fields: Vec<&Node> = all.iter().copied().filter(|it| is_in(it, "formData")).collect();
    let body = match all.iter().find(|it| is_in(it, "body")) {
        Some(body) => Some(request_body(root, operation, body)),
        None if fields.is_empty() => None,
        None => Some(form(root, operation, &fields)),
    };
    if let Some(body) = body {
        converted.insert("requestBody".to_owned(), body);
    }
    Node::Map(converted)
}

/// A parameter or response that another one stands for.
fn followed<'a>(root: &'a Node, node: &'a Node) -> &'a Node {
    let mut node = node;
    for _ in 0..HOPS_MAX {
        let target = node.get("$ref").text().and_then(|it| it.strip_prefix('#'));
        match target.and_then(|pointer| root.pointer(pointer)) {
            Some(next) => node = next,
            None => return node,
        }
    }
    node
}

/// Moves what says which values there are into a schema.
fn parameter(parameter: &Node) -> Node {
    const OF_THE_PARAMETER: &[&str] =
        &["name", "in", "description", "required", "allowEmptyValue", "schema", "$ref"];
    let (mut kept, mut schema) = (Map::new(), Map::new());
    for (name, node) in parameter.members() {
        let place = if OF_THE_PARAMETER.contains(&name) || name.starts_with("x-") {
            &mut kept
        } else {
            &mut schema
        };
        place.insert(name.to_owned(), node.clone());
    }
    if !schema.is_empty() {
        kept.insert("schema".to_owned(), Node::Map(schema));
    }
    Node::Map(kept)
}

fn media_types<'a>(
    root: &'a Node,
    operation: &'a Node,
    key: &str,
    default: &'a str,
) -> Vec<&'a str> {
    let named = |node: &'a Node| -> Vec<&'a str> {
        node.get(key).items().iter().filter_map(Node::text).collect()
    };
    let own = named(operation);
    let types = if own.is_empty() { named(root) } else { own };
    if types.is_empty() { vec![default] } else { types }
}

fn content(types: &[&str], media: &Map) -> Node {
    let each = types.iter().map(|name| ((*name).to_owned(), Node::Map(media.clone())));
    Node::Map(each.collect())
}

fn request_body(root: &Node, operation: &Node, body: &Node) -> Node {
    let types = media_types(root, operation, "consumes", "application/json");
    let media = Map::from_iter([("schema".to_owned(), body.get("schema").clone())]);
    let mut converted = Map::new();
    for key in ["description", "required"] {
        if let Some(node) = body.find(key) {
            converted.insert(key.to_owned(), node.clone());
        }
    }
    converted.insert("content".to_owned(), content(&types, &media));
    Node::Map(converted)
}

fn form(root: &Node, operation: &Node, fields: &[&Node]) -> Node {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for field in fields {
        let Some(name) = field.text_of("name") else { continue };
        let mut schema = match parameter(field).get("schema") {
            Node::Map(schema) => schema.clone(),
            _ => Map::new(),
        };
        schema.insert("description".to_owned(), field.get("description").clone());
        properties.insert(name.to_owned(), Node::Map(schema));
        if field.says("required") {
            required.push(Node::Text(name.to_owned()));
        }
    }
    let schema = Map::from_iter([
        ("type".to_owned(), Node::Text("object".to_owned())),
        ("properties".to_owned(), Node::Map(properties)),
        ("required".to_owned(), Node::List(required)),
    ]);
    let types = media_types(root, operation, "consumes", "application/x-www-form-urlencoded");
    let media = Map::from_iter([("schema".to_owned(), Node::Map(schema))]);
    Node::Map(Map::from_iter([("content".to_owned(), content(&types, &media))]))
}

fn response(root: &Node, operation: &Node, response: &Node) -> Node {
    let response = followed(root, response);
    let mut converted = Map::new();
    for (name, node) in response.members() {
        let node = match name {
            "schema" | "examples" => continue,
            "headers" => mapped(node, parameter),
            _ => node.clone(),
        };
        converted.insert(name.to_owned(), node);
    }
    let examples = response.get("examples");
    if response.get("schema").is_map() || !examples.is_empty() {
        let types = media_types(root, operation, "produces", "application/json");
        let named = examples.members().map(|(name, _)| name).filter(|it| !types.contains(it));
        let each = types.iter().copied().chain(named).map(|name| {
            let mut media = Map::new();
            media.insert("schema".to_owned(), response.get("schema").clone());
            if let Some(example) = examples.find(name) {
                media.insert("example".to_owned(), example.clone());
            }
            (name.to_owned(), Node::Map(media))
        });
        converted.insert("content".to_owned(), Node::Map(each.collect()));
    }
    Node::Map(converted)
}

fn security_scheme(scheme: &Node) -> Node {
    let Node::Map(members) = scheme else { return scheme.clone() };
    let mut converted = members.clone();
    let text = |text: &str| Node::Text(text.to_owned());
    if scheme.get("type").text() == Some("basic") {
        converted.insert("type".to_owned(), text("http"));
        converted.insert("scheme".to_owned(), text("basic"));
    }
    if let (Some("oauth2"), Some(flow)) = (scheme.get("type").text(), scheme.text_of("flow")) {
        let flow = match flow {
            "application" => "clientCredentials",
            "accessCode" => "authorizationCode",
            other => other,
        };
        let flows = Map::from_iter([(flow.to_owned(), scheme.clone())]);
        converted.insert("flows".to_owned(), Node::Map(flows));
    }
    Node::Map(converted)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::parse::{Syntax, parse};

    fn converted(yaml: &str) -> Node {
        as_openapi(&parse(yaml, Syntax::Yaml).unwrap())
    }

    #[test]
    fn what_moved_is_in_its_new_place() {
        let node = converted(
            "swagger: '2.0'\nhost: h:1\nbasePath: /v1/\nschemes: [http]\nproduces: [text/x]\n\
             parameters: {limit: {name: limit, in: query, type: integer, maximum: 9}}\n\
             definitions: {D: {type: object}}\n\
             securityDefinitions: {b: {type: basic}, o: {type: oauth2, flow: accessCode}}\n\
             paths:\n  /a:\n    parameters:\n      - {name: p, in: path, type: string}\n    post:\n\
             \x20     parameters:\n        - {$ref: '#/parameters/limit'}\n\
             \x20       - {name: d, in: body, required: true, schema: {$ref: '#/definitions/D'}}\n\
             \x20     responses: {200: {description: ok, schema: {$ref: '#/definitions/D'}, \
             examples: {text/x: e}}}\n",
        );
        let at = |pointer: &str| node.pointer(pointer).map(Node::brief).unwrap_or_default();
        assert_eq!(at("/servers/0/url"), "http://h:1/v1");
        assert_eq!(at("/paths/~1a/post/parameters/0/schema/type"), "string");
        assert_eq!(at("/paths/~1a/post/parameters/1/schema/maximum"), "9");
        let body = "/paths/~1a/post/requestBody";
        assert_eq!(at(&format!("{body}/required")), "true");
        let reference = at(&format!("{body}/content/application~1json/schema/$ref"));
        assert_eq!(reference, "#/definitions/D");
        assert_eq!(at("/paths/~1a/post/responses/200/content/text~1x/example"), "e");
        assert_eq!(at("/definitions/D/type"), "object");
        assert_eq!(at("/components/securitySchemes/b/scheme"), "basic");
        assert!(!at("/components/securitySchemes/o/flows/authorizationCode").is_empty());
    }

    #[test]
    fn form_fields_become_a_form() {
        let node = converted(
            "swagger: '2.0'\npaths: {/f: {post: {consumes: [multipart/form-data], parameters: [\
             {name: file, in: formData, type: file, required: true, description: it}]}}}\n",
        );
        let schema = "/paths/~1f/post/requestBody/content/multipart~1form-data/schema";
        let at = |pointer: &str| node.pointer(&format!("{schema}{pointer}")).map(Node::brief);
        assert_eq!(at("/properties/file/description").as_deref(), Some("it"));
        assert_eq!(at("/required/0").as_deref(), Some("file"));
    }

    #[test]
    fn odd_documents_do_no_harm() {
        for yaml in [
            "swagger: '2.0'",
            "swagger: 2.0\npaths: [1]\nparameters: x\nresponses: [a]",
            "swagger: '2.0'\npaths: {/a: 1, /b: {get: 2, parameters: {a: 1}}}",
            "swagger: '2.0'\nparameters: {a: {$ref: '#/parameters/a'}}\n\
             paths: {/a: {get: {parameters: [{$ref: '#/parameters/a'}, 7, null]}}}",
        ] {
            assert!(converted(yaml).is_map());
        }
    }
}
