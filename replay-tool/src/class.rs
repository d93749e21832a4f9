//! What can be wrong with a log, by name.

use events::vocab::{id::EventId, stream::StreamId};
use serde::{Serialize, Serializer};
use std::fmt;

macro_rules! classes {
    ($( $(#[doc = $doc:literal])+ $variant:ident = $name:literal exits $code:literal ),* $(,)?) => {
        /// The kind of a break. Names and exit codes are fixed: scripts rely on them.
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        pub enum BreakClass { $( $(#[doc = $doc])+ $variant ),* }

        impl BreakClass {
            /// Every class, by exit code.
            pub const ALL: &'static [BreakClass] = &[$( BreakClass::$variant ),*];
            /// Its fixed name.
            pub const fn as_str(self) -> &'static str { match self { $( BreakClass::$variant => $name ),* } }
            /// The exit code of a run that ended on it.
            pub const fn exit_code(self) -> u8 { match self { $( BreakClass::$variant => $code ),* } }
            /// What it means.
            pub const fn meaning(self) -> &'static str { match self { $( BreakClass::$variant => concat!($( $doc ),+) ),* } }
        }
    };
}

classes! {
    /// A position is missing or comes twice.
    PositionGap = "POSITION_GAP" exits 10,
    /// A stored column holds what the vocabulary does not know, such as an unknown type.
    FieldInvalid = "FIELD_INVALID" exits 11,
    /// The stored leaf is not the hash of the stored columns.
    LeafMismatch = "LEAF_MISMATCH" exits 12,
    /// A stream skips or repeats a version.
    StreamVersionGap = "STREAM_VERSION_GAP" exits 13,
    /// An event does not bind the leaf of its stream's previous event.
    StreamLeafMismatch = "STREAM_LEAF_MISMATCH" exits 14,
    /// Two events have one id.
    EventIdRepeated = "EVENT_ID_REPEATED" exits 15,
    /// An event is recorded earlier than the one before it.
    TimeReversed = "TIME_REVERSED" exits 16,
    /// There is sealed data and no subject whose key seals it, or a subject and nothing sealed.
    SealedWithoutSubject = "SEALED_WITHOUT_SUBJECT" exits 17,
    /// A payload is not one of its type and schema version.
    PayloadUndecodable = "PAYLOAD_UNDECODABLE" exits 18,
    /// A payload encodes again to other bytes than are stored.
    PayloadNotCanonical = "PAYLOAD_NOT_CANONICAL" exits 19,
    /// The tree over the stored leaves has another root than the log's head or a signed checkpoint says.
    RootMismatch = "ROOT_MISMATCH" exits 30,
    /// The log's head does not point behind its last event.
    HeadMismatch = "HEAD_MISMATCH" exits 31,
    /// Events that the head or a signed checkpoint covers are gone from the end of the log.
    LogTruncated = "LOG_TRUNCATED" exits 32,
    /// A checkpoint is not signed by the log's key.
    CheckpointSignatureInvalid = "CHECKPOINT_SIGNATURE_INVALID" exits 33,
    /// A stored tree head and the note it was signed in differ.
    CheckpointMismatch = "CHECKPOINT_MISMATCH" exits 34,
    /// The log does not begin with what was signed of it before.
    CheckpointForked = "CHECKPOINT_FORKED" exits 35,
    /// The log shows fewer events than were signed before.
    CheckpointRewound = "CHECKPOINT_REWOUND" exits 36,
    /// A leaf is not in the tree of the signed checkpoint.
    InclusionInvalid = "INCLUSION_INVALID" exits 37,
    /// A kept root of a tile is not that of the leaves.
    TreeNodeMismatch = "TREE_NODE_MISMATCH" exits 38,
    /// A kept signature of a witness is not what it says it is.
    CosignatureInvalid = "COSIGNATURE_INVALID" exits 39,
    /// A published key is not the one that its kid is the fingerprint of.
    KeyMismatch = "KEY_MISMATCH" exits 20,
    /// The claims table is not what follows from the events.
    ClaimMismatch = "CLAIM_MISMATCH" exits 40,
    /// Two streams hold one value that must be unique.
    ClaimReused = "CLAIM_REUSED" exits 41,
    /// One transfer settled twice.
    TransferReused = "TRANSFER_REUSED" exits 42,
    /// One transaction has two receipts.
    ReceiptRepeated = "RECEIPT_REPEATED" exits 43,
    /// A receipt's hash is not that of its canonical JSON.
    ReceiptHashMismatch = "RECEIPT_HASH_MISMATCH" exits 50,
    /// A receipt is not signed by the published key it names.
    ReceiptSignatureInvalid = "RECEIPT_SIGNATURE_INVALID" exits 51,
    /// A receipt's JSON says something else than its event.
    ReceiptContentMismatch = "RECEIPT_CONTENT_MISMATCH" exits 52,
    /// What operators are said to have signed of an approval or of a key is not what they signed, or by a key that is not theirs.
    ApprovalSignatureInvalid = "APPROVAL_SIGNATURE_INVALID" exits 53,
    /// A file is not in the form of an approval's proof.
    ApprovalProofMalformed = "APPROVAL_PROOF_MALFORMED" exits 54,
    /// A file is not in the form of a payment's history.
    HistoryMalformed = "HISTORY_MALFORMED" exits 55,
    /// A payment's history leaves events out, or nobody says that it does not.
    HistoryIncomplete = "HISTORY_INCOMPLETE" exits 56,
    /// What the log states of a payment's streams is not signed by it, or is not what they are.
    StatementInvalid = "STATEMENT_INVALID" exits 57,
    /// A stage of the lifecycle cites no earlier event that permits it.
    StageWithoutCause = "STAGE_WITHOUT_CAUSE" exits 60,
    /// A settlement cites no passed verification of its proof.
    SettlementWithoutVerification = "SETTLEMENT_WITHOUT_VERIFICATION" exits 61,
    /// Access was granted without bound evidence.
    ActivationWithoutEvidence = "ACTIVATION_WITHOUT_EVIDENCE" exits 62,
    /// Merchant's part and fee do not add up to the gross amount.
    AmountsDoNotSum = "AMOUNTS_DO_NOT_SUM" exits 63,
    /// A read model is not what the log folds to.
    ProjectionMismatch = "PROJECTION_MISMATCH" exits 70,
    /// The read models come to another root than was attested.
    StateRootMismatch = "STATE_ROOT_MISMATCH" exits 71,
    /// The trial balance is another than was attested, or does not balance.
    TrialBalanceMismatch = "TRIAL_BALANCE_MISMATCH" exits 72,
    /// A table beside the read models holds what cannot be, by what the log says.
    TableMismatch = "TABLE_MISMATCH" exits 73,
    /// A read model cannot fold an event.
    EventUnfoldable = "EVENT_UNFOLDABLE" exits 74,
    /// A statement on record is not what its file, its lines or the log come to.
    ReconciliationMismatch = "RECONCILIATION_MISMATCH" exits 75,
    /// A file of a bundle is not there.
    BundleFileMissing = "BUNDLE_FILE_MISSING" exits 80,
    /// A bundle holds a file that its manifest does not name.
    BundleFileUnexpected = "BUNDLE_FILE_UNEXPECTED" exits 81,
    /// A file of a bundle has another length or SHA-256 than its manifest says.
    BundleFileAltered = "BUNDLE_FILE_ALTERED" exits 82,
    /// A bundle's manifest is not one, or says something else than the bundle holds.
    BundleManifestInvalid = "BUNDLE_MANIFEST_INVALID" exits 83,
    /// A file of a bundle is not in the form that it must have.
    BundleMalformed = "BUNDLE_MALFORMED" exits 84,
    /// No signed checkpoint covers the end of a bundle.
    CheckpointMissing = "CHECKPOINT_MISSING" exits 85,
}

impl fmt::Display for BreakClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl Serialize for BreakClass {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Where a log stops holding, and why. Never shows personal data or a payload's values.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Break {
    /// What kind.
    pub class: BreakClass,
    /// Position of the event at fault; for roots, the size of the tree that does not fit.
    pub position: u64,
    /// The event at fault, where there is one.
    pub event_id: Option<EventId>,
    /// Its stream.
    pub stream: Option<StreamId>,
    /// What was found and what was expected.
    pub detail: String,
}

impl Break {
    /// A break that no single event is at fault for.
    pub fn at(class: BreakClass, position: u64, detail: impl Into<String>) -> Self {
        Break { class, position, event_id: None, stream: None, detail: detail.into() }
    }
    /// A break at an event.
    pub fn of(class: BreakClass, position: u64, event_id: EventId, stream: StreamId, detail: impl Into<String>) -> Self {
        Break { class, position, event_id: Some(event_id), stream: Some(stream), detail: detail.into() }
    }
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at position {}: {}", self.class, self.position, self.detail)?;
        if let (Some(event), Some(stream)) = (self.event_id, self.stream) {
            write!(f, " (event {event} of {stream})")?;
        }
        Ok(())
    }
}

/// Why a run did not end well.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Something does not hold.
    #[error("{0}")]
    Broken(Box<Break>),
    /// Nothing in the log has that name.
    #[error("nothing in the log is called {0}")]
    NotFound(String),
    /// The caller's input is not usable.
    #[error("{0}")]
    Input(String),
    /// The database did not answer or did not allow it.
    #[error("{doing} failed")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// A file could not be read or written.
    #[error("{doing} failed")]
    File {
        /// What was being done.
        doing: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The answer of the database has another form than expected.
    #[error("the database's answer cannot be read: {0}")]
    Unreadable(&'static str),
    /// What is published of a log cannot be read.
    #[error("{0}")]
    Remote(String),
    /// A read model could not be built or compared.
    #[error("the projection {name}")]
    Projection {
        /// Which one.
        name: String,
        /// Why.
        #[source]
        source: projections::runner::BuildError,
    },
    /// What the read models come to is not known.
    #[error("the state of the read models")]
    State(#[source] projections::state::StateError),
    /// The log did not take an event.
    #[error("appending to the log")]
    Append(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What was asked for is told, and it is not as it should be.
    #[error("{0} read models are not what the log folds to")]
    Differs(usize, Box<Told>),
    /// A worker thread ended early.
    #[error("a checking thread ended early")]
    Thread(#[from] tokio::task::JoinError),
}

/// An outcome that is printed as it is, with the exit code of a break.
#[derive(Debug)]
pub struct Told {
    /// What is printed.
    pub text: String,
    /// The kind of the break.
    pub class: BreakClass,
}

impl From<Break> for Failure {
    fn from(found: Break) -> Self {
        Failure::Broken(Box::new(found))
    }
}

impl Failure {
    /// Exit code: a break's own, 3 for nothing found, 2 for unusable input, 1 when the run could not finish.
    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Broken(found) => found.class.exit_code(),
            Failure::NotFound(_) => 3,
            Failure::Input(_) => 2,
            Failure::Differs(_, told) => told.class.exit_code(),
            Failure::Database { .. }
            | Failure::File { .. }
            | Failure::Unreadable(_)
            | Failure::Remote(_)
            | Failure::Projection { .. }
            | Failure::State(_)
            | Failure::Append(_)
            | Failure::Thread(_) => 1,
        }
    }
}

/// Names what was being done when the database failed.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, Failure>;
}
impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, doing: &'static str) -> Result<T, Failure> {
        self.map_err(|source| Failure::Database { doing, source })
    }
}

#[cfg(test)]
mod tests {
    use super::BreakClass;
    use std::collections::BTreeSet;

    #[test]
    fn every_class_has_a_name_and_an_exit_code_of_its_own_and_the_readme_lists_it() {
        let readme = include_str!("../README.md");
        let codes: BTreeSet<u8> = BreakClass::ALL.iter().map(|class| class.exit_code()).collect();
        let names: BTreeSet<&str> = BreakClass::ALL.iter().map(|class| class.as_str()).collect();
        assert_eq!((codes.len(), names.len()), (BreakClass::ALL.len(), BreakClass::ALL.len()));
        assert!(codes.iter().all(|code| (10..126).contains(code)), "lower codes have another meaning, higher ones are the shell's");
        for class in BreakClass::ALL {
            let row = format!("| {} | `{class}` |{} |", class.exit_code(), class.meaning());
            assert!(readme.contains(&row), "README.md lacks: {row}");
        }
    }
}
