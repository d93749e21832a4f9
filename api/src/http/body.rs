//! Request bodies: JSON, read once, hashed for idempotency, and parsed into a type with errors that name the field.

use super::problem::{Code, Problem};
use axum::{
    extract::{FromRequest, FromRequestParts, Query, Request},
    http::{HeaderMap, header, request::Parts},
};
use futures::StreamExt as _;
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

/// A JSON body and the hash of its canonical form.
#[derive(Clone, Debug)]
pub struct Body<T> {
    /// The parsed body.
    pub value: T,
    /// SHA-256 of the body's RFC 8785 form: the same request in other words has the same hash.
    pub hash: [u8; 32],
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::of(Code::UnsupportedMediaType));
        }
        parse(&read(request).await?)
    }
}

/// A JSON body of a question: nothing is stored under its hash, so that none is made.
#[derive(Clone, Debug)]
pub struct QuestionBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for QuestionBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::of(Code::UnsupportedMediaType));
        }
        question(&read(request).await?).map(QuestionBody)
    }
}

/// What is right is read in one go. What is not, and what serde would take for an object though it is none, is read as every other
/// body, so that it is refused in the same words.
fn question<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let is_object = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
    let may_hold_nul = bytes.windows(6).any(|window| window == b"\\u0000");
    match serde_json::from_slice(bytes) {
        Ok(value) if is_object && !may_hold_nul => Ok(value),
        _ => parse(bytes).map(|body| body.value),
    }
}

/// A body as it came, for providers that send JSON of their own forms.
#[derive(Clone, Debug)]
pub struct RawBody(pub Vec<u8>);

impl<S: Send + Sync> FromRequest<S> for RawBody {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        read(request).await.map(RawBody)
    }
}

/// A JSON body that may be left out: then it is the empty object.
#[derive(Clone, Debug)]
pub struct OptionalBody<T>(pub Body<T>);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for OptionalBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let json = is_json(request.headers());
        let bytes = read(request).await?;
        match bytes.is_empty() {
            true => parse(b"{}").map(OptionalBody),
            false if json => parse(&bytes).map(OptionalBody),
            false => Err(Problem::of(Code::UnsupportedMediaType)),
        }
    }
}

/// Bytes that a request body may have at most; the router puts it on every request.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimit(pub usize);

/// What is read and thrown away beyond the limit. A client that is still sending when the connection closes never sees the answer
/// that tells him why.
const THROWN_AWAY: usize = 16 << 20;

async fn read(request: Request) -> Result<Vec<u8>, Problem> {
    let limit = request.extensions().get::<BodyLimit>().map_or(1 << 20, |limit| limit.0);
    let mut chunks = request.into_body().into_data_stream();
    let (mut body, mut arrived) = (Vec::new(), 0_usize);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Problem::new(Code::MalformedRequest, "the request body did not arrive whole"))?;
        arrived = arrived.saturating_add(chunk.len());
        match arrived {
            _ if arrived <= limit => body.extend_from_slice(&chunk),
            _ if arrived > limit.saturating_add(THROWN_AWAY) => break,
            _ => {}
        }
    }
    match arrived <= limit {
        true => Ok(body),
        false => Err(Problem::new(Code::PayloadTooLarge, format!("a request body has at most {limit} bytes"))),
    }
}

/// Tells a member that is `null` (`Some(None)`, which clears) from one that is not there (`None`, with `#[serde(default)]`).
pub fn said<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    value.split(';').next().is_some_and(|mime| mime.trim().eq_ignore_ascii_case("application/json"))
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<Body<T>, Problem> {
    let json: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| {
        Problem::new(Code::MalformedRequest, format!("the body is not JSON (line {}, column {})", error.line(), error.column()))
    })?;
    if !json.is_object() {
        return Err(Problem::new(Code::MalformedRequest, "the body is not a JSON object"));
    }
    if let Some(path) = nul(&json) {
        return Err(Problem::field(Code::ValidationFailed, &path, NO_NUL));
    }
    let canonical = serde_json_canonicalizer::to_vec(&json)
        .map_err(|_| Problem::new(Code::MalformedRequest, "the body has no canonical form: a number is out of range"))?;
    let value = serde_path_to_error::deserialize(&json).map_err(|error| {
        let (path, message) = (error.path().to_string(), error.inner().to_string());
        let path = if path == "." { at_fault::<T>(&json, &message).unwrap_or(path) } else { path };
        field_problem(&path, &message)
    })?;
    Ok(Body { value, hash: Sha256::digest(canonical).into() })
}

