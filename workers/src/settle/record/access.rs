//! What a settled payment gives: a membership that begins or goes on, and access.

use super::{Case, Records};
use crate::settle::{SettleError, buyer, rejected};
use events::{
    unit::{Loaded, load},
    vocab::{
        event::{Event, MembershipRenewed},
        id::{EntitlementId, EventId, MembershipId, SubjectId},
        personal::Personal,
        stream::{Category, StreamId},
        time::Timestamp,
        words::{DeliveryType, IdentityType, Platform},
    },
};
use ledger::{
    Cited,
    entitlement::{self, Entitlement, Extended},
    evidence::{Evidence, ReceiptEvidence},
    membership::{self, Membership, Standing},
    payment::Payment,
    payment_session,
    product::Product,
    proof::Proof,
};

/// A membership after the payment.
pub(super) struct Paid {
    /// Which.
    pub id: MembershipId,
    /// Where it ended before, unless it was taken away.
    current_end: Option<Timestamp>,
    /// The payment's effect, where it was not the first.
    renewed: Option<Cited<MembershipRenewed>>,
}

impl Case<'_> {
    /// The entitlement that the payment is for; the hosted checkout sells without one.
    pub(super) async fn entitlement(&self) -> Result<Option<Loaded<Entitlement>>, SettleError> {
        let Some(id): Option<EntitlementId> = self.facts.entitlement_id else { return Ok(None) };
        Ok(Some(load::<Entitlement>(self.log, StreamId::new(Category::Entitlement, id)).await?))
    }

    /// Who becomes a member: whose identity was proved, or else whom the payment names.
    pub(super) async fn member(&self) -> Result<(SubjectId, Personal), SettleError> {
        let said = buyer::of(self.log, self.vault, &self.facts).await?;
        let started = self.proven.as_ref().and_then(|proven| Some((proven, proven.session.state.started()?)));
        Ok(match started {
            Some((proven, started)) => {
                let Personal { identity_type, identity_value, identity_display, .. } = proven.personal.clone();
                (started.subject_id, Personal { identity_type, identity_value, identity_display, ..said })
            }
            None => (self.facts.subject_id, said),
        })
    }

    /// The membership that the payment begins or renews.
    pub(super) async fn membership(&mut self, payment_event: EventId) -> Result<Option<Paid>, SettleError> {
        let (Some(terms), Payment::Confirmed { confirmed, .. }) = (self.facts.membership.clone(), &self.payment.state) else {
            return Ok(None);
        };
        let (subject_id, personal) = self.member().await?;
        let membership_id = MembershipId::of(self.facts.product_id, subject_id);
        let mut membership = load::<Membership>(self.log, StreamId::new(Category::Membership, membership_id)).await?;
        let current_end = membership.state.member().filter(|member| member.standing != Standing::Revoked).map(|member| member.period_end);
        let pay = membership::Pay {
            membership_id,
            access_product_id: self.facts.access_product_id,
            subject_id,
            terms,
            platform: self.platform(&personal).await?,
            personal,
            payment: Cited::new(payment_event, (**confirmed).clone()),
            now: self.now,
        };
        let made = self.unit.decide(&mut membership, membership::Command::Pay(Box::new(pay)), Some(payment_event)).map_err(rejected!())?;
        let renewed = self.unit.events().find_map(|(id, _, event)| match event {
            Event::MembershipRenewed(renewed) if made.contains(&id) => Some(Cited::new(id, renewed.clone())),
            _ => None,
        });
        Ok(Some(Paid { id: membership_id, current_end, renewed }))
    }

    /// Where the member gets in: as the product says, or as it hands access over, or where he is known.
    async fn platform(&self, member: &Personal) -> Result<Option<Platform>, SettleError> {
        let product = load::<Product>(self.log, StreamId::new(Category::Product, self.facts.product_id)).await?;
        let Some(product) = product.state.facts() else { return Ok(None) };
        let delivered = match product.delivery_type {
            Some(DeliveryType::TelegramInvite) => Some(Platform::Telegram),
            Some(DeliveryType::DiscordInvite) => Some(Platform::Discord),
            Some(DeliveryType::Redirect) | None => None,
        };
        let known = match member.identity_type.as_deref().and_then(|kind| kind.parse().ok()) {
            Some(IdentityType::TelegramUserId) => Some(Platform::Telegram),
            Some(IdentityType::DiscordUserId) => Some(Platform::Discord),
            Some(IdentityType::MerchantReference) | None => None,
        };
        Ok(product.membership.as_ref().and_then(|config| config.platform).or(delivered).or(known))
    }

    /// Opens the entitlement. One that staff let rest on the membership is open, and lasts as long as the membership now does.
    pub(super) fn activate(
        &mut self,
        mut entitlement: Loaded<Entitlement>,
        records: Records,
        paid: Option<Paid>,
    ) -> Result<(), SettleError> {
        let cause = records.mapped_event;
        if let (Entitlement::Active { .. } | Entitlement::Expired { .. }, Some(renewed)) =
            (&entitlement.state, paid.as_ref().and_then(|paid| paid.renewed.clone()))
        {
            let renew = entitlement::Command::Renew { extended: Extended::Renewed(Box::new(renewed)) };
            self.unit.decide(&mut entitlement, renew, Some(cause)).map_err(rejected!())?;
            return Ok(());
        }
        let (membership_id, current_end) = paid.map_or((None, None), |paid| (Some(paid.id), paid.current_end));
        let Some(evidence) = self.evidence(records, membership_id) else { return Ok(()) };
        let activate = self.grant(&entitlement, evidence, current_end)?;
        let made = self.unit.decide(&mut entitlement, activate, Some(cause)).map_err(rejected!())?;
        if let (Entitlement::Active { activated, .. }, Some(id), Some(session)) = (&entitlement.state, made.last(), &mut self.session) {
            let confirm = payment_session::Command::Confirm { entitlement: Cited::new(*id, (**activated).clone()) };
            self.unit.decide(session, confirm, Some(*id)).map_err(rejected!())?;
        }
        Ok(())
    }

    /// The command that brings `evidence` to an entitlement.
    pub(super) fn grant(
        &self,
        entitlement: &Loaded<Entitlement>,
        evidence: Evidence,
        current_end: Option<Timestamp>,
    ) -> Result<entitlement::Command, SettleError> {
        let owner_id = entitlement.owner_id.or(self.payment.owner_id).ok_or(SettleError::Inconsistent)?;
        let livemode = entitlement.livemode.unwrap_or(false);
        let activate = entitlement::Activate { owner_id, livemode, evidence, current_end, now: self.now };
        Ok(entitlement::Command::Activate(Box::new(activate)))
    }

    /// The records of this payment, as an activation cites them.
    pub(super) fn evidence(&self, records: Records, membership_id: Option<MembershipId>) -> Option<Evidence> {
        let (requirement, owner_id) = (self.requirement()?, self.payment.owner_id?);
        let created = self.session.as_ref()?.state.session()?;
        let (Payment::Confirmed { confirmed, .. }, Proof::Mapped { proof, settled, mapped, .. }) = (&self.payment.state, &self.proof.state)
        else {
            return None;
        };
        Some(Evidence::Receipt(Box::new(ReceiptEvidence {
            owner_id,
            livemode: self.payment.livemode.unwrap_or(false),
            session: created.clone(),
            requirement: requirement.event,
            proof: (**proof).clone(),
            settlement: Cited::new(records.settlement_event, (**settled).clone()),
            payment: (**confirmed).clone(),
            receipt: records.receipt,
            mapped: Cited::new(records.mapped_event, mapped.clone()),
            membership_id,
        })))
    }
}
