//! Discord's REST API, version 10: roles of members, invites of one use, and whether somebody is in a guild.

use crate::provider::{self, ProviderError, Reply};
use reqwest::{Client, Method, RequestBuilder, StatusCode, header};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::fmt;
use url::Url;

/// How Discord asks bots to name themselves.
const USER_AGENT: &str = "DiscordBot (https://www.hilt.so, 1)";
/// How long an invite lasts, in seconds: a week, Discord's longest.
const INVITE_SECONDS: u32 = 604_800;

/// A bot. `Debug` does not show its token.
#[derive(Clone)]
pub struct Discord {
    http: Client,
    base: Url,
    token: String,
}

impl fmt::Debug for Discord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Discord(..)")
    }
}

/// A member of a guild.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
pub struct Member {
    /// Ids of his roles.
    #[serde(default)]
    pub roles: Vec<String>,
}

#[derive(Deserialize)]
struct Invite {
    code: String,
}

#[derive(Deserialize)]
struct Refusal {
    code: Option<u32>,
}

impl Discord {
    /// The bot with that token at `base`. Fails when no HTTP client can be made.
    pub fn new(base: Url, token: String) -> Result<Self, reqwest::Error> {
        Ok(Discord { http: provider::client()?, base, token })
    }

    /// The member, if `user` is in `guild`.
    pub async fn member(&self, guild: &str, user: &str) -> Result<Option<Member>, ProviderError> {
        let path = format!("guilds/{}/members/{}", snowflake(guild)?, snowflake(user)?);
        match self.call(self.request(Method::GET, &path)).await {
            Ok(reply) => parse(&reply).map(Some),
            Err(ProviderError::Refused("discord_user_not_in_guild" | "discord_user_not_found")) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Gives `user` the role. He has it afterwards, whether he had it before or not.
    pub async fn add_role(&self, guild: &str, user: &str, role: &str) -> Result<(), ProviderError> {
        let path = format!("guilds/{}/members/{}/roles/{}", snowflake(guild)?, snowflake(user)?, snowflake(role)?);
        self.call(self.request(Method::PUT, &path)).await.map(|_| ())
    }

    /// Takes the role from `user`, or, where there is none, takes him out of `guild`. Tells whether there was anything to take.
    pub async fn take_out(&self, guild: &str, user: &str, role: Option<&str>) -> Result<bool, ProviderError> {
        let path = format!("guilds/{}/members/{}", snowflake(guild)?, snowflake(user)?);
        let path = match (self.member(guild, user).await?, role) {
            (None, _) => return Ok(false),
            (Some(member), Some(role)) if !member.roles.iter().any(|its| its == role) => return Ok(false),
            (Some(_), Some(role)) => format!("{path}/roles/{}", snowflake(role)?),
            (Some(_), None) => path,
        };
        match self.call(self.request(Method::DELETE, &path)).await {
            Ok(_) => Ok(true),
            // He left in between.
            Err(ProviderError::Refused("discord_user_not_in_guild" | "discord_user_not_found")) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes an invite of [`Discord::invite`] open nothing.
    pub async fn revoke_invite(&self, link: &str) -> Result<(), ProviderError> {
        let code = link.rsplit('/').next().filter(|code| is_invite(code)).ok_or(ProviderError::Refused("discord_not_found"))?;
        self.call(self.request(Method::DELETE, &format!("invites/{code}"))).await.map(|_| ())
    }

    /// A link into `channel` that lets one person in.
    pub async fn invite(&self, channel: &str) -> Result<String, ProviderError> {
        let path = format!("channels/{}/invites", snowflake(channel)?);
        let terms = json!({"max_uses": 1, "max_age": INVITE_SECONDS, "unique": true});
        let invite: Invite = parse(&self.call(self.request(Method::POST, &path).json(&terms)).await?)?;
        match is_invite(&invite.code) {
            true => Ok(format!("https://discord.gg/{}", invite.code)),
            false => Err(ProviderError::MALFORMED),
        }
    }

    /// Whether the bot is in `guild`: it may read the guild only then.
    pub async fn reaches(&self, guild: &str) -> Result<(), ProviderError> {
        self.call(self.request(Method::GET, &format!("guilds/{}", snowflake(guild)?))).await.map(|_| ())
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}/{path}", self.base.as_str().trim_end_matches('/'));
        let request = self.http.request(method, url);
        request.header(header::AUTHORIZATION, format!("Bot {}", self.token)).header(header::USER_AGENT, USER_AGENT)
    }

    async fn call(&self, request: RequestBuilder) -> Result<Reply, ProviderError> {
        let reply = provider::send(request).await?;
        match reply.status.is_success() {
            true => Ok(reply),
            false => Err(refusal(&reply)),
        }
    }
}

fn is_invite(code: &str) -> bool {
    !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Ids become part of a path, so nothing else than an id may.
fn snowflake(id: &str) -> Result<&str, ProviderError> {
    let id = id.trim();
    match (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(id),
        false => Err(ProviderError::Refused("discord_id_invalid")),
    }
}

fn parse<T: DeserializeOwned>(reply: &Reply) -> Result<T, ProviderError> {
    serde_json::from_slice(&reply.body).map_err(|_| ProviderError::MALFORMED)
}

/// By Discord's JSON error codes, and by status where it sends none.
fn refusal(reply: &Reply) -> ProviderError {
    if reply.status == StatusCode::TOO_MANY_REQUESTS {
        return ProviderError::rate_limited(retry_after(reply));
    }
    let code = parse::<Refusal>(reply).ok().and_then(|refusal| refusal.code);
    ProviderError::Refused(match (reply.status, code) {
        (_, Some(10_003)) => "discord_channel_not_found",
        (_, Some(10_004)) => "discord_guild_not_found",
        (_, Some(10_007)) => "discord_user_not_in_guild",
        (_, Some(10_011)) => "discord_role_not_found",
        (_, Some(10_013)) => "discord_user_not_found",
        (_, Some(50_001)) => "discord_bot_not_in_guild",
        (_, Some(50_013)) => "discord_bot_lacks_rights",
        (StatusCode::UNAUTHORIZED, _) => "discord_token_rejected",
        (StatusCode::FORBIDDEN, _) => "discord_bot_lacks_rights",
        (StatusCode::NOT_FOUND, _) => "discord_not_found",
        (StatusCode::BAD_REQUEST, _) => "discord_refused",
        _ => return ProviderError::MALFORMED,
    })
}

/// Seconds, from the header or from the body, where they may have a fraction: then one more.
fn retry_after(reply: &Reply) -> Option<u32> {
    let header = reply.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let body = || parse::<Value>(reply).ok().and_then(|body| body.get("retry_after").map(Value::to_string));
    let text = header.or_else(body)?;
    match text.split_once('.') {
        Some((whole, _)) => whole.parse::<u32>().ok().map(|seconds| seconds.saturating_add(1)),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: u16, body: &str) -> ProviderError {
        refusal(&Reply { status: StatusCode::from_u16(status).unwrap(), headers: Default::default(), body: body.into() })
    }

    #[test]
    fn refusals_are_told_apart() {
        for (status, body, error) in [
            (404, r#"{"message":"Unknown Member","code":10007}"#, "discord_user_not_in_guild"),
            (403, r#"{"message":"Missing Permissions","code":50013}"#, "discord_bot_lacks_rights"),
            (403, r#"{"message":"Missing Access","code":50001}"#, "discord_bot_not_in_guild"),
            (401, r#"{"message":"401: Unauthorized","code":0}"#, "discord_token_rejected"),
            (404, "<html>", "discord_not_found"),
        ] {
            assert_eq!(told(status, body), ProviderError::Refused(error), "{body}");
        }
        assert_eq!(told(302, ""), ProviderError::MALFORMED);
    }

    #[test]
    fn patience_is_as_long_as_discord_says() {
        let body = r#"{"message":"You are being rate limited.","retry_after":64.57,"global":false}"#;
        assert_eq!(told(429, body), ProviderError::RateLimited { retry_after: 65 });
        assert_eq!(told(429, r#"{"retry_after":2}"#), ProviderError::RateLimited { retry_after: 2 });
        assert_eq!(told(429, ""), ProviderError::RateLimited { retry_after: 30 });
    }

    #[test]
    fn only_an_id_becomes_part_of_a_path() {
        assert_eq!(snowflake(" 80351110224678912 "), Ok("80351110224678912"));
        for id in ["", "1/../2", "12a", "123456789012345678901"] {
            assert!(snowflake(id).is_err(), "{id}");
        }
    }
}