/// Members of a body that are looked at to find the one that is at fault.
const SUSPECTS: usize = 64;

/// The member that is at fault where serde does not say it, as of those that several bodies share: without it the body is right, or wrong in
/// another way than that it is missing.
fn at_fault<T: DeserializeOwned>(json: &serde_json::Value, message: &str) -> Option<String> {
    let members = json.as_object()?;
    let guilty = |name: &str| {
        let rest = members.iter().filter(|(other, _)| *other != name).map(|(name, value)| (name.clone(), value.clone()));
        match T::deserialize(&serde_json::Value::Object(rest.collect())).map_err(|error| error.to_string()) {
            Ok(_) => true,
            Err(without) => without != message && !without.starts_with("missing field"),
        }
    };
    match message.starts_with("missing field") {
        true => None,
        false => members.keys().take(SUSPECTS).find(|name| guilty(name)).cloned(),
    }
}

/// PostgreSQL keeps no U+0000 in text, so a read model could not hold what an event with one says.
const NO_NUL: &str = "must not hold the character U+0000";

/// Where the first string with a U+0000 is, as a path of members.
fn nul(json: &serde_json::Value) -> Option<String> {
    let below = |name: String, value| nul(value).map(|rest| if rest.is_empty() { name } else { format!("{name}.{rest}") });
    match json {
        serde_json::Value::String(text) => text.contains('\0').then(String::new),
        serde_json::Value::Array(items) => items.iter().enumerate().find_map(|(at, item)| below(at.to_string(), item)),
        serde_json::Value::Object(members) => members.iter().find_map(|(name, value)| match name.contains('\0') {
            true => Some(name.replace('\0', "\\u0000")),
            false => below(name.clone(), value),
        }),
        _ => None,
    }
}

/// A typed query string, with the field named where serde can.
#[derive(Clone, Debug)]
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let pairs = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes());
        if let Some((field, _)) = pairs.into_iter().find(|(name, value)| name.contains('\0') || value.contains('\0')) {
            return Err(Problem::field(Code::ValidationFailed, field.replace('\0', "\\u0000"), NO_NUL));
        }
        let Query(value) = Query::<T>::from_request_parts(parts, state).await.map_err(|rejection| {
            let text = std::error::Error::source(&rejection).map_or(rejection.body_text(), ToString::to_string);
            match text.split_once(": ") {
                Some((field, rule)) => field_problem(field, rule),
                None => field_problem("query", &text),
            }
        })?;
        Ok(Params(value))
    }
}

