//! Hilt's own two formats: CSV with a header, and JSON. What else they hold (a counterparty, a memo) is not looked at.

use super::{
    csv::{Column, Table},
    scope::{Item, Scope, Unreadable},
    value,
};
use events::vocab::{money::SignedMinor, time::Timestamp, words::StatementSource};
use serde_json::Value;

const ID: Column =
    Column { name: "id", known_as: &["id", "signature", "txhash", "transactionhash", "txsignature", "transactionsignature"] };
const AT: Column = Column { name: "at", known_as: &["at", "time", "timestamp", "blocktime", "createdutc"] };
const MINOR: Column = Column { name: "amount_minor_units", known_as: &["amountminorunits"] };
const AMOUNT: Column = Column { name: "amount", known_as: &["amount"] };
const INVOICE: Column = Column { name: "invoice_id", known_as: &["invoiceid"] };

/// A line as it is written, before it is known to be right.
struct Raw<'a> {
    id: &'a str,
    invoice_id: Option<&'a str>,
    at: Option<Timestamp>,
    amount: Option<SignedMinor>,
}

/// `id,at,amount_minor_units` or `id,at,amount`, and `invoice_id` for Stripe.
pub(super) fn csv(scope: &Scope, bytes: &[u8]) -> Result<Vec<Item>, Unreadable> {
    let table = Table::read(bytes)?;
    let (id, at) = (table.require(&ID)?, table.require(&AT)?);
    let invoice = table.find(&INVOICE)?;
    let (minor, amount) = (table.find(&MINOR)?, table.find(&AMOUNT)?);
    if minor.is_some() == amount.is_some() {
        return Err(Unreadable::at(1, "amount", "the header has either amount or amount_minor_units"));
    }
    let mut items = Vec::with_capacity(table.rows().len());
    for row in table.rows() {
        let exact = minor.map(|minor| value::minor(row.field(minor)));
        let raw = Raw {
            id: row.field(id),
            invoice_id: invoice.map(|invoice| row.field(invoice)).filter(|invoice| !invoice.is_empty()),
            at: value::time(row.field(at)),
            amount: exact.unwrap_or_else(|| amount.and_then(|amount| value::decimal(row.field(amount), scope.asset.decimals))),
        };
        let (name, rule) = amount_rule(minor.is_some());
        items.push(item(scope, row.line, &raw).map_err(|wrong| wrong.in_words(row.line, name, rule, Unreadable::at))?);
    }
    Ok(items)
}

/// `{"items": [{"id", "at", "amount_minor_units" or "amount", "invoice_id"}]}`.
pub(super) fn json(scope: &Scope, bytes: &[u8]) -> Result<Vec<Item>, Unreadable> {
    let file: Value = serde_json::from_slice(bytes).map_err(|error| Unreadable::json(&error))?;
    let elements = file.get("items").and_then(Value::as_array).ok_or_else(|| Unreadable::file("is an object with a list items"))?;
    let mut items = Vec::with_capacity(elements.len());
    for (number, element) in (1_u32..).zip(elements) {
        let text = |name: &str| element.get(name).and_then(Value::as_str);
        let (minor, amount) = (element.get("amount_minor_units"), element.get("amount"));
        if minor.is_some() == amount.is_some() {
            return Err(Unreadable::item(number, "amount", "there is either amount or amount_minor_units"));
        }
        let raw = Raw {
            id: text("id").unwrap_or_default(),
            invoice_id: text("invoice_id"),
            at: match element.get("at") {
                Some(Value::Number(seconds)) => seconds.as_i64().and_then(value::seconds),
                _ => text("at").and_then(value::time),
            },
            // A number with a point is refused: what wrote it may have rounded.
            amount: match minor {
                Some(minor) => minor.as_i64().and_then(|units| SignedMinor::new(units).ok()),
                None => text("amount").and_then(|amount| value::decimal(amount, scope.asset.decimals)),
            },
        };
        let (name, rule) = amount_rule(minor.is_some());
        items.push(item(scope, number, &raw).map_err(|wrong| wrong.in_words(number, name, rule, Unreadable::item))?);
    }
    Ok(items)
}

fn amount_rule(minor: bool) -> (&'static str, &'static str) {
    if minor { (MINOR.name, value::MINOR) } else { (AMOUNT.name, value::AMOUNT) }
}

/// What is wrong with a line.
enum Wrong {
    Id(&'static str),
    Invoice(&'static str),
    At(&'static str),
    Amount,
}

impl Wrong {
    fn in_words(self, line: u32, amount: &str, amount_rule: &str, place: fn(u32, &str, &'static str) -> Unreadable) -> Unreadable {
        match self {
            Wrong::Id(rule) => place(line, ID.name, rule),
            Wrong::Invoice(rule) => place(line, INVOICE.name, rule),
            Wrong::At(rule) => place(line, AT.name, rule),
            Wrong::Amount => Unreadable { rule: amount_rule.to_owned(), ..place(line, amount, "") },
        }
    }
}

fn item(scope: &Scope, line: u32, raw: &Raw<'_>) -> Result<Item, Wrong> {
    scope.id_rule(raw.id).map_err(Wrong::Id)?;
    let at = raw.at.ok_or(Wrong::At(value::TIME))?;
    if !scope.covers(at) {
        return Err(Wrong::At(value::OUTSIDE));
    }
    let amount = raw.amount.ok_or(Wrong::Amount)?;
    let (reference, id) = match raw.invoice_id {
        None => (raw.id.to_owned(), None),
        Some(_) if scope.source != StatementSource::Stripe => return Err(Wrong::Invoice("is for statements of Stripe's")),
        Some(invoice) => {
            scope.id_rule(invoice).map_err(Wrong::Invoice)?;
            (invoice.to_owned(), Some(raw.id.to_owned()))
        }
    };
    Ok(Item { line, reference, id, at, amount })
}
