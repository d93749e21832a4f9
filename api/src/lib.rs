//! The service: configuration, the embedded stack and, on top of them, the HTTP face.

pub mod app;
pub mod bench;
pub mod config;
pub mod dev;
pub mod http;
pub mod listen;
mod pages;
mod pdf;
pub mod postman;
pub mod routes;
pub mod secret;
pub mod services;
pub mod stack;
pub mod state;
