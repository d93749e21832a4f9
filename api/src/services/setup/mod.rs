//! How far a workspace is from selling a product, what is missing, and the calls that mend it (RT-062).

pub mod action;
mod actions;
mod blockers;
#[cfg(test)]
pub mod sample;
#[cfg(test)]
mod tests;
mod webhooks;

pub use action::{Credential, NextAction};
pub use blockers::{Blocker, blocker};
pub use webhooks::{Coverage, RECOMMENDED};

use super::{
    gates,
    products::{self, ProductRef},
};
use crate::{
    http::{
        fresh::{Fresh, MinPosition},
        problem::{Code, Problem},
        rejection,
    },
    state::{Settings, State},
};
use axum::extract::FromRef;
use events::{
    log::Log,
    unit::load,
    vocab::{
        event::{AccessProductCreated, RailSettingSaved},
        id::{AppId, OwnerId, RailSettingId},
        rail::{Mode, RailId},
        stream::{Category, StreamId},
    },
};
use ledger::{rail_gates::RailOptions, rail_setting::RailSetting};
use projections::{Reader, Window, access_apps, access_products};
use std::sync::Arc;
use workers::platform::Platform;

/// The rail of products that name none.
const DEFAULT_RAIL: RailId = RailId::SolanaUsdc;

/// Asks how far workspaces are.
#[derive(Clone)]
pub struct Setups {
    /// Where products and settings are read.
    pub log: Log,
    /// Where apps and receivers are.
    pub reader: Reader,
    /// How fresh.
    pub fresh: Fresh,
    /// The rails as they now stand.
    pub platform: Platform,
    /// What the deployment says.
    pub settings: Arc<Settings>,
}

/// What is asked about.
pub struct Question<'a> {
    /// Whose workspace.
    pub owner: OwnerId,
    /// Live or sandbox.
    pub mode: Mode,
    /// Which product, if one is named.
    pub product: Option<&'a ProductRef>,
    /// Whether a live product may be tried in the sandbox: not by a sandbox key.
    pub live_in_sandbox: bool,
    /// Whether the owner asks from the dashboard.
    pub dashboard: bool,
    /// How fresh the answer must be.
    pub min: MinPosition,
}

/// The product that is asked about.
pub enum Product {
    /// There is none of that name, or none at all.
    Missing,
    /// None is named and there are several; the external ids of some.
    Several(Vec<String>),
    /// This one: the one named, or the only one there is.
    Named(Box<AccessProductCreated>),
}

impl Product {
    /// The product, if it is known which.
    pub fn named(&self) -> Option<&AccessProductCreated> {
        match self {
            Product::Named(product) => Some(product),
            Product::Missing | Product::Several(_) => None,
        }
    }
}

/// What there is.
pub struct Facts {
    /// Live or sandbox.
    pub mode: Mode,
    /// The external id that was asked for.
    pub asked: Option<String>,
    /// The newest app.
    pub app_id: Option<AppId>,
    /// The product.
    pub product: Product,
    /// What the gates say of its rails.
    pub options: Option<RailOptions>,
    /// The merchant's settings of the rail that is the first to mend.
    pub setting: Option<RailSettingSaved>,
    /// Who is told of what happens.
    pub webhooks: Coverage,
    /// What calls on the workspace's objects are made with.
    pub credential: Credential,
}

impl Facts {
    /// A live workspace in which nothing is made yet.
    pub fn nothing_live(external_product_id: &str) -> Self {
        Facts {
            mode: Mode::Live,
            asked: Some(external_product_id.to_owned()),
            app_id: None,
            product: Product::Missing,
            options: None,
            setting: None,
            webhooks: Coverage::new(&[]),
            credential: Credential::LiveApiKey,
        }
    }
    /// What stands in the way of every first live product, whatever else does: the owner's word and wallet.
    pub fn before_live() -> Vec<Blocker> {
        let wallet = ledger::rail_gates::Blocker::PayoutAddressRequired;
        vec![
            blocker(wallet.code(), "PUT /v1/access/rail-settings/{rail_id}", wallet.next_action()),
            blocker(
                "live_mode_confirmation_required",
                "POST /v1/access/products",
                "Have the owner confirm that the product may take real money.",
            ),
        ]
    }
    /// What stands in the way, the first to mend first.
    pub fn blockers(&self) -> Vec<Blocker> {
        blockers::of(self)
    }
    /// The calls that mend it, in order; the first can be made now, a later one may need the answer of an earlier one.
    pub fn next_actions(&self) -> Vec<NextAction> {
        actions::of(self)
    }
    /// The call that tells what is missing then.
    pub fn recheck(&self) -> NextAction {
        actions::recheck(self)
    }
}

