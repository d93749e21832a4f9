//! What has reached accounts outside, by the log: one row for each side of a payment and for each invoice that a merchant has paid. It is
//! the log's side of a statement.
//!
//! A payment's rows begin when it is asked for, since only that event names its wallets; nothing has moved before it settles. A row that
//! has moved does not change any more: what was true of it at one position is true at every later one. The time is the block's, as the
//! verification saw it, and that of the settlement's record only where the chain did not say.

mod queries;
#[cfg(test)]
mod tests;

pub use queries::*;

use crate::runner::{Applied, Keys, Meta, Poison, Projection, Row, Rows};
use events::vocab::{
    bytes::SolanaAddress,
    event::{BillingInvoice, Event, EventType, PaymentCreated, SettlementEvidenced, StatementLeg},
    id::{EventId, MovementId, OwnerId, PaymentId, ReceiptId},
    money::{Minor, currency_decimals},
    time::Timestamp,
    words::{FeeSource, InvoiceStatus, MovementRole, Outcome, StatementSource},
};
use serde::{Deserialize, Serialize};

/// The projection.
pub struct Movements;

/// A row of `movements`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Movement {
    /// Id, owner, times.
    #[serde(flatten)]
    pub meta: Meta,
    /// Where the account is.
    pub source: StatementSource,
    /// Whose side of it.
    pub role: MovementRole,
    /// The wallet; `None` at Stripe, where a deployment has one account.
    pub account: Option<String>,
    /// The asset's symbol, or a currency.
    pub asset_code: String,
    /// Decimals of its minor unit.
    pub asset_decimals: u8,
    /// Its mint.
    pub asset_mint: Option<SolanaAddress>,
    /// Who sends the fee; `None` of an invoice.
    pub fee_source: Option<FeeSource>,
    /// The payment; `None` of an invoice.
    pub payment_id: Option<PaymentId>,
    /// Its receipt.
    pub receipt_id: Option<ReceiptId>,
    /// Position of the receipt's event.
    pub receipt_position: Option<u64>,
    /// When its block was, as far as a look at the chain has shown.
    pub block_time: Option<Timestamp>,
    /// What both sides call it, once it has moved: the transaction's signature, or the invoice's id.
    pub reference: Option<String>,
    /// When it moved.
    pub at: Option<Timestamp>,
    /// How much, in the minor unit.
    pub amount: Option<Minor>,
    /// The event that says so.
    pub evidence: Option<EventId>,
    /// That event's position.
    pub moved_position: Option<u64>,
}

impl Row for Movement {
    fn meta(&self) -> &Meta {
        &self.meta
    }
    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }
}

impl Movement {
    /// What a statement is held against, and what both sides call it, as of that position; `None` where it had not moved then.
    pub fn leg_at(&self, position: u64) -> Option<(String, StatementLeg)> {
        self.moved_position.filter(|moved| *moved <= position)?;
        // A read model may stand between a settlement and its receipt, though one append holds both.
        let receipted = self.receipt_position.is_some_and(|receipted| receipted <= position);
        let leg = StatementLeg {
            role: self.role,
            at: self.at?,
            amount: self.amount?,
            payment_id: self.payment_id,
            receipt_id: self.receipt_id.filter(|_| receipted),
            evidence: self.evidence?,
        };
        Some((self.reference.clone()?, leg))
    }
}

impl Projection for Movements {
    const NAME: &'static str = "movements";
    const VERSION: i32 = 1;
    const PERSONAL: bool = false;
    const SCHEMA: &'static str = include_str!("schema.sql");
    const LOAD: &'static str = include_str!("load.sql");
    const SAVE: &'static str = include_str!("save.sql");
    const SCAN: &'static str = include_str!("scan.sql");
    type Row = Movement;

    fn handles(event_type: EventType) -> bool {
        crate::interest::readers(event_type).contains(&Self::NAME)
    }

    fn keys(event: &Event) -> Keys {
        match event {
            Event::PaymentCreated(e) => of_payment(Some(e.payment_id)),
            Event::VerificationAttempted(e) => of_payment(Some(e.payment_id)),
            Event::SettlementEvidenced(e) => of_payment(Some(e.payment_id)),
            Event::ReceiptCreated(e) => of_payment(e.payment_id),
            Event::WorkspaceBillingSynced(e) => {
                Keys { ids: paid(&e.invoices).map(|invoice| of_invoice(e.owner_id, invoice).0).collect(), subjects: Vec::new() }
            }
            _ => Keys::none(),
        }
    }

