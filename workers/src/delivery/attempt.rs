//! One attempt: the call to the provider, and its outcome on record.
//!
//! The call is made at least once. A process that ends between the call and the record leaves the delivery due, and the next one calls
//! again: a second invite of one use, or a role that is there already. The outcome's event ids follow from the event that made the
//! attempt due, so it is recorded once, whoever does it.

use super::{
    DeliverError, Handover,
    discord::Discord,
    offer::{Offer, Person},
    telegram::{Presence, Telegram},
};
use crate::provider::ProviderError;
use events::{
    log::{AppendError, Context},
    unit::{Loaded, Unit, load},
    vocab::{
        event::Event,
        id::{AccessDeliveryId, EventId},
        stream::{Actor, Category, StreamId},
        words::{DeliveryMode, DeliveryStatus},
    },
};
use ledger::delivery::{self, Again, Attempt, Case, Command, Delivery, Outcome, TakenBack};
use projections::{Reader, runner::Projections};
use std::time::Duration;

/// How long an invite lasts, in seconds: a week.
const INVITE_SECONDS: i64 = 604_800;
/// How long to wait when the log does not take an outcome.
const PATIENCE: Duration = Duration::from_millis(500);

impl Handover {
    /// Attempts what is due of the delivery: handing over, or taking back. Returns the position of the outcome, if one was recorded.
    pub async fn attempt(&self, reader: &Reader, projections: &Projections, id: AccessDeliveryId) -> Result<Option<u64>, DeliverError> {
        let delivery = self.load(id).await?;
        let Some(case) = delivery.state.case() else { return Ok(None) };
        let now = self.0.clock.now();
        if let Some(attempt) = case.due(now) {
            let (mode, outcome) = self.try_it(case).await?;
            let attempt = Attempt { attempt, mode, outcome, now: self.0.clock.now() };
            return self.record(delivery, Command::RecordAttempt(Box::new(attempt))).await;
        }
        match case.withdrawal_due(now) {
            Some(attempt) => self.take_back(reader, projections, delivery, attempt).await,
            None => Ok(None),
        }
    }

    async fn load(&self, id: AccessDeliveryId) -> Result<Loaded<Delivery>, DeliverError> {
        Ok(load::<Delivery>(&self.0.log, StreamId::new(Category::Delivery, id)).await?)
    }

    async fn try_it(&self, case: &Case) -> Result<(DeliveryMode, Outcome), DeliverError> {
        if !self.access_runs(case.requested.membership_id).await? {
            let over = Outcome::Failed { reason: "membership_not_active".into(), link: None, again: Again::Never };
            return Ok((case.mode, over));
        }
        let offer = self.offer(case.requested.product_id).await?;
        // What the product no longer hands over is kept at what was promised.
        let mode = offer.settings.mode(self.automation()).map_or(case.mode, |(_, mode)| mode);
        let outcome = match (mode, &self.0.telegram, &self.0.discord) {
            (DeliveryMode::TelegramBot, Some(telegram), _) => {
                let person = self.person(&case.requested).await?;
                self.by_telegram(telegram, &offer, &person, case).await
            }
            (DeliveryMode::DiscordBot, _, Some(discord)) => {
                let person = self.person(&case.requested).await?;
                let link = self.last_link(case.requested.delivery_id).await?;
                by_discord(discord, &offer, &person, link).await
            }
            _ => return Ok((DeliveryMode::StaticValue, static_outcome(&offer))),
        };
        Ok((mode, outcome))
    }

    async fn by_telegram(&self, telegram: &Telegram, offer: &Offer, person: &Person, case: &Case) -> Outcome {
        let Some(chat) = offer.settings.target() else { return failed("platform_target_missing", None) };
        if let Some(user) = person.telegram() {
            match telegram.presence(chat, user).await {
                // A renewal: he never left.
                Ok(Presence::In) => return Outcome::Sent { link: None },
                Ok(Presence::Banned) => return failed("telegram_user_banned", None),
                Ok(Presence::Out) => {}
                Err(error) => return refused(error, None),
            }
        }
        // Telegram shows it to the chat's administrators: enough to find the delivery by, and nothing of the person.
        let name = format!("hilt-{}", &case.requested.delivery_id.0.simple().to_string()[..12]);
        match telegram.invite(chat, &name, self.0.clock.now().plus_seconds(INVITE_SECONDS)).await {
            Ok(link) => Outcome::Sent { link: Some(link) },
            Err(error) => refused(error, None),
        }
    }

