//! What a merchant says of a product: the body of RT-001 and of RT-004. On an update a member that is not there keeps its value and
//! `null` clears it.

use crate::{
    http::{
        body::said,
        problem::{Code, Problem},
    },
    routes::input,
    state::Settings,
};
use events::vocab::{event::Asset, words::ProductType};
use ledger::product::{BrandingFields, Fields, MembershipFields, Said};
use rails::solana::programs::NATIVE_MINT;
use serde::Deserialize;
use std::str::FromStr;
use utoipa::ToSchema;

/// A hosted product's fields. A new one needs `product_type`, `title`, `merchant_wallet` and, as a `PAYMENT_LINK`, an amount.
#[derive(Clone, Deserialize, ToSchema)]
pub struct ProductFields {
    /// `PAYMENT_LINK` or `TIP_JAR`; it never changes.
    #[schema(example = "PAYMENT_LINK")]
    pub product_type: Option<String>,
    /// Shown to buyers.
    #[schema(example = "Telegram Inner Circle")]
    pub title: Option<String>,
    /// Shown to buyers.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub description: Said<String>,
    /// A picture of it.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub image_url: Said<String>,
    /// The price in the asset's minor unit.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<u64>, example = 29_000_000)]
    pub amount_minor_units: Said<u64>,
    /// Other name of `amount_minor_units`; both may be sent when they agree.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<u64>)]
    pub fixed_amount_lamports: Said<u64>,
    /// USDC's mint; none, or wrapped SOL's mint, is SOL itself.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub token_mint: Said<String>,
    /// Where the merchant's part goes.
    pub merchant_wallet: Option<String>,
    /// `REDIRECT`, `DISCORD_INVITE` or `TELEGRAM_INVITE`.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub delivery_type: Said<String>,
    /// The private URL or invite that buyers get; no public answer holds it.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub delivery_value: Said<String>,
    /// Amounts that a tip jar's page offers, in the asset's minor unit.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Vec<u64>>)]
    pub tip_presets_lamports: Said<Vec<u64>>,
    /// How many payments it may have.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<u64>)]
    pub max_payments: Said<u64>,
    /// How its page looks; what it does not say comes from the workspace's profile.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<BrandingInput>)]
    pub branding: Said<BrandingInput>,
    /// How its memberships run.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<MembershipInput>)]
    pub membership_config: Said<MembershipInput>,
}

/// How a checkout page looks.
#[derive(Clone, Deserialize, ToSchema)]
pub struct BrandingInput {
    /// Who sells.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub merchant_name: Said<String>,
    /// His logo.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub logo_url: Said<String>,
    /// A large picture.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub hero_image_url: Said<String>,
    /// The button after payment.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub success_button_label: Said<String>,
    /// A colour, `#rrggbb`.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>, example = "#1d4ed8")]
    pub accent_hex: Said<String>,
}

/// How memberships run, and what is asked of buyers.
#[derive(Clone, Deserialize, ToSchema)]
pub struct MembershipInput {
    /// Whether a payment makes a membership; `true` unless told.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<bool>)]
    pub enabled: Said<bool>,
    /// `TELEGRAM`, `DISCORD` or `CUSTOM`.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub platform: Said<String>,
    /// `INVITE_LINK`.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub access_mode: Said<String>,
    /// `TELEGRAM_USER_ID`, `DISCORD_USER_ID` or `MERCHANT_REFERENCE`.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub identity_type: Said<String>,
    /// What the page calls the identity.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub identity_label: Said<String>,
    /// Whether a payment settles only with a verified identity; needs `identity_type`.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<bool>)]
    pub identity_required: Said<bool>,
    /// Days that a payment lasts; 30 unless told.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<i64>)]
    pub billing_interval_days: Said<i64>,
    /// Days of grace after them; none unless told.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<i64>)]
    pub grace_period_days: Said<i64>,
    /// Days before the end at which a member is reminded, each smaller than `billing_interval_days`.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Vec<i64>>)]
    pub renewal_reminder_offsets_days: Said<Vec<i64>>,
    /// What the page calls the place.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub platform_target_label: Said<String>,
    /// The Telegram chat or Discord server that a bot lets members into.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub platform_target_id: Said<String>,
    /// The Discord role of a member.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub platform_role_id: Said<String>,
    /// The Discord channel that an invite leads to.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>)]
    pub platform_channel_id: Said<String>,
}

impl ProductFields {
    /// The type, where the body names one.
    pub fn product_type(&self) -> Result<Option<ProductType>, Problem> {
        let unsupported = |_| Problem::field(Code::UnsupportedProductType, "product_type", "is PAYMENT_LINK or TIP_JAR");
        self.product_type.as_deref().map(str::parse).transpose().map_err(unsupported)
    }

    /// The type of a new product.
    pub fn new_product_type(&self) -> Result<ProductType, Problem> {
        self.product_type()?.ok_or_else(|| Problem::field(Code::ValidationFailed, "product_type", "is required: PAYMENT_LINK or TIP_JAR"))
    }

    /// Whether a new product's price, or a new price of one, is said here.
    pub fn prices(&self) -> bool {
        self.amount_minor_units.is_some() || self.fixed_amount_lamports.is_some() || self.token_mint.is_some()
    }

