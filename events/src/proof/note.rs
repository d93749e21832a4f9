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
        sign_note(&self.body(), &self.origin, signer)
    }

    /// The checkpoint in `note`, if `key` signed it. Signatures by others are ignored, as the format wants it.
    pub fn open(note: &str, key: &NoteKey) -> Result<Self, NoteError> {
        let checkpoint: Checkpoint = key.open(note)?.parse()?;
        match checkpoint.origin == key.name {
            true => Ok(checkpoint),
            false => Err(NoteError::Form("the origin is not the signer")),
        }
    }
}

/// `body`, which ends with a newline, signed under `name`.
pub(super) fn sign_note(body: &str, name: &str, signer: &Signer) -> String {
    let key_id = key_id(name, ED25519, &signer.public());
    let line = SignatureLine { name: name.to_owned(), key_id, signature: signer.sign(body.as_bytes()).0.to_vec() };
    format!("{body}\n{line}\n")
}

/// A line of signatures: who signed with which key, and the signature in the form of that key's type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct SignatureLine {
    /// The name that the key signs under.
    pub name: String,
    /// The key.
    pub key_id: [u8; 4],
    /// What follows the key's id.
    pub signature: Vec<u8>,
}

impl SignatureLine {
    /// The text of a note, and its signatures.
    pub fn all(note: &str) -> Result<(String, Vec<Self>), NoteError> {
        let (body, signatures) = note.rsplit_once("\n\n").ok_or(NoteError::Form("no empty line before the signatures"))?;
        let lines = signatures.lines().map(SignatureLine::read).collect::<Result<_, _>>()?;
        Ok((format!("{body}\n"), lines))
    }

    /// One line, without its newline.
    pub fn read(line: &str) -> Result<Self, NoteError> {
        let rest = line.strip_prefix("— ").ok_or(NoteError::Form("a signature line does not begin with a dash"))?;
        let (name, signature) = rest.split_once(' ').ok_or(NoteError::Form("a signature line has no signature"))?;
        let bytes = STANDARD.decode(signature).map_err(|_| NoteError::Form("a signature is not base64"))?;
        let (key_id, signature) = bytes.split_first_chunk::<4>().ok_or(NoteError::Form("a signature is too short"))?;
        Ok(SignatureLine { name: name.to_owned(), key_id: *key_id, signature: signature.to_vec() })
    }
}

impl fmt::Display for SignatureLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "— {} {}", self.name, STANDARD.encode([self.key_id.as_slice(), &self.signature].concat()))
    }
}

/// SHA-256 of name, newline, type and key, its first four bytes.
pub(super) fn key_id(name: &str, kind: u8, public: &VerifyingKey) -> [u8; 4] {
    let hash: [u8; 32] =
        Sha256::new().chain_update(name.as_bytes()).chain_update([b'\n', kind]).chain_update(public.as_bytes()).finalize().into();
    [hash[0], hash[1], hash[2], hash[3]]
}

/// A verifier key in the note format's own form.
pub(super) fn write_vkey(name: &str, kind: u8, public: &VerifyingKey) -> String {
    let typed = [[kind].as_slice(), public.as_bytes()].concat();
    format!("{name}+{}+{}", hex::encode(key_id(name, kind, public)), STANDARD.encode(typed))
}

/// Name and key of a verifier key of that type.
pub(super) fn read_vkey(text: &str, kind: u8) -> Result<(String, VerifyingKey), Malformed> {
    let malformed = || Malformed("a verifier key is name+hex id+base64 key");
    // Base64 may hold plus signs, a name may not.
    let mut parts = text.trim().splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else { return Err(malformed()) };
    let bytes = STANDARD.decode(key).map_err(|_| malformed())?;
    let public = match bytes.split_first() {
        Some((found, public)) if *found == kind => public,
        Some(_) => return Err(Malformed("the verifier key is of another type: logs sign with type 01, witnesses with type 04")),
        None => return Err(malformed()),
    };
    let public: [u8; 32] = public.try_into().map_err(|_| malformed())?;
    let public = VerifyingKey::from_bytes(&public).map_err(|_| malformed())?;
    match !name.is_empty() && hex::encode(key_id(name, kind, &public)) == id {
        true => Ok((name.to_owned(), public)),
        false => Err(Malformed("the id of the verifier key does not fit it")),
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
        key_id(&self.name, ED25519, &self.public)
    }

    /// The text of `note`, if this key signed it.
    pub fn open(&self, note: &str) -> Result<String, NoteError> {
        let (body, lines) = SignatureLine::all(note)?;
        let mut signed = false;
        for line in lines.iter().filter(|line| line.name == self.name && line.key_id == self.id()) {
            let wrong = || NoteError::BadSignature(self.name.clone());
            let signature = Signature::from_slice(&line.signature).map_err(|_| wrong())?;
            self.public.verify_strict(body.as_bytes(), &signature).map_err(|_| wrong())?;
            signed = true;
        }
        if signed { Ok(body) } else { Err(NoteError::Unsigned(self.name.clone())) }
    }
}

impl fmt::Display for NoteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&write_vkey(&self.name, ED25519, &self.public))
    }
}

impl FromStr for NoteKey {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (name, public) = read_vkey(text, ED25519)?;
        Ok(NoteKey { name, public })
    }
}
