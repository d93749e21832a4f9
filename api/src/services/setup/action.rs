//! Calls that an agent can make as they stand: nothing in them has to be known of Hilt.
//!
//! A template is JSON in which an object with one of these members stands for a value:
//!
//! | Member | Stands for |
//! |---|---|
//! | `$input` | what only the caller knows, by that name; `type` and `description` say what it is |
//! | `$result` | what the action of that id was answered, at the JSON pointer `pointer` |
//! | `$generate` | a value that the caller makes anew for each call, and sends again when he repeats it: `uuid` |

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// A call to make, ready to be sent.
#[derive(Clone, PartialEq, Debug, Serialize, ToSchema)]
pub struct NextAction {
    /// Names it within the answer, for `$result`.
    #[schema(example = "create_app")]
    pub id: &'static str,
    /// `call`: send it. `wait`: nobody but Hilt can do it; ask again after `retry_after_seconds`. `owner`: only the workspace's owner
    /// can do it, from the dashboard. `support`: ask Hilt's support.
    pub kind: Kind,
    /// The blockers that it clears, by code.
    pub clears: Vec<&'static str>,
    /// Method and route, for people.
    #[schema(example = "POST /v1/access/apps")]
    pub endpoint: String,
    /// What it does, in a sentence.
    pub action: String,
    /// Why it is needed.
    pub why: String,
    /// HTTP method.
    #[schema(example = "POST")]
    pub method: &'static str,
    /// Path on this host; every id in it is filled in.
    #[schema(example = "/v1/access/apps")]
    pub path: String,
    /// Query parameters, a template.
    #[schema(value_type = Object)]
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub query: Map<String, Value>,
    /// Headers, a template.
    #[schema(value_type = Object)]
    pub headers: Map<String, Value>,
    /// What the credential must be.
    pub credential: Credential,
    /// The permission that a key needs; null when none is.
    #[schema(example = "access:write")]
    pub scope: Option<&'static str>,
    /// The JSON body, a template; null when there is none.
    #[schema(value_type = Option<Object>)]
    pub body: Option<Value>,
    /// Seconds to wait before this call makes sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
    /// A page where a person does it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Who can do it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The caller, now.
    Call,
    /// Hilt, in time.
    Wait,
    /// The workspace's owner.
    Owner,
    /// Hilt's support, when asked.
    Support,
}

/// The kind of credential that a call needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Credential {
    /// A live API key, in `X-Hilt-Key`.
    LiveApiKey,
    /// A sandbox API key, in `X-Hilt-Key`.
    SandboxApiKey,
    /// The setup token, in the body.
    SetupToken,
    /// The owner's dashboard session, as a bearer token.
    DashboardSession,
}

impl Credential {
    fn header(self) -> Option<(&'static str, Value)> {
        let key = |name, text| Some(("X-Hilt-Key", input(name, "secret", text)));
        match self {
            Credential::LiveApiKey => key("live_api_key", "A live API key of the workspace, kept on the server."),
            Credential::SandboxApiKey => key("sandbox_api_key", "A sandbox API key, kept on the server."),
            Credential::SetupToken => None,
            Credential::DashboardSession => {
                Some(("Authorization", input("dashboard_authorization", "secret", "Bearer and the owner's token.")))
            }
        }
    }
}

impl NextAction {
    /// A call of that id, method and route.
    pub fn call(id: &'static str, method: &'static str, path: impl Into<String>, credential: Credential) -> Self {
        let path = path.into();
        let mut headers = Map::new();
        headers.extend(credential.header().map(|(name, value)| (name.to_owned(), value)));
        if method != "GET" {
            headers.insert("Content-Type".into(), json!("application/json"));
            if credential != Credential::SetupToken {
                headers.insert("Idempotency-Key".into(), json!({"$generate": "uuid"}));
            }
        }
        NextAction {
            id,
            kind: Kind::Call,
            clears: Vec::new(),
            endpoint: format!("{method} {path}"),
            action: String::new(),
            why: String::new(),
            method,
            path,
            query: Map::new(),
            headers,
            credential,
            scope: None,
            body: None,
            retry_after_seconds: None,
            url: None,
        }
    }
    /// What it does, and why.
    pub fn says(mut self, action: impl Into<String>, why: impl Into<String>) -> Self {
        (self.action, self.why) = (action.into(), why.into());
        self
    }
    /// With a permission.
    pub fn scope(mut self, scope: events::vocab::words::Scope) -> Self {
        self.scope = Some(scope.as_str());
        self
    }
    /// With a query parameter, unless there is none.
    pub fn query(mut self, name: &str, value: impl Into<Value>) -> Self {
        match value.into() {
            Value::Null => {}
            value => drop(self.query.insert(name.to_owned(), value)),
        }
        self
    }
    /// With a body.
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
    /// That clears these blockers.
    pub fn clears(mut self, codes: impl IntoIterator<Item = &'static str>) -> Self {
        self.clears.extend(codes);
        self
    }
    /// That somebody else has to do.
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }
    /// After that time.
    pub fn after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }
    /// On that page.
    pub fn at(mut self, url: impl Into<String>) -> Self {
        self.url = Some(url.into());
        self
    }
    /// Under the name of the route as it is documented, ids left out.
    pub fn endpoint(mut self, endpoint: &str) -> Self {
        self.endpoint = endpoint.to_owned();
        self
    }
}

/// What only the caller knows.
pub fn input(name: &str, kind: &str, description: &str) -> Value {
    json!({"$input": name, "type": kind, "description": description})
}

/// What an earlier action was answered.
pub fn result(action: &str, pointer: &str) -> Value {
    json!({"$result": action, "pointer": pointer})
}

/// Puts values in place of the inputs that they are named for.
pub fn fill(action: &mut NextAction, known: &Map<String, Value>) {
    action.body.iter_mut().for_each(|body| fill_value(body, known));
    action.query.values_mut().for_each(|value| fill_value(value, known));
}

fn fill_value(value: &mut Value, known: &Map<String, Value>) {
    let named = value.get("$input").and_then(Value::as_str).and_then(|name| known.get(name)).cloned();
    match named {
        Some(filled) => *value = filled,
        None => match value {
            Value::Object(members) => members.values_mut().for_each(|member| fill_value(member, known)),
            Value::Array(items) => items.iter_mut().for_each(|item| fill_value(item, known)),
            _ => {}
        },
    }
}
