//! The merchant's surface as its users meet it: the examples of the published documents, replayed from outside with valid wallets
//! against the running service and a real chain (AC-1 to AC-45).

#[path = "merchant/desk.rs"]
mod desk;
#[path = "merchant/isolation.rs"]
mod isolation;
#[path = "merchant/selling.rs"]
mod selling;
#[path = "merchant/serving.rs"]
mod serving;
