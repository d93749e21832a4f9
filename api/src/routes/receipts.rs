//! RT-038, RT-039, RT-044: receipts, and their verification, computed anew on every call from the stored bytes (INV-76).

use crate::{
    http::{
        answers,
        auth::Merchant,
        body::Params,
        fresh::{Fresh, MinPosition},
        paging::Asked,
        path::Segment,
        problem::{Code, Problem},
        rejection,
    },
    state::{Settings, State},
};
use axum::{Json, extract::State as Part};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};
use events::{
    clock::Clock,
    log::Log,
    vault::{KeyPurpose, PublicKey, Vault},
    vocab::{
        bytes::{Hash32, Signature64, TxSignature},
        id::{PaymentId, ReceiptId},
        time::Timestamp,
    },
};
use projections::{
    Reader,
    receipts::{self, Filter, Receipt},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Routes of this file.
pub fn routes() -> OpenApiRouter<State> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get)).routes(routes!(verify))
}

/// Which receipts.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// Page, from 1.
    page: Option<u32>,
    /// Receipts of a page: 1 to 100, 20 unless told.
    per_page: Option<u32>,
    /// `next_cursor` of the page before; instead of `page`.
    cursor: Option<String>,
    /// Paid by this wallet.
    wallet: Option<String>,
    /// For this hosted or access product.
    product_id: Option<String>,
    /// Text in the transaction, the wallet, the hash or the id.
    q: Option<String>,
}

/// Receipts, newest first.
#[derive(Serialize, ToSchema)]
struct ReceiptList {
    /// All that match.
    total: u64,
    page: u32,
    per_page: u32,
    receipts: Vec<ReceiptRow>,
    /// Whether older ones follow.
    has_more: bool,
    /// Where they begin.
    next_cursor: Option<String>,
}

/// A receipt in a list.
#[derive(Serialize, ToSchema)]
struct ReceiptRow {
    #[schema(value_type = String, format = Uuid)]
    receipt_id: ReceiptId,
    #[schema(value_type = String)]
    tx_sig: TxSignature,
    #[schema(value_type = String)]
    receipt_hash: Hash32,
    schema_version: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    verify_url: String,
}

/// A receipt.
#[derive(Serialize, ToSchema)]
struct FullReceipt {
    #[schema(value_type = String, format = Uuid)]
    receipt_id: ReceiptId,
    /// What is hashed and signed, in its RFC 8785 form.
    #[schema(value_type = Object)]
    receipt_json: Value,
    /// SHA-256 of the canonical form, hex.
    #[schema(value_type = String)]
    receipt_hash: Hash32,
    /// Ed25519 over the canonical form, base64.
    #[schema(value_type = String)]
    ed25519_sig: Signature64,
    /// Which key of `/.well-known/jwks.json` signed.
    kid: String,
    schema_version: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    verify_url: String,
    credits_burned: u32,
    /// Absent on a receipt made by hand.
    #[schema(value_type = Option<String>, format = Uuid)]
    payment_id: Option<PaymentId>,
}

/// What verification found.
#[derive(Serialize, ToSchema)]
struct Verdict {
    #[schema(value_type = String, format = Uuid)]
    receipt_id: ReceiptId,
    /// Hash and signature both hold.
    valid: bool,
    hash_valid: bool,
    signature_valid: bool,
    /// As issued.
    #[schema(value_type = String)]
    receipt_hash: Hash32,
    /// As issued.
    #[schema(value_type = String)]
    ed25519_sig: Signature64,
    kid: String,
    /// The key of that `kid`, base64; null when there is none.
    public_key: Option<String>,
    schema_version: String,
    #[schema(value_type = String, format = DateTime)]
    verified_at: Timestamp,
}

/// Receipts
#[utoipa::path(get, path = "/v1/receipts", tag = "receipts", operation_id = "list_receipts", params(ListQuery),
    security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "A page of receipts", body = ReceiptList), answers::Read))]
async fn list(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(settings): Part<Arc<Settings>>,
    merchant: Merchant,
    min: MinPosition,
    Params(query): Params<ListQuery>,
) -> Result<Json<ReceiptList>, Problem> {
    merchant.require_live()?;
    let asked = Asked::by_page(query.page, query.per_page, query.cursor.as_deref())?;
    let not_an_id = |_| Problem::field(Code::ValidationFailed, "product_id", "a uuid");
    let filter = Filter {
        wallet: query.wallet.filter(|wallet| !wallet.is_empty()),
        product_id: query.product_id.as_deref().map(str::parse).transpose().map_err(not_an_id)?,
        q: query.q.filter(|q| !q.trim().is_empty()),
    };
    fresh.wait("receipts", Some(merchant.owner), min).await?;
    let found = receipts::list(&reader, merchant.owner, true, &filter, asked.window()).await.map_err(rejection::query)?;
    let (mut rows, total) = (found.items, found.total);
    let more = asked.cut(&mut rows, |receipt| (receipt.meta.created_at, receipt.meta.id));
    let row = |receipt: Receipt| {
        let receipt_id = ReceiptId(receipt.meta.id);
        ReceiptRow {
            receipt_id,
            tx_sig: receipt.tx_signature,
            receipt_hash: receipt.receipt_hash,
            schema_version: receipt.schema_version,
            created_at: receipt.issued_at,
            verify_url: settings.verify_url(receipt_id),
        }
    };
    Ok(Json(ReceiptList {
        total,
        page: query.page.unwrap_or(1),
        per_page: asked.limit,
        receipts: rows.into_iter().map(row).collect(),
        has_more: more.has_more,
        next_cursor: more.next_cursor,
    }))
}

