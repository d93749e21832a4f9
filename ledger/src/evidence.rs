//! What may activate an entitlement, and whether it belongs to it (INV-2, INV-3, INV-39).

use crate::{Cited, check::first_false};
use events::vocab::{
    event::{
        ActivationEvidence, EntitlementOrigin, EntitlementPended, MembershipEntitlementLinked, PaymentConfirmed,
        PaymentRequirementAuthored, PaymentSessionCreated, ProofFingerprinted, ReceiptCreated, ReceiptMapped, SandboxSessionConfirmed,
        SandboxSessionCreated, SettlementEvidenced,
    },
    id::{MembershipId, OwnerId, ProofId},
};

/// What is brought to activate an entitlement.
#[derive(Clone, PartialEq, Debug)]
pub enum Evidence {
    /// A verified, settled payment mapped to a receipt.
    Receipt(Box<ReceiptEvidence>),
    /// A confirmed sandbox session.
    Sandbox(Box<SandboxEvidence>),
    /// A membership that the same customer has to the same product (TR-41).
    Membership(Box<MembershipEvidence>),
}

/// The records of one live payment.
#[derive(Clone, PartialEq, Debug)]
pub struct ReceiptEvidence {
    /// Whose log records these are.
    pub owner_id: OwnerId,
    /// Whether they moved real money.
    pub livemode: bool,
    /// The session that was paid.
    pub session: PaymentSessionCreated,
    /// What it asked for.
    pub requirement: PaymentRequirementAuthored,
    /// The proof.
    pub proof: ProofFingerprinted,
    /// The settlement.
    pub settlement: Cited<SettlementEvidenced>,
    /// The payment.
    pub payment: PaymentConfirmed,
    /// The receipt.
    pub receipt: Cited<ReceiptCreated>,
    /// The event that permits the activation.
    pub mapped: Cited<ReceiptMapped>,
    /// The membership that the payment made or renewed.
    pub membership_id: Option<MembershipId>,
}

/// The records of one sandbox session.
#[derive(Clone, PartialEq, Debug)]
pub struct SandboxEvidence {
    /// Whose log records these are.
    pub owner_id: OwnerId,
    /// Whether they moved real money, which they never did.
    pub livemode: bool,
    /// The session.
    pub session: SandboxSessionCreated,
    /// The event that permits the activation.
    pub confirmed: Cited<SandboxSessionConfirmed>,
}

/// The record of an active membership.
#[derive(Clone, PartialEq, Debug)]
pub struct MembershipEvidence {
    /// Whose log records it.
    pub owner_id: OwnerId,
    /// Whether it was paid with real money.
    pub livemode: bool,
    /// The event that permits the activation. The membership gives it only while it is active.
    pub linked: Cited<MembershipEntitlementLinked>,
}

impl Evidence {
    /// What the activation cites.
    pub fn citation(&self) -> ActivationEvidence {
        match self {
            Evidence::Receipt(live) => ActivationEvidence::Receipt {
                proof_id: live.proof.proof_id,
                receipt_id: live.receipt.event.receipt_id,
                payment_id: live.payment.payment_id,
                membership_id: live.membership_id,
                receipt_mapped_event: live.mapped.id,
            },
            Evidence::Sandbox(sandbox) => ActivationEvidence::Sandbox {
                sandbox_session_id: sandbox.session.sandbox_session_id,
                confirmed_event: sandbox.confirmed.id,
            },
            Evidence::Membership(membership) => {
                ActivationEvidence::Membership { membership_id: membership.linked.event.membership_id, linked_event: membership.linked.id }
            }
        }
    }

    /// The proof among it.
    pub fn proof_id(&self) -> Option<ProofId> {
        match self {
            Evidence::Receipt(live) => Some(live.proof.proof_id),
            Evidence::Sandbox(_) | Evidence::Membership(_) => None,
        }
    }

    /// The first element that does not belong to `entitlement`, by its stable name.
    ///
    /// In this order: owner, mode, origin, session, access product, product, customer, entitlement, payment, requirement,
    /// rail, proof, settlement, receipt.
    pub fn foreign_element(&self, owner_id: OwnerId, livemode: bool, entitlement: &EntitlementPended) -> Option<&'static str> {
        let elements = match self {
            Evidence::Receipt(live) => live.elements(owner_id, livemode, entitlement),
            Evidence::Sandbox(sandbox) => sandbox.elements(owner_id, livemode, entitlement),
            Evidence::Membership(membership) => membership.elements(owner_id, livemode, entitlement),
        };
        first_false(elements)
    }
}

