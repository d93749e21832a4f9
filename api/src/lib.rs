//! The service: configuration, the embedded stack and, on top of them, the HTTP face.

pub mod bench;
pub mod config;
pub mod listen;
pub mod secret;
pub mod stack;
