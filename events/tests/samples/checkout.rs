use super::*;
use events::vocab::{event::*, money::FeeBps, words::*};

pub fn sample(event_type: EventType) -> Event {
    match event_type {
        EventType::PaymentCreated => PaymentCreated {
            payment_id: id(1),
            product_id: id(2),
            access_product_id: Some(id(3)),
            session_id: Some(id(4)),
            entitlement_id: Some(id(5)),
            subject_id: id(6),
            nonce: "00112233445566778899aabbccddeeff".into(),
            asset: usdc(),
            amount: minor(25_000_000),
            merchant_amount: minor(24_750_000),
            fee_amount: minor(250_000),
            fee_bps: FeeBps::new(100).unwrap(),
            fee_policy: "access_default".into(),
            merchant_wallet: address(7),
            fee_wallet: Some(address(8)),
            payer_wallet: None,
            membership: Some(terms()),
            identity_required: true,
            place: Some(Place { product_id: id(2), number: 41 }),
            quote: Some(quote()),
            expires_at: at(1_800),
            fee_source: FeeSource::BuyerTransfer,
        }
        .into(),
        EventType::PaymentBroadcastRecorded => PaymentBroadcastRecorded {
            payment_id: id(1),
            tx_signature: tx(2),
            payer_wallet: Some(address(3)),
            wallet_source: Some("phantom".into()),
        }
        .into(),
        EventType::PaymentConfirmationAttempted => PaymentConfirmationAttempted {
            payment_id: id(1),
            tx_signature: tx(2),
            trigger: Trigger::Watcher,
            outcome: Outcome::Pending,
            reason: Some("not_finalized".into()),
        }
        .into(),
        EventType::PaymentConfirmed => PaymentConfirmed {
            payment_id: id(1),
            product_id: id(2),
            access_product_id: Some(id(3)),
            session_id: Some(id(4)),
            amount: minor(25_000_000),
            tx_signature: tx(5),
            payer_wallet: address(6),
            slot: 312_000_000,
            identity_session_id: Some(id(8)),
            confirmed_at: at(30),
            settlement_event: id(7),
        }
        .into(),
        EventType::PaymentFailed => PaymentFailed {
            payment_id: id(1),
            tx_signature: tx(2),
            reason: "wrong_memo".into(),
            place: Some(Place { product_id: id(3), number: 0 }),
            failed_at: at(30),
        }
        .into(),
        EventType::PaymentExpired => PaymentExpired { payment_id: id(1), place: None, expired_at: at(1_800) }.into(),
        EventType::ReceiptCreated => ReceiptCreated {
            receipt_id: id(1),
            source: ReceiptSource::Checkout,
            payment_id: Some(id(2)),
            product_id: Some(id(3)),
            access_product_id: Some(id(4)),
            subject_id: Some(id(10)),
            amount: minor(25_000_000),
            tx_signature: tx(5),
            wallet: address(6),
            chain_verified: true,
            receipt_json: r#"{"amount_minor_units":25000000,"schema_version":"1.0"}"#.into(),
            receipt_hash: hash(7),
            ed25519_sig: signature(8),
            kid: "0123456789abcdef".into(),
            receipt_schema: "1.0".into(),
            credits_burned: 0,
            created_at: at(30),
            settlement_event: Some(id(9)),
        }
        .into(),
        EventType::ReceiptInvoiceMetadataSaved => ReceiptInvoiceMetadataSaved { receipt_id: id(1), subject_id: id(2) }.into(),
        EventType::ReceiptProofSent => ReceiptProofSent { receipt_id: id(1), mail_id: id(2), ticket_id: Some(id(3)) }.into(),
        EventType::CreditsGranted => {
            CreditsGranted { owner_id: id(9), period: "2026-11".into(), plan: "sandbox".into(), credits: 100 }.into()
        }
        EventType::CreditsBurned => CreditsBurned { owner_id: id(9), receipt_id: id(1), credits: 1 }.into(),
        EventType::FeeDue => FeeDue {
            payment_id: id(1),
            session_id: Some(id(2)),
            product_id: id(3),
            access_product_id: Some(id(4)),
            amount: minor(250_000),
            asset: usdc(),
            fee_bps: FeeBps::new(100).unwrap(),
            fee_policy: "access_default".into(),
            tx_signature: tx(5),
            settlement_event: id(6),
        }
        .into(),
        other => unreachable!("{other:?} has its sample elsewhere"),
    }
}