    fn apply(rows: &mut Rows<Movement>, event: &Applied<'_>) -> Result<(), Poison> {
        match event.event {
            Event::PaymentCreated(e) => sides(e).try_for_each(|(role, wallet)| rows.insert(event, asked(event, e, role, wallet))),
            Event::VerificationAttempted(e) => {
                let block_time = e.observed.as_ref().and_then(|observed| observed.block_time).filter(|_| e.outcome == Outcome::Passed);
                let at = block_time.and_then(|seconds| seconds.checked_mul(1_000_000)).map(Timestamp::from_micros);
                each(rows, event, e.payment_id, |row| row.block_time = at.or(row.block_time));
                Ok(())
            }
            Event::SettlementEvidenced(e) => {
                let settled = each(rows, event, e.payment_id, |row| settle(row, e, event));
                if settled { Ok(()) } else { Err(Poison::Missing(event.event.event_type().as_str())) }
            }
            Event::ReceiptCreated(e) => {
                if let Some(payment) = e.payment_id {
                    each(rows, event, payment, |row| {
                        row.receipt_id = Some(e.receipt_id);
                        row.receipt_position = Some(event.recorded.position);
                    });
                }
                Ok(())
            }
            Event::WorkspaceBillingSynced(e) => {
                // What was paid once stays paid.
                let new = |rows: &Rows<Movement>, invoice: &BillingInvoice| rows.get(of_invoice(e.owner_id, invoice)).is_none();
                for invoice in paid(&e.invoices) {
                    if new(rows, invoice) {
                        rows.insert(event, of_stripe(event, e.owner_id, invoice))?;
                    }
                }
                Ok(())
            }
            other => Err(Poison::Unhandled(other.event_type().as_str())),
        }
    }
}

const SIDES: [MovementRole; 2] = [MovementRole::Merchant, MovementRole::Fee];

fn of_payment(payment: Option<PaymentId>) -> Keys {
    let ids = payment.into_iter().flat_map(|payment| SIDES.map(|role| MovementId::of_payment(payment, role).0));
    Keys { ids: ids.collect(), subjects: Vec::new() }
}

fn of_invoice(owner: OwnerId, invoice: &BillingInvoice) -> MovementId {
    MovementId::of_invoice(owner, &invoice.invoice_id)
}

/// Invoices that brought money.
fn paid(invoices: &[BillingInvoice]) -> impl Iterator<Item = &BillingInvoice> {
    invoices.iter().filter(|invoice| invoice.status == InvoiceStatus::Paid && invoice.amount_paid > 0)
}

/// Changes the payment's rows, and says whether there are any.
fn each(rows: &mut Rows<Movement>, event: &Applied<'_>, payment: PaymentId, change: impl Fn(&mut Movement)) -> bool {
    let found = SIDES.map(|role| rows.update_if_present(event, MovementId::of_payment(payment, role), &change));
    found.contains(&true)
}

/// Who is sent something by a payment.
fn sides(e: &PaymentCreated) -> impl Iterator<Item = (MovementRole, SolanaAddress)> + use<> {
    let fee = e.fee_wallet.filter(|_| e.fee_source == FeeSource::BuyerTransfer);
    [(MovementRole::Merchant, Some(e.merchant_wallet)), (MovementRole::Fee, fee)]
        .into_iter()
        .filter_map(|(role, wallet)| Some((role, wallet?)))
}

fn asked(event: &Applied<'_>, e: &PaymentCreated, role: MovementRole, wallet: SolanaAddress) -> Movement {
    Movement {
        meta: event.meta(MovementId::of_payment(e.payment_id, role), None),
        source: StatementSource::SolanaUsdc,
        role,
        account: Some(wallet.to_string()),
        asset_code: e.asset.symbol.clone(),
        asset_decimals: e.asset.decimals,
        asset_mint: Some(e.asset.mint),
        fee_source: Some(e.fee_source),
        payment_id: Some(e.payment_id),
        receipt_id: None,
        receipt_position: None,
        block_time: None,
        reference: None,
        at: None,
        amount: None,
        evidence: None,
        moved_position: None,
    }
}

fn settle(row: &mut Movement, e: &SettlementEvidenced, event: &Applied<'_>) {
    let amount = match (row.role, row.fee_source) {
        (MovementRole::Fee, _) => e.fee_amount,
        // The merchant has received everything, and owes the fee.
        (_, Some(FeeSource::MerchantReceivable)) => e.gross,
        _ => e.merchant_amount,
    };
    // Nothing is no movement: no statement would show it.
    if amount == Minor::ZERO {
        return;
    }
    row.amount = Some(amount);
    row.reference = Some(e.tx_signature.to_string());
    row.at = Some(row.block_time.unwrap_or(event.recorded_at()));
    row.evidence = Some(event.event_id());
    row.moved_position = Some(event.recorded.position);
}

fn of_stripe(event: &Applied<'_>, owner: OwnerId, invoice: &BillingInvoice) -> Movement {
    Movement {
        meta: event.meta(of_invoice(owner, invoice), None),
        source: StatementSource::Stripe,
        role: MovementRole::Invoice,
        account: None,
        asset_code: invoice.currency.clone(),
        asset_decimals: currency_decimals(&invoice.currency),
        asset_mint: None,
        fee_source: None,
        payment_id: None,
        receipt_id: None,
        receipt_position: None,
        block_time: None,
        reference: Some(invoice.invoice_id.clone()),
        at: Some(invoice.created_at),
        amount: u64::try_from(invoice.amount_paid).ok().and_then(|paid| Minor::new(paid).ok()),
        evidence: Some(event.event_id()),
        moved_position: Some(event.recorded.position),
    }
}
