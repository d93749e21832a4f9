//! A client that knows nothing of the service: it makes the calls that answers name, fills in what it is told to, and stops when an
//! answer says `ready`.

use reqwest::{Client, Method};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// More calls than any setup needs.
const MOST_CALLS: usize = 40;

/// Follows answers.
pub struct Follower {
    base_url: String,
    http: Client,
    /// What the caller knows, by name.
    known: BTreeMap<String, Value>,
    /// What actions were answered, by their id.
    results: BTreeMap<String, Value>,
    /// What was called, for the test to look at.
    pub made: Vec<String>,
}

/// How it ended.
#[derive(Debug)]
pub enum Followed {
    /// An answer said `ready`.
    Ready(Value),
    /// The next action is not for the caller: what its `kind` is, and the action.
    Stopped(String, Value),
}

impl Follower {
    /// One that knows `known`, an object.
    pub fn new(base_url: &str, known: Value) -> Self {
        let Value::Object(known) = known else { panic!("what is known is an object") };
        Follower {
            base_url: base_url.to_owned(),
            http: Client::builder().no_proxy().build().expect("a client is built"),
            known: known.into_iter().collect(),
            results: BTreeMap::new(),
            made: Vec::new(),
        }
    }

    /// Keeps what an answer gives by name: tokens and keys that later calls ask for by the same name.
    pub fn learn(&mut self, answer: &Value) {
        let members = answer.as_object().into_iter().flatten();
        self.known.extend(members.filter(|(_, value)| value.is_string()).map(|(name, value)| (name.clone(), value.clone())));
    }

    /// Makes the first action of each answer, and asks again, until one is ready.
    pub async fn follow(&mut self, mut answer: Value) -> Followed {
        let mut recheck = answer["recheck"].clone();
        for _ in 0..MOST_CALLS {
            self.learn(&answer);
            if answer["ready"] == Value::Bool(true) {
                return Followed::Ready(answer);
            }
            let action = answer["next_actions"][0].clone();
            assert!(action.is_object(), "neither ready nor told what to do: {answer:#}");
            if action["kind"] != "call" {
                return Followed::Stopped(action["kind"].as_str().unwrap_or_default().to_owned(), action);
            }
            let made = self.call(&action).await;
            answer = match made.get("next_actions") {
                Some(_) => made,
                None => self.call(&recheck).await,
            };
            if answer["recheck"].is_object() {
                recheck = answer["recheck"].clone();
            }
        }
        panic!("{MOST_CALLS} calls and not ready: {:#?}", self.made)
    }

    /// Makes every action of one answer, in order, without asking in between; what is not the caller's to do is passed over.
    pub async fn follow_list(&mut self, answer: &Value) {
        for action in answer["next_actions"].as_array().expect("an answer lists actions") {
            if action["kind"] == "call" {
                self.call(action).await;
            }
        }
    }

    /// Makes one call as it is written.
    pub async fn call(&mut self, action: &Value) -> Value {
        let text = |name: &str| action[name].as_str().unwrap_or_else(|| panic!("an action has a {name}: {action:#}")).to_owned();
        let method: Method = text("method").parse().expect("a method");
        let url = format!("{}{}", self.base_url, text("path"));
        let url = url::Url::parse_with_params(&url, self.pairs(&action["query"])).expect("an action names a path");
        let mut request = self.http.request(method.clone(), url);
        for (name, value) in self.pairs(&action["headers"]) {
            request = request.header(name, value);
        }
        if !action["body"].is_null() {
            request = request.body(self.filled(&action["body"]).to_string());
        }
        let answer = request.send().await.expect("the service answers");
        let (status, body) = (answer.status(), answer.json::<Value>().await.unwrap_or(Value::Null));
        assert!(status.is_success(), "{method} {} answered {status}: {body:#}\n{action:#}", text("path"));
        self.made.push(text("id"));
        self.results.insert(text("id"), body.clone());
        body
    }

    fn pairs(&self, template: &Value) -> Vec<(String, String)> {
        let members: Map<String, Value> = template.as_object().cloned().unwrap_or_default();
        let plain = |value: Value| match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        members.into_iter().map(|(name, value)| (name, plain(self.filled(&value)))).collect()
    }

    /// A template with everything in its place.
    fn filled(&self, template: &Value) -> Value {
        if let Some(name) = template["$input"].as_str() {
            return self.known.get(name).cloned().unwrap_or_else(|| panic!("the caller does not know {name}: {template}"));
        }
        if let Some(action) = template["$result"].as_str() {
            let pointer = template["pointer"].as_str().expect("a result has a pointer");
            let result = self.results.get(action).and_then(|answer| answer.pointer(pointer));
            return result.cloned().unwrap_or_else(|| panic!("nothing was answered to {template}"));
        }
        if template["$generate"] == "uuid" {
            let id: uuid::Uuid = events::clock::new_id();
            return Value::String(id.to_string());
        }
        match template {
            Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), self.filled(value))).collect(),
            Value::Array(items) => items.iter().map(|item| self.filled(item)).collect(),
            plain => plain.clone(),
        }
    }
}
