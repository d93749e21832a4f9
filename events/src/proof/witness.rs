//! Witnesses: those who saw the log grow and never change, and signed that they did (C2SP `tlog-cosignature`, version 1).

use super::{
    Checkpoint, NoteError,
    note::{SignatureLine, key_id, read_vkey, write_vkey},
};
use crate::vocab::bytes::Malformed;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use std::{fmt, str::FromStr};

/// The type byte of Ed25519 cosignatures in the note format.
const COSIGNATURE: u8 = 4;
/// What begins a private key in the note format's own form.
const PRIVATE: &str = "PRIVATE+KEY+";

/// A witness's public key, with the name it signs under: `name+hex id+base64 key`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WitnessKey {
    name: String,
    public: VerifyingKey,
}

/// A witness's private key.
#[derive(Clone)]
pub struct Witness {
    name: String,
    key: SigningKey,
}

/// A witness's signature of a checkpoint.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cosignature {
    /// Who signed.
    pub witness: WitnessKey,
    /// When, by the witness's clock: seconds since 1970, part of what is signed.
    pub time: u64,
    /// The signature line, without its newline.
    pub line: String,
}

/// What a witness signs of a checkpoint whose text is `body`.
fn message(time: u64, body: &str) -> String {
    format!("cosignature/v1\ntime {time}\n{body}")
}

/// What a cosignature's line says of itself, without a key to check it: who signed, with which key, and when.
pub fn cosignature_parts(line: &str) -> Result<(String, [u8; 4], u64), NoteError> {
    let SignatureLine { name, key_id, signature } = SignatureLine::read(line)?;
    match signature.split_first_chunk::<8>() {
        Some((time, signature)) if signature.len() == 64 => Ok((name, key_id, u64::from_be_bytes(*time))),
        _ => Err(NoteError::Form("a cosignature is a time and a signature")),
    }
}

impl WitnessKey {
    /// The name it signs under.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// SHA-256 of name, newline, type and key, its first four bytes.
    pub fn id(&self) -> [u8; 4] {
        key_id(&self.name, COSIGNATURE, &self.public)
    }

    /// Its signature among those of `note`, if it signed. A line under its name and id that it did not sign is refused.
    pub fn cosignature(&self, note: &str) -> Result<Option<Cosignature>, NoteError> {
        let (body, lines) = SignatureLine::all(note)?;
        for line in lines {
            if line.name != self.name || line.key_id != self.id() {
                continue;
            }
            let wrong = || NoteError::BadSignature(self.name.clone());
            let (time, signature) = line.signature.split_first_chunk::<8>().ok_or_else(wrong)?;
            let time = u64::from_be_bytes(*time);
            let signature = Signature::from_slice(signature).map_err(|_| wrong())?;
            // The format leaves the highest bit of the time unused.
            let signed = i64::try_from(time).is_ok() && self.public.verify_strict(message(time, &body).as_bytes(), &signature).is_ok();
            let cosignature = Cosignature { witness: self.clone(), time, line: line.to_string() };
            return if signed { Ok(Some(cosignature)) } else { Err(wrong()) };
        }
        Ok(None)
    }
}

impl fmt::Display for WitnessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&write_vkey(&self.name, COSIGNATURE, &self.public))
    }
}

impl FromStr for WitnessKey {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let (name, public) = read_vkey(text, COSIGNATURE)?;
        Ok(WitnessKey { name, public })
    }
}