impl ReceiptEvidence {
    fn elements(&self, owner_id: OwnerId, livemode: bool, entitlement: &EntitlementPended) -> Vec<(&'static str, bool)> {
        let ReceiptEvidence { session, requirement, proof, payment, .. } = self;
        let (settled, receipt, mapped) = (&self.settlement.event, &self.receipt.event, &self.mapped.event);
        // A sandbox entitlement is never paid for, and its own mode would say so too.
        let (of_session, session_id, payment_id) = match entitlement.origin {
            EntitlementOrigin::Session { session_id, payment_id } => (true, session_id, payment_id),
            EntitlementOrigin::Sandbox { .. } => (false, session.session_id, session.payment_id),
        };
        let sessions = [Some(session.session_id), Some(requirement.session_id), proof.session_id, settled.session_id];
        let sessions = sessions.into_iter().chain([payment.session_id, mapped.session_id]);
        let payments = [session.payment_id, proof.payment_id, settled.payment_id, payment.payment_id].map(Some);
        let payments = payments.into_iter().chain([receipt.payment_id, Some(mapped.payment_id)]);
        let access_product = Some(entitlement.access_product_id);
        vec![
            ("owner", self.owner_id == owner_id),
            ("mode", self.livemode && livemode),
            ("origin", of_session),
            ("session", sessions.into_iter().all(|id| id == Some(session_id))),
            (
                "access_product",
                [Some(session.access_product_id), proof.access_product_id, payment.access_product_id, receipt.access_product_id]
                    .iter()
                    .all(|id| *id == access_product),
            ),
            (
                "product",
                [Some(session.product_id), Some(proof.product_id), Some(payment.product_id), receipt.product_id]
                    .iter()
                    .all(|id| *id == Some(entitlement.product_id)),
            ),
            ("customer", session.subject_id == entitlement.subject_id && proof.subject_id == entitlement.subject_id),
            (
                "entitlement",
                [Some(session.entitlement_id), proof.entitlement_id, mapped.entitlement_id]
                    .iter()
                    .all(|id| *id == Some(entitlement.entitlement_id)),
            ),
            ("payment", payments.into_iter().all(|id| id == Some(payment_id))),
            ("requirement", proof.requirement_hash == Some(requirement.requirement_hash)),
            (
                "rail",
                [session.rail_id, requirement.rail_id, proof.rail_id, settled.rail_id, mapped.rail_id]
                    .iter()
                    .all(|rail| *rail == entitlement.rail_id),
            ),
            ("proof", settled.proof_id == proof.proof_id && mapped.proof_id == proof.proof_id),
            ("settlement", self.settlement_holds()),
            ("receipt", self.receipt_holds()),
        ]
    }

    fn settlement_holds(&self) -> bool {
        let (settled, id) = (&self.settlement.event, self.settlement.id);
        settled.gross == self.requirement.gross
            && settled.merchant_amount == self.requirement.merchant_amount
            && settled.fee_amount == self.requirement.fee_amount
            && Some(settled.tx_signature) == self.proof.tx_signature
            && settled.tx_signature == self.payment.tx_signature
            && self.payment.settlement_event == id
            && self.receipt.event.settlement_event == Some(id)
            && self.mapped.event.settlement_event == id
    }

    fn receipt_holds(&self) -> bool {
        let (receipt, mapped) = (&self.receipt, &self.mapped.event);
        mapped.receipt_id == receipt.event.receipt_id
            && mapped.receipt_event == receipt.id
            && receipt.event.amount == self.settlement.event.gross
            && receipt.event.tx_signature == self.settlement.event.tx_signature
    }
}

impl SandboxEvidence {
    fn elements(&self, owner_id: OwnerId, livemode: bool, entitlement: &EntitlementPended) -> Vec<(&'static str, bool)> {
        let session = &self.session;
        let (of_sandbox, session_id) = match entitlement.origin {
            EntitlementOrigin::Sandbox { sandbox_session_id, test_clock_id } => {
                (test_clock_id == session.test_clock_id, sandbox_session_id)
            }
            EntitlementOrigin::Session { .. } => (false, session.sandbox_session_id),
        };
        vec![
            ("owner", self.owner_id == owner_id),
            ("mode", !self.livemode && !livemode),
            ("origin", of_sandbox),
            ("session", session.sandbox_session_id == session_id && self.confirmed.event.sandbox_session_id == session_id),
            ("access_product", session.access_product_id == entitlement.access_product_id),
            ("product", session.product_id == entitlement.product_id),
            ("customer", session.subject_id == entitlement.subject_id),
            ("entitlement", session.entitlement_id == entitlement.entitlement_id),
            ("rail", session.rail_id == entitlement.rail_id),
        ]
    }
}

impl MembershipEvidence {
    fn elements(&self, owner_id: OwnerId, livemode: bool, entitlement: &EntitlementPended) -> Vec<(&'static str, bool)> {
        let linked = &self.linked.event;
        let own = MembershipId::of(entitlement.product_id, entitlement.subject_id);
        vec![
            ("owner", self.owner_id == owner_id),
            ("mode", self.livemode && livemode),
            ("origin", matches!(entitlement.origin, EntitlementOrigin::Session { .. })),
            ("product", linked.product_id == entitlement.product_id),
            ("customer", linked.subject_id == entitlement.subject_id && linked.membership_id == own),
            ("entitlement", linked.entitlement_id == entitlement.entitlement_id),
        ]
    }
}
