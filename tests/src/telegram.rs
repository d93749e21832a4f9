//! A stand-in for Telegram: it speaks the Bot API as documented for the methods that the service uses, keeps what it was asked, and
//! fails as it is told.

use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::post,
};
use serde_json::{Value, json};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{net::TcpListener, task::JoinHandle};

/// The bot's token.
pub const TOKEN: &str = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
/// The one chat that the bot is in.
pub const CHAT: &str = "-1001234567890";
/// The bot's own id.
const BOT: i64 = 110_201_543;

/// How to answer a call, other than well.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Too many requests: the seconds to wait.
    TooMany(u32),
    /// An error of the Bot API: its code and its words.
    Refused(u16, &'static str),
    /// A status of a server in between, with a page of HTML.
    Status(u16),
    /// Well, after a while.
    Slow(Duration),
    /// With something that is not JSON.
    Malformed,
    /// The invite is made, and the answer never arrives; other methods are not concerned.
    Lost,
    /// The group has become a supergroup of that id.
    Migrated(i64),
}

/// A call that arrived.
#[derive(Clone, PartialEq, Debug)]
pub struct Call {
    /// The method.
    pub method: String,
    /// Its parameters.
    pub parameters: Value,
}

#[derive(Default)]
struct Shared {
    script: VecDeque<Fault>,
    then: Option<Fault>,
    members: HashMap<i64, &'static str>,
    chats: Vec<String>,
    without_rights: bool,
    keeps_members: bool,
    calls: Vec<Call>,
}

type Handle = Arc<Mutex<Shared>>;

/// A running stand-in. It ends with the value.
pub struct Telegram {
    /// Its address.
    pub url: String,
    shared: Handle,
    task: JoinHandle<()>,
}

impl Telegram {
    /// Starts one on a port that the system chooses.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let shared = Handle::new(Mutex::new(Shared { chats: vec![CHAT.to_owned()], ..Shared::default() }));
        let router = Router::new().route("/{bot}/{method}", post(answer)).with_state(shared.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Telegram { url, shared, task }
    }

    /// Fails the next calls by `script`, and all later ones as `then` says.
    pub fn fails(&self, script: impl IntoIterator<Item = Fault>, then: Option<Fault>) {
        let mut shared = lock(&self.shared);
        (shared.script, shared.then) = (script.into_iter().collect(), then);
    }

    /// What has become of a user: `member`, `left`, `kicked` …
    pub fn member(&self, user: i64, status: &'static str) {
        lock(&self.shared).members.insert(user, status);
    }

    /// The bot may not make invites any more.
    pub fn takes_rights(&self) {
        lock(&self.shared).without_rights = true;
    }

    /// The bot may not take members out any more.
    pub fn keeps_members(&self) {
        lock(&self.shared).keeps_members = true;
    }

    /// What has become of a user.
    pub fn status(&self, user: i64) -> Option<&'static str> {
        lock(&self.shared).members.get(&user).copied()
    }

    /// Every call to `method`, in order.
    pub fn calls(&self, method: &str) -> Vec<Call> {
        lock(&self.shared).calls.iter().filter(|call| call.method == method).cloned().collect()
    }
}

