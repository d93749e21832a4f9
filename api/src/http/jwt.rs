//! Bearer tokens: EdDSA JWTs, verified against a configured key set or the service's own key.

use ed25519_dalek::{SigningKey, VerifyingKey};
use events::vault::Signer;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{Error, ErrorKind},
    jwk::JwkSet,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Once};

/// Who a token is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// The owner's dashboard session.
    Owner,
    /// Hilt's staff.
    Staff,
    /// An auditor, who reads the log.
    Auditor,
}

/// What a token says.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// The person, as an opaque id.
    pub sub: String,
    /// The workspace; required for owners.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_id: Option<uuid::Uuid>,
    /// The role.
    pub role: Role,
    /// Seconds since 1970 after which it is void.
    pub exp: i64,
    /// Whom it is meant for.
    pub aud: String,
    /// Who issued it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
}

/// The keys that tokens are accepted from, and whom they must be meant for.
pub struct Verifier {
    keys: BTreeMap<String, DecodingKey>,
    audience: String,
    issuer: Option<String>,
}

/// A token that is not accepted. The reason is for the operator; callers learn only that it is not valid.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotAccepted(String);

impl Verifier {
    /// Accepts tokens signed with the service's own key.
    pub fn own(kid: &str, key: &VerifyingKey, audience: &str) -> Self {
        install_provider();
        let keys = BTreeMap::from([(kid.to_owned(), DecodingKey::from_ed_der(key.as_bytes()))]);
        Verifier { keys, audience: audience.to_owned(), issuer: None }
    }
    /// Accepts tokens of an external issuer, by its key set.
    pub fn issuer(jwks: &JwkSet, issuer: &str, audience: &str) -> Result<Self, NotAccepted> {
        install_provider();
        let mut keys = BTreeMap::new();
        for jwk in &jwks.keys {
            let kid = jwk.common.key_id.clone().ok_or_else(|| NotAccepted("a key of the issuer has no kid".into()))?;
            keys.insert(kid, DecodingKey::from_jwk(jwk).map_err(|error| NotAccepted(error.to_string()))?);
        }
        Ok(Verifier { keys, audience: audience.to_owned(), issuer: Some(issuer.to_owned()) })
    }
    /// What the token says, if it is signed by a known key, meant for us and in time.
    pub fn verify(&self, token: &str) -> Result<Claims, NotAccepted> {
        let refused = |error: Error| NotAccepted(error.to_string());
        let header = jsonwebtoken::decode_header(token).map_err(refused)?;
        let kid = header.kid.ok_or_else(|| NotAccepted("the token names no key".into()))?;
        let key = self.keys.get(&kid).ok_or_else(|| NotAccepted("the token names an unknown key".into()))?;
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_audience(&[&self.audience]);
        validation.set_required_spec_claims(&["exp", "aud", "sub"]);
        if let Some(issuer) = &self.issuer {
            validation.set_issuer(&[issuer]);
            validation.set_required_spec_claims(&["exp", "aud", "sub", "iss"]);
        }
        let claims = jsonwebtoken::decode::<Claims>(token, key, &validation).map_err(refused)?.claims;
        match (claims.role, claims.owner_id) {
            (Role::Owner, None) => Err(NotAccepted("an owner's token names no owner_id".into())),
            _ => Ok(claims),
        }
    }
}

/// Signs a token with the service's own key.
pub fn sign(signer: &Signer, claims: &Claims) -> Result<String, NotAccepted> {
    sign_with(signer.kid(), &signer.to_pkcs8(), claims)
}

fn sign_with(kid: &str, pkcs8: &[u8], claims: &Claims) -> Result<String, NotAccepted> {
    install_provider();
    let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::EdDSA) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_ed_der(pkcs8)).map_err(|error| NotAccepted(error.to_string()))
}

/// The library's own backends bring RSA and the NIST curves along; all that is wanted here is Ed25519.
fn install_provider() {
    static ONCE: Once = Once::new();
    static PROVIDER: CryptoProvider =
        CryptoProvider { signer_factory: ed25519_signer, verifier_factory: ed25519_verifier, key_utils: KeyUtils::new_unimplemented() };
    ONCE.call_once(|| {
        // An error means that one is installed already, which `Once` excludes.
        let _ = PROVIDER.install_default();
    });
}

fn ed25519_signer(algorithm: &Algorithm, key: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    use ed25519_dalek::pkcs8::DecodePrivateKey as _;
    if *algorithm != Algorithm::EdDSA {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    let key = SigningKey::from_pkcs8_der(key.as_bytes()).map_err(|_| ErrorKind::InvalidEddsaKey)?;
    Ok(Box::new(Ed25519Signer(key)))
}

fn ed25519_verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    if *algorithm != Algorithm::EdDSA {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    let bytes: [u8; 32] = key.try_get_as_bytes()?.try_into().map_err(|_| ErrorKind::InvalidEddsaKey)?;
    let key = VerifyingKey::from_bytes(&bytes).map_err(|_| ErrorKind::InvalidEddsaKey)?;
    Ok(Box::new(Ed25519Verifier(key)))
}

struct Ed25519Signer(SigningKey);
impl signature::Signer<Vec<u8>> for Ed25519Signer {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        Ok(ed25519_dalek::Signer::sign(&self.0, message).to_bytes().to_vec())
    }
}
impl JwtSigner for Ed25519Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct Ed25519Verifier(VerifyingKey);
impl signature::Verifier<Vec<u8>> for Ed25519Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        self.0.verify_strict(message, &ed25519_dalek::Signature::from_slice(signature)?)
    }
}
impl JwtVerifier for Ed25519Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use ed25519_dalek::pkcs8::EncodePrivateKey as _;

    fn sign(kid: &str, key: &SigningKey, claims: &Claims) -> Result<String, NotAccepted> {
        sign_with(kid, key.to_pkcs8_der().unwrap().as_bytes(), claims)
    }

    fn claims(exp: i64) -> Claims {
        Claims { sub: "u1".into(), owner_id: Some(uuid::Uuid::nil()), role: Role::Owner, exp, aud: "hilt".into(), iss: None }
    }

    #[test]
    fn a_token_of_our_key_is_accepted_and_nothing_else() {
        let (key, other) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let verifier = Verifier::own("k1", &key.verifying_key(), "hilt");
        let far = 4_102_444_800;
        let token = sign("k1", &key, &claims(far)).unwrap();
        assert_eq!(verifier.verify(&token).unwrap(), claims(far));
        assert!(verifier.verify(&sign("k1", &other, &claims(far)).unwrap()).is_err(), "another key");
        assert!(verifier.verify(&sign("k2", &key, &claims(far)).unwrap()).is_err(), "an unknown kid");
        assert!(verifier.verify(&sign("k1", &key, &claims(1)).unwrap()).is_err(), "expired");
        let foreign = Claims { aud: "other".into(), ..claims(far) };
        assert!(verifier.verify(&sign("k1", &key, &foreign).unwrap()).is_err(), "meant for someone else");
        let ownerless = Claims { owner_id: None, ..claims(far) };
        assert!(verifier.verify(&sign("k1", &key, &ownerless).unwrap()).is_err(), "an owner without a workspace");
        let none = format!("eyJhbGciOiJub25lIiwia2lkIjoiazEifQ.{}.", token.split('.').nth(1).unwrap());
        assert!(verifier.verify(&none).is_err(), "alg none");
    }
}
