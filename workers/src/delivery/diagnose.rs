//! Why somebody did not get in (RT-032): what is configured, what is known of him, and what the provider says now. Reads only.

use super::{
    DeliverError, Handover,
    offer::{Offer, Person},
    telegram::Presence,
};
use crate::provider::ProviderError;
use events::{
    unit::load,
    vocab::{
        id::{AccessDeliveryId, MembershipId, PaymentId, ProductId},
        stream::{Category, StreamId},
        words::{DeliveryMode, DeliveryStatus, DeliveryType},
    },
};
use ledger::delivery::Delivery;
use std::time::Duration;

/// How long the provider may take altogether.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Diagnosis {
    /// `healthy`, `degraded`, `action_required` or `unknown`.
    pub overall_status: &'static str,
    /// In one sentence, for a person.
    pub summary: String,
    /// What the provider says.
    pub provider_state: ProviderState,
    /// One by one.
    pub checks: Vec<Check>,
    /// What may help.
    pub actions: Vec<Action>,
}

/// What the provider says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProviderState {
    /// `telegram` or `discord`; `None` where access is a URL.
    pub provider: Option<&'static str>,
    /// How this purchase is handed over.
    pub mode: Option<DeliveryMode>,
    /// Whether deployment and product let a bot do it.
    pub configured: bool,
    /// Whether the provider answered; `None` when it was not asked.
    pub reachable: Option<bool>,
    /// `in`, `out` or `banned`; `None` when it is not known.
    pub member: Option<&'static str>,
    /// Its refusal, as a stable code.
    pub error: Option<&'static str>,
}

/// One question and its answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Check {
    /// `automation_configured`, `identity_usable`, `provider_membership_active` or `static_fallback`.
    pub id: &'static str,
    /// `pass`, `warn`, `fail`, `unknown` or `not_applicable`.
    pub status: &'static str,
    /// For a person.
    pub detail: String,
}

/// A call that may help.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Action {
    /// Its name.
    pub id: &'static str,
    /// For a person.
    pub label: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// Path.
    pub endpoint: String,
}

/// What is known before anyone is asked, and what the provider said.
struct Case {
    delivery_type: Option<DeliveryType>,
    mode: Option<DeliveryMode>,
    status: DeliveryStatus,
    has_value: bool,
    has_target: bool,
    /// Whether the deployment has a bot for this kind of delivery.
    has_bot: bool,
    known: bool,
    usable: bool,
    last_error: bool,
    /// Whether the access that was bought still runs.
    runs: bool,
    live: Live,
}

/// What the provider said.
#[derive(Default)]
struct Live {
    asked: bool,
    /// Whether the bot can let members in.
    able: Option<Result<(), ProviderError>>,
    /// Whether it cannot take them out again.
    cannot_remove: bool,
    member: Option<Result<&'static str, ProviderError>>,
}

impl Handover {
    /// Looks into the delivery of a membership's latest payment. The provider is asked live, within bounds, and nothing is changed.
    pub async fn diagnose(&self, membership: MembershipId, product: ProductId, payment: PaymentId) -> Result<Diagnosis, DeliverError> {
        let stream = StreamId::new(Category::Delivery, AccessDeliveryId::of(payment));
        let delivery = load::<Delivery>(&self.0.log, stream).await?.state;
        let offer = self.offer(product).await?;
        let person = self.person_of(Some(membership), payment).await?;
        let runs = self.access_runs(Some(membership)).await?;
        let mode = offer.settings.mode(self.automation()).map(|(_, mode)| mode);
        let live = match tokio::time::timeout(PATIENCE, self.ask(mode, &offer, &person)).await {
            Ok(live) => live,
            Err(_) => Live { asked: true, able: Some(Err(ProviderError::Unavailable("provider_timeout"))), ..Live::default() },
        };
        let delivery_type = offer.settings.delivery_type;
        let case = Case {
            delivery_type,
            mode,
            status: delivery.status(),
            has_value: offer.value.is_some(),
            has_target: offer.settings.target().is_some(),
            has_bot: match delivery_type {
                Some(DeliveryType::TelegramInvite) => self.0.telegram.is_some(),
                Some(DeliveryType::DiscordInvite) => self.0.discord.is_some(),
                Some(DeliveryType::Redirect) | None => false,
            },
            known: person.is_known(),
            usable: match delivery_type {
                Some(DeliveryType::TelegramInvite) => person.telegram().is_some(),
                Some(DeliveryType::DiscordInvite) => person.discord().is_some(),
                Some(DeliveryType::Redirect) | None => true,
            },
            last_error: matches!(delivery.status(), DeliveryStatus::Failed | DeliveryStatus::ManualReview),
            runs,
            live,
        };
        Ok(case.diagnosis(membership, product))
    }

