use super::*;
use crate::testkit::{Sample, Written};
use events::vocab::event::{ObservedPayment, WorkspaceBillingSynced};

/// The payment's own events, with the fee from that source, and what the look at the chain saw of the block's time.
fn paid(sample: &Sample, fee_source: FeeSource, block_time: Option<i64>) -> Vec<Written> {
    let mut events: Vec<Written> = sample.asked().into_iter().chain(sample.paid()).collect();
    for written in &mut events {
        match &mut written.event {
            Event::PaymentCreated(created) => {
                created.fee_source = fee_source;
                created.fee_wallet = Some(SolanaAddress([4; 32]));
            }
            Event::VerificationAttempted(attempted) => {
                // What failed looks saw is not believed.
                let seen = if attempted.outcome == Outcome::Passed { block_time } else { Some(77) };
                attempted.observed = Some(ObservedPayment { slot: 1, block_time: seen, payer: None, memo: None, transfers: Vec::new() });
            }
            _ => {}
        }
    }
    events
}

fn side(sample: &Sample, rows: &Rows<Movement>, role: MovementRole) -> Option<Movement> {
    rows.get(MovementId::of_payment(sample.payment, role)).cloned()
}

#[test]
fn a_settlement_reaches_both_wallets_at_the_blocks_time() {
    let sample = Sample::new();
    let rows = sample.fold::<Movements>(&paid(&sample, FeeSource::BuyerTransfer, Some(1_800_000_123)));
    for (role, amount, wallet) in [(MovementRole::Merchant, 24_750_000, 3), (MovementRole::Fee, 250_000, 4)] {
        let row = side(&sample, &rows, role).unwrap();
        let (reference, leg) = row.leg_at(u64::MAX).unwrap();
        assert_eq!((reference, leg.amount.units()), (sample.tx.to_string(), amount));
        assert_eq!((leg.at, leg.receipt_id), (Timestamp::from_micros(1_800_000_123_000_000), Some(sample.receipt)));
        let settled = row.moved_position.unwrap();
        assert_eq!(row.leg_at(settled - 1), None);
        assert_eq!(row.leg_at(settled).unwrap().1.receipt_id, None, "the receipt comes after it");
        assert_eq!((row.account, row.asset_code.as_str()), (Some(SolanaAddress([wallet; 32]).to_string()), "USDC"));
    }
}

#[test]
fn where_the_merchant_owes_the_fee_everything_reaches_him() {
    let sample = Sample::new();
    let rows = sample.fold::<Movements>(&paid(&sample, FeeSource::MerchantReceivable, None));
    let merchant = side(&sample, &rows, MovementRole::Merchant).unwrap();
    assert_eq!(merchant.leg_at(u64::MAX).unwrap().1.amount.units(), 25_000_000);
    assert_eq!(merchant.leg_at(u64::MAX).unwrap().1.at, merchant.meta.created_at.max(merchant.at.unwrap()), "the chain did not say when");
    assert_eq!(side(&sample, &rows, MovementRole::Fee), None);
}

#[test]
fn what_nobody_has_paid_and_a_part_of_nothing_have_not_moved() {
    let sample = Sample::new();
    let rows = sample.fold::<Movements>(&sample.asked());
    assert_eq!(side(&sample, &rows, MovementRole::Merchant).unwrap().leg_at(u64::MAX), None);
    let mut events = paid(&sample, FeeSource::BuyerTransfer, None);
    for written in &mut events {
        if let Event::SettlementEvidenced(settled) = &mut written.event {
            (settled.merchant_amount, settled.fee_amount) = (settled.gross, Minor::ZERO);
        }
    }
    let rows = sample.fold::<Movements>(&events);
    assert_eq!(side(&sample, &rows, MovementRole::Fee).unwrap().leg_at(u64::MAX), None, "no statement shows nothing");
    assert!(side(&sample, &rows, MovementRole::Merchant).unwrap().leg_at(u64::MAX).is_some());
}

#[test]
fn an_invoice_moves_once_when_it_is_paid() {
    let sample = Sample::new();
    let at = Timestamp::from_micros(1_800_000_000_000_000);
    let invoice = |id: &str, status, amount_paid| BillingInvoice {
        invoice_id: id.into(),
        number: None,
        status,
        currency: "usd".into(),
        total: amount_paid,
        amount_paid,
        created_at: at,
        period_start: at,
        period_end: at,
    };
    let synced = |invoices| {
        let synced = WorkspaceBillingSynced { owner_id: sample.owner, customer_id: None, subscription: None, invoices };
        sample.at(synced, sample.owner)
    };
    let events = [
        synced(vec![invoice("in_2", InvoiceStatus::Open, 0), invoice("in_1", InvoiceStatus::Paid, 4_900)]),
        synced(vec![
            invoice("in_3", InvoiceStatus::Void, 700),
            invoice("in_2", InvoiceStatus::Paid, 9_900),
            invoice("in_1", InvoiceStatus::Paid, 5_000),
        ]),
    ];
    let rows = sample.fold::<Movements>(&events);
    let amount = |id: &str| rows.get(MovementId::of_invoice(sample.owner, id)).map(|row| row.leg_at(u64::MAX).unwrap().1.amount.units());
    assert_eq!((amount("in_1"), amount("in_2"), amount("in_3"), rows.len()), (Some(4_900), Some(9_900), None, 2));
    let row = rows.get(MovementId::of_invoice(sample.owner, "in_1")).unwrap();
    assert_eq!((row.source, row.account.as_deref(), row.at), (StatementSource::Stripe, None, Some(at)));
    let usd = events::vocab::event::StatementAsset { code: "usd".into(), decimals: 2, mint: None };
    let mut asked = Asked {
        source: StatementSource::Stripe,
        account: None,
        asset: usd,
        livemode: true,
        from: at,
        to: at,
        references: Vec::new(),
        limit: 1,
    };
    assert!(asked.is_of(row));
    asked.asset.code = "eur".into();
    assert!(!asked.is_of(row));
}
