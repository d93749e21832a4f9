//! Discord's OAuth server as its documentation describes it: codes that work once, tokens that can be revoked, and `users/@me`.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tokio::{net::TcpListener, task::JoinHandle};

/// The application that it knows.
pub const CLIENT_ID: &str = "1122334455667788990";
/// Its secret.
pub const CLIENT_SECRET: &str = "discord-client-secret";

#[derive(Default)]
struct World {
    /// Codes that were not used, with the redirect URI that they were given for and the user.
    codes: HashMap<String, (String, Value)>,
    tokens: HashMap<String, Value>,
    revoked: Vec<String>,
    broken: bool,
}

/// A running stand-in. It ends with the value.
pub struct DiscordOAuthServer {
    /// Its REST address.
    pub api_url: String,
    world: Arc<Mutex<World>>,
    task: JoinHandle<()>,
}

impl DiscordOAuthServer {
    /// Starts one on a port that the system chooses.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let api_url = format!("http://{}/api/v10", listener.local_addr().unwrap());
        let world = Arc::new(Mutex::new(World::default()));
        let router = Router::new()
            .route("/api/v10/oauth2/token", post(token))
            .route("/api/v10/oauth2/token/revoke", post(revoke))
            .route("/api/v10/users/@me", get(me))
            .with_state(world.clone());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        DiscordOAuthServer { api_url, world, task }
    }

    /// What the consent page does when the user agrees: a code for that redirect URI.
    pub fn consent(&self, redirect_uri: &str, id: &str, username: &str) -> String {
        let user = json!({ "id": id, "username": username, "discriminator": "0", "global_name": "Buyer", "avatar": null });
        let mut world = self.world.lock().unwrap();
        let code = format!("code{}", world.codes.len() + world.tokens.len() + 1);
        world.codes.insert(code.clone(), (redirect_uri.to_owned(), user));
        code
    }

    /// Answers everything with 500 from now on.
    pub fn break_down(&self) {
        self.world.lock().unwrap().broken = true;
    }

    /// Tokens that were given out and not revoked.
    pub fn live_tokens(&self) -> usize {
        let world = self.world.lock().unwrap();
        world.tokens.len() - world.revoked.len()
    }
}

impl Drop for DiscordOAuthServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn form(body: &str) -> HashMap<String, String> {
    url::form_urlencoded::parse(body.as_bytes()).into_owned().collect()
}

fn is_the_application(headers: &HeaderMap) -> bool {
    let expected = format!("Basic {}", STANDARD.encode(format!("{CLIENT_ID}:{CLIENT_SECRET}")));
    headers.get(header::AUTHORIZATION).is_some_and(|sent| sent.as_bytes() == expected.as_bytes())
}

async fn token(State(world): State<Arc<Mutex<World>>>, headers: HeaderMap, body: String) -> Response {
    let (form, mut world) = (form(&body), world.lock().unwrap());
    if world.broken {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    if !is_the_application(&headers) {
        return (StatusCode::UNAUTHORIZED, Json(json!({ "error": "invalid_client" }))).into_response();
    }
    let granted = world.codes.remove(form.get("code").map_or("", String::as_str));
    match granted {
        Some((redirect_uri, user)) if form["grant_type"] == "authorization_code" && form["redirect_uri"] == redirect_uri => {
            let access_token = format!("token{}", world.tokens.len() + 1);
            world.tokens.insert(access_token.clone(), user);
            let answer = json!({ "access_token": access_token, "token_type": "Bearer", "expires_in": 604_800, "refresh_token": "r", "scope": "identify" });
            Json(answer).into_response()
        }
        _ => (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response(),
    }
}

async fn revoke(State(world): State<Arc<Mutex<World>>>, headers: HeaderMap, body: String) -> Response {
    if !is_the_application(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    world.lock().unwrap().revoked.extend(form(&body).remove("token"));
    Json(json!({})).into_response()
}

async fn me(State(world): State<Arc<Mutex<World>>>, headers: HeaderMap) -> Response {
    let world = world.lock().unwrap();
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer ").map(str::to_owned));
    match token.filter(|token| !world.revoked.contains(token)).and_then(|token| world.tokens.get(&token).cloned()) {
        Some(user) => Json(user).into_response(),
        None => (StatusCode::UNAUTHORIZED, Json(json!({ "message": "401: Unauthorized", "code": 0 }))).into_response(),
    }
}
