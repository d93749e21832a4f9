//! Taking access back when a membership has ended, and handing it over anew when days are given to one that had.

use super::{
    DeliverError, Handover,
    attempt::on_schedule,
    discord::Discord,
    offer::{Offer, Person},
    telegram::{Presence, Telegram},
};
use crate::provider::ProviderError;
use events::{
    unit::{Loaded, Unit},
    vocab::{
        event::EventType,
        id::{AccessDeliveryId, EventId, MembershipId, OwnerId},
        stream::{Category, StreamId},
        words::DeliveryMode,
    },
};
use ledger::{
    delivery::{Again, Case, Command, Delivery, TakeBack, TakenBack, Withdrawal},
    membership::Member,
};
use projections::{Reader, memberships, runner::Projections};
use std::time::Duration;

/// How long Telegram keeps somebody out if nobody lifts the ban, in seconds. Below 30 it would be for ever.
const BAN_SECONDS: i64 = 120;
/// The read model that tells who shares an identity.
const MEMBERSHIPS: &str = "memberships";
/// How long to wait for the read model of memberships before looking again later.
const PATIENCE: Duration = Duration::from_secs(2);

impl Handover {
    /// Adds to `unit`, in which a membership ends, that its member is to be taken out, where a bot of this deployment can do that.
    pub async fn withdraw(&self, unit: &mut Unit<'_>, member: &Member, ended: EventId) -> Result<(), DeliverError> {
        let Some(mut delivery) = newest(unit, member).await? else { return Ok(()) };
        let offer = self.offer(member.product_id).await?;
        if !offer.settings.mode(self.automation()).is_some_and(|(_, mode)| by_bot(mode)) {
            return Ok(());
        }
        let named = |_: &_| EventId::derived(ended, EventType::DeliveryWithdrawalRequested.as_str());
        unit.decide_as(&mut delivery, Command::RequestWithdrawal { ended }, Some(ended), named)
            .map_err(|refused| DeliverError::Refused(refused.code()))?;
        Ok(())
    }

    /// Adds to `unit`, in which days are given, that access is handed over again, if it was taken back.
    pub async fn restore(&self, unit: &mut Unit<'_>, member: &Member, cause: EventId) -> Result<(), DeliverError> {
        let Some(mut delivery) = newest(unit, member).await? else { return Ok(()) };
        let Some(case) = delivery.state.case().filter(|case| case.withdrawal != Withdrawal::None) else { return Ok(()) };
        let offer = self.offer(member.product_id).await?;
        let mode = offer.settings.mode(self.automation()).map_or(case.mode, |(_, mode)| mode);
        let again = Command::RequestRetry { mode, access_runs: true };
        unit.decide(&mut delivery, again, Some(cause)).map_err(|refused| DeliverError::Refused(refused.code()))?;
        Ok(())
    }

    /// Takes back what is due to be taken back. `reader` leads to other memberships of the same person.
    pub(super) async fn take_back(
        &self,
        reader: &Reader,
        projections: &Projections,
        delivery: Loaded<Delivery>,
        attempt: u32,
    ) -> Result<Option<u64>, DeliverError> {
        let Some(case) = delivery.state.case() else { return Ok(None) };
        let Some(membership) = case.requested.membership_id else { return Ok(None) };
        // Who shares an identity must be known as of now: a read model that lags would put out somebody who may stay.
        let head = self.0.log.head().await?;
        projections.wait_for(MEMBERSHIPS, head.next_position.saturating_sub(1), PATIENCE).await?;
        let (mode, outcome) = self.take_out(reader, case, membership, delivery.owner_id).await?;
        let tried = TakeBack { attempt, mode, outcome, now: self.0.clock.now() };
        self.record(delivery, Command::RecordWithdrawal(Box::new(tried))).await
    }

