//! The Telegram Bot API: invites of one use, and whether somebody is in a chat.

use crate::provider::{self, ProviderError, Reply};
use events::vocab::time::Timestamp;
use reqwest::{Client, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::fmt;
use url::Url;

/// A bot. `Debug` does not show its token.
#[derive(Clone)]
pub struct Telegram {
    http: Client,
    base: Url,
    token: String,
}

impl fmt::Debug for Telegram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Telegram(..)")
    }
}

/// Whether somebody is in a chat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Presence {
    /// He is.
    In,
    /// He is not, and may come in.
    Out,
    /// The chat's administrators keep him out.
    Banned,
}

/// What the bot may do in a chat.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BotRights {
    /// Make invites.
    pub invite: bool,
    /// Take members out.
    pub remove: bool,
}

/// Every answer of the Bot API.
#[derive(Deserialize)]
struct Envelope {
    ok: bool,
    result: Option<Value>,
    error_code: Option<u16>,
    description: Option<String>,
    parameters: Option<Parameters>,
}

#[derive(Deserialize)]
struct Parameters {
    retry_after: Option<u32>,
    migrate_to_chat_id: Option<i64>,
}

#[derive(Deserialize)]
struct ChatMember {
    status: String,
    is_member: Option<bool>,
    can_invite_users: Option<bool>,
    can_restrict_members: Option<bool>,
}

#[derive(Deserialize)]
struct Invite {
    invite_link: String,
}

#[derive(Deserialize)]
struct Bot {
    id: i64,
}

/// Why a call did not succeed: the provider's own failure, or the chat's new id.
enum Miss {
    Moved(i64),
    Failed(ProviderError),
}

impl Telegram {
    /// The bot with that token at `base`. Fails when no HTTP client can be made.
    pub fn new(base: Url, token: String) -> Result<Self, reqwest::Error> {
        Ok(Telegram { http: provider::client()?, base, token })
    }

    /// A link into `chat` that lets one person in before `expires`. `name` is what administrators see beside it.
    pub async fn invite(&self, chat: &str, name: &str, expires: Timestamp) -> Result<String, ProviderError> {
        let parameters = json!({"name": name, "member_limit": 1, "expire_date": expires.seconds()});
        let invite: Invite = self.in_chat("createChatInviteLink", chat, parameters).await?;
        match invite.invite_link.starts_with("https://") {
            true => Ok(invite.invite_link),
            false => Err(ProviderError::MALFORMED),
        }
    }

    /// Takes `user` out of `chat`. He may come in again with a new invite: the ban is lifted at once, and if this ends in between,
    /// Telegram lifts it at `until`.
    pub async fn remove(&self, chat: &str, user: i64, until: Timestamp) -> Result<(), ProviderError> {
        let ban = json!({"user_id": user, "until_date": until.seconds(), "revoke_messages": false});
        let _: bool = self.in_chat("banChatMember", chat, ban).await?;
        let _: bool = self.in_chat("unbanChatMember", chat, json!({"user_id": user, "only_if_banned": true})).await?;
        Ok(())
    }

    /// Makes an invite of the bot's open nothing.
    pub async fn revoke_invite(&self, chat: &str, link: &str) -> Result<(), ProviderError> {
        let _: Invite = self.in_chat("revokeChatInviteLink", chat, json!({"invite_link": link})).await?;
        Ok(())
    }

    /// Whether `user` is in `chat`.
    pub async fn presence(&self, chat: &str, user: i64) -> Result<Presence, ProviderError> {
        let member: Result<ChatMember, _> = self.in_chat("getChatMember", chat, json!({"user_id": user})).await;
        match member {
            Ok(member) => Ok(match member.status.as_str() {
                "creator" | "administrator" | "member" => Presence::In,
                "restricted" if member.is_member == Some(true) => Presence::In,
                "kicked" => Presence::Banned,
                _ => Presence::Out,
            }),
            // Telegram has never seen him in this chat.
            Err(ProviderError::Refused("telegram_user_not_found")) => Ok(Presence::Out),
            Err(error) => Err(error),
        }
    }

    /// What the bot may do in `chat`.
    pub async fn rights(&self, chat: &str) -> Result<BotRights, ProviderError> {
        let bot: Bot = self.call("getMe", &json!({})).await.map_err(Miss::into_error)?;
        let member: ChatMember = self.in_chat("getChatMember", chat, json!({"user_id": bot.id})).await?;
        let may = |right: Option<bool>| match member.status.as_str() {
            "creator" => true,
            "administrator" => right.unwrap_or(false),
            _ => false,
        };
        Ok(BotRights { invite: may(member.can_invite_users), remove: may(member.can_restrict_members) })
    }

    /// A method on a chat. A group that became a supergroup has a new id, which Telegram tells: then it is asked again there.
    async fn in_chat<T: DeserializeOwned>(&self, method: &str, chat: &str, mut parameters: Value) -> Result<T, ProviderError> {
        parameters["chat_id"] = json!(chat);
        match self.call(method, &parameters).await {
            Err(Miss::Moved(new)) => {
                parameters["chat_id"] = json!(new);
                self.call(method, &parameters).await.map_err(Miss::into_error)
            }
            outcome => outcome.map_err(Miss::into_error),
        }
    }

