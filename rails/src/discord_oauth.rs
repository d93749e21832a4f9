//! Discord's OAuth 2 flow (RT-012, RT-013): where to send a buyer, and who he turns out to be. Only `identify` is asked for; the access
//! token is used once and revoked.

use reqwest::{Client, Response, StatusCode, header};
use serde::Deserialize;
use std::{fmt, time::Duration};
use url::{Url, form_urlencoded};

const TIMEOUT: Duration = Duration::from_secs(10);
/// No answer of this flow is larger.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;

/// A Discord application.
#[derive(Clone)]
pub struct DiscordOAuth {
    http: Client,
    application: Application,
}

/// What the application is registered with.
#[derive(Clone)]
pub struct Application {
    /// Its public id.
    pub client_id: String,
    /// Its secret.
    pub client_secret: String,
    /// Discord's REST address, without a trailing slash.
    pub api_url: Url,
    /// Discord's page that asks for consent.
    pub authorize_url: Url,
    /// Where Discord sends the buyer back to; registered at Discord, the same for every product.
    pub redirect_uri: String,
}

/// A Discord user.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct DiscordUser {
    /// The id, a decimal number.
    pub id: String,
    /// The unique user name.
    pub username: String,
}

/// Why nobody was identified.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OAuthError {
    /// Discord does not accept the code: it was used, is too old, or never was one.
    #[error("Discord does not accept the code")]
    CodeRefused,
    /// Discord did not answer as documented.
    #[error("Discord cannot be asked: {0}")]
    Unavailable(&'static str),
}

impl fmt::Debug for DiscordOAuth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DiscordOAuth({})", self.application.client_id)
    }
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

impl DiscordOAuth {
    /// A client; `http` follows no redirects.
    pub fn new(http: Client, application: Application) -> Self {
        DiscordOAuth { http, application }
    }

    /// The page that asks the buyer for consent.
    pub fn authorize_url(&self, state: &str) -> String {
        let mut url = self.application.authorize_url.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.application.client_id)
            .append_pair("scope", "identify")
            .append_pair("state", state)
            .append_pair("redirect_uri", &self.application.redirect_uri);
        url.into()
    }

    /// Who the buyer is, for the code that he came back with. A code works once.
    pub async fn identify(&self, code: &str) -> Result<DiscordUser, OAuthError> {
        let token = self.exchange(code).await?;
        let asked = self.http.get(self.endpoint("users/@me")).bearer_auth(&token.access_token).timeout(TIMEOUT).send().await;
        let user = match asked {
            Ok(answer) if answer.status() == StatusCode::OK => read::<DiscordUser>(answer).await,
            Ok(_) => Err(OAuthError::Unavailable("users/@me did not succeed")),
            Err(_) => Err(OAuthError::Unavailable("users/@me got no answer")),
        };
        self.revoke(&token).await;
        let user = user?;
        match !user.id.is_empty() && user.id.len() <= 20 && user.id.bytes().all(|byte| byte.is_ascii_digit()) {
            true => Ok(user),
            false => Err(OAuthError::Unavailable("the user has no valid id")),
        }
    }

    async fn exchange(&self, code: &str) -> Result<Token, OAuthError> {
        let form = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", &self.application.redirect_uri)];
        let answer = self.post("oauth2/token", &form).await.map_err(|_| OAuthError::Unavailable("oauth2/token got no answer"))?;
        match answer.status() {
            StatusCode::OK => read(answer).await,
            // `invalid_grant`, and with it every code that is not Discord's.
            StatusCode::BAD_REQUEST => Err(OAuthError::CodeRefused),
            StatusCode::UNAUTHORIZED => Err(OAuthError::Unavailable("the client secret is not accepted")),
            _ => Err(OAuthError::Unavailable("oauth2/token did not succeed")),
        }
    }

    /// The token has done its work. One that outlives a failure here ends by itself.
    async fn revoke(&self, token: &Token) {
        let form = [("token", token.access_token.as_str()), ("token_type_hint", "access_token")];
        if self.post("oauth2/token/revoke", &form).await.is_err() {
            tracing::debug!("a Discord token was not revoked");
        }
    }

    async fn post(&self, path: &str, form: &[(&str, &str)]) -> Result<Response, reqwest::Error> {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        self.http
            .post(self.endpoint(path))
            .basic_auth(&self.application.client_id, Some(&self.application.client_secret))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .timeout(TIMEOUT)
            .body(body)
            .send()
            .await
    }

    fn endpoint(&self, path: &str) -> String {
        format!("{}/{path}", self.application.api_url.as_str().trim_end_matches('/'))
    }
}

async fn read<T: serde::de::DeserializeOwned>(mut answer: Response) -> Result<T, OAuthError> {
    let mut body = Vec::new();
    let broken = |_| OAuthError::Unavailable("an answer did not arrive whole");
    while let Some(chunk) = answer.chunk().await.map_err(broken)? {
        body.extend_from_slice(&chunk);
        if body.len() as u64 > MAX_ANSWER_BYTES {
            return Err(OAuthError::Unavailable("an answer is too large"));
        }
    }
    serde_json::from_slice(&body).map_err(|_| OAuthError::Unavailable("an answer does not have the documented form"))
}
