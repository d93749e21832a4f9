//! Handing over what was bought, and its rescue: real payments, stand-ins for Telegram and Discord, and a clock that is moved.

#[path = "delivery/by_bot.rs"]
mod by_bot;
#[path = "delivery/crashes.rs"]
mod crashes;
#[path = "delivery/scene.rs"]
mod scene;
#[path = "lifecycle/shop.rs"]
#[allow(dead_code, reason = "each test binary uses its own part of the shop")]
mod shop;
#[path = "delivery/support.rs"]
mod support;
#[path = "delivery/taken_back.rs"]
mod taken_back;