    async fn call<T: DeserializeOwned>(&self, method: &str, parameters: &Value) -> Result<T, Miss> {
        let base = self.base.as_str().trim_end_matches('/');
        let reply = provider::send(self.http.post(format!("{base}/bot{}/{method}", self.token)).json(parameters)).await;
        let result = result(&reply.map_err(Miss::Failed)?)?;
        serde_json::from_value(result).map_err(|_| Miss::Failed(ProviderError::MALFORMED))
    }
}

impl Miss {
    fn into_error(self) -> ProviderError {
        match self {
            Miss::Moved(_) => ProviderError::Refused("telegram_chat_not_found"),
            Miss::Failed(error) => error,
        }
    }
}

fn result(reply: &Reply) -> Result<Value, Miss> {
    let envelope: Result<Envelope, _> = serde_json::from_slice(&reply.body);
    let Ok(envelope) = envelope else {
        // A proxy in between may answer for Telegram.
        return Err(Miss::Failed(match reply.status {
            StatusCode::TOO_MANY_REQUESTS => ProviderError::rate_limited(None),
            _ => ProviderError::MALFORMED,
        }));
    };
    if let (true, Some(result)) = (envelope.ok, envelope.result) {
        return Ok(result);
    }
    if let Some(new) = envelope.parameters.as_ref().and_then(|parameters| parameters.migrate_to_chat_id) {
        return Err(Miss::Moved(new));
    }
    let retry_after = envelope.parameters.and_then(|parameters| parameters.retry_after);
    let (code, said) = (envelope.error_code.unwrap_or_default(), envelope.description.unwrap_or_default().to_lowercase());
    Err(Miss::Failed(refusal(code, &said, retry_after)))
}

/// The Bot API tells refusals apart by words only.
fn refusal(code: u16, said: &str, retry_after: Option<u32>) -> ProviderError {
    let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
    match code {
        429 => ProviderError::rate_limited(retry_after),
        500.. => ProviderError::Unavailable("provider_unavailable"),
        // A token of the wrong form is not even a path that Telegram knows.
        401 | 404 => ProviderError::Refused("telegram_token_rejected"),
        _ if says(&["user not found", "member not found", "user_id_invalid", "participant_id_invalid"]) => {
            ProviderError::Refused("telegram_user_not_found")
        }
        _ if says(&["chat not found", "chat_id is empty"]) => ProviderError::Refused("telegram_chat_not_found"),
        _ if says(&["administrator of the chat", "chat owner"]) => ProviderError::Refused("telegram_user_is_administrator"),
        _ if says(&["not enough rights", "chat_admin_required", "need administrator rights"]) => {
            ProviderError::Refused("telegram_bot_lacks_rights")
        }
        403 => ProviderError::Refused("telegram_bot_not_in_chat"),
        400 => ProviderError::Refused("telegram_refused"),
        _ => ProviderError::MALFORMED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: &str) -> ProviderError {
        let reply = Reply { status: StatusCode::from_u16(status).unwrap(), headers: Default::default(), body: body.into() };
        result(&reply).err().unwrap().into_error()
    }

    #[test]
    fn refusals_are_told_apart() {
        for (body, error) in [
            (r#"{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}"#, "telegram_chat_not_found"),
            (
                r#"{"ok":false,"error_code":400,"description":"Bad Request: not enough rights to manage chat invite link"}"#,
                "telegram_bot_lacks_rights",
            ),
            (
                r#"{"ok":false,"error_code":403,"description":"Forbidden: bot was kicked from the supergroup chat"}"#,
                "telegram_bot_not_in_chat",
            ),
            (r#"{"ok":false,"error_code":400,"description":"Bad Request: can't remove chat owner"}"#, "telegram_user_is_administrator"),
            (r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#, "telegram_token_rejected"),
            (r#"{"ok":false,"error_code":400,"description":"Bad Request: user not found"}"#, "telegram_user_not_found"),
            (r#"{"ok":false,"error_code":400,"description":"Bad Request: something new"}"#, "telegram_refused"),
        ] {
            assert_eq!(told(400, body), ProviderError::Refused(error), "{body}");
        }
    }

    #[test]
    fn patience_is_as_long_as_telegram_says() {
        let body = r#"{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 137","parameters":{"retry_after":137}}"#;
        assert_eq!(told(429, body), ProviderError::RateLimited { retry_after: 137 });
        assert_eq!(told(429, "slow down"), ProviderError::RateLimited { retry_after: 30 });
    }

    #[test]
    fn what_is_not_the_bot_api_is_malformed() {
        for body in ["<html>", "[]", r#"{"ok":true}"#, "{}"] {
            assert_eq!(told(200, body), ProviderError::MALFORMED, "{body}");
        }
    }
}