impl Witness {
    /// A new key under `name`, which is not empty and has neither spaces nor `+`.
    pub fn generate(name: &str) -> Result<Self, Malformed> {
        let fits = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '+');
        match fits {
            true => Ok(Witness { name: name.to_owned(), key: SigningKey::from_bytes(&crate::clock::random_bytes()) }),
            false => Err(Malformed("a witness's name is not empty and has neither spaces nor +")),
        }
    }

    /// Its public part.
    pub fn key(&self) -> WitnessKey {
        WitnessKey { name: self.name.clone(), public: self.key.verifying_key() }
    }

    /// Signs that, at `time`, `checkpoint` is the largest that it has seen of its log, and that it extends all before it. Whoever calls
    /// this has checked that.
    pub fn cosign(&self, checkpoint: &Checkpoint, time: u64) -> Cosignature {
        let signature = self.key.sign(message(time, &checkpoint.body()).as_bytes());
        let signature = [time.to_be_bytes().as_slice(), &signature.to_bytes()].concat();
        let line = SignatureLine { name: self.name.clone(), key_id: self.key().id(), signature };
        Cosignature { witness: self.key(), time, line: line.to_string() }
    }

    /// The private key in the note format's own form; for the file that keeps it and for nothing else.
    pub fn to_secret(&self) -> String {
        let typed = [[COSIGNATURE].as_slice(), &self.key.to_bytes()].concat();
        format!("{PRIVATE}{}+{}+{}", self.name, hex::encode(self.key().id()), STANDARD.encode(typed))
    }

    /// The key that [`Witness::to_secret`] wrote.
    pub fn from_secret(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed("a witness's private key is PRIVATE+KEY+name+hex id+base64 key, of type 04");
        let mut parts = text.trim().strip_prefix(PRIVATE).ok_or_else(malformed)?.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else { return Err(malformed()) };
        let bytes = STANDARD.decode(key).map_err(|_| malformed())?;
        let Some((&COSIGNATURE, seed)) = bytes.split_first() else { return Err(malformed()) };
        let seed: [u8; 32] = seed.try_into().map_err(|_| malformed())?;
        let witness = Witness { name: name.to_owned(), key: SigningKey::from_bytes(&seed) };
        match hex::encode(witness.key().id()) == id {
            true => Ok(witness),
            false => Err(Malformed("the id of the private key does not fit it")),
        }
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Witness({})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{proof::NoteKey, vault::Signer, vocab::bytes::Hash32};

    fn checkpoint(size: u64) -> Checkpoint {
        Checkpoint { origin: "log.example/one".to_owned(), size, root: Hash32([7; 32]) }
    }

    #[test]
    fn a_cosignature_is_of_one_checkpoint_one_key_and_one_time() {
        let (log, witness) = (Signer::from_seed(&[1; 32]), Witness::generate("witness.example/w1").unwrap());
        let note = checkpoint(5).sign(&log);
        let cosignature = witness.cosign(&checkpoint(5), 1_679_315_147);
        let cosigned = format!("{note}{}\n", cosignature.line);
        assert_eq!(witness.key().cosignature(&cosigned).unwrap(), Some(cosignature.clone()));
        assert_eq!(witness.key().cosignature(&note).unwrap(), None);
        let stranger = Witness::generate("witness.example/w1").unwrap();
        assert_eq!(stranger.key().cosignature(&cosigned).unwrap(), None, "another key of the same name");
        // The log's own signature is still found among them.
        assert_eq!(Checkpoint::open(&cosigned, &NoteKey::new("log.example/one", log.public())).unwrap(), checkpoint(5));
        let other = format!("{}{}\n", checkpoint(6).sign(&log), cosignature.line);
        assert!(matches!(witness.key().cosignature(&other), Err(NoteError::BadSignature(_))));
        let (dash, encoded) = cosignature.line.rsplit_once(' ').unwrap();
        let mut bytes = STANDARD.decode(encoded).unwrap();
        for place in 4..bytes.len() {
            bytes[place] ^= 1;
            let forged = format!("{note}{dash} {}\n", STANDARD.encode(&bytes));
            assert!(witness.key().cosignature(&forged).is_err(), "byte {place}");
            bytes[place] ^= 1;
        }
    }

    #[test]
    fn keys_are_read_as_they_are_written() {
        let witness = Witness::generate("witness.example/w1").unwrap();
        assert_eq!(witness.key().to_string().parse::<WitnessKey>().unwrap(), witness.key());
        assert_eq!(Witness::from_secret(&witness.to_secret()).unwrap().key(), witness.key());
        assert!(witness.key().to_string().parse::<NoteKey>().is_err(), "a witness's key is no log's");
        assert!(Witness::from_secret(&witness.key().to_string()).is_err());
        for bad in ["", "a b", "a+b", "a\nb"] {
            assert!(Witness::generate(bad).is_err(), "{bad:?}");
        }
        assert!(!format!("{witness:?}").contains(&witness.to_secret()[40..]), "a private key is not printed by accident");
    }
}
