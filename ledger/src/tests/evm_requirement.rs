use crate::evm_requirement::{Author, BASE, Rejection, author};
use events::vocab::{
    event::FeeCollection,
    money::{FeeBps, Minor},
    rail::{FeeCollectionMode, RailId},
};
use serde_json::{Value, json};

const MERCHANT: &str = "0x1111111111111111111111111111111111111111";
const HILT: &str = "0x2222222222222222222222222222222222222222";
const USDC: &str = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913";

fn asked(model: FeeCollectionMode) -> Author {
    Author {
        rail_id: RailId::BaseUsdc,
        network: BASE.into(),
        payout_address: MERCHANT.into(),
        fee_collection: Some(FeeCollection {
            model,
            collector_address: Some("0x3333333333333333333333333333333333333333".into()),
            token_contract: Some(USDC.into()),
            limit: Minor::new(100_000_000).ok(),
            allowance_tx_hash: None,
        }),
        fee_collection_active: true,
        gross: Minor::new(25_000_000).unwrap(),
        fee_bps: FeeBps::new(100).unwrap(),
        fee_policy: "hilt_pay_api_no_plan".into(),
        fee_wallet: Some(HILT.into()),
    }
}

fn json_of(asked: Author) -> Value {
    author(asked).unwrap().json()
}

/// AC-71, INV-36, INV-37, MON-10.
#[test]
fn by_default_the_buyer_makes_one_transfer_to_the_merchant() {
    let shown = json_of(asked(FeeCollectionMode::MerchantAllowancePull));
    let leg = &shown["required_transfers"][0];
    assert_eq!(shown["required_transfers"].as_array().unwrap().len(), 1);
    assert_eq!((&leg["role"], &leg["pay_to"], &leg["amount_minor_units"]), (&json!("merchant"), &json!(MERCHANT), &json!(25_000_000)));
    assert_eq!(shown["buyer_signature_requirement"], json!("single_transfer_to_merchant"));
    assert_eq!(shown["wallet_batching"]["wallet_send_calls"], Value::Null);
    let amounts = ["gross_amount_minor_units", "merchant_amount_minor_units", "hilt_fee_minor_units"].map(|name| shown[name].as_u64());
    assert_eq!(amounts, [Some(25_000_000), Some(24_750_000), Some(250_000)]);
    let fees = &shown["fee_collection"];
    assert_eq!((&fees["model"], &fees["pull_amount_minor_units"]), (&json!("merchant_allowance_pull"), &json!(250_000)));
    let mut capped = asked(FeeCollectionMode::MerchantAllowancePull);
    capped.fee_collection.as_mut().unwrap().limit = Minor::new(1000).ok();
    assert_eq!(json_of(capped)["fee_collection"]["pull_amount_minor_units"], json!(1000), "never more than the merchant allows");
}

#[test]
fn a_split_is_two_transfers_in_one_request_to_the_wallet() {
    let shown = json_of(asked(FeeCollectionMode::BuyerSplitTransfer));
    let legs: Vec<_> =
        shown["required_transfers"].as_array().unwrap().iter().map(|leg| (&leg["pay_to"], &leg["amount_minor_units"])).collect();
    assert_eq!(legs, [(&json!(MERCHANT), &json!(24_750_000)), (&json!(HILT), &json!(250_000))], "INV-36: nobody else");
    let call = |digit: &str, amount: u64| {
        json!({
            "to": USDC, "value": "0x0", "data": format!("0xa9059cbb{:0>64}{amount:064x}", digit.repeat(40)),
        })
    };
    let request = &shown["wallet_batching"]["wallet_send_calls"]["params"][0];
    assert_eq!((&request["version"], &request["chainId"], &request["atomicRequired"]), (&json!("2.0.0"), &json!("0x2105"), &json!(true)));
    assert_eq!(request["calls"], json!([call("1", 24_750_000), call("2", 250_000)]));
    assert_ne!(shown["buyer_signature_requirement"], json!("single_transfer_to_merchant"));
}

#[test]
fn what_cannot_be_asked_for_is_refused() {
    let refuse = |change: &dyn Fn(&mut Author), why: Rejection| {
        let mut altered = asked(FeeCollectionMode::MerchantAllowancePull);
        change(&mut altered);
        assert_eq!(author(altered).unwrap_err(), why);
    };
    refuse(&|a| a.rail_id = RailId::SolanaUsdc, Rejection::NotAnEvmRail { rail: RailId::SolanaUsdc });
    refuse(&|a| a.network = "eip155:1".into(), Rejection::UnknownNetwork);
    refuse(&|a| (a.rail_id, a.network) = (RailId::EvmUsdc, "eip155:56".into()), Rejection::UnknownNetwork);
    refuse(&|a| a.payout_address.clear(), Rejection::PayoutAddressRequired);
    refuse(&|a| a.fee_collection = None, Rejection::CollectionRequired);
    refuse(&|a| a.fee_collection.as_mut().unwrap().collector_address = None, Rejection::CollectorRequired);
    refuse(&|a| a.fee_collection.as_mut().unwrap().model = FeeCollectionMode::DeferredMerchantBilling, Rejection::NotInstant);
    let split = Author { fee_wallet: None, ..asked(FeeCollectionMode::BuyerSplitTransfer) };
    assert_eq!(author(split).unwrap_err(), Rejection::FeeWalletRequired);
    let free = Author { fee_bps: FeeBps::new(0).unwrap(), fee_collection: None, ..asked(FeeCollectionMode::MerchantAllowancePull) };
    assert_eq!(json_of(free)["fee_collection"]["status"], json!("not_required"), "without a fee nothing has to be set up");
    let elsewhere = Author { rail_id: RailId::EvmUsdc, network: "eip155:42161".into(), ..asked(FeeCollectionMode::MerchantAllowancePull) };
    assert_eq!(json_of(elsewhere)["asset"], json!("0xaf88d065e77c8cc2239327c5edb3a432268e5831"));
}
