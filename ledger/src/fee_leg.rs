//! What a merchant owes Hilt for one payment (OBJ-25): due once the buyer's payment is settled, never before, and never more than
//! the fee. Where the buyer sends the fee himself, nothing is owed.

use crate::{
    Cited,
    check::{first_false, rejections},
};
use events::{
    decider::Decider,
    vocab::{
        event::{Event, FeeDue, PaymentCreated, SettlementEvidenced},
        money::Minor,
        stream::Fact,
        words::FeeSource,
    },
};

/// A fee that may be owed.
#[derive(Clone, PartialEq, Debug, Default)]
pub enum FeeLeg {
    /// Nothing is owed.
    #[default]
    Absent,
    /// The merchant owes it.
    Due(Box<FeeDue>),
}

/// What is asked of it.
#[derive(Clone, PartialEq, Debug)]
pub enum Command {
    /// The payment is settled.
    Owe {
        /// The payment.
        payment: Box<PaymentCreated>,
        /// The event that permits it.
        settlement: Cited<SettlementEvidenced>,
    },
}

rejections! {
    /// Why it is refused.
    pub enum Rejection {
        /// The settlement is another payment's, or of another fee.
        SettlementMismatch {
            /// Which field differs.
            field: &'static str,
        } = "settlement_mismatch", "{field} of the settlement is not the payment's";
    }
}

impl Decider for FeeLeg {
    type State = Self;
    type Command = Command;
    type Rejection = Rejection;

    fn decide(state: &Self, command: Command) -> Result<Vec<Fact>, Rejection> {
        let Command::Owe { payment, settlement } = command;
        let settled = &settlement.event;
        let same = [
            ("payment_id", settled.payment_id == payment.payment_id),
            ("gross", settled.gross == payment.amount),
            ("fee_amount", settled.fee_amount == payment.fee_amount),
        ];
        if let Some(field) = first_false(same) {
            return Err(Rejection::SettlementMismatch { field });
        }
        match state {
            FeeLeg::Due(_) => Ok(vec![]),
            FeeLeg::Absent if payment.fee_source == FeeSource::BuyerTransfer || payment.fee_amount == Minor::ZERO => Ok(vec![]),
            FeeLeg::Absent => Ok(vec![
                FeeDue {
                    payment_id: payment.payment_id,
                    session_id: payment.session_id,
                    product_id: payment.product_id,
                    access_product_id: payment.access_product_id,
                    amount: payment.fee_amount,
                    asset: payment.asset.clone(),
                    fee_bps: payment.fee_bps,
                    fee_policy: payment.fee_policy.clone(),
                    tx_signature: settled.tx_signature,
                    settlement_event: settlement.id,
                }
                .into(),
            ]),
        }
    }

    fn evolve(state: Self, event: &Event) -> Self {
        match (state, event) {
            (FeeLeg::Absent, Event::FeeDue(due)) => FeeLeg::Due(Box::new(due.clone())),
            (state, _) => state,
        }
    }
}
