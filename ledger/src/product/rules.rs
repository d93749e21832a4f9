//! What a product checks, and the events it yields.

use super::{BrandingFields, Create, Fields, Rejection, Said, Update};
use crate::check::{accent_hex, filled, line, price, web_url};
use events::vocab::{
    event::{Branding, ProductChange, ProductCreated, ProductUpdated},
    id::SubjectId,
    money::Minor,
    personal::Personal,
    stream::Fact,
    words::ProductType,
};

/// Characters of a title, of a description, and of a short text at most.
const LONGEST_TITLE: usize = 200;
const LONGEST_DESCRIPTION: usize = 5_000;
const LONGEST_LABEL: usize = 120;
/// Amounts that a tip jar's page offers at most.
const MOST_PRESETS: usize = 20;
/// The largest cap: every place is a claim, and a connect looks through those that are taken.
const MOST_PAYMENTS: u64 = 1_000_000;

impl Create {
    pub(super) fn fact(self) -> Result<Fact, Rejection> {
        let in_url = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if !(1..=64).contains(&self.slug.len()) || !self.slug.chars().all(in_url) {
            return Err(Rejection::InvalidSlug);
        }
        if self.fields.title.as_deref().and_then(filled).is_none() {
            return Err(Rejection::TitleRequired);
        }
        let blank = ProductCreated {
            product_id: self.product_id,
            slug: self.slug,
            product_type: self.product_type,
            title: String::new(),
            description: None,
            image_url: None,
            amount: Minor::ZERO,
            asset: self.fields.asset.clone().ok_or(invalid("token_mint", "is required"))?,
            merchant_wallet: self.fields.merchant_wallet.ok_or(invalid("merchant_wallet", "is required"))?,
            delivery_type: None,
            tip_presets: Vec::new(),
            max_payments: None,
            branding: Branding::default(),
            membership: None,
            access_product_id: self.access_product_id,
            subject_id: None,
            quote: self.quote,
        };
        let (mut created, value) = self.fields.on(blank)?;
        match value.flatten() {
            None => Ok(created.into()),
            Some(value) => {
                let merchant = self.merchant.ok_or(invalid("delivery_value", "has no merchant whose key could seal it"))?;
                created.subject_id = Some(merchant);
                Ok(Fact::sealed(created, merchant, sealed(value)))
            }
        }
    }
}

impl Update {
    pub(super) fn facts(self, current: &ProductCreated) -> Result<Vec<Fact>, Rejection> {
        if self.product_type.is_some_and(|named| named != current.product_type) {
            return Err(invalid("product_type", "never changes"));
        }
        let (next, value) = self.fields.on(current.clone())?;
        let mut changes = changes(current, &next);
        let value = value.filter(|value| *value != self.stored_delivery_value);
        changes.extend(value.as_ref().map(|value| ProductChange::DeliveryValue(value.is_some())));
        if changes.is_empty() {
            return Ok(vec![]);
        }
        let priced = changes.iter().any(|change| matches!(change, ProductChange::Amount(_) | ProductChange::Asset(_)));
        let subject_id: Option<SubjectId> = value.as_ref().map(|_| self.merchant);
        let updated = ProductUpdated { product_id: current.product_id, changes, subject_id, quote: self.quote.filter(|_| priced) };
        Ok(vec![match value.flatten() {
            Some(value) => Fact::sealed(updated, self.merchant, sealed(value)),
            None => updated.into(),
        }])
    }
}

fn sealed(delivery_value: String) -> Personal {
    Personal { text: Some(delivery_value), ..Personal::default() }
}

fn invalid(field: &'static str, rule: &'static str) -> Rejection {
    Rejection::InvalidField { field, rule }
}

impl Fields {
    /// The product behind an access product, which says the same as it does and hands nothing over by itself.
    pub(super) fn followed(self, current: &ProductCreated) -> Result<Vec<Fact>, Rejection> {
        let (next, _) = Fields { delivery_value: None, ..self }.on(current.clone())?;
        let changes = changes(current, &next);
        Ok(match changes.is_empty() {
            true => vec![],
            false => vec![ProductUpdated { product_id: current.product_id, changes, subject_id: None, quote: None }.into()],
        })
    }

