//! What `verify --state` prints.

use crate::{StateReport, tables::Checked};
use events::vocab::event::AttestedBalance;
use std::fmt;

impl fmt::Display for StateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "The read models are what the log folds to.")?;
        match &self.attested {
            None => writeln!(f, "  attested     nothing yet")?,
            Some(attested) => {
                writeln!(f, "  attested     {} at position {}", attested.root, attested.at_position)?;
                writeln!(f, "  on record    at position {} (event {})", attested.position, attested.event_id)?;
                match attested.checkpoint {
                    Some(size) => writeln!(f, "  covered by   the signed checkpoint of {size} events")?,
                    None => writeln!(f, "  covered by   no signed checkpoint yet")?,
                }
                for name in &attested.of_other_versions {
                    writeln!(f, "  not compared {name}, which another version of its fold had made")?;
                }
            }
        }
        for model in &self.models {
            let at = model.checkpoint.map_or("before the first event".to_owned(), |position| format!("at position {position}"));
            let only = if model.compared { "" } else { ", live table not looked at: this role may not" };
            writeln!(f, "  {:<20} {} of {} rows {at}{only}", model.projection, model.root, model.rows)?;
        }
        if self.statements > 0 {
            writeln!(f, "  statements   {} on record come to what was recorded", self.statements)?;
        }
        for Checked { table, .. } in self.tables.iter().filter(|table| !table.checked) {
            writeln!(f, "  {table:<26} not looked at: this role may not")?;
        }
        write_balance(f, &self.trial_balance)?;
        writeln!(f, "  took         {} ms", self.milliseconds)
    }
}

/// A trial balance, one line for each account.
pub(super) fn write_balance(f: &mut fmt::Formatter<'_>, lines: &[AttestedBalance]) -> fmt::Result {
    for AttestedBalance { asset, livemode, account, debit, credit } in lines {
        let mode = if *livemode { "live" } else { "sandbox" };
        writeln!(f, "  {:<5} {mode:<8} {:<11} debit {debit:>20} credit {credit:>20}", asset.symbol, account.as_str())?;
    }
    Ok(())
}
