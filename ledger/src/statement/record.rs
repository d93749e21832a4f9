//! A statement as the log has it, held against its file and against the log's own side.

use super::{Item, Leg, Reconciled, Scope, reconcile};
use events::vocab::{
    bytes::Hash32,
    event::{Event, StatementEntry, StatementImported},
};

/// A statement on record, with all its entries.
#[derive(Clone, PartialEq, Debug)]
pub struct OnRecord {
    /// Its header.
    pub imported: StatementImported,
    /// What it is of.
    pub scope: Scope,
    /// Every entry, in order.
    pub entries: Vec<StatementEntry>,
}

/// What does not fit, in words that repeat nothing of the file.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct Mismatch(pub String);

impl OnRecord {
    /// The statement of one stream, from its events in order; `livemode` is their envelopes'.
    pub fn of(events: &[Event], livemode: bool) -> Result<Self, Mismatch> {
        let Some((Event::StatementImported(imported), parts)) = events.split_first() else {
            return Err(Mismatch("a statement begins with statement.imported".to_owned()));
        };
        let mut entries: Vec<StatementEntry> = Vec::new();
        for (number, part) in (1_u32..).zip(parts) {
            let Event::StatementEntriesRecorded(part) = part else {
                return Err(Mismatch("nothing but its entries follows a statement".to_owned()));
            };
            let first = u32::try_from(entries.len() + 1).unwrap_or(u32::MAX);
            if (part.statement_id, part.chunk, part.first) != (imported.statement_id, number, first) {
                return Err(Mismatch(format!("part {number} of the entries is not the one that follows")));
            }
            entries.extend(part.entries.iter().cloned());
        }
        if parts.len() as u64 != u64::from(imported.chunks) {
            return Err(Mismatch(format!("the statement has {} parts of entries, and names {}", parts.len(), imported.chunks)));
        }
        let StatementImported { source, account, asset, period_start, period_end, .. } = imported.clone();
        let scope = Scope { source, account, asset, livemode, period_start, period_end };
        let scope = scope.checked().map_err(|invalid| Mismatch(invalid.to_string()))?;
        match scope.statement(&imported.digest) == imported.statement_id {
            true => Ok(OnRecord { imported: imported.clone(), scope, entries }),
            false => Err(Mismatch("the statement's id is not that of its account, asset and digest".to_owned())),
        }
    }

    /// The lines of the file, as far as they are kept.
    pub fn items(&self) -> Vec<Item> {
        let lines = self.entries.iter().flat_map(|entry| entry.items.iter().map(move |item| (entry, item)));
        let item = |(entry, item): (&StatementEntry, &events::vocab::event::StatementItem)| Item {
            line: item.line,
            reference: entry.reference.clone(),
            id: item.id.clone(),
            at: item.at,
            amount: item.amount,
        };
        lines.map(item).collect()
    }

    /// Holds it against what the log says of the account at `through_position`: the entries, their sums and their number must follow from
    /// its own lines and these legs.
    pub fn hold(&self, legs: Vec<Leg>) -> Result<(), Mismatch> {
        let items = self.items();
        if items.len() as u64 != u64::from(self.imported.items) {
            return Err(Mismatch(format!("the statement's entries hold {} lines, and it names {}", items.len(), self.imported.items)));
        }
        let Reconciled { entries, sums } = reconcile(&self.scope, items, legs).map_err(|error| Mismatch(error.to_string()))?;
        let differs = entries.iter().zip(&self.entries).position(|(found, recorded)| found != recorded);
        match differs.or((entries.len() != self.entries.len()).then(|| entries.len().min(self.entries.len()))) {
            Some(at) => Err(Mismatch(format!("entry {} is not what the statement's lines and the log come to", at + 1))),
            None if sums != self.imported.sums => Err(Mismatch("the sums on record are not those of the entries".to_owned())),
            None => Ok(()),
        }
    }

    /// Holds it against the file: the digest must be the file's, and the lines on record must be the file's.
    pub fn hold_file(&self, file: &[u8]) -> Result<(), Mismatch> {
        let digest = Hash32::of(file);
        if (digest, file.len() as u64) != (self.imported.digest, self.imported.bytes) {
            let Self { imported, .. } = self;
            return Err(Mismatch(format!("the file has SHA-256 {digest}, and {} is on record", imported.digest)));
        }
        let read = self.scope.read(self.imported.format, file);
        let mut read = read.map_err(|unreadable| Mismatch(format!("the file cannot be read: {unreadable}")))?;
        let mut recorded = self.items();
        let order =
            |left: &Item, right: &Item| (left.line, &left.reference, left.amount).cmp(&(right.line, &right.reference, right.amount));
        read.sort_by(order);
        recorded.sort_by(order);
        match read == recorded {
            true => Ok(()),
            false => Err(Mismatch("the lines on record are not those of the file".to_owned())),
        }
    }
}
