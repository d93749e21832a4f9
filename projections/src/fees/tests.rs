use super::*;
use crate::testkit::Sample;
use events::{
    clock::new_id,
    vocab::{
        event::{Asset, FeeDue},
        id::PaymentId,
    },
};

#[test]
fn a_fee_is_one_row_of_its_payment() {
    let (sample, payment) = (Sample::new(), new_id::<PaymentId>());
    let due = FeeDue {
        payment_id: payment,
        session_id: Some(new_id()),
        product_id: new_id(),
        access_product_id: None,
        amount: Minor::new(250_000).unwrap(),
        asset: Asset { symbol: "USDC".to_owned(), decimals: 6, mint: SolanaAddress([9; 32]) },
        fee_bps: FeeBps::new(100).unwrap(),
        fee_policy: "hilt_pay_api_no_plan".to_owned(),
        tx_signature: TxSignature([7; 64]),
        settlement_event: new_id(),
    };
    let rows = sample.fold::<Fees>(&[sample.at(due, payment)]);
    let row = rows.get(payment).expect("the fee is owed");
    assert_eq!((row.amount.units(), row.asset_symbol.as_str(), row.fee_bps.get()), (250_000, "USDC", 100));
}
