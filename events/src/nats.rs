//! Connecting to NATS.

use async_nats::{Client, ConnectError, ConnectErrorKind, ConnectOptions, ServerAddr};
use percent_encoding::percent_decode_str;
use std::str::FromStr as _;

/// Connects to `urls`: one server, or several of a cluster separated by commas.
///
/// async-nats reads addresses from URLs and passes over the user and password in them, so they are taken from the
/// first URL that has any; a user without a password is a token.
///
/// # Errors
/// As [`async_nats::connect`].
pub async fn connect(urls: &str) -> Result<Client, ConnectError> {
    connect_with(urls, ConnectOptions::new()).await
}

/// As [`connect`], with `options` beside the credentials of the URL.
pub async fn connect_with(urls: &str, options: ConnectOptions) -> Result<Client, ConnectError> {
    let servers: Vec<ServerAddr> = urls
        .split(',')
        .map(|url| ServerAddr::from_str(url.trim()))
        .collect::<Result<_, _>>()
        .map_err(|error| ConnectError::with_source(ConnectErrorKind::ServerParse, error))?;
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let credentials = servers.iter().find_map(|server| Some((decoded(server.username()?), server.password().map(decoded))));
    let options = match credentials {
        Some((user, Some(password))) => options.user_and_password(user, password),
        Some((token, None)) => options.token(token),
        None => options,
    };
    async_nats::connect_with_options(servers, options).await
}