/// One receipt
#[utoipa::path(get, path = "/v1/receipt/{receipt_id}", tag = "receipts", operation_id = "get_receipt",
    params(("receipt_id" = String, Path)), security(("hilt_key" = []), ("bearer" = [])),
    responses((status = 200, description = "The receipt", body = FullReceipt), answers::ReadOne))]
async fn get(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(settings): Part<Arc<Settings>>,
    merchant: Merchant,
    min: MinPosition,
    id: Segment,
) -> Result<Json<FullReceipt>, Problem> {
    merchant.require_live()?;
    let id: ReceiptId = id.id(Code::ReceiptNotFound)?;
    fresh.wait("receipts", Some(merchant.owner), min).await?;
    let receipt = receipts::find(&reader, merchant.owner, id).await.map_err(rejection::query)?;
    let receipt = receipt.ok_or_else(|| Problem::of(Code::ReceiptNotFound))?;
    Ok(Json(FullReceipt {
        receipt_id: id,
        receipt_json: serde_json::from_str(&receipt.receipt_json).map_err(|error| Problem::internal(&error, "show a receipt"))?,
        receipt_hash: receipt.receipt_hash,
        ed25519_sig: receipt.ed25519_sig,
        kid: receipt.kid,
        schema_version: receipt.schema_version,
        created_at: receipt.issued_at,
        verify_url: settings.verify_url(id),
        credits_burned: receipt.credits_burned,
        payment_id: receipt.payment_id,
    }))
}

/// Verify a receipt
///
/// For anyone. Hash and signature are computed from the stored bytes on every call.
#[utoipa::path(get, path = "/v1/receipt/{receipt_id}/verify", tag = "receipts", operation_id = "verify_receipt",
    params(("receipt_id" = String, Path)),
    responses((status = 200, description = "Whether hash and signature hold", body = Verdict), answers::Public))]
async fn verify(
    Part(reader): Part<Reader>,
    Part(fresh): Part<Fresh>,
    Part(vault): Part<Vault>,
    Part(log): Part<Log>,
    Part(clock): Part<Clock>,
    min: MinPosition,
    id: Segment,
) -> Result<Json<Verdict>, Problem> {
    let id: ReceiptId = id.id(Code::ReceiptNotFound)?;
    fresh.wait("receipts", None, min.or_head(&log)).await?;
    let receipt = receipts::find_public(&reader, id).await.map_err(rejection::query)?;
    let receipt = receipt.ok_or_else(|| Problem::of(Code::ReceiptNotFound))?;
    let keys = vault.public_keys(KeyPurpose::Receipt).await.map_err(|error| rejection::read(&error))?;
    let key = keys.into_iter().find(|key| key.kid == receipt.kid);
    let (hash_valid, signature_valid) = judge(&receipt.receipt_json, &receipt.receipt_hash, &receipt.ed25519_sig, key.as_ref());
    Ok(Json(Verdict {
        receipt_id: id,
        valid: hash_valid && signature_valid,
        hash_valid,
        signature_valid,
        receipt_hash: receipt.receipt_hash,
        ed25519_sig: receipt.ed25519_sig,
        kid: receipt.kid,
        public_key: key.map(|key| STANDARD.encode(key.public)),
        schema_version: receipt.schema_version,
        verified_at: clock.now(),
    }))
}

/// Whether the hash and the signature are those of `json`, byte for byte.
fn judge(json: &str, hash: &Hash32, signature: &Signature64, key: Option<&PublicKey>) -> (bool, bool) {
    let key = key.and_then(|key| VerifyingKey::from_bytes(&key.public).ok());
    let signature = Signature::from_bytes(&signature.0);
    (Hash32::of(json) == *hash, key.is_some_and(|key| key.verify_strict(json.as_bytes(), &signature).is_ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ed25519_dalek::{Signer as _, SigningKey};

    #[test]
    fn a_changed_receipt_is_not_valid() {
        let signing = SigningKey::from_bytes(&[9; 32]);
        let key = PublicKey {
            kid: "k".into(),
            purpose: KeyPurpose::Receipt,
            public: signing.verifying_key().to_bytes(),
            created_at: Timestamp::from_micros(0),
            retired_at: Some(Timestamp::from_micros(1)),
        };
        let json = r#"{"amount_raw":25000000}"#;
        let (hash, signature) = (Hash32::of(json), Signature64(signing.sign(json.as_bytes()).to_bytes()));
        assert_eq!(judge(json, &hash, &signature, Some(&key)), (true, true));
        let changed = r#"{"amount_raw":25000001}"#;
        assert_eq!(judge(changed, &hash, &signature, Some(&key)), (false, false));
        assert_eq!(judge(changed, &Hash32::of(changed), &signature, Some(&key)), (true, false));
        assert_eq!(judge(json, &hash, &signature, None), (true, false), "a key that was never published proves nothing");
    }
}