    /// `current` with what this says, every rule checked, and what it says of the delivery value.
    fn on(self, current: ProductCreated) -> Result<(ProductCreated, Said<String>), Rejection> {
        let title = match &self.title {
            None => current.title.clone(),
            Some(title) => line(Some(title), LONGEST_TITLE).map_err(|rule| invalid("title", rule))?.ok_or(Rejection::TitleRequired)?,
        };
        let asset = self.asset.unwrap_or_else(|| current.asset.clone());
        let same_asset = asset == current.asset;
        let amount = amount(&current, self.amount, same_asset)?;
        let value = match self.delivery_value {
            None => None,
            Some(text) => Some(web_url(text.as_deref()).map_err(|rule| invalid("delivery_value", rule))?),
        };
        let membership = match self.membership {
            None => current.membership,
            Some(None) => None,
            Some(Some(said)) => Some(said.on(current.membership.as_ref())?),
        };
        let next = ProductCreated {
            title,
            description: text(self.description, current.description)?,
            image_url: url("image_url", self.image_url, current.image_url)?,
            amount,
            asset,
            merchant_wallet: self.merchant_wallet.unwrap_or(current.merchant_wallet),
            delivery_type: self.delivery_type.unwrap_or(current.delivery_type),
            tip_presets: presets(self.tip_presets, current.tip_presets, same_asset)?,
            max_payments: cap(self.max_payments, current.max_payments)?,
            branding: branding(self.branding, current.branding)?,
            membership,
            ..current
        };
        let has_value = value.as_ref().map_or(next.subject_id.is_some(), Option::is_some);
        handed_over(&next, has_value)?;
        Ok((next, value))
    }
}

/// A price is a number of the asset's minor unit, so it does not survive a change of the asset.
fn amount(current: &ProductCreated, said: Said<u64>, same_asset: bool) -> Result<Minor, Rejection> {
    match (current.product_type, said) {
        (ProductType::TipJar, Some(Some(_))) => Err(invalid("amount_minor_units", "is not for a TIP_JAR, whose buyers choose the amount")),
        (ProductType::TipJar, _) => Ok(Minor::ZERO),
        (ProductType::PaymentLink, Some(Some(units))) => price(units).ok_or(Rejection::AmountOutOfRange),
        (ProductType::PaymentLink, None) if same_asset && current.amount != Minor::ZERO => Ok(current.amount),
        (ProductType::PaymentLink, _) => Err(Rejection::FixedAmountRequired),
    }
}

fn text(said: Said<String>, current: Option<String>) -> Result<Option<String>, Rejection> {
    let Some(said) = said else { return Ok(current) };
    match said.as_deref().and_then(filled) {
        Some(text) if text.chars().count() > LONGEST_DESCRIPTION => Err(invalid("description", "is longer than 5000 characters")),
        Some(text) if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) => {
            Err(invalid("description", "has a control character in it"))
        }
        text => Ok(text),
    }
}

fn url(field: &'static str, said: Said<String>, current: Option<String>) -> Result<Option<String>, Rejection> {
    said.map_or(Ok(current), |text| web_url(text.as_deref()).map_err(|rule| invalid(field, rule)))
}

fn label(field: &'static str, said: Said<String>, current: Option<String>) -> Result<Option<String>, Rejection> {
    said.map_or(Ok(current), |text| line(text.as_deref(), LONGEST_LABEL).map_err(|rule| invalid(field, rule)))
}

fn presets(said: Option<Vec<u64>>, current: Vec<Minor>, same_asset: bool) -> Result<Vec<Minor>, Rejection> {
    let refused = |rule| Err(invalid("tip_presets_lamports", rule));
    match said {
        None if !same_asset && !current.is_empty() => refused("are needed in the minor unit of the new asset"),
        None => Ok(current),
        Some(presets) if presets.len() > MOST_PRESETS => refused("are 20 at most"),
        Some(presets) => presets
            .into_iter()
            .map(price)
            .collect::<Option<_>>()
            .ok_or(invalid("tip_presets_lamports", "are integers from 1 to 9007199254740991")),
    }
}

