//! RT-012 and RT-013, against a server that speaks Discord's OAuth.

use super::scene::{OnSale, Scene};
use hilt_tests::discord_oauth::{CLIENT_ID, CLIENT_SECRET, DiscordOAuthServer};
use reqwest::{Client, Response, redirect::Policy};
use serde_json::{Value, json};
use std::collections::HashMap;
use url::Url;

/// A browser that follows no redirects and keeps one cookie.
struct Browser<'a> {
    scene: &'a Scene,
    http: Client,
    cookie: Option<String>,
}

impl<'a> Browser<'a> {
    fn new(scene: &'a Scene) -> Self {
        Browser { scene, http: Client::builder().no_proxy().redirect(Policy::none()).build().unwrap(), cookie: None }
    }

    async fn get(&self, path: &str) -> Response {
        let mut request = self.http.get(format!("{}{path}", self.scene.app.base_url));
        if let Some(cookie) = &self.cookie {
            request = request.header("Cookie", cookie);
        }
        request.send().await.unwrap()
    }

    /// Goes to Discord; the consent page's parameters.
    async fn leave(&mut self, on_sale: &OnSale) -> HashMap<String, String> {
        let answer = self.get(&format!("/v1/products/p/{}/discord-connect/start", on_sale.slug)).await;
        assert_eq!(answer.status(), 302);
        let cookie = answer.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax") && cookie.contains("Secure"), "{cookie}");
        self.cookie = cookie.split(';').next().map(str::to_owned);
        let url: Url = answer.headers()["location"].to_str().unwrap().parse().unwrap();
        assert_eq!(url.as_str().split('?').next(), Some("https://discord.com/oauth2/authorize"));
        url.query_pairs().into_owned().collect()
    }

    async fn come_back(&self, parameters: &[(&str, &str)]) -> Response {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        self.get(&format!("/v1/discord-connect/callback?{query}")).await
    }
}

async fn refused(answer: Response, status: u16, code: &str) {
    let found = answer.status().as_u16();
    let body: Value = answer.json().await.unwrap();
    assert_eq!((found, body["code"].as_str()), (status, Some(code)), "{body}");
}

async fn scene(discord: &DiscordOAuthServer) -> Scene {
    let settings = [
        ("HILT_DISCORD_CLIENT_ID", CLIENT_ID),
        ("HILT_DISCORD_CLIENT_SECRET", CLIENT_SECRET),
        ("HILT_DISCORD_API_URL", discord.api_url.as_str()),
    ];
    Scene::start(&settings).await
}

#[tokio::test(flavor = "multi_thread")]
async fn discord_says_who_the_buyer_is_and_the_checkout_gets_a_handoff() {
    let discord = DiscordOAuthServer::start().await;
    let scene = scene(&discord).await;
    let on_sale = scene.sells(false).await;
    let mut browser = Browser::new(&scene);
    let asked = browser.leave(&on_sale).await;
    assert_eq!((asked["client_id"].as_str(), asked["scope"].as_str(), asked["response_type"].as_str()), (CLIENT_ID, "identify", "code"));
    assert_eq!(asked["redirect_uri"], "https://api.hilt.so/v1/discord-connect/callback");

    let code = discord.consent(&asked["redirect_uri"], "80351110224678912", "nelly");
    let back = browser.come_back(&[("code", &code), ("state", &asked["state"])]).await;
    assert_eq!(back.status(), 302);
    let location = back.headers()["location"].to_str().unwrap().to_owned();
    let (page, token) = location.split_once("?handoff=").unwrap();
    assert_eq!(page, format!("https://www.hilt.so/p/{}", on_sale.slug));
    let resolve = format!("/v1/products/p/{}/resolve-handoff", on_sale.slug);
    let known = scene.public(&resolve, json!({ "handoff_token": token })).await.ok();
    assert_eq!((&known["identity_type"], &known["identity_value"]), (&json!("DISCORD_USER_ID"), &json!("80351110224678912")));
    assert_eq!(known["identity_display"], json!("nelly"));
    assert_eq!(discord.live_tokens(), 0, "the access token is revoked when it has done its work");

    // The flow is over: neither its state nor a fresh code works again.
    let code = discord.consent(&asked["redirect_uri"], "80351110224678912", "nelly");
    refused(browser.come_back(&[("code", &code), ("state", &asked["state"])]).await, 422, "invalid_handoff_token").await;
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_belongs_to_one_browser_one_product_and_ten_minutes() {
    let discord = DiscordOAuthServer::start().await;
    let scene = scene(&discord).await;
    let on_sale = scene.sells(false).await;
    let mut attacker = Browser::new(&scene);
    let asked = attacker.leave(&on_sale).await;
    let (state, code) = (asked["state"].clone(), discord.consent(&asked["redirect_uri"], "1", "attacker"));

    // The attacker hands his own finished flow to a victim, who would pay for the attacker's account.
    let mut victim = Browser::new(&scene);
    refused(victim.come_back(&[("code", &code), ("state", &state)]).await, 422, "invalid_handoff_token").await;
    victim.leave(&on_sale).await;
    refused(victim.come_back(&[("code", &code), ("state", &state)]).await, 422, "invalid_handoff_token").await;
    for forged in ["", "AAAA", &state[..state.len() - 2], &state.to_uppercase()] {
        refused(attacker.come_back(&[("code", &code), ("state", forged)]).await, 422, "invalid_handoff_token").await;
    }
    let other = scene.sells(false).await;
    let elsewhere = format!("/v1/products/p/{}/discord-connect/callback?code={code}&state={state}", other.slug);
    refused(attacker.get(&elsewhere).await, 422, "invalid_handoff_token").await;
    refused(attacker.come_back(&[("code", "unknown"), ("state", &state)]).await, 422, "validation_failed").await;

    let no = attacker.come_back(&[("error", "access_denied"), ("state", &state)]).await;
    assert_eq!(no.headers()["location"], format!("https://www.hilt.so/p/{}?discord=refused", on_sale.slug));

    scene.app.clock.advance_seconds(601);
    refused(attacker.come_back(&[("code", &code), ("state", &state)]).await, 410, "handoff_expired").await;
    discord.break_down();
    let asked = attacker.leave(&on_sale).await;
    refused(attacker.come_back(&[("code", "x"), ("state", &asked["state"])]).await, 503, "unavailable").await;
    scene.app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_application_the_route_says_so() {
    let scene = Scene::start(&[]).await;
    let on_sale = scene.sells(false).await;
    let start = format!("/v1/products/p/{}/discord-connect/start", on_sale.slug);
    scene.app.get_public(&start).await.refused(503, "discord_connect_not_configured");
    scene.app.close().await;
}
