//! A Postman collection (format 2.1) made from the OpenAPI document: one request an operation, in a folder a tag. The same document
//! always gives the same collection. It holds no key: `hilt_key` is a variable to be filled in.

use serde_json::{Map, Value, json};

/// What a reader of the format recognises it by.
const FORMAT: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";
/// How deep a sample body goes into schemas that hold schemas.
const DEPTH: u8 = 4;

/// The collection.
pub fn collection(document: &Value) -> Value {
    let folders: Vec<Value> = document["tags"].as_array().into_iter().flatten().map(|tag| folder(document, tag)).collect();
    let base_url = &document["servers"][0]["url"];
    json!({
        "info": {"name": document["info"]["title"], "description": document["info"]["description"], "schema": FORMAT},
        "auth": api_key(),
        "variable": [
            {"key": "base_url", "value": base_url, "type": "string"},
            {"key": "hilt_key", "value": "", "type": "string", "description": "hk_sandbox_… to try things, hk_live_… for money"},
        ],
        "item": folders,
    })
}

fn api_key() -> Value {
    json!({"type": "apikey", "apikey": [
        {"key": "key", "value": "X-Hilt-Key", "type": "string"},
        {"key": "value", "value": "{{hilt_key}}", "type": "string"},
        {"key": "in", "value": "header", "type": "string"},
    ]})
}

fn folder(document: &Value, tag: &Value) -> Value {
    let paths = document["paths"].as_object().into_iter().flatten();
    let operations =
        paths.flat_map(|(path, item)| item.as_object().into_iter().flatten().map(move |(method, operation)| (path, method, operation)));
    let of_tag = operations.filter(|(_, _, operation)| operation["tags"][0] == tag["name"]);
    let items: Vec<Value> = of_tag.map(|(path, method, operation)| request(document, path, method, operation)).collect();
    json!({"name": tag["name"], "description": tag["description"], "item": items})
}

fn request(document: &Value, path: &str, method: &str, operation: &Value) -> Value {
    let mut request = json!({
        "method": method.to_uppercase(),
        "description": operation["description"],
        "header": headers(operation),
        "url": url(path, operation),
    });
    if operation.get("security").is_none() {
        request["auth"] = json!({"type": "noauth"});
    }
    if let Some(schema) = operation["requestBody"]["content"].pointer("/application~1json/schema") {
        let raw = format!("{:#}", sample(document, schema, DEPTH));
        request["body"] = json!({"mode": "raw", "raw": raw, "options": {"raw": {"language": "json"}}});
    }
    json!({"name": operation["summary"], "request": request, "response": []})
}

fn parameters<'a>(operation: &'a Value, place: &'a str) -> impl Iterator<Item = &'a Value> {
    operation["parameters"].as_array().into_iter().flatten().filter(move |parameter| parameter["in"] == place)
}

fn headers(operation: &Value) -> Vec<Value> {
    let mut headers = Vec::new();
    if operation.get("requestBody").is_some() {
        headers.push(json!({"key": "Content-Type", "value": "application/json"}));
    }
    for parameter in parameters(operation, "header") {
        let name = &parameter["name"];
        let value = if name == "Idempotency-Key" { "{{$guid}}" } else { "" };
        headers.push(json!({"key": name, "value": value, "description": parameter["description"], "disabled": value.is_empty()}));
    }
    headers
}

fn url(path: &str, operation: &Value) -> Value {
    let segments: Vec<String> = path.trim_start_matches('/').split('/').map(colon).collect();
    let query: Vec<Value> = parameters(operation, "query")
        .map(|parameter| json!({"key": parameter["name"], "value": "", "description": parameter["description"], "disabled": parameter["required"] != true}))
        .collect();
    let variables: Vec<Value> = parameters(operation, "path")
        .map(|parameter| json!({"key": parameter["name"], "value": "", "description": parameter["description"]}))
        .collect();
    json!({
        "raw": format!("{{{{base_url}}}}/{}", segments.join("/")),
        "host": ["{{base_url}}"],
        "path": segments,
        "query": query,
        "variable": variables,
    })
}

/// `{id}` as Postman writes it.
fn colon(segment: &str) -> String {
    match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(name) => format!(":{name}"),
        None => segment.to_owned(),
    }
}

