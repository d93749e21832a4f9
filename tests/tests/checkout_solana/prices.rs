//! What one SOL is worth: fresh, or not said at all.

use events::clock::Clock;
use hilt_tests::prices::{PriceAnswer, PriceServer};
use rails::price::{PriceConfig, PriceSource, PricingUnavailable};
use std::time::Duration;

const MAX_AGE: u32 = 60;

fn source(url: Option<&str>) -> PriceSource {
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = url.map(|url| url.parse().unwrap());
    PriceSource::new(http, PriceConfig { url, timeout: Duration::from_millis(300), max_age_seconds: MAX_AGE })
}

#[tokio::test]
async fn a_price_is_fresh_or_there_is_none() {
    api::app::install_tls();
    let clock = Clock::adjustable();
    let server = PriceServer::start(clock.clone(), PriceAnswer::Ticker("143.215", 59)).await;
    let source = source(Some(&server.url));

    let quote = source.quote(clock.now()).await.unwrap();
    assert_eq!((quote.usd_micros_per_unit, quote.source.as_str()), (143_215_000, "127.0.0.1"));
    // An answer serves a burst.
    source.quote(clock.now()).await.unwrap();
    assert_eq!(server.asked(), 1);
    assert_eq!(source.quote(quote.observed_at.plus_seconds(61)).await, Err(PricingUnavailable::Stale));

    for (answer, refused) in [
        (PriceAnswer::Ticker("143", 61), Some(PricingUnavailable::Stale)),
        (PriceAnswer::Ticker("143", -61), Some(PricingUnavailable::Stale)),
        (PriceAnswer::Status(503), Some(PricingUnavailable::Status(503))),
        (PriceAnswer::Status(302), Some(PricingUnavailable::Status(302))),
        (PriceAnswer::Text("143.2"), Some(PricingUnavailable::Malformed("neither a ticker nor a spot price"))),
        (PriceAnswer::Hang, Some(PricingUnavailable::Transport("no answer in time"))),
        (PriceAnswer::Spot("99.5"), None),
    ] {
        clock.advance_seconds(2);
        server.say(answer.clone());
        let told = source.quote(clock.now()).await;
        assert_eq!(told.as_ref().err(), refused.as_ref(), "{answer:?}: {told:?}");
    }
    drop(server);
    clock.advance_seconds(2);
    assert!(matches!(source.quote(clock.now()).await, Err(PricingUnavailable::Transport(_))), "a source that is gone");
}

#[tokio::test]
async fn without_a_source_there_is_no_price() {
    api::app::install_tls();
    assert_eq!(source(None).quote(Clock::machine().now()).await, Err(PricingUnavailable::NotConfigured));
}
