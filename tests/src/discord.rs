//! A stand-in for Discord: it speaks its REST API as documented for the routes that the service uses, keeps what it was asked, and
//! fails as it is told.

use axum::{
    Json, Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// The bot's token.
pub const TOKEN: &str = "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs";
/// The one guild that the bot is in.
pub const GUILD: &str = "197038439483310086";
/// Its one role.
pub const ROLE: &str = "41771983423143936";
/// Its one channel.
pub const CHANNEL: &str = "155101607195836416";

/// How to answer a call, other than well.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Too many requests: the seconds to wait, as the header and the body say them.
    TooMany(u32, &'static str),
    /// A status with one of Discord's error codes.
    Refused(u16, u32, &'static str),
    /// A status of a server in between, with a page of HTML.
    Status(u16),
    /// With something that is not JSON.
    Malformed,
}

#[derive(Default)]
struct Shared {
    script: VecDeque<Fault>,
    then: Option<Fault>,
    members: HashMap<String, HashSet<String>>,
    invites: u32,
    calls: Vec<String>,
}

type Handle = Arc<Mutex<Shared>>;

/// A running stand-in. It ends with the value.
pub struct Discord {
    /// Its address, with the API's version.
    pub url: String,
    shared: Handle,
    task: JoinHandle<()>,
}

impl Discord {
    /// Starts one on a port that the system chooses.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/api/v10", listener.local_addr().unwrap());
        let shared = Handle::default();
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Discord { url, shared, task }
    }

    /// Fails the next calls by `script`, and all later ones as `then` says.
    pub fn fails(&self, script: impl IntoIterator<Item = Fault>, then: Option<Fault>) {
        let mut shared = lock(&self.shared);
        (shared.script, shared.then) = (script.into_iter().collect(), then);
    }

    /// Somebody comes into the guild.
    pub fn joins(&self, user: &str) {
        lock(&self.shared).members.entry(user.to_owned()).or_default();
    }

    /// Whether somebody is in the guild.
    pub fn is_in(&self, user: &str) -> bool {
        lock(&self.shared).members.contains_key(user)
    }

    /// Whether somebody has the role.
    pub fn has_role(&self, user: &str) -> bool {
        lock(&self.shared).members.get(user).is_some_and(|roles| roles.contains(ROLE))
    }

    /// Every call, as `METHOD path`, in order.
    pub fn calls(&self) -> Vec<String> {
        lock(&self.shared).calls.clone()
    }
}

impl Drop for Discord {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(shared: &Handle) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(shared): State<Handle>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut shared = lock(&shared);
    let path = uri.path().strip_prefix("/api/v10/").unwrap_or_default().to_owned();
    shared.calls.push(format!("{method} {path}"));
    let is_bot = headers.get(header::AUTHORIZATION).is_some_and(|value| value.as_bytes() == format!("Bot {TOKEN}").as_bytes());
    if !is_bot {
        return refused(401, 0, "401: Unauthorized");
    }
    let named = headers.get(header::USER_AGENT).is_some_and(|value| value.to_str().is_ok_and(|name| name.starts_with("DiscordBot (")));
    if !named {
        return refused(403, 40_333, "internal network error");
    }
    match shared.script.pop_front().or_else(|| shared.then.clone()) {
        None => done(&mut shared, &method, &path, &body),
        Some(Fault::TooMany(header, exact)) => {
            let body = format!(r#"{{"message":"You are being rate limited.","retry_after":{exact},"global":false}}"#);
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, header.to_string())], body).into_response()
        }
        Some(Fault::Refused(status, code, message)) => refused(status, code, message),
        Some(Fault::Status(status)) => (StatusCode::from_u16(status).unwrap(), "<html>").into_response(),
        Some(Fault::Malformed) => "{\"code\":".into_response(),
    }
}

/// What the route does when nothing is wrong.
fn done(shared: &mut Shared, method: &Method, path: &str, body: &[u8]) -> Response {
    let parts: Vec<&str> = path.split('/').collect();
    match (method.as_str(), parts.as_slice()) {
        ("GET", ["guilds", GUILD]) => Json(json!({"id": GUILD, "name": "Guild"})).into_response(),
        (_, ["guilds", guild, ..]) if *guild != GUILD => refused(404, 10_004, "Unknown Guild"),
        ("GET", ["guilds", _, "members", user]) => match shared.members.get(*user) {
            Some(roles) => Json(json!({"user": {"id": user}, "roles": roles})).into_response(),
            None => refused(404, 10_007, "Unknown Member"),
        },
        ("PUT", ["guilds", _, "members", user, "roles", role]) => match shared.members.get_mut(*user) {
            None => refused(404, 10_007, "Unknown Member"),
            Some(_) if *role != ROLE => refused(404, 10_011, "Unknown Role"),
            Some(roles) => {
                roles.insert((*role).to_owned());
                StatusCode::NO_CONTENT.into_response()
            }
        },
        ("DELETE", ["guilds", _, "members", user, "roles", role]) => match shared.members.get_mut(*user) {
            None => refused(404, 10_007, "Unknown Member"),
            Some(roles) => {
                roles.remove(*role);
                StatusCode::NO_CONTENT.into_response()
            }
        },
        ("DELETE", ["guilds", _, "members", user]) => match shared.members.remove(*user) {
            None => refused(404, 10_007, "Unknown Member"),
            Some(_) => StatusCode::NO_CONTENT.into_response(),
        },
        ("DELETE", ["invites", code]) if code.starts_with("secretInvite") => Json(json!({"code": code})).into_response(),
        ("DELETE", ["invites", _]) => refused(404, 10_006, "Unknown Invite"),
        ("POST", ["channels", CHANNEL, "invites"]) => {
            let terms: Value = serde_json::from_slice(body).unwrap_or_default();
            if terms["max_uses"] != json!(1) || terms["unique"] != json!(true) {
                return refused(400, 50_035, "Invalid Form Body");
            }
            shared.invites += 1;
            Json(json!({"code": format!("secretInvite{}", shared.invites), "type": 0})).into_response()
        }
        ("POST", ["channels", _, "invites"]) => refused(404, 10_003, "Unknown Channel"),
        _ => refused(404, 0, "404: Not Found"),
    }
}

fn refused(status: u16, code: u32, message: &str) -> Response {
    (StatusCode::from_u16(status).unwrap(), Json(json!({"message": message, "code": code}))).into_response()
}
