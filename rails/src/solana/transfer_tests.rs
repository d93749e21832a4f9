use super::super::fixtures::*;
use super::*;
use serde_json::json;

fn deltas_of(transaction: &Value) -> Vec<(String, i128)> {
    parse(transaction).unwrap().deltas.iter().map(|delta| (delta.owner.to_string(), delta.delta)).collect()
}

fn one_leg() -> Vec<(String, i128)> {
    vec![(MERCHANT.into(), 1000), (PAYER.into(), -1000)]
}

#[test]
fn two_legs_into_new_accounts_are_two_gains_and_one_loss() {
    let transaction = parse(&two_legs()).unwrap();
    assert_eq!(
        transaction.signature.to_string(),
        "4v7cYzYteHmjfvQXo5wWfkQyGwRMV4iJKcoj5Frz6Veb7LaXqwfSGKR3DTp6u6EFUS3Bw5FjVUEqjfPQ8oAAg3GC"
    );
    assert_eq!((transaction.slot, transaction.block_time, transaction.err), (34, Some(1_795_176_000), None));
    assert_eq!((transaction.fee_payer, transaction.signers), (address(PAYER), vec![address(PAYER)]));
    assert_eq!(transaction.memos, [MEMO]);
    let legs = vec![(MERCHANT.into(), 24_750_000), (FEE_WALLET.into(), 250_000), (PAYER.into(), -25_000_000)];
    assert_eq!(deltas_of(&two_legs()), legs);
    assert!(transaction.deltas.iter().all(|delta| delta.mint == programs::USDC_MINT && delta.token_program == programs::TOKEN));
    assert_eq!(transaction.deltas[0].account, address("8f8Lo5NeFsLjvyU4n6Pnfi5NHRNA7eck3wE1zSUwCyu3"));
}

#[test]
fn a_plain_transfer_names_no_mint_but_the_balances_do() {
    let transaction = plain_transfer();
    let transfer = &transaction["transaction"]["message"]["instructions"][1]["parsed"];
    assert!(transfer["type"] == "transfer" && transfer["info"].get("mint").is_none());
    assert_eq!(deltas_of(&transaction), one_leg());
}

#[test]
fn a_batch_instruction_is_unparsed_and_still_counts() {
    let transaction = batch_transfer();
    assert!(transaction["transaction"]["message"]["instructions"][1].get("parsed").is_none());
    assert_eq!(deltas_of(&transaction), one_leg());
}

#[test]
fn a_reference_key_read_as_multisig_changes_nothing() {
    let mut transaction = plain_transfer();
    let info = &mut transaction["transaction"]["message"]["instructions"][1]["parsed"]["info"];
    info["multisigAuthority"] = info["authority"].take();
    info["signers"] = json!(["So11111111111111111111111111111111111111112"]);
    assert_eq!(deltas_of(&transaction), one_leg());
    assert_eq!(parse(&transaction).unwrap().signers, [address(PAYER)]);
}

#[test]
fn a_transfer_to_oneself_has_no_delta() {
    let transaction = self_transfer();
    assert_eq!(transaction["transaction"]["message"]["instructions"][1]["parsed"]["type"], "transferChecked");
    assert_eq!(deltas_of(&transaction), [(PAYER.into(), 0)]);
}