/// A value of that schema: its example, or what it asks for.
fn sample(document: &Value, schema: &Value, depth: u8) -> Value {
    if let Some(example) = schema.get("example") {
        return example.clone();
    }
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/components/schemas/")) {
        return sample(document, &document["components"]["schemas"][name], depth);
    }
    if let Some(word) = schema["enum"].get(0) {
        return word.clone();
    }
    let parts = ["oneOf", "anyOf"].iter().find_map(|choice| schema[choice].as_array());
    if let Some(part) = parts.and_then(|parts| parts.iter().find(|part| part["type"] != "null")) {
        return sample(document, part, depth);
    }
    if let Some(parts) = schema["allOf"].as_array() {
        let merged = parts.iter().filter_map(|part| sample(document, part, depth).as_object().cloned()).flatten();
        return Value::Object(merged.collect());
    }
    match schema["type"].as_str().or_else(|| schema["type"][0].as_str()) {
        Some("object") if depth > 0 => members(document, schema, depth - 1),
        Some("object") => json!({}),
        Some("array") => json!([]),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        Some("boolean") => json!(false),
        Some("string") => json!(""),
        _ => Value::Null,
    }
}

/// The members that are required, and those that have an example.
fn members(document: &Value, schema: &Value, depth: u8) -> Value {
    let required = |name: &str| schema["required"].as_array().is_some_and(|names| names.iter().any(|required| required == name));
    let all = schema["properties"].as_object().into_iter().flatten();
    let shown = all.filter(|(name, property)| required(name) || property.get("example").is_some());
    Value::Object(shown.map(|(name, property)| (name.clone(), sample(document, property, depth))).collect::<Map<_, _>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn made() -> (Value, Value) {
        let document = crate::routes::openapi::document("https://api.example.com");
        let collection = collection(&document);
        (document, collection)
    }

    fn requests(collection: &Value) -> impl Iterator<Item = &Value> {
        let folders = collection["item"].as_array().unwrap().iter();
        folders.flat_map(|folder| folder["item"].as_array().unwrap()).map(|item| &item["request"])
    }

    #[test]
    fn every_operation_is_one_request() {
        let (document, collection) = made();
        let documented: BTreeSet<String> = document["paths"]
            .as_object()
            .unwrap()
            .iter()
            .flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| format!("{} {path}", method.to_uppercase())))
            .collect();
        let braces = |segment: &Value| match segment.as_str().unwrap().strip_prefix(':') {
            Some(name) => format!("{{{name}}}"),
            None => segment.as_str().unwrap().to_owned(),
        };
        let in_collection: Vec<String> = requests(&collection)
            .map(|request| {
                let path: Vec<_> = request["url"]["path"].as_array().unwrap().iter().map(braces).collect();
                format!("{} /{}", request["method"].as_str().unwrap(), path.join("/"))
            })
            .collect();
        assert_eq!(in_collection.len(), documented.len());
        assert_eq!(in_collection.into_iter().collect::<BTreeSet<_>>(), documented);
    }

    #[test]
    fn every_body_is_json_and_a_rail_is_always_named() {
        let (document, collection) = made();
        let mut bodies = 0;
        for request in requests(&collection).filter(|request| request.get("body").is_some()) {
            let raw = request["body"]["raw"].as_str().unwrap();
            assert!(serde_json::from_str::<Value>(raw).is_ok(), "{raw}");
            bodies += 1;
        }
        assert!(bodies > 20);
        for (path, field) in [
            ("/v1/access/apps", "default_rail"),
            ("/v1/access/products", "allowed_rails"),
            ("/v1/access/payment-sessions", "rail"),
            ("/v1/access/sandbox/payment-sessions", "rail"),
            ("/v1/access/entitlements/check", "rail"),
            ("/v1/access/payment-proofs", "rail"),
        ] {
            let schema = document["paths"][path]["post"]["requestBody"]["content"].pointer("/application~1json/schema").unwrap();
            assert!(!sample(&document, schema, DEPTH)[field].is_null(), "OPS-26: {path} names its rail");
        }
    }

    #[test]
    fn it_holds_no_key_and_nothing_of_staff() {
        let text = made().1.to_string();
        let keys: Vec<_> = ["hk_live_", "hk_sandbox_", "whsec_"].into_iter().flat_map(|start| text.split(start).skip(1)).collect();
        for rest in keys {
            assert!(rest.starts_with('…'), "{rest:.20}");
        }
        assert!(!text.contains("/v1/admin") && !text.contains("Bearer ey"));
    }
}
