//! Signed checkpoints: C2SP `tlog-checkpoint` in a C2SP `signed-note`, signed with Ed25519.

use crate::{
    vault::Signer,
    vocab::bytes::{Hash32, Malformed},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest as _, Sha256};
use std::{fmt, str::FromStr};

/// The type byte of plain Ed25519 keys in the note format.
const ED25519: u8 = 1;

/// What a log promises: its name, how many leaves it has, and their root.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// The log's name, unique in the world: a schema-less URL such as `ledger.example/log`.
    pub origin: String,
    /// Number of leaves.
    pub size: u64,
    /// RFC 6962 root.
    pub root: Hash32,
}

/// A public key that signs checkpoints, with the name it signs under: `name+hex id+base64 key`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NoteKey {
    name: String,
    public: VerifyingKey,
}

/// Why a signed checkpoint is not accepted.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NoteError {
    /// It is not in the form of a signed checkpoint.
    #[error("not a signed checkpoint: {0}")]
    Form(&'static str),
    /// No signature by the key is on it.
    #[error("the checkpoint is not signed by {0}")]
    Unsigned(String),
    /// A signature under the key's name and id is not the key's.
    #[error("the checkpoint's signature by {0} is wrong")]
    BadSignature(String),
}

impl Checkpoint {
    /// The text that is signed.
    pub fn body(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root.0))
    }

    /// The note: the text, an empty line, and the signature under the log's name.
    pub fn sign(&self, signer: &Signer) -> String {
        let body = self.body();
        let key = NoteKey { name: self.origin.clone(), public: signer.public() };
        let signed = [key.id().as_slice(), &signer.sign(body.as_bytes()).0].concat();
        format!("{body}\n— {} {}\n", self.origin, STANDARD.encode(signed))
    }

    /// The checkpoint in `note`, if `key` signed it. Signatures by others are ignored, as the format wants it.
    pub fn open(note: &str, key: &NoteKey) -> Result<Self, NoteError> {
        let (body, signatures) = note.rsplit_once("\n\n").ok_or(NoteError::Form("no empty line before the signatures"))?;
        let body = format!("{body}\n");
        let mut signed = false;
        for line in signatures.lines() {
            let rest = line.strip_prefix("— ").ok_or(NoteError::Form("a signature line does not begin with a dash"))?;
            let (name, signature) = rest.split_once(' ').ok_or(NoteError::Form("a signature line has no signature"))?;
            let bytes = STANDARD.decode(signature).map_err(|_| NoteError::Form("a signature is not base64"))?;
            let (id, signature) = bytes.split_at_checked(4).ok_or(NoteError::Form("a signature is too short"))?;
            if name == key.name && id == key.id() {
                let wrong = || NoteError::BadSignature(key.name.clone());
                let signature = Signature::from_slice(signature).map_err(|_| wrong())?;
                key.public.verify_strict(body.as_bytes(), &signature).map_err(|_| wrong())?;
                signed = true;
            }
        }
        if !signed {
            return Err(NoteError::Unsigned(key.name.clone()));
        }
        let checkpoint: Checkpoint = body.parse()?;
        match checkpoint.origin == key.name {
            true => Ok(checkpoint),
            false => Err(NoteError::Form("the origin is not the signer")),
        }
    }
}

/// The signed text. Further lines are extensions and are ignored.
impl FromStr for Checkpoint {
    type Err = NoteError;
    fn from_str(body: &str) -> Result<Self, NoteError> {
        let mut lines = body.lines();
        let mut line = |rule| lines.next().filter(|line| !line.is_empty()).ok_or(NoteError::Form(rule));
        let origin = line("no origin")?.to_owned();
        let size = line("no size")?;
        let root = line("no root")?;
        // One number has one form: no sign, no leading zeros.
        let number: Option<u64> = size.parse().ok().filter(|number: &u64| number.to_string() == size);
        Ok(Checkpoint {
            origin,
            size: number.ok_or(NoteError::Form("the size is not a number"))?,
            root: STANDARD
                .decode(root)
                .ok()
                .and_then(|bytes| Hash32::try_from(bytes.as_slice()).ok())
                .ok_or(NoteError::Form("the root is not 32 bytes in base64"))?,
        })
    }
}

impl NoteKey {
    /// The key of `public` under `name`.
    pub fn new(name: &str, public: VerifyingKey) -> Self {
        NoteKey { name: name.to_owned(), public }
    }
    /// The name it signs under.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// SHA-256 of name, newline, type and key, its first four bytes.
    pub fn id(&self) -> [u8; 4] {
        let hash: [u8; 32] = Sha256::new()
            .chain_update(self.name.as_bytes())
            .chain_update([b'\n', ED25519])
            .chain_update(self.public.as_bytes())
            .finalize()
            .into();
        [hash[0], hash[1], hash[2], hash[3]]
    }
}

impl fmt::Display for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let typed = [[ED25519].as_slice(), self.public.as_bytes()].concat();
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id()), STANDARD.encode(typed))
    }
}

impl FromStr for NoteKey {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = Malformed("a verifier key is name+hex id+base64 key");
        // Base64 may hold plus signs, a name may not.
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else { return Err(malformed) };
        let bytes = STANDARD.decode(key).map_err(|_| malformed.clone())?;
        let Some((&ED25519, public)) = bytes.split_first() else { return Err(malformed) };
        let public: [u8; 32] = public.try_into().map_err(|_| malformed.clone())?;
        let key = NoteKey { name: name.to_owned(), public: VerifyingKey::from_bytes(&public).map_err(|_| malformed.clone())? };
        match hex::encode(key.id()) == id {
            true => Ok(key),
            false => Err(Malformed("the id of the verifier key does not fit it")),
        }
    }
}