impl Drop for Telegram {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn lock(shared: &Handle) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn answer(State(shared): State<Handle>, Path((bot, method)): Path<(String, String)>, Json(parameters): Json<Value>) -> Response {
    if bot != format!("bot{TOKEN}") {
        return refused(401, "Unauthorized");
    }
    let (fault, done) = {
        let mut shared = lock(&shared);
        shared.calls.push(Call { method: method.clone(), parameters: parameters.clone() });
        let spared = shared.script.front() == Some(&Fault::Lost) && method != "createChatInviteLink";
        let fault = if spared { None } else { shared.script.pop_front().or_else(|| shared.then.clone()) };
        if let Some(Fault::Migrated(chat)) = fault {
            shared.chats = vec![chat.to_string()];
        }
        // Telegram does nothing of what it refuses.
        let heard = matches!(fault, None | Some(Fault::Slow(_) | Fault::Lost));
        let done = if heard { done(&mut shared, &method, &parameters) } else { well(Value::Null) };
        (fault, done)
    };
    match fault {
        None => done,
        Some(Fault::TooMany(seconds)) => {
            let description = format!("Too Many Requests: retry after {seconds}");
            let parameters = json!({"retry_after": seconds});
            envelope(429, json!({"ok": false, "error_code": 429, "description": description, "parameters": parameters}))
        }
        Some(Fault::Refused(code, description)) => refused(code, description),
        Some(Fault::Status(status)) => (StatusCode::from_u16(status).unwrap(), "<html>Bad Gateway</html>").into_response(),
        Some(Fault::Slow(delay)) => {
            tokio::time::sleep(delay).await;
            done
        }
        Some(Fault::Malformed) => "{\"ok\": tru".into_response(),
        Some(Fault::Lost) => std::future::pending().await,
        Some(Fault::Migrated(chat)) => {
            let description = "Bad Request: group chat was upgraded to a supergroup chat";
            let parameters = json!({"migrate_to_chat_id": chat});
            envelope(400, json!({"ok": false, "error_code": 400, "description": description, "parameters": parameters}))
        }
    }
}

/// What the method does when nothing is wrong.
fn done(shared: &mut Shared, method: &str, parameters: &Value) -> Response {
    if method == "getMe" {
        return well(json!({"id": BOT, "is_bot": true, "first_name": "Hilt", "username": "hilt_bot"}));
    }
    let chat = parameters["chat_id"].as_str().map_or_else(|| parameters["chat_id"].to_string(), str::to_owned);
    if !shared.chats.contains(&chat) {
        return refused(400, "Bad Request: chat not found");
    }
    match method {
        "getChatMember" => match parameters["user_id"].as_i64() {
            Some(BOT) => {
                let may = !shared.without_rights;
                well(json!({
                    "status": "administrator", "can_invite_users": may, "can_restrict_members": may && !shared.keeps_members,
                    "user": {"id": BOT},
                }))
            }
            Some(user) => match shared.members.get(&user) {
                Some(status) => well(json!({"status": status, "user": {"id": user, "is_bot": false, "first_name": "Buyer"}})),
                None => refused(400, "Bad Request: user not found"),
            },
            None => refused(400, "Bad Request: invalid user_id specified"),
        },
        "createChatInviteLink" if shared.without_rights => refused(400, "Bad Request: not enough rights to manage chat invite link"),
        "createChatInviteLink" => {
            let (name, limit) = (parameters["name"].as_str().unwrap_or_default(), parameters["member_limit"].as_u64());
            if name.chars().count() > 32 || limit != Some(1) || !parameters["expire_date"].is_i64() {
                return refused(400, "Bad Request: invite link parameters are invalid");
            }
            let number = shared.calls.iter().filter(|call| call.method == method).count();
            well(json!({
                "invite_link": format!("https://t.me/+secretInvite{number}"), "name": name, "creator": {"id": BOT, "is_bot": true},
                "creates_join_request": false, "is_primary": false, "is_revoked": false,
                "expire_date": parameters["expire_date"], "member_limit": limit,
            }))
        }
        "banChatMember" if shared.without_rights || shared.keeps_members => {
            refused(400, "Bad Request: not enough rights to restrict/unrestrict chat member")
        }
        "banChatMember" => match (parameters["user_id"].as_i64(), parameters["until_date"].as_i64()) {
            (Some(user), Some(_)) => match shared.members.get(&user).copied() {
                Some("creator") => refused(400, "Bad Request: can't remove chat owner"),
                Some("administrator") => refused(400, "Bad Request: user is an administrator of the chat"),
                _ => {
                    shared.members.insert(user, "kicked");
                    well(json!(true))
                }
            },
            _ => refused(400, "Bad Request: PARTICIPANT_ID_INVALID"),
        },
        "unbanChatMember" => {
            // Without this, whoever is in the chat would be put out of it.
            if parameters["only_if_banned"] != json!(true) {
                return refused(400, "Bad Request: only_if_banned is expected");
            }
            if let Some(status) = parameters["user_id"].as_i64().and_then(|user| shared.members.get_mut(&user))
                && *status == "kicked"
            {
                *status = "left";
            }
            well(json!(true))
        }
        "revokeChatInviteLink" => {
            let link = parameters["invite_link"].as_str().unwrap_or_default();
            match link.starts_with("https://t.me/+secretInvite") {
                true => well(json!({"invite_link": link, "is_revoked": true, "creator": {"id": BOT, "is_bot": true}})),
                false => refused(400, "Bad Request: INVITE_HASH_EXPIRED"),
            }
        }
        _ => refused(404, "Not Found"),
    }
}

fn well(result: Value) -> Response {
    envelope(200, json!({"ok": true, "result": result}))
}

fn refused(code: u16, description: &str) -> Response {
    envelope(code, json!({"ok": false, "error_code": code, "description": description}))
}

fn envelope(status: u16, body: Value) -> Response {
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}
