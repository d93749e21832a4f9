//! The HTTP face: credentials, bodies, errors, idempotency, freshness.

pub mod answers;
pub mod auth;
pub mod body;
pub mod codes;
pub mod fresh;
pub mod guard;
pub mod idempotency;
pub mod jwt;
pub mod keyring;
pub mod layers;
pub mod limits;
pub mod paging;
pub mod path;
pub mod permissions;
pub mod problem;
pub mod rejection;
pub mod request_id;
