//! What holds of every route, said once for all of them: the answers that come from what each request passes through, the headers
//! that it takes and gives, and the media type of problems. A route says only what is its own.

use crate::http::{answers, problem::Code};
use serde_json::{Map, Value, json};

/// The members of a path item that are operations.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Every operation of the document, with its method.
pub fn operations(document: &mut Value) -> impl Iterator<Item = (&str, &mut Map<String, Value>)> {
    let paths = document["paths"].as_object_mut().into_iter().flat_map(Map::values_mut);
    let members = paths.filter_map(Value::as_object_mut).flat_map(|item| item.iter_mut());
    let operations = members.filter(|(method, _)| METHODS.contains(&method.as_str()));
    operations.filter_map(|(method, operation)| Some((method.as_str(), operation.as_object_mut()?)))
}

/// Completes every operation.
pub fn complete(document: &mut Value) {
    for (method, operation) in operations(document) {
        // "No credential" is said by saying nothing.
        if operation.get("security").is_some_and(|security| *security == json!([{}])) {
            operation.remove("security");
        }
        let takes = Takes::of(method, operation);
        parameters(operation, &takes);
        answers(operation, &takes);
    }
}

/// What a request of an operation consists of.
struct Takes {
    read: bool,
    body: bool,
    credential: bool,
    path: bool,
    query: bool,
    idempotency_key: bool,
    required_key: bool,
}

impl Takes {
    fn of(method: &str, operation: &Map<String, Value>) -> Self {
        let parameters: Vec<&Value> = operation.get("parameters").and_then(Value::as_array).into_iter().flatten().collect();
        let within = |place: &str| parameters.iter().any(|parameter| parameter["in"] == place);
        let key = parameters.iter().find(|parameter| parameter["name"] == "Idempotency-Key");
        Takes {
            read: method == "get",
            body: operation.contains_key("requestBody"),
            credential: operation.contains_key("security"),
            path: within("path"),
            query: within("query"),
            idempotency_key: key.is_some(),
            required_key: key.is_some_and(|key| key["required"] == true),
        }
    }

    /// The problems that can come of them, whatever the route is about.
    fn problems(&self) -> Vec<Code> {
        let mut codes = vec![Code::RequestTimeout, Code::Internal, Code::Unavailable];
        let mut when = |takes: bool, more: &[Code]| codes.extend(more.iter().filter(|_| takes));
        when(self.body, &[Code::MalformedRequest, Code::PayloadTooLarge, Code::UnsupportedMediaType, Code::ValidationFailed]);
        when(self.query, &[Code::ValidationFailed]);
        when(self.path, &[Code::NotFound]);
        when(self.credential, &[Code::AuthRequired, Code::InvalidApiKey, Code::InvalidToken, Code::CredentialConflict]);
        when(self.credential, &[Code::ScopeRequired]);
        when(self.credential && self.read, &[Code::ValidationFailed, Code::ProjectionBehind]);
        when(self.idempotency_key, &[Code::InvalidIdempotencyKey, Code::IdempotencyInProgress, Code::IdempotencyKeyReused]);
        when(self.idempotency_key, &[Code::Conflict, Code::Overloaded]);
        when(self.required_key, &[Code::IdempotencyKeyRequired]);
        codes
    }
}