    /// The asset, where the body names one; `null` is SOL.
    pub fn asset(&self, settings: &Settings) -> Result<Option<Asset>, Problem> {
        match self.token_mint.as_ref().map(Option::as_deref) {
            None => Ok(None),
            Some(None) => Ok(Some(settings.sol())),
            Some(Some(mint)) if mint == NATIVE_MINT.to_string() => Ok(Some(settings.sol())),
            Some(Some(mint)) if mint == settings.usdc_mint.to_string() => Ok(Some(settings.usdc())),
            Some(Some(_)) => Err(Problem::field(Code::ValidationFailed, "token_mint", "is USDC's mint, or none for SOL")),
        }
    }

    /// Everything else that the body says, as the decider takes it.
    pub fn fields(self, settings: &Settings) -> Result<Fields, Problem> {
        let asset = self.asset(settings)?;
        let amount = agreeing(self.amount_minor_units, self.fixed_amount_lamports)?;
        let wallet = |text: &String| input::solana_wallet("merchant_wallet", text);
        Ok(Fields {
            title: self.title,
            description: self.description,
            image_url: self.image_url,
            amount,
            asset,
            merchant_wallet: self.merchant_wallet.as_ref().map(wallet).transpose()?,
            delivery_type: word(Code::ValidationFailed, "delivery_type", self.delivery_type)?,
            delivery_value: self.delivery_value,
            tip_presets: self.tip_presets_lamports.map(Option::unwrap_or_default),
            max_payments: self.max_payments,
            branding: self.branding.map(|said| said.map(BrandingInput::fields)),
            membership: match self.membership_config {
                Some(Some(config)) => Some(Some(config.fields()?)),
                said => said.map(|_| None),
            },
        })
    }
}

impl BrandingInput {
    fn fields(self) -> BrandingFields {
        BrandingFields {
            merchant_name: self.merchant_name,
            logo_url: self.logo_url,
            hero_image_url: self.hero_image_url,
            success_button_label: self.success_button_label,
            accent_hex: self.accent_hex,
        }
    }
}

impl MembershipInput {
    fn fields(self) -> Result<MembershipFields, Problem> {
        let code = Code::InvalidMembershipConfig;
        Ok(MembershipFields {
            enabled: self.enabled,
            platform: word(code, "membership_config.platform", self.platform)?,
            access_mode: word(code, "membership_config.access_mode", self.access_mode)?,
            identity_type: word(code, "membership_config.identity_type", self.identity_type)?,
            identity_label: self.identity_label,
            identity_required: self.identity_required,
            billing_interval_days: self.billing_interval_days,
            grace_period_days: self.grace_period_days,
            renewal_reminder_offsets_days: self.renewal_reminder_offsets_days,
            platform_target_label: self.platform_target_label,
            platform_target_id: self.platform_target_id,
            platform_role_id: self.platform_role_id,
            platform_channel_id: self.platform_channel_id,
        })
    }
}

/// The amount under either of its names (DIS-2).
fn agreeing(amount: Said<u64>, legacy: Said<u64>) -> Result<Said<u64>, Problem> {
    match (amount, legacy) {
        (Some(Some(amount)), Some(Some(legacy))) if amount != legacy => {
            Err(Problem::field(Code::AmountConflict, "fixed_amount_lamports", "differs from amount_minor_units"))
        }
        (Some(Some(amount)), _) | (_, Some(Some(amount))) => Ok(Some(Some(amount))),
        (amount, legacy) => Ok(amount.or(legacy)),
    }
}

fn word<T: FromStr<Err: std::fmt::Display>>(code: Code, field: &str, said: Said<String>) -> Result<Said<T>, Problem> {
    match said {
        Some(Some(text)) => match text.parse() {
            Ok(word) => Ok(Some(Some(word))),
            Err(rule) => Err(Problem::field(code, field, rule.to_string())),
        },
        said => Ok(said.map(|_| None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn body(json: Value) -> ProductFields {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn absent_null_and_set_are_three_things() {
        let said = body(json!({"description": null, "max_payments": 5, "membership_config": {"platform": null, "grace_period_days": 3}}));
        assert_eq!((said.description, said.image_url, said.max_payments), (Some(None), None, Some(Some(5))));
        let config = said.membership_config.unwrap().unwrap();
        assert_eq!((config.platform, config.identity_type, config.grace_period_days), (Some(None), None, Some(Some(3))));
        assert!(body(json!({"membership_config": null})).membership_config.unwrap().is_none());
    }

    #[test]
    fn both_names_of_the_amount_must_agree() {
        assert_eq!(agreeing(Some(Some(5)), Some(Some(5))).unwrap(), Some(Some(5)));
        assert_eq!(agreeing(None, Some(Some(5))).unwrap(), Some(Some(5)));
        assert_eq!(agreeing(Some(None), Some(Some(5))).unwrap(), Some(Some(5)), "a null says nothing beside a number");
        assert_eq!(agreeing(None, Some(None)).unwrap(), Some(None));
        assert_eq!(agreeing(Some(Some(5)), Some(Some(6))).unwrap_err().code, "amount_conflict");
    }

    #[test]
    fn unknown_words_are_refused_by_name() {
        let refused = |json: Value| body(json).membership_config.unwrap().unwrap().fields().unwrap_err();
        for (field, value) in [("platform", "SLACK"), ("access_mode", "KEY"), ("identity_type", "PASSPORT"), ("platform", "telegram")] {
            let problem = refused(json!({"membership_config": {field: value}}));
            assert_eq!(problem.code, "invalid_membership_config");
            assert_eq!(problem.errors[0].field, format!("membership_config.{field}"));
        }
        assert_eq!(body(json!({"product_type": "X"})).product_type().unwrap_err().code, "unsupported_product_type");
    }
}
