//! `hilt-replay as-of`.

use super::Common;
use crate::{AsOf as Asked, AtPosition, Failure, When, as_of, as_of_bundle, open_models, progress, settings::Settings};
use clap::{ArgGroup, Args};
use events::vocab::{id::OwnerId, time::Timestamp};
use serde::Serialize;
use std::path::PathBuf;
use uuid::Uuid;

#[derive(Args)]
#[command(group(ArgGroup::new("when").required(true)))]
pub(super) struct AsOf {
    /// Which read model.
    #[arg(long)]
    projection: String,
    /// With the event at this position as the last one.
    #[arg(long, group = "when")]
    position: Option<u64>,
    /// With everything that was recorded by then: RFC 3339, such as 2026-11-27T12:00:00Z.
    #[arg(long, group = "when", value_parser = Timestamp::parse)]
    time: Option<Timestamp>,
    /// Only rows of this workspace.
    #[arg(long)]
    owner: Option<OwnerId>,
    /// Only this row; may be given several times.
    #[arg(long = "id")]
    ids: Vec<Uuid>,
    /// The log in this folder's bundle instead of a database; it is verified first, with the verifier key and nothing else.
    #[arg(long, conflicts_with = "personal")]
    bundle: Option<PathBuf>,
    /// With --bundle: the log's verifier key.
    #[arg(long, env = "HILT_LOG_VKEY")]
    vkey: Option<String>,
    /// Show personal data too, as far as it is not erased; needs the master key.
    #[arg(long)]
    personal: bool,
    /// Opens personal data; by default the development service's own. 64 hexadecimal digits.
    #[arg(long, env = "HILT_MASTER_KEY", hide_env_values = true)]
    master_key: Option<String>,
}

/// It is printed as JSON with or without `--json`.
#[derive(Serialize)]
struct Shown {
    ok: bool,
    #[serde(flatten)]
    found: AtPosition,
}

impl AsOf {
    pub async fn run(self, common: &Common) -> Result<String, Failure> {
        let when = match (self.position, self.time) {
            (Some(position), _) => When::Position(position),
            (None, Some(time)) => When::Time(time),
            (None, None) => return Err(Failure::Input("when: give --position or --time".to_owned())),
        };
        let asked = Asked { projection: self.projection, when, owner: self.owner, ids: self.ids };
        let bar = progress::bar("folding", common.json);
        let mover = progress::mover(&bar);
        let found = match &self.bundle {
            Some(folder) => {
                let vkey = Settings::find_vkey(common.dev_file.clone(), self.vkey)?;
                let vkey = vkey.ok_or_else(|| Failure::Input("a bundle is checked with the log's verifier key: --vkey".to_owned()))?;
                as_of_bundle(folder, &vkey, &asked, &mover).await
            }
            None => {
                let settings = common.settings(None)?;
                let pool = settings.connect().await?;
                let models = match self.personal {
                    true => Some(open_models(&pool, settings.master_key(self.master_key)?).await?),
                    false => None,
                };
                as_of(&pool, models.as_ref().map(|models| &models.deps().vault), &asked, &mover).await
            }
        };
        bar.finish_and_clear();
        let text = serde_json::to_string_pretty(&Shown { ok: true, found: found? });
        text.map(|text| text + "\n").map_err(|_| Failure::Unreadable("a row that is no JSON"))
    }
}