/// Serde's messages quote the offending value; it may be personal, so only the part before it is told.
fn field_problem(path: &str, message: &str) -> Problem {
    if let Some(field) = message.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        let field = if matches!(path, "." | "query") { field.to_owned() } else { format!("{path}.{field}") };
        return Problem::field(Code::ValidationFailed, field, "is required");
    }
    let path = if path == "." { "body" } else { path };
    let told = match message.split_once(": ") {
        Some(("invalid type" | "invalid value", rest)) => {
            rest.rsplit_once(", expected ").map_or("has the wrong type".to_owned(), |(_, expected)| format!("expected {expected}"))
        }
        Some(("unknown variant", rest)) => {
            rest.split_once(", expected ").map_or("is not a known value".to_owned(), |(_, expected)| format!("expected {expected}"))
        }
        _ => message.to_owned(),
    };
    Problem::field(Code::ValidationFailed, path, told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Debug)]
    struct Sample {
        #[serde(rename = "amount")]
        _amount: u64,
    }

    #[test]
    fn the_field_is_named_and_its_value_is_not_repeated() {
        let problem = parse::<Sample>(br#"{"amount":"secret@example.com"}"#).unwrap_err();
        assert_eq!((problem.code, problem.errors[0].field.as_str()), ("validation_failed", "amount"));
        assert!(!problem.detail.contains("secret"), "{}", problem.detail);
    }

    #[test]
    fn a_field_that_several_bodies_share_is_named() {
        #[derive(Deserialize, Debug)]
        struct Shared {
            #[serde(rename = "text")]
            _text: Option<String>,
        }
        #[derive(Deserialize, Debug)]
        struct Whole {
            #[serde(rename = "amount")]
            _amount: u64,
            #[serde(flatten)]
            _shared: Shared,
        }
        let problem = parse::<Whole>(br#"{"amount":1,"other":2,"text":7}"#).unwrap_err();
        assert_eq!((problem.errors[0].field.as_str(), problem.errors[0].message.as_str()), ("text", "expected a string"));
        assert!(parse::<Whole>(br#"{"amount":1,"other":2}"#).is_ok());
    }

    #[test]
    fn a_field_that_is_not_there_is_named() {
        #[derive(Deserialize, Debug)]
        struct Outer {
            #[serde(rename = "inner")]
            _inner: Sample,
        }
        for (body, field) in [(&br#"{"inner":{"b":1}}"#[..], "inner.amount"), (br#"{}"#, "inner")] {
            let problem = parse::<Outer>(body).unwrap_err();
            assert_eq!((problem.errors[0].field.as_str(), problem.errors[0].message.as_str()), (field, "is required"));
            assert_eq!(problem.detail, format!("{field}: is required"));
        }
    }

    #[test]
    fn the_same_request_in_other_words_has_the_same_hash() {
        let one = parse::<Sample>(br#"{"amount":1,"b":2}"#).unwrap();
        let two = parse::<Sample>(br#"{ "b": 2, "amount": 1 }"#).unwrap();
        let three = parse::<Sample>(br#"{"amount":2,"b":2}"#).unwrap();
        assert!(one.hash == two.hash && one.hash != three.hash);
    }

    #[tokio::test]
    async fn what_no_read_model_can_hold_is_refused_by_its_name() {
        let nested = br#"{"amount":1,"a":[{"b":"x\u0000y"}]}"#;
        for problem in [parse::<Sample>(nested).unwrap_err(), question::<Sample>(nested).unwrap_err()] {
            assert_eq!((problem.code, problem.errors[0].field.as_str()), ("validation_failed", "a.0.b"));
        }
        assert!(parse::<Sample>(br#"{"amount":1,"a\u0000":1}"#).is_err());
        let backslash = br#"{"amount":1,"a":"\\u0000"}"#;
        assert!(parse::<Sample>(backslash).is_ok() && question::<Sample>(backslash).is_ok());
        let (mut parts, ()) = axum::http::Request::get("/?amount=1&q=a%00").body(()).unwrap().into_parts();
        let problem = Params::<Sample>::from_request_parts(&mut parts, &()).await.unwrap_err();
        assert_eq!((problem.code, problem.errors[0].field.as_str()), ("validation_failed", "q"));
    }

    #[tokio::test]
    async fn a_query_field_is_named_too() {
        let (mut parts, ()) = axum::http::Request::get("/?amount=x").body(()).unwrap().into_parts();
        let problem = Params::<Sample>::from_request_parts(&mut parts, &()).await.unwrap_err();
        assert_eq!((problem.code, problem.errors[0].field.as_str()), ("validation_failed", "amount"));
        let (mut parts, ()) = axum::http::Request::get("/?other=1").body(()).unwrap().into_parts();
        let problem = Params::<Sample>::from_request_parts(&mut parts, &()).await.unwrap_err();
        assert_eq!((problem.errors[0].field.as_str(), problem.errors[0].message.as_str()), ("amount", "is required"));
    }

    #[test]
    fn what_is_not_a_json_object_is_malformed() {
        for body in [&b"{"[..], b"[]", b"[1]", b"1", b""] {
            assert_eq!(parse::<Sample>(body).unwrap_err().code, "malformed_request");
            assert_eq!(question::<Sample>(body).unwrap_err().detail, parse::<Sample>(body).unwrap_err().detail);
        }
        assert!(question::<Sample>(br#" {"amount":1,"b":[2]}"#).is_ok());
        let wrong = br#"{"amount":"secret@example.com"}"#;
        assert_eq!(question::<Sample>(wrong).unwrap_err().errors, parse::<Sample>(wrong).unwrap_err().errors);
    }
}
