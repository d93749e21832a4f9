//! What `hilt dev` does beside serving: credentials for a human, and one sandbox payment that shows the whole way.

mod credentials;
mod demo;

pub use credentials::{CredentialError, Credentials, Places, fee_wallet};
pub use demo::{Demo, DemoError, run as run_demo};
