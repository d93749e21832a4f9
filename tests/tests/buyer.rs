//! The buyer: who he is (RT-008, RT-011..015), how he pays (RT-016, RT-017, RT-019..024), and what holds whichever way he takes
//! (INV-64..69).

#[path = "buyer/confirm.rs"]
mod confirm;
#[path = "buyer/discord.rs"]
mod discord;
#[path = "buyer/handoffs.rs"]
mod handoffs;
#[path = "buyer/helius.rs"]
mod helius;
#[path = "buyer/identity.rs"]
mod identity;
#[path = "buyer/phantom.rs"]
mod phantom;
#[path = "buyer/race.rs"]
mod race;
#[path = "buyer/scene.rs"]
mod scene;
#[path = "buyer/two_ways_in.rs"]
mod two_ways_in;