    async fn ask(&self, mode: Option<DeliveryMode>, offer: &Offer, person: &Person) -> Live {
        let Some(target) = offer.settings.target() else { return Live::default() };
        match (mode, &self.0.telegram, &self.0.discord) {
            (Some(DeliveryMode::TelegramBot), Some(telegram), _) => {
                let rights = telegram.rights(target).await;
                let cannot_remove = rights.is_ok_and(|rights| !rights.remove);
                let able = rights.and_then(|rights| match rights.invite {
                    true => Ok(()),
                    false => Err(ProviderError::Refused("telegram_bot_lacks_rights")),
                });
                let member = match person.telegram() {
                    Some(user) => Some(telegram.presence(target, user).await.map(|presence| match presence {
                        Presence::In => "in",
                        Presence::Out => "out",
                        Presence::Banned => "banned",
                    })),
                    None => None,
                };
                Live { asked: true, able: Some(able), cannot_remove, member }
            }
            (Some(DeliveryMode::DiscordBot), _, Some(discord)) => {
                let able = discord.reaches(target).await;
                let member = match person.discord() {
                    Some(user) => Some(discord.member(target, user).await.map(|member| match (member, offer.settings.role()) {
                        (None, _) => "out",
                        // In the guild, and still before closed doors.
                        (Some(member), Some(role)) if !member.roles.iter().any(|its| its == role) => "in_without_role",
                        (Some(_), _) => "in",
                    })),
                    None => None,
                };
                Live { asked: true, able: Some(able), cannot_remove: false, member }
            }
            _ => Live::default(),
        }
    }
}

impl Case {
    fn diagnosis(&self, membership: MembershipId, product: ProductId) -> Diagnosis {
        let checks = vec![self.automation(), self.identity(), self.presence(), self.fallback()];
        let overall_status = self.overall(&checks);
        Diagnosis {
            overall_status,
            summary: self.summary(overall_status, &checks),
            provider_state: self.provider_state(),
            actions: self.actions(&checks, membership, product),
            checks,
        }
    }

    fn provider(&self) -> Option<(&'static str, &'static str)> {
        match self.delivery_type? {
            DeliveryType::TelegramInvite => Some(("telegram", "Telegram")),
            DeliveryType::DiscordInvite => Some(("discord", "Discord")),
            DeliveryType::Redirect => None,
        }
    }

    fn by_bot(&self) -> bool {
        matches!(self.mode, Some(DeliveryMode::TelegramBot | DeliveryMode::DiscordBot))
    }

    fn provider_state(&self) -> ProviderState {
        let errors = [self.live.able.and_then(Result::err), self.live.member.and_then(Result::err)];
        let answered = |error: &ProviderError| matches!(error, ProviderError::Refused(_) | ProviderError::RateLimited { .. });
        ProviderState {
            provider: self.provider().map(|(id, _)| id),
            mode: self.mode,
            configured: self.by_bot(),
            reachable: self.live.asked.then(|| errors.iter().flatten().all(answered)),
            member: self.live.member.and_then(Result::ok),
            error: errors.into_iter().flatten().next().map(ProviderError::code),
        }
    }

    fn automation(&self) -> Check {
        let check = |status, detail: String| Check { id: "automation_configured", status, detail };
        let Some((_, name)) = self.provider() else {
            return check("not_applicable", "Access is a URL, or nothing is handed over: no bot is needed.".into());
        };
        if !self.has_bot {
            return check("warn", format!("This deployment has no {name} bot: the product's own invite is handed over."));
        }
        if !self.by_bot() {
            let missing = if self.has_target { "platform_role_id or platform_channel_id" } else { "platform_target_id" };
            return check("warn", format!("The product names no {missing}: the product's own invite is handed over."));
        }
        match self.live.able {
            Some(Ok(())) if self.live.cannot_remove => {
                check("warn", format!("The {name} bot may not remove members: whose access ends has to be taken out by hand."))
            }
            Some(Ok(())) => check("pass", format!("The {name} bot is in place.")),
            Some(Err(error @ ProviderError::Refused(_))) => check("fail", format!("{name} refuses the bot: {}.", error.code())),
            Some(Err(error)) => check("unknown", format!("{name} could not be asked: {}.", error.code())),
            None => check("unknown", format!("{name} was not asked.")),
        }
    }

