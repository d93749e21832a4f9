//! An operator's Ed25519 key, in the file form that openssl writes and reads (PKCS#8, RFC 8410).

use crate::class::Failure;
use base64::{Engine as _, prelude::BASE64_STANDARD as BASE64};
use events::{
    clock::random_bytes,
    vault::Signer,
    vocab::bytes::{Hash32, Signature64},
};
use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _, path::Path};

/// What stands before the 32 bytes of a private key.
const PRIVATE: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
/// What stands before the 32 bytes of a public key.
const PUBLIC: [u8; 12] = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];

/// A key that signs certificates, and what an operator asks for and approves. It is the operator's own and nowhere in the database.
#[derive(Clone, Debug)]
pub struct OperatorKey(Signer);

impl OperatorKey {
    /// The key in the file `path`.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?;
        OperatorKey::parse(&text).ok_or_else(|| Failure::Input(format!("{}: not an Ed25519 private key in PEM (PKCS#8)", path.display())))
    }

    /// A new key, written to the file `path`, which must not exist and which only its owner may read.
    pub fn generate(path: &Path) -> Result<Self, Failure> {
        let seed: [u8; 32] = random_bytes();
        let failed = |error: std::io::Error| Failure::Input(format!("{}: {error}", path.display()));
        let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map_err(failed)?;
        file.write_all(pem("PRIVATE KEY", &[PRIVATE.as_slice(), &seed].concat()).as_bytes()).map_err(failed)?;
        Ok(OperatorKey(Signer::from_seed(&seed)))
    }

    fn parse(text: &str) -> Option<Self> {
        let bytes = body(text, "PRIVATE KEY")?;
        let seed: [u8; 32] = bytes.strip_prefix(PRIVATE.as_slice())?.try_into().ok()?;
        Some(OperatorKey(Signer::from_seed(&seed)))
    }

    /// The public key.
    pub fn public(&self) -> [u8; 32] {
        self.0.public().to_bytes()
    }

    /// The public key, as openssl reads it.
    pub fn public_pem(&self) -> String {
        pem("PUBLIC KEY", &[PUBLIC.as_slice(), &self.public()].concat())
    }

    /// Ed25519 over `message`.
    pub fn sign(&self, message: &[u8]) -> Signature64 {
        self.0.sign(message)
    }
}

/// The public key in the file `path`, as openssl writes it.
pub fn public_key(path: &Path) -> Result<Hash32, Failure> {
    let text = std::fs::read_to_string(path).map_err(|error| Failure::Input(format!("{}: {error}", path.display())))?;
    let der = body(&text, "PUBLIC KEY");
    let key = der.as_deref().and_then(|der| Hash32::try_from(der.strip_prefix(PUBLIC.as_slice())?).ok());
    key.ok_or_else(|| Failure::Input(format!("{}: not an Ed25519 public key in PEM", path.display())))
}

fn body(text: &str, label: &str) -> Option<Vec<u8>> {
    let body = text.split_once(&format!("-----BEGIN {label}-----"))?.1.split_once(&format!("-----END {label}-----"))?.0;
    BASE64.decode(body.split_whitespace().collect::<String>()).ok()
}

/// Both kinds of key fit one line.
fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", BASE64.encode(der))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_in_the_form_of_rfc_8410_is_read() {
        let private =
            "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n-----END PRIVATE KEY-----\n";
        let public = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n";
        assert_eq!(OperatorKey::parse(private).unwrap().public_pem(), public, "RFC 8410's own example");
        assert!(OperatorKey::parse(public).is_none() && OperatorKey::parse("").is_none());
    }
}
