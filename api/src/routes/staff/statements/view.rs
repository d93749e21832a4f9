//! How statements and their entries are shown.

use events::vocab::{
    event::{EntrySums, StatementImported, Sums},
    id::{EventId, PaymentId, ReceiptId, StatementId},
    money::SignedTotal,
    time::Timestamp,
};
use projections::{statement_entries::Entry, statements::Statement};
use serde::Serialize;
use utoipa::ToSchema;

/// A statement, and what came of holding it against the log.
#[derive(Serialize, ToSchema)]
#[schema(as = Statement)]
pub(super) struct StatementView {
    #[schema(value_type = String, format = Uuid)]
    statement_id: StatementId,
    source: &'static str,
    /// A wallet, or an account of Stripe's.
    account: String,
    asset: String,
    asset_decimals: u8,
    token_mint: Option<String>,
    livemode: bool,
    /// The first moment that it covers.
    #[schema(value_type = String, format = DateTime)]
    from: Timestamp,
    /// The first moment that it does not cover any more.
    #[schema(value_type = String, format = DateTime)]
    to: Timestamp,
    format: &'static str,
    /// SHA-256 of the file as it was received, in hex.
    sha256: String,
    bytes: u64,
    /// Lines of the file that say that something moved.
    lines: u32,
    /// Position of the last event of the log that was taken into account.
    through_position: u64,
    /// Whether everything is on both sides with one amount.
    reconciled: bool,
    sums: SumsView,
    imported_by: String,
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
}

/// Sums in minor units, as decimal digits: a sum may be larger than JSON's integers are exact. The difference is what is on the
/// statement alone, without what is in the log alone, and with what differs where both have it.
#[derive(Serialize, ToSchema)]
#[schema(as = StatementSums)]
pub(super) struct SumsView {
    statement_total_minor_units: String,
    ledger_total_minor_units: String,
    /// The first without the second.
    difference_minor_units: String,
    /// On both sides, with one amount.
    matched: EntrySumsView,
    /// On both sides, with two amounts.
    different: EntrySumsView,
    /// On the statement alone.
    statement_only: EntrySumsView,
    /// In the log alone.
    ledger_only: EntrySumsView,
}

/// The sums of one status.
#[derive(Serialize, ToSchema)]
#[schema(as = StatementEntrySums)]
pub(super) struct EntrySumsView {
    count: u32,
    statement_minor_units: String,
    ledger_minor_units: String,
}

/// One transaction or invoice, and what both sides say of it.
#[derive(Serialize, ToSchema)]
#[schema(as = StatementEntry)]
pub(super) struct EntryView {
    /// Its number in the statement, from 1.
    number: u32,
    /// What both sides call it: a transaction's signature, an invoice's id, or the line's own id.
    reference: String,
    /// `matched`, `different`, `statement_only` or `ledger_only`.
    status: &'static str,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Null where the statement says nothing.
    statement_minor_units: Option<String>,
    /// Null where the log says nothing.
    ledger_minor_units: Option<String>,
    /// The first without the second.
    difference_minor_units: String,
    lines: Vec<LineView>,
    legs: Vec<LegView>,
}

/// A line of the statement.
#[derive(Serialize, ToSchema)]
#[schema(as = StatementLine)]
struct LineView {
    /// Line of the file, or element of its array, from 1.
    line: u32,
    /// The source's own id, where it is not the reference.
    id: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    amount_minor_units: i64,
}

/// What reached the account, by the log.
#[derive(Serialize, ToSchema)]
#[schema(as = StatementLeg)]
struct LegView {
    /// `merchant`, `fee` or `invoice`.
    role: &'static str,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    amount_minor_units: u64,
    #[schema(value_type = Option<String>, format = Uuid)]
    payment_id: Option<PaymentId>,
    #[schema(value_type = Option<String>, format = Uuid)]
    receipt_id: Option<ReceiptId>,
    /// The event that says so.
    #[schema(value_type = String, format = Uuid)]
    event_id: EventId,
}

impl From<&Sums> for SumsView {
    fn from(sums: &Sums) -> Self {
        let of = |sums: &EntrySums| EntrySumsView {
            count: sums.entries,
            statement_minor_units: sums.statement.to_string(),
            ledger_minor_units: sums.ledger.to_string(),
        };
        SumsView {
            statement_total_minor_units: sums.statement_total.to_string(),
            ledger_total_minor_units: sums.ledger_total.to_string(),
            difference_minor_units: sums.difference.to_string(),
            matched: of(&sums.matched),
            different: of(&sums.different),
            statement_only: of(&sums.statement_only),
            ledger_only: of(&sums.ledger_only),
        }
    }
}

fn reconciled(sums: &Sums) -> bool {
    [sums.different, sums.statement_only, sums.ledger_only].iter().all(|sums| sums.entries == 0)
}

impl StatementView {
    /// As the event has it; what the envelope has is told.
    pub fn of_event(e: &StatementImported, livemode: bool, created_at: Option<Timestamp>) -> Self {
        StatementView {
            statement_id: e.statement_id,
            source: e.source.as_str(),
            account: e.account.clone(),
            asset: e.asset.code.clone(),
            asset_decimals: e.asset.decimals,
            token_mint: e.asset.mint.map(|mint| mint.to_string()),
            livemode,
            from: e.period_start,
            to: e.period_end,
            format: e.format.as_str(),
            sha256: e.digest.to_string(),
            bytes: e.bytes,
            lines: e.items,
            through_position: e.through_position,
            reconciled: reconciled(e.sums.get()),
            sums: e.sums.get().into(),
            imported_by: e.by.clone(),
            created_at,
        }
    }
}

impl From<Statement> for StatementView {
    fn from(row: Statement) -> Self {
        StatementView {
            statement_id: StatementId(row.meta.id),
            source: row.source.as_str(),
            account: row.account,
            asset: row.asset_code,
            asset_decimals: row.asset_decimals,
            token_mint: row.asset_mint.map(|mint| mint.to_string()),
            livemode: row.meta.livemode,
            from: row.period_start,
            to: row.period_end,
            format: row.format.as_str(),
            sha256: row.digest.to_string(),
            bytes: row.bytes,
            lines: row.items,
            through_position: row.through_position,
            reconciled: reconciled(row.sums.get()),
            sums: row.sums.get().into(),
            imported_by: row.imported_by,
            created_at: Some(row.meta.created_at),
        }
    }
}

impl From<Entry> for EntryView {
    fn from(row: Entry) -> Self {
        let units = |sum: Option<SignedTotal>| i128::from(sum.unwrap_or_default().0);
        EntryView {
            number: row.number,
            reference: row.reference,
            status: row.status.as_str(),
            at: row.at,
            difference_minor_units: (units(row.statement_amount) - units(row.ledger_amount)).to_string(),
            statement_minor_units: row.statement_amount.map(|sum| sum.to_string()),
            ledger_minor_units: row.ledger_amount.map(|sum| sum.to_string()),
            lines: row
                .items
                .into_iter()
                .map(|item| LineView { line: item.line, id: item.id, at: item.at, amount_minor_units: item.amount.units() })
                .collect(),
            legs: row
                .legs
                .into_iter()
                .map(|leg| LegView {
                    role: leg.role.as_str(),
                    at: leg.at,
                    amount_minor_units: leg.amount.units(),
                    payment_id: leg.payment_id,
                    receipt_id: leg.receipt_id,
                    event_id: leg.evidence,
                })
                .collect(),
        }
    }
}