/// Describes the headers that mean the same everywhere, and the ids in paths.
fn parameters(operation: &mut Map<String, Value>, takes: &Takes) {
    let all = operation.entry("parameters").or_insert_with(|| json!([]));
    let Some(all) = all.as_array_mut() else { return };
    for parameter in all.iter_mut() {
        match (parameter["in"].as_str(), parameter["name"].as_str()) {
            (Some("header"), Some("Idempotency-Key")) => {
                parameter["description"] = "Unique to this operation: the same key with the same body answers what it answered before, \
                    with `Idempotency-Replayed`. 1 to 255 visible ASCII characters."
                    .into();
                parameter["schema"] = json!({"type": "string", "pattern": "^[!-~]{1,255}$"});
                parameter["example"] = "4f1f0e1c-order-1".into();
            }
            (Some("path"), Some(name)) if name == "id" || (name.ends_with("_id") && name != "rail_id") => {
                parameter["schema"] = json!({"type": "string", "format": "uuid"});
            }
            // utoipa calls every parameter required that is not told otherwise; an optional query parameter never is.
            (Some("query"), _) if nullable(&parameter["schema"]) => parameter["required"] = false.into(),
            _ => {}
        }
    }
    if takes.credential && takes.read {
        all.push(json!({
            "name": "Hilt-Min-Position", "in": "header", "required": false,
            "description": "A `Hilt-Position`: the read waits, for at most 5 seconds, until its read model has got there. Your own \
                writes are there without it.",
            "schema": {"type": "integer", "format": "int64", "minimum": 0},
        }));
    }
    if all.is_empty() {
        operation.remove("parameters");
    }
}

fn nullable(schema: &Value) -> bool {
    schema["type"].as_array().is_some_and(|types| types.iter().any(|one| one == "null"))
        || schema["oneOf"].as_array().is_some_and(|schemas| schemas.iter().any(|one| one["type"] == "null"))
}

/// Adds what is missing, and gives every problem its media type.
fn answers(operation: &mut Map<String, Value>, takes: &Takes) {
    let responses = operation.entry("responses").or_insert_with(|| json!({}));
    let Some(responses) = responses.as_object_mut() else { return };
    for code in takes.problems() {
        let response = responses.entry(code.status().as_str()).or_insert_with(|| json!({"description": ""}));
        let told = response["description"].as_str().unwrap_or_default();
        let word = format!("`{}`", code.as_str());
        if !told.contains(&word) {
            response["description"] = if told.is_empty() { word } else { format!("{told}, {word}") }.into();
        }
    }
    for (status, response) in responses.iter_mut() {
        if response["description"].as_str().unwrap_or_default().is_empty() {
            response["description"] = "A problem; `code` says which.".into();
        }
        // utoipa describes bytes as a list of numbers.
        for kind in ["pdf", "octet-stream", "scitt-receipt+cose"] {
            if let Some(content) = response.pointer_mut(&format!("/content/application~1{kind}")) {
                content["schema"] = json!({"type": "string", "format": "binary"});
            }
        }
        let mut headers = json!({"X-Request-Id": header("The request's id: yours if it was well formed.", "string", true)});
        match status.as_bytes().first() {
            Some(b'4' | b'5') => problem(status, response, &mut headers),
            Some(b'2') if takes.idempotency_key => {
                headers["Hilt-Position"] = header("Position of the write in the log; send it as `Hilt-Min-Position`.", "integer", false);
                headers["Idempotency-Replayed"] = header("`true` on an answer that was given before.", "string", false);
            }
            _ => {}
        }
        merge(response, "headers", headers);
    }
}

fn problem(status: &str, response: &mut Value, headers: &mut Value) {
    if matches!(status, "408" | "409" | "429" | "503") {
        headers["Retry-After"] = header("Seconds after which the same request may succeed.", "integer", false);
    }
    let documented = response["content"].as_object().is_some_and(|content| !content.is_empty());
    let is_problem = response["content"].pointer("/application~1json/schema/$ref").is_some_and(|schema| schema == answers::PROBLEM);
    if is_problem || !documented {
        response["content"] = json!({"application/problem+json": {"schema": {"$ref": answers::PROBLEM}}});
    }
}

fn header(description: &str, kind: &str, required: bool) -> Value {
    json!({"description": description, "required": required, "schema": {"type": kind}})
}

/// Adds members to `object[name]`; those that are there stay.
fn merge(object: &mut Value, name: &str, members: Value) {
    let (Value::Object(more), Some(object)) = (members, object.as_object_mut()) else { return };
    if let Some(there) = object.entry(name).or_insert_with(|| json!({})).as_object_mut() {
        for (member, value) in more {
            there.entry(member).or_insert(value);
        }
    }
}
