//! Membership settings: merged field by field with those that are, and checked whole.

use super::{MembershipFields, Rejection, Said};
use crate::check::{LONGEST_DAYS, line};
use events::vocab::{
    event::{MembershipConfig, MembershipTerms},
    words::Platform,
};

/// Days of a membership whose request does not say.
const DEFAULT_INTERVAL_DAYS: u32 = 30;
/// Reminders of one period at most.
const MOST_REMINDERS: usize = 10;
/// Characters of a label at most.
const LONGEST_LABEL: usize = 120;

/// Memberships of a length and nothing else, as access products have them.
pub fn plain_membership(days: u32) -> MembershipConfig {
    MembershipConfig {
        enabled: true,
        platform: None,
        access_mode: None,
        identity_type: None,
        identity_label: None,
        identity_required: false,
        terms: MembershipTerms { billing_interval_days: days, grace_period_days: 0, renewal_reminder_offsets_days: Vec::new() },
        platform_target_label: None,
        platform_target_id: None,
        platform_role_id: None,
        platform_channel_id: None,
    }
}

impl From<MembershipConfig> for MembershipFields {
    /// Says everything that `config` says.
    fn from(config: MembershipConfig) -> Self {
        let offsets = config.terms.renewal_reminder_offsets_days.into_iter().map(i64::from).collect();
        MembershipFields {
            enabled: Some(Some(config.enabled)),
            platform: Some(config.platform),
            access_mode: Some(config.access_mode),
            identity_type: Some(config.identity_type),
            identity_label: Some(config.identity_label),
            identity_required: Some(Some(config.identity_required)),
            billing_interval_days: Some(Some(i64::from(config.terms.billing_interval_days))),
            grace_period_days: Some(Some(i64::from(config.terms.grace_period_days))),
            renewal_reminder_offsets_days: Some(Some(offsets)),
            platform_target_label: Some(config.platform_target_label),
            platform_target_id: Some(config.platform_target_id),
            platform_role_id: Some(config.platform_role_id),
            platform_channel_id: Some(config.platform_channel_id),
        }
    }
}

impl MembershipFields {
    /// `current` with what this says, every rule checked; what is cleared is as if it had never been said.
    pub(super) fn on(self, current: Option<&MembershipConfig>) -> Result<MembershipConfig, Rejection> {
        let base = current.cloned().unwrap_or_else(|| plain_membership(DEFAULT_INTERVAL_DAYS));
        let interval =
            days("billing_interval_days", self.billing_interval_days, base.terms.billing_interval_days, DEFAULT_INTERVAL_DAYS, 1)?;
        let grace = days("grace_period_days", self.grace_period_days, base.terms.grace_period_days, 0, 0)?;
        let offsets = match self.renewal_reminder_offsets_days {
            None => base.terms.renewal_reminder_offsets_days,
            Some(said) => said.unwrap_or_default().into_iter().map(offset).collect::<Result<_, _>>()?,
        };
        let config = MembershipConfig {
            enabled: self.enabled.map_or(base.enabled, |said| said.unwrap_or(true)),
            platform: self.platform.unwrap_or(base.platform),
            access_mode: self.access_mode.unwrap_or(base.access_mode),
            identity_type: self.identity_type.unwrap_or(base.identity_type),
            identity_label: label("identity_label", self.identity_label, base.identity_label)?,
            identity_required: self.identity_required.map_or(base.identity_required, Option::unwrap_or_default),
            terms: MembershipTerms {
                billing_interval_days: interval,
                grace_period_days: grace,
                renewal_reminder_offsets_days: reminders(offsets, interval)?,
            },
            platform_target_label: label("platform_target_label", self.platform_target_label, base.platform_target_label)?,
            platform_target_id: label("platform_target_id", self.platform_target_id, base.platform_target_id)?,
            platform_role_id: label("platform_role_id", self.platform_role_id, base.platform_role_id)?,
            platform_channel_id: label("platform_channel_id", self.platform_channel_id, base.platform_channel_id)?,
        };
        if config.identity_required && config.identity_type.is_none() {
            return Err(invalid("identity_type", "is needed when identity_required is true"));
        }
        targets(&config)?;
        Ok(config)
    }
}

fn invalid(field: &'static str, rule: &'static str) -> Rejection {
    Rejection::InvalidMembershipConfig { field, rule }
}

fn days(field: &'static str, said: Said<i64>, current: u32, default: u32, least: u32) -> Result<u32, Rejection> {
    let rule = if least == 0 { "is from 0 to 36500 days" } else { "is from 1 to 36500 days" };
    match said {
        None => Ok(current),
        Some(None) => Ok(default),
        Some(Some(days)) => {
            u32::try_from(days).ok().filter(|days| (least..=LONGEST_DAYS).contains(days)).ok_or_else(|| invalid(field, rule))
        }
    }
}

fn offset(days: i64) -> Result<u32, Rejection> {
    u32::try_from(days).map_err(|_| invalid("renewal_reminder_offsets_days", "are days before the end of a period, from 0"))
}

fn reminders(offsets: Vec<u32>, interval: u32) -> Result<Vec<u32>, Rejection> {
    let refused = |rule| Err(invalid("renewal_reminder_offsets_days", rule));
    let mut sorted = offsets.clone();
    sorted.sort_unstable();
    sorted.dedup();
    match offsets.iter().max() {
        _ if sorted.len() != offsets.len() => refused("must not name a day twice"),
        _ if offsets.len() > MOST_REMINDERS => refused("are 10 at most"),
        Some(longest) if *longest >= interval => refused("are each smaller than billing_interval_days"),
        _ => Ok(offsets),
    }
}

fn label(field: &'static str, said: Said<String>, current: Option<String>) -> Result<Option<String>, Rejection> {
    match said {
        None => Ok(current),
        Some(text) => line(text.as_deref(), LONGEST_LABEL).map_err(|rule| invalid(field, rule)),
    }
}

/// What a bot needs to let members in is of the platform's form: a wrong one would show only when somebody has paid.
fn targets(config: &MembershipConfig) -> Result<(), Rejection> {
    let target = config.platform_target_id.as_deref();
    let (role, channel) = (config.platform_role_id.as_deref(), config.platform_channel_id.as_deref());
    let discord = config.platform == Some(Platform::Discord);
    match config.platform {
        None if target.is_some() => return Err(invalid("platform", "is needed beside platform_target_id")),
        Some(Platform::Telegram) if !target.is_none_or(is_telegram_chat) => {
            return Err(invalid("platform_target_id", "is a Telegram chat: its number, such as -1001234567890, or @name"));
        }
        Some(Platform::Discord) if !target.is_none_or(is_snowflake) => {
            return Err(invalid("platform_target_id", "is a Discord server's number"));
        }
        _ => {}
    }
    for (field, id) in [("platform_role_id", role), ("platform_channel_id", channel)] {
        match id {
            Some(_) if !discord => return Err(invalid(field, "is only for platform DISCORD")),
            Some(_) if target.is_none() => return Err(invalid(field, "needs platform_target_id, the Discord server")),
            Some(id) if !is_snowflake(id) => return Err(invalid(field, "is a Discord number")),
            _ => {}
        }
    }
    Ok(())
}

fn is_snowflake(id: &str) -> bool {
    (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_telegram_chat(id: &str) -> bool {
    let named = |name: &str| (4..=32).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    match id.strip_prefix('@') {
        Some(name) => named(name),
        None => is_snowflake(id.strip_prefix('-').unwrap_or(id)),
    }
}