fn cap(said: Said<u64>, current: Option<u32>) -> Result<Option<u32>, Rejection> {
    match said {
        None => Ok(current),
        Some(None) => Ok(None),
        Some(Some(payments)) => match u32::try_from(payments) {
            Ok(payments) if (1..=MOST_PAYMENTS).contains(&u64::from(payments)) => Ok(Some(payments)),
            _ => Err(invalid("max_payments", "is from 1 to 1000000")),
        },
    }
}

fn branding(said: Said<BrandingFields>, current: Branding) -> Result<Branding, Rejection> {
    let Some(said) = said else { return Ok(current) };
    let Some(said) = said else { return Ok(Branding::default()) };
    Ok(Branding {
        merchant_name: label("branding.merchant_name", said.merchant_name, current.merchant_name)?,
        logo_url: url("branding.logo_url", said.logo_url, current.logo_url)?,
        hero_image_url: url("branding.hero_image_url", said.hero_image_url, current.hero_image_url)?,
        success_button_label: label("branding.success_button_label", said.success_button_label, current.success_button_label)?,
        accent_hex: match said.accent_hex {
            None => current.accent_hex,
            Some(text) => accent_hex(text.as_deref()).map_err(|rule| invalid("branding.accent_hex", rule))?,
        },
    })
}

/// A buyer who pays gets something: a way to hand it over has what it hands over, from the merchant or from a bot.
fn handed_over(product: &ProductCreated, has_value: bool) -> Result<(), Rejection> {
    let by_bot = product.membership.as_ref().is_some_and(|config| config.enabled && config.platform_target_id.is_some());
    match product.delivery_type {
        None if has_value => Err(invalid("delivery_type", "is needed beside delivery_value")),
        Some(_) if !has_value && !by_bot => {
            Err(invalid("delivery_value", "is needed beside delivery_type: the http(s) URL that buyers get"))
        }
        _ => Ok(()),
    }
}

fn changes(current: &ProductCreated, next: &ProductCreated) -> Vec<ProductChange> {
    let mut changes = Vec::new();
    let mut changed = |differs: bool, change: &dyn Fn() -> ProductChange| {
        if differs {
            changes.push(change());
        }
    };
    changed(current.title != next.title, &|| ProductChange::Title(next.title.clone()));
    changed(current.description != next.description, &|| ProductChange::Description(next.description.clone()));
    changed(current.image_url != next.image_url, &|| ProductChange::ImageUrl(next.image_url.clone()));
    changed(current.amount != next.amount, &|| ProductChange::Amount(next.amount));
    changed(current.asset != next.asset, &|| ProductChange::Asset(next.asset.clone()));
    changed(current.merchant_wallet != next.merchant_wallet, &|| ProductChange::MerchantWallet(next.merchant_wallet));
    changed(current.delivery_type != next.delivery_type, &|| ProductChange::DeliveryType(next.delivery_type));
    changed(current.tip_presets != next.tip_presets, &|| ProductChange::TipPresets(next.tip_presets.clone()));
    changed(current.max_payments != next.max_payments, &|| ProductChange::MaxPayments(next.max_payments));
    changed(current.branding != next.branding, &|| ProductChange::Branding(next.branding.clone()));
    changed(current.membership != next.membership, &|| ProductChange::Membership(next.membership.clone()));
    changes
}

/// `facts` after `change`. Of a delivery value only its presence is a fact; the caller keeps that.
pub(super) fn apply(facts: &mut ProductCreated, change: &ProductChange) {
    match change {
        ProductChange::Title(title) => facts.title.clone_from(title),
        ProductChange::Description(description) => facts.description.clone_from(description),
        ProductChange::ImageUrl(url) => facts.image_url.clone_from(url),
        ProductChange::Amount(amount) => facts.amount = *amount,
        ProductChange::Asset(asset) => facts.asset.clone_from(asset),
        ProductChange::MerchantWallet(wallet) => facts.merchant_wallet = *wallet,
        ProductChange::DeliveryType(delivery) => facts.delivery_type = *delivery,
        ProductChange::DeliveryValue(_) => {}
        ProductChange::TipPresets(presets) => facts.tip_presets.clone_from(presets),
        ProductChange::MaxPayments(max) => facts.max_payments = *max,
        ProductChange::Branding(branding) => facts.branding.clone_from(branding),
        ProductChange::Membership(membership) => facts.membership.clone_from(membership),
    }
}