    fn identity(&self) -> Check {
        let check = |status, detail: String| Check { id: "identity_usable", status, detail };
        match (self.provider(), self.known, self.usable) {
            (None, _, _) => check("not_applicable", "A URL needs no identity.".into()),
            (Some(_), true, true) => check("pass", "The saved identity has the provider's form.".into()),
            (Some((_, name)), true, false) => check("fail", format!("The saved identity is no {name} user id.")),
            (Some(_), false, _) => check("warn", "No platform identity is saved for this member.".into()),
        }
    }

    fn presence(&self) -> Check {
        let check = |status, detail: String| Check { id: "provider_membership_active", status, detail };
        let Some((_, name)) = self.provider() else { return check("not_applicable", "There is no provider to ask.".into()) };
        match self.live.member {
            Some(Ok("in")) if !self.runs => check("fail", format!("His access is over, and {name} still shows him as a member.")),
            Some(Ok(_)) if !self.runs => check("pass", format!("His access is over, and {name} does not show him as a member.")),
            Some(Ok("in")) => check("pass", format!("{name} shows him as a member.")),
            Some(Ok("in_without_role")) => check("fail", "He is in the Discord guild and does not have the role.".into()),
            Some(Ok("banned")) => check("fail", format!("{name} keeps him out: an administrator has banned him.")),
            Some(Ok(_)) => check("fail", format!("{name} does not show him as a member.")),
            Some(Err(error)) => check("unknown", format!("{name} does not say: {}.", error.code())),
            None => check("unknown", format!("{name} cannot be asked about him.")),
        }
    }

    fn fallback(&self) -> Check {
        let check = |status, detail: &str| Check { id: "static_fallback", status, detail: detail.to_owned() };
        match (self.provider().is_some(), self.by_bot(), self.has_value) {
            (_, _, _) if self.delivery_type.is_none() => check("not_applicable", "The product hands nothing over."),
            (false, _, true) => check("not_applicable", "The product's URL is what is handed over."),
            (true, false, true) => check("warn", "Hilt hands over the product's own invite, the same for every buyer."),
            (_, false, false) => check("fail", "Hilt would hand over the product's own value, and the product has none."),
            (_, true, true) if self.status != DeliveryStatus::Sent => {
                check("warn", "Until the bot succeeds, the buyer sees the product's own invite.")
            }
            (_, true, _) => check("pass", "Access is made for each buyer; no static value is in use."),
        }
    }

    fn overall(&self, checks: &[Check]) -> &'static str {
        let any = |status| checks.iter().any(|check| check.status == status);
        let in_order = matches!(self.status, DeliveryStatus::Sent | DeliveryStatus::NotRequired);
        // A person who does not go through the door that was opened for him is no fault to act on.
        let in_order_and_runs = in_order && self.runs;
        let faults = checks.iter().any(|check| check.status == "fail" && !(in_order_and_runs && check.id == "provider_membership_active"));
        match () {
            () if self.last_error || faults => "action_required",
            () if self.live.asked && matches!(self.live.able, Some(Err(_))) => "unknown",
            () if any("warn") || any("fail") || !in_order => "degraded",
            () => "healthy",
        }
    }

    fn summary(&self, overall: &str, checks: &[Check]) -> String {
        let stands = match self.status {
            DeliveryStatus::NotRequired => "Nothing is to be handed over",
            DeliveryStatus::Pending => "Access is about to be handed over",
            DeliveryStatus::Sent => "Access was handed over",
            DeliveryStatus::Failed => "Access was not handed over and is not tried again",
            DeliveryStatus::RetryScheduled => "Access was not handed over yet and is tried again on schedule",
            DeliveryStatus::ManualReview => "Every try to hand access over failed: a person has to look",
        };
        let worst = ["fail", "warn", "unknown"].iter().find_map(|status| checks.iter().find(|check| check.status == *status));
        match worst {
            Some(check) if overall != "healthy" => format!("{stands}. {}", check.detail),
            _ => format!("{stands}."),
        }
    }

    fn actions(&self, checks: &[Check], membership: MembershipId, product: ProductId) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.runs && self.delivery_type.is_some() {
            let endpoint = format!("/v1/memberships/{membership}/retry-delivery");
            actions.push(Action { id: "retry_delivery", label: "Try to hand access over now", method: "POST", endpoint });
        }
        if checks.iter().any(|check| matches!(check.id, "automation_configured" | "static_fallback") && check.status != "pass") {
            let endpoint = format!("/v1/products/{product}");
            actions.push(Action { id: "update_product", label: "Change how the product hands access over", method: "PATCH", endpoint });
        }
        let endpoint = format!("/v1/memberships/{membership}/delivery-support-ticket");
        actions.push(Action { id: "open_delivery_support_ticket", label: "Open or continue the support case", method: "POST", endpoint });
        actions
    }
}
