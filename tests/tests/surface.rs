//! The service as its document describes it: every route fuzzed from it, a client generated from it, a collection made from it.

#[path = "surface/client.rs"]
mod client;
#[path = "surface/fuzz.rs"]
mod fuzz;
#[path = "surface/paid_endpoint.rs"]
mod paid_endpoint;
#[path = "lifecycle/shop.rs"]
#[allow(dead_code, reason = "each test binary uses its own part of the shop")]
mod shop;
#[path = "surface/world.rs"]
mod world;