#[test]
fn a_failed_transaction_moved_nothing() {
    let transaction = parse(&failed()).unwrap();
    assert_eq!(transaction.err.as_deref(), Some(r#"{"InstructionError":[1,{"Custom":1}]}"#));
    assert!(transaction.deltas.iter().all(|delta| delta.delta == 0));
}

#[test]
fn lookup_tables_keep_the_order_in_both_forms() {
    let plain = parse(&two_legs()).unwrap();
    for listed in [true, false] {
        // Own keys first, then loaded writable, then loaded readonly: the token accounts keep their indexes 1 to 3.
        assert_eq!(parse(&with_lookup_tables(two_legs(), listed)).unwrap(), plain, "listed: {listed}");
    }
}

#[test]
fn an_account_closed_by_the_transaction_loses_all_it_had() {
    let mut transaction = plain_transfer();
    transaction["meta"]["postTokenBalances"].as_array_mut().unwrap().retain(|balance| balance["owner"] != PAYER);
    let (_, loss) = deltas_of(&transaction).remove(1);
    let before = transaction["meta"]["preTokenBalances"].as_array().unwrap().iter().find(|balance| balance["owner"] == PAYER).unwrap();
    assert_eq!((-loss).to_string(), before["uiTokenAmount"]["amount"].as_str().unwrap());
}

#[test]
fn an_account_that_changes_hands_shows_both_sides() {
    let mut transaction = plain_transfer();
    let owner = transaction["meta"]["preTokenBalances"].as_array_mut().unwrap().iter_mut().find(|balance| balance["owner"] == MERCHANT);
    owner.unwrap()["owner"] = json!(FEE_WALLET);
    assert_eq!(deltas_of(&transaction), [(FEE_WALLET.into(), -24_750_000), (MERCHANT.into(), 24_751_000), (PAYER.into(), -1000)]);
}

#[test]
fn floats_and_decimals_of_an_amount_are_not_looked_at() {
    let mut transaction = plain_transfer();
    for list in ["preTokenBalances", "postTokenBalances"] {
        for balance in transaction["meta"][list].as_array_mut().unwrap() {
            balance["uiTokenAmount"]["uiAmount"] = json!(1e300);
            balance["uiTokenAmount"]["uiAmountString"] = json!("not a number");
            balance["uiTokenAmount"]["decimals"] = json!(-9);
        }
    }
    assert_eq!(deltas_of(&transaction), one_leg());
}

#[test]
fn memos_are_found_wherever_they_are_and_only_from_the_memo_program() {
    let memos_with = |instruction: Value| {
        let mut transaction = plain_transfer();
        transaction["transaction"]["message"]["instructions"].as_array_mut().unwrap().pop();
        transaction["meta"]["innerInstructions"] = json!([{ "index": 0, "instructions": [instruction] }]);
        parse(&transaction).unwrap().memos
    };
    let (current, first, token) = (programs::MEMO.to_string(), programs::MEMO_V1.to_string(), programs::TOKEN.to_string());
    let encoded = |bytes: &[u8]| bs58::encode(bytes).into_string();
    assert_eq!(memos_with(json!({ "programId": current, "program": "spl-memo", "parsed": "HILT:inner" })), ["HILT:inner"]);
    assert_eq!(memos_with(json!({ "programId": first, "parsed": "HILT:old" })), ["HILT:old"]);
    assert_eq!(memos_with(json!({ "programId": current, "accounts": [], "data": encoded(b"HILT:raw") })), ["HILT:raw"]);
    let none: [&str; 0] = [];
    assert_eq!(memos_with(json!({ "programId": current, "data": encoded(&[0xff, 0xfe]) })), none);
    assert_eq!(memos_with(json!({ "programId": current, "data": "1".repeat(MAX_MEMO_CHARACTERS + 1) })), none);
    assert_eq!(memos_with(json!({ "programId": token, "program": "spl-memo", "parsed": "HILT:false" })), none);
}

/// [`plain_transfer`] with lamport balances: the payer also gives `gift` to the merchant's token account, and pays the fee.
fn with_balances(mut transaction: Value, gift: u64) -> Value {
    let count = transaction["transaction"]["message"]["accountKeys"].as_array().unwrap().len();
    let before = vec![1_000_000_000_u64; count];
    let mut after = before.clone();
    after[0] -= 5_000 + gift;
    after[1] += gift;
    transaction["meta"]["fee"] = json!(5_000);
    transaction["meta"]["preBalances"] = json!(before);
    transaction["meta"]["postBalances"] = json!(after);
    transaction
}

#[test]
fn lamports_change_by_what_was_moved_and_not_by_the_fee() {
    let changes = |transaction: &Value| parse(transaction).unwrap().lamports;
    assert_eq!(changes(&plain_transfer()), []);
    assert!(changes(&with_balances(plain_transfer(), 0)).iter().all(|change| change.delta == 0));
    let given = changes(&with_balances(plain_transfer(), 77));
    assert_eq!((given[0].account, given[0].delta, given[1].delta), (address(PAYER), -77, 77));
    for listed in [true, false] {
        let changes = changes(&with_lookup_tables(with_balances(two_legs(), 77), listed));
        let plain = parse(&with_balances(two_legs(), 77)).unwrap().lamports;
        assert_eq!(changes, plain, "listed: {listed}");
    }
}

#[test]
fn lamports_that_do_not_fit_the_accounts_are_refused() {
    for (field, value) in [
        ("preBalances", json!([1])),
        ("postBalances", json!([])),
        ("preBalances", Value::Null),
        ("postBalances", Value::Null),
        ("fee", Value::Null),
        ("preBalances", json!([-1])),
    ] {
        let mut transaction = with_balances(plain_transfer(), 7);
        transaction["meta"][field] = value.clone();
        assert!(parse(&transaction).is_err(), "{field}: {value}");
    }
}

#[test]
fn what_could_turn_into_a_wrong_amount_is_refused() {
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut transaction = plain_transfer();
        change(&mut transaction);
        parse(&transaction).unwrap_err().to_string()
    };
    let balance = "/meta/postTokenBalances/0";
    for amount in [json!("1.5"), json!("-1"), json!(""), json!("18446744073709551616")] {
        assert!(refused(&|t| t.pointer_mut(balance).unwrap()["uiTokenAmount"]["amount"] = amount.clone()).contains("not a u64"));
    }
    assert!(refused(&|t| t.pointer_mut(balance).unwrap()["accountIndex"] = json!(64)).contains("not there"));
    assert!(refused(&|t| t["meta"]["postTokenBalances"][1] = t["meta"]["postTokenBalances"][0].clone()).contains("two token balances"));
    assert!(refused(&|t| drop(t["meta"].as_object_mut().unwrap().remove("err"))).contains("err"));
    assert!(refused(&|t| drop(t.pointer_mut(balance).unwrap().as_object_mut().unwrap().remove("owner"))).contains("owner"));
    assert!(refused(&|t| t["transaction"]["signatures"] = json!([])).contains("signatures"));
    assert!(refused(&|t| t["transaction"]["message"]["accountKeys"] = json!([])).contains("accountKeys"));
}

#[test]
fn no_json_makes_the_parser_panic() {
    let mut chaos = Chaos(0x9e37_79b9_7f4a_7c15);
    let sources = [two_legs(), plain_transfer(), batch_transfer(), with_lookup_tables(two_legs(), false)];
    let mut read = 0;
    for round in 0..4000 {
        let mut transaction = sources[round % sources.len()].clone();
        for _ in 0..=chaos.below(3) {
            chaos.damage(&mut transaction);
        }
        read += usize::from(parse(&transaction).is_ok());
        let _ = parse(&chaos.value(4));
    }
    assert!(read > 400, "most damage is to fields that do not matter, yet only {read} were read");
}

/// A small deterministic generator: a failure repeats.
struct Chaos(u64);

impl Chaos {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn value(&mut self, depth: usize) -> Value {
        let words = ["", "meta", "err", "slot", "accountKeys", "\u{0}", "HILT:x", PAYER, "18446744073709551615", "instructions"];
        match self.below(if depth == 0 { 5 } else { 7 }) {
            0 => Value::Null,
            1 => json!(self.below(2) == 0),
            2 => json!(self.0),
            3 => json!(-(self.below(1000) as i64)),
            4 => json!(words[self.below(words.len())]),
            5 => (0..self.below(4)).map(|_| self.value(depth - 1)).collect(),
            _ => Value::Object((0..self.below(4)).map(|_| (words[self.below(words.len())].to_owned(), self.value(depth - 1))).collect()),
        }
    }

    /// Replaces or removes a random part.
    fn damage(&mut self, value: &mut Value) {
        let here = self.below(6) == 0;
        match value {
            Value::Object(fields) if !here && !fields.is_empty() => {
                let key = fields.keys().nth(self.below(fields.len())).cloned().expect("the field was counted");
                if self.below(12) == 0 { drop(fields.remove(&key)) } else { self.damage(&mut fields[&key]) }
            }
            Value::Array(items) if !here && !items.is_empty() => {
                let index = self.below(items.len());
                if self.below(12) == 0 { drop(items.remove(index)) } else { self.damage(&mut items[index]) }
            }
            _ => *value = self.value(2),
        }
    }
}
