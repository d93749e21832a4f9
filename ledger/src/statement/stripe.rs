//! Stripe's balance transactions as CSV: the dashboard's export of all activity, or the itemized balance report. Their sum is the change
//! of the balance, so each row is its gross amount and, as a line of its own, what Stripe kept of it.
//!
//! Only an invoice is known to both sides. It is named by the report's column `invoice_id`; a row without one can be matched with nothing.

use super::{
    csv::{Column, Record, Table},
    scope::{Item, Scope, Unreadable},
    value,
};
use events::vocab::money::SignedMinor;
use std::collections::BTreeSet;

const ID: Column = Column { name: "id", known_as: &["id", "balancetransactionid"] };
const AMOUNT: Column = Column { name: "amount", known_as: &["amount", "gross"] };
const FEE: Column = Column { name: "fee", known_as: &["fee"] };
const NET: Column = Column { name: "net", known_as: &["net"] };
const CURRENCY: Column = Column { name: "currency", known_as: &["currency"] };
/// `created` alone is in whatever zone the report was asked for.
const CREATED: Column = Column { name: "created_utc", known_as: &["createdutc"] };
const INVOICE: Column = Column { name: "invoice_id", known_as: &["invoiceid"] };

/// Where the columns are.
struct Columns {
    id: usize,
    amount: usize,
    fee: usize,
    net: usize,
    currency: usize,
    created: usize,
    invoice: Option<usize>,
}

pub(super) fn read(scope: &Scope, bytes: &[u8]) -> Result<Vec<Item>, Unreadable> {
    let table = Table::read(bytes)?;
    let columns = Columns {
        id: table.require(&ID)?,
        amount: table.require(&AMOUNT)?,
        fee: table.require(&FEE)?,
        net: table.require(&NET)?,
        currency: table.require(&CURRENCY)?,
        created: table.require(&CREATED)?,
        invoice: table.find(&INVOICE)?,
    };
    let mut seen = BTreeSet::new();
    let mut items = Vec::with_capacity(table.rows().len() * 2);
    for row in table.rows() {
        if !seen.insert(row.field(columns.id)) {
            return Err(Unreadable::at(row.line, ID.name, "is of a balance transaction that is in the file before"));
        }
        items.extend(items_of(scope, &columns, row)?);
    }
    Ok(items)
}

fn items_of(scope: &Scope, columns: &Columns, row: &Record) -> Result<impl Iterator<Item = Item>, Unreadable> {
    let line = row.line;
    let refused = |column: &Column, rule: &'static str| Unreadable::at(line, column.name, rule);
    let id = row.field(columns.id);
    scope.id_rule(id).map_err(|rule| refused(&ID, rule))?;
    if !row.field(columns.currency).eq_ignore_ascii_case(&scope.asset.code) {
        return Err(refused(&CURRENCY, "is another than the statement's: ask for one currency at a time"));
    }
    let at = value::time(row.field(columns.created)).ok_or_else(|| refused(&CREATED, value::TIME))?;
    if !scope.covers(at) {
        return Err(refused(&CREATED, value::OUTSIDE));
    }
    let money = |column: &Column, at: usize| {
        value::decimal(row.field(at), scope.asset.decimals).map(SignedMinor::units).ok_or_else(|| refused(column, value::AMOUNT))
    };
    let (amount, fee, net) = (money(&AMOUNT, columns.amount)?, money(&FEE, columns.fee)?, money(&NET, columns.net)?);
    if amount.checked_sub(fee) != Some(net) {
        return Err(refused(&NET, "is the amount without the fee"));
    }
    let invoice = columns.invoice.map(|invoice| row.field(invoice)).filter(|invoice| !invoice.is_empty());
    invoice.map_or(Ok(()), |invoice| scope.id_rule(invoice)).map_err(|rule| refused(&INVOICE, rule))?;
    let gross = SignedMinor::new(amount).map_err(|_| refused(&AMOUNT, value::AMOUNT))?;
    let kept = SignedMinor::new(-fee).map_err(|_| refused(&FEE, value::AMOUNT))?;
    let moved = Item { line, reference: invoice.unwrap_or(id).to_owned(), id: invoice.map(|_| id.to_owned()), at, amount: gross };
    let kept = (fee != 0).then(|| Item { line, reference: id.to_owned(), id: None, at, amount: kept });
    Ok(std::iter::once(moved).chain(kept))
}
