//! The story for a human.

use super::{Money, Trail};
use std::fmt;

impl fmt::Display for Trail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Trail of {}", self.asked)?;
        let owner = self.owner_id.map_or("the platform".to_owned(), |owner| owner.to_string());
        writeln!(f, "  owner      {owner}, {}", if self.livemode { "live" } else { "sandbox" })?;
        if let Some(money) = &self.money {
            writeln!(f, "  money      {money}")?;
        }
        self.evidence(f)?;
        writeln!(f)?;
        for step in &self.steps {
            let seal = if step.sealed { " [personal data sealed]" } else { "" };
            writeln!(f, "  {:>6}  {}  {:<30} {:<24} {}{seal}", step.position, step.at, step.event_type, step.actor, step.summary)?;
        }
        writeln!(f)?;
        for stage in &self.stages {
            match (stage.position, &stage.missing) {
                (Some(position), _) => writeln!(f, "  yes  {} (position {position})", stage.name)?,
                (None, why) => writeln!(f, "  no   {}: {}", stage.name, why.as_deref().unwrap_or("missing"))?,
            }
        }
        match (self.stages.is_empty(), self.complete) {
            (true, _) => Ok(()),
            (false, true) => writeln!(f, "Complete: every stage is reached."),
            (false, false) => writeln!(f, "Not complete."),
        }
    }
}

impl Trail {
    fn evidence(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let evidence = &self.evidence;
        if let (Some(tx), Some(slot), Some(payer)) = (&evidence.tx_signature, evidence.slot, &evidence.payer) {
            writeln!(f, "  settled    transaction {tx} in slot {slot}, paid by {payer}")?;
        }
        if let (Some(receipt), Some(hash), Some(kid)) = (&evidence.receipt_id, &evidence.receipt_hash, &evidence.kid) {
            writeln!(f, "  receipt    {receipt}, SHA-256 {hash}, signed by key {kid}")?;
        }
        match self.attempts.last() {
            Some(last) => writeln!(f, "  looks      {} at the chain, the last {}", self.attempts.len(), last.outcome),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimal = |units| decimal(units, self.decimals);
        let (gross, merchant, fee) = (decimal(self.gross), decimal(self.merchant), decimal(self.fee));
        write!(f, "{gross} {} = {merchant} to the merchant + {fee} fee ({} bps, {})", self.asset, self.fee_bps, self.fee_policy)
    }
}

/// Minor units as a decimal number, exactly.
fn decimal(units: u64, decimals: u8) -> String {
    let places = usize::from(decimals);
    let digits = format!("{units:0>width$}", width = places + 1);
    let (whole, fraction) = digits.split_at(digits.len() - places);
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

#[cfg(test)]
mod tests {
    use super::decimal;

    #[test]
    fn minor_units_are_shown_exactly() {
        for (units, decimals, text) in [
            (25_000_000, 6, "25.000000"),
            (1, 6, "0.000001"),
            (0, 6, "0.000000"),
            (7, 0, "7"),
            (9_007_199_254_740_991, 2, "90071992547409.91"),
        ] {
            assert_eq!(decimal(units, decimals), text);
        }
    }
}