impl FromRef<State> for Setups {
    fn from_ref(state: &State) -> Self {
        Setups {
            log: state.log.clone(),
            reader: state.reader.clone(),
            fresh: state.fresh.clone(),
            platform: state.platform.clone(),
            settings: state.settings.clone(),
        }
    }
}

impl Setups {
    /// What there is of what `question` asks about.
    pub async fn facts(&self, question: &Question<'_>) -> Result<Facts, Problem> {
        let Question { owner, mode, .. } = *question;
        for name in ["access_apps", "access_products", "webhook_endpoints"] {
            self.fresh.wait(name, Some(owner), question.min).await?;
        }
        let (product, livemode) = self.product(question).await?;
        let apps = access_apps::list(&self.reader, owner, livemode, Window::first(1)).await.map_err(rejection::query)?;
        let options = match product.named() {
            Some(product) => Some(gates::evaluate(&self.log, &self.platform, &self.settings, owner, mode, product).await?),
            None => None,
        };
        let mut facts = Facts {
            mode,
            asked: match question.product {
                Some(ProductRef::External(id)) => Some(id.clone()),
                Some(ProductRef::Id(_)) | None => None,
            },
            app_id: apps.items.first().map(|app| AppId(app.meta.id)),
            webhooks: webhooks::of(&self.reader, owner, mode == Mode::Live, product.named()).await?,
            product,
            options,
            setting: None,
            credential: match (livemode, question.dashboard) {
                (true, true) => Credential::DashboardSession,
                (true, false) => Credential::LiveApiKey,
                (false, _) => Credential::SandboxApiKey,
            },
        };
        let rail = facts.options.as_ref().and_then(|options| blockers::rail_to_mend(&facts, options)).map(|verdict| verdict.rail.rail_id);
        facts.setting = self.setting(owner, mode, rail.unwrap_or(DEFAULT_RAIL)).await?;
        Ok(facts)
    }

    /// The product asked about, and whether it moves real money: the sandbox may be tried on a live one.
    async fn product(&self, question: &Question<'_>) -> Result<(Product, bool), Problem> {
        let modes: &[bool] = match (question.mode, question.live_in_sandbox) {
            (Mode::Live, _) => &[true],
            (Mode::Sandbox, false) => &[false],
            (Mode::Sandbox, true) => &[false, true],
        };
        for livemode in modes.iter().copied() {
            match self.product_of(question, livemode).await? {
                Product::Missing => {}
                found => return Ok((found, livemode)),
            }
        }
        Ok((Product::Missing, question.mode == Mode::Live))
    }

    async fn product_of(&self, question: &Question<'_>, livemode: bool) -> Result<Product, Problem> {
        let named = match question.product {
            Some(named) => named.clone(),
            None => {
                let all =
                    access_products::list(&self.reader, question.owner, livemode, Window::first(20)).await.map_err(rejection::query)?;
                match all.items.as_slice() {
                    [] => return Ok(Product::Missing),
                    [only] => ProductRef::External(only.external_product_id.clone()),
                    several => return Ok(Product::Several(several.iter().map(|row| row.external_product_id.clone()).collect())),
                }
            }
        };
        match products::find(&self.log, question.owner, livemode, &named).await {
            Ok(found) => Ok(Product::Named(Box::new(found.product))),
            // A product that is not there is what readiness is asked about, not an error.
            Err(problem) if problem.code == Code::ProductNotFound.as_str() => Ok(Product::Missing),
            Err(problem) => Err(problem),
        }
    }

    async fn setting(&self, owner: OwnerId, mode: Mode, rail: RailId) -> Result<Option<RailSettingSaved>, Problem> {
        let stream = StreamId::new(Category::RailSetting, RailSettingId::of(owner, mode, rail));
        let setting = load::<RailSetting>(&self.log, stream).await.map_err(|error| rejection::read(&error))?;
        Ok(match setting.state {
            RailSetting::Absent => None,
            RailSetting::Saved { setting, .. } => Some(*setting),
        })
    }
}