    /// Records the outcome, however long the log takes to accept it: the provider has done its part.
    pub(super) async fn record(&self, mut delivery: Loaded<Delivery>, mut command: Command) -> Result<Option<u64>, DeliverError> {
        loop {
            let stream = delivery.stream;
            let Some(cause) = delivery.last_event else { return Ok(None) };
            let mut unit = Unit::new(&self.0.log, context(&delivery));
            let ids = |event: &Event| EventId::derived(cause, event.event_type().as_str());
            match unit.decide_as(&mut delivery, command.clone(), Some(cause), ids) {
                Ok(_) if unit.is_empty() => return Ok(None),
                Ok(_) => {}
                // Another process was faster.
                Err(delivery::Rejection::NotDue | delivery::Rejection::OutOfOrder { .. }) => return Ok(None),
                Err(refused) => return Err(DeliverError::Refused(refused.code())),
            }
            match unit.commit().await {
                Ok(appended) => {
                    measure(&command, delivery.state.status());
                    return Ok(Some(appended.last_position));
                }
                Err(AppendError::Conflict { .. }) => {}
                Err(AppendError::SubjectErased) => match &mut command {
                    Command::RecordAttempt(attempt) => {
                        attempt.outcome = Outcome::Failed { reason: "subject_erased".into(), link: None, again: Again::Never };
                    }
                    // Nothing of it is sealed.
                    _ => return Err(AppendError::SubjectErased.into()),
                },
                Err(AppendError::Overloaded { retry_after }) => tokio::time::sleep(retry_after).await,
                Err(AppendError::Unavailable(_)) => tokio::time::sleep(PATIENCE).await,
                Err(error) => return Err(error.into()),
            }
            delivery = loop {
                match load::<Delivery>(&self.0.log, stream).await {
                    Ok(delivery) => break delivery,
                    Err(_) => tokio::time::sleep(PATIENCE).await,
                }
            };
        }
    }
}

/// What handing over a product's own value comes to.
pub fn static_outcome(offer: &Offer) -> Outcome {
    match &offer.value {
        Some(_) => Outcome::Sent { link: None },
        None => failed("delivery_value_missing", None),
    }
}

/// With a role, the role is the access: an invite alone would leave the buyer before closed doors, so it is not yet a success.
async fn by_discord(discord: &Discord, offer: &Offer, person: &Person, link: Option<String>) -> Outcome {
    let settings = &offer.settings;
    let Some(guild) = settings.target() else { return failed("platform_target_missing", None) };
    let user = person.discord();
    match (settings.role(), user) {
        (Some(role), Some(user)) => match discord.add_role(guild, user, role).await {
            Ok(()) => Outcome::Sent { link: None },
            Err(error @ ProviderError::Refused("discord_user_not_in_guild")) => {
                match invite_once(discord, settings.channel(), link).await {
                    Ok(link) => refused(error, link),
                    Err(error) => refused(error, None),
                }
            }
            Err(error) => refused(error, None),
        },
        (Some(_), None) => match invite_once(discord, settings.channel(), link).await {
            Ok(link) => failed("discord_identity_missing", link),
            Err(error) => refused(error, None),
        },
        (None, user) => by_discord_invite(discord, guild, user, settings.channel()).await,
    }
}

async fn by_discord_invite(discord: &Discord, guild: &str, user: Option<&str>, channel: Option<&str>) -> Outcome {
    if let Some(user) = user {
        match discord.member(guild, user).await {
            Ok(Some(_)) => return Outcome::Sent { link: None },
            Ok(None) => {}
            Err(error) => return refused(error, None),
        }
    }
    let Some(channel) = channel else { return failed("platform_channel_missing", None) };
    match discord.invite(channel).await {
        Ok(link) => Outcome::Sent { link: Some(link) },
        Err(error) => refused(error, None),
    }
}

/// One invite serves all attempts of a delivery: the buyer has it already.
async fn invite_once(discord: &Discord, channel: Option<&str>, link: Option<String>) -> Result<Option<String>, ProviderError> {
    match (link, channel) {
        (Some(_), _) | (None, None) => Ok(None),
        (None, Some(channel)) => discord.invite(channel).await.map(Some),
    }
}

fn failed(reason: &str, link: Option<String>) -> Outcome {
    Outcome::Failed { reason: reason.to_owned(), link, again: Again::OnSchedule { retry_after: None } }
}

fn refused(error: ProviderError, link: Option<String>) -> Outcome {
    Outcome::Failed { reason: error.code().to_owned(), link, again: on_schedule(error) }
}

/// When to try again after `error`.
pub(super) fn on_schedule(error: ProviderError) -> Again {
    let retry_after = match error {
        ProviderError::RateLimited { retry_after } => Some(retry_after),
        ProviderError::Unavailable(_) | ProviderError::Refused(_) => None,
    };
    Again::OnSchedule { retry_after }
}

fn context(delivery: &Loaded<Delivery>) -> Context {
    Context {
        owner_id: delivery.owner_id,
        livemode: delivery.livemode.unwrap_or(true),
        actor: Actor::system("delivery"),
        request_id: None,
        correlation_id: delivery.correlation_id.unwrap_or(delivery.stream.id),
    }
}

fn measure(command: &Command, status: DeliveryStatus) {
    match command {
        Command::RecordAttempt(attempt) => {
            let outcome = match attempt.outcome {
                Outcome::Sent { .. } => "sent",
                Outcome::Failed { .. } => "failed",
            };
            metrics::counter!("hilt_delivery_attempts_total", "mode" => attempt.mode.as_str(), "outcome" => outcome).increment(1);
            if status == DeliveryStatus::ManualReview {
                metrics::counter!("hilt_delivery_manual_reviews_total").increment(1);
            }
        }
        Command::RecordWithdrawal(tried) => {
            let outcome = match tried.outcome {
                TakenBack::Out { .. } => "out",
                TakenBack::Moot { .. } => "moot",
                TakenBack::Failed { .. } => "failed",
            };
            metrics::counter!("hilt_delivery_withdrawals_total", "mode" => tried.mode.as_str(), "outcome" => outcome).increment(1);
        }
        _ => {}
    }
}
