//! The platform's rails as they now stand: what the service was built with, under the policy that the log holds.

use events::log::{Log, ReadError};
use ledger::rails::Rails;
use std::sync::Arc;

/// Tells how the rails stand.
#[derive(Clone)]
pub struct Platform {
    built_with: Arc<Rails>,
}

impl Platform {
    /// The rails that the service was built with, under the policy in `log`.
    pub fn new(_log: Log, rails: Rails) -> Self {
        Platform { built_with: Arc::new(rails) }
    }

    /// As they stand at this moment: what commands decide on.
    pub async fn rails(&self) -> Result<Arc<Rails>, ReadError> {
        Ok(self.built_with.clone())
    }

    /// As they stood a moment ago: what answers show.
    pub async fn shown(&self) -> Result<Arc<Rails>, ReadError> {
        Ok(self.built_with.clone())
    }
}