    async fn take_out(
        &self,
        reader: &Reader,
        case: &Case,
        membership: MembershipId,
        owner: Option<OwnerId>,
    ) -> Result<(DeliveryMode, TakenBack), DeliverError> {
        // He may have paid, or been given days, since it was asked for.
        if self.access_runs(Some(membership)).await? {
            return Ok((case.mode, TakenBack::Moot { reason: "access_runs_again" }));
        }
        let offer = self.offer(case.requested.product_id).await?;
        let mode = offer.settings.mode(self.automation()).map_or(case.mode, |(_, mode)| mode);
        let person = self.person(&case.requested).await?;
        if self.gets_in_otherwise(reader, owner, membership, &offer, &person).await? {
            return Ok((mode, TakenBack::Moot { reason: "access_by_another_membership" }));
        }
        let links = self.links(case.requested.delivery_id).await?;
        let Some(place) = offer.settings.target() else { return Ok((mode, never("platform_target_missing"))) };
        let outcome = match (mode, &self.0.telegram, &self.0.discord) {
            (DeliveryMode::TelegramBot, Some(telegram), _) => self.out_of_telegram(telegram, place, &person, &links).await,
            (DeliveryMode::DiscordBot, _, Some(discord)) => out_of_discord(discord, place, &offer, &person, &links).await,
            _ => never("automation_not_configured"),
        };
        Ok((mode, outcome))
    }

    async fn out_of_telegram(&self, telegram: &Telegram, chat: &str, person: &Person, links: &[String]) -> TakenBack {
        for link in links {
            if let Err(error) = spent(telegram.revoke_invite(chat, link).await) {
                return again(error);
            }
        }
        let Some(user) = person.telegram() else { return never("telegram_identity_missing") };
        match telegram.presence(chat, user).await {
            Ok(Presence::In) => {
                let until = self.0.clock.now().plus_seconds(BAN_SECONDS);
                telegram.remove(chat, user, until).await.map_or_else(again, |()| TakenBack::Out { was_in: true })
            }
            // Whom an administrator has banned stays banned.
            Ok(Presence::Out | Presence::Banned) => TakenBack::Out { was_in: false },
            Err(error) => again(error),
        }
    }

    /// Whether another of the person's memberships of this owner runs and lets him into the same place.
    async fn gets_in_otherwise(
        &self,
        reader: &Reader,
        owner: Option<OwnerId>,
        ended: MembershipId,
        offer: &Offer,
        person: &Person,
    ) -> Result<bool, DeliverError> {
        let (Some(owner), Some(identity)) = (owner, &person.identity_value) else { return Ok(false) };
        let place = |offer: &Offer| {
            let settings = &offer.settings;
            (settings.delivery_type, settings.target().map(str::to_owned), settings.role().map(str::to_owned))
        };
        for other in memberships::of_identity(reader, owner, identity).await? {
            let id = MembershipId(other.meta.id);
            let same = id != ended && other.identity_type == person.identity_type;
            if same && place(&self.offer(other.product_id).await?) == place(offer) && self.access_runs(Some(id)).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// The delivery of the last payment that had one.
async fn newest(unit: &Unit<'_>, member: &Member) -> Result<Option<Loaded<Delivery>>, DeliverError> {
    for payment in member.payments.iter().rev() {
        let delivery = unit.load::<Delivery>(StreamId::new(Category::Delivery, AccessDeliveryId::of(*payment))).await?;
        if delivery.state.case().is_some() {
            return Ok(Some(delivery));
        }
    }
    Ok(None)
}

fn by_bot(mode: DeliveryMode) -> bool {
    matches!(mode, DeliveryMode::TelegramBot | DeliveryMode::DiscordBot)
}

/// With a role, the role is the access, and he stays in the guild; without one, being in the guild is.
async fn out_of_discord(discord: &Discord, guild: &str, offer: &Offer, person: &Person, links: &[String]) -> TakenBack {
    for link in links {
        if let Err(error) = spent(discord.revoke_invite(link).await) {
            return again(error);
        }
    }
    let Some(user) = person.discord() else { return never("discord_identity_missing") };
    discord.take_out(guild, user, offer.settings.role()).await.map_or_else(again, |was_in| TakenBack::Out { was_in })
}

/// An invite that the provider does not know any more was used or is over: all the better.
fn spent(revoked: Result<(), ProviderError>) -> Result<(), ProviderError> {
    match revoked {
        Err(ProviderError::Refused(_)) => Ok(()),
        other => other,
    }
}

fn never(reason: &str) -> TakenBack {
    TakenBack::Failed { reason: reason.to_owned(), again: Again::Never }
}

fn again(error: ProviderError) -> TakenBack {
    TakenBack::Failed { reason: error.code().to_owned(), again: on_schedule(error) }
}
