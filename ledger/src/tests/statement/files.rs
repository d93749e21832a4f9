//! Files of each format: read exactly, or refused with where and why, and nothing of what is written there repeated.

use super::*;
use serde_json::{Value, json};

/// Makes something wrong.
type Spoil = fn(&mut Value);

fn sig(n: u8) -> String {
    tx(n).to_string()
}
fn unix(seconds: i64) -> i64 {
    at(seconds).seconds()
}
/// `at(seconds)` without its fraction, as files have times.
fn whole(seconds: i64) -> Timestamp {
    Timestamp::from_micros(unix(seconds) * 1_000_000)
}
fn read(format: StatementFormat, file: &str) -> Vec<(u32, String, i64)> {
    let items = usdc_day().read(format, file.as_bytes()).unwrap();
    items.into_iter().map(|item| (item.line, item.reference, item.amount.units())).collect()
}
fn place(scope: &Scope, format: StatementFormat, file: &str) -> String {
    scope.read(format, file.as_bytes()).unwrap_err().place
}

#[test]
fn our_csv_has_either_kind_of_amount_and_whatever_else() {
    let minor = format!("id,at,amount_minor_units,memo\n{},{},24750000,\"a, b\"\n{},{},-1,\n", sig(1), whole(10), sig(2), unix(20));
    let expected = vec![(2, sig(1), 24_750_000), (3, sig(2), -1)];
    assert_eq!(read(StatementFormat::Csv, &minor), expected);
    let decimal = format!("Signature;x,Block Time,Amount\n\"{}\",{},24.75\n{},{},-0.000001\n", sig(1), whole(10), sig(2), unix(20));
    // The name of a column that is not known is not looked at; this one hides the signature's.
    assert_eq!(place(&usdc_day(), StatementFormat::Csv, &decimal), "line 1, column id");
    assert_eq!(read(StatementFormat::Csv, &decimal.replace("Signature;x", "Signature")), expected);
}

#[test]
fn a_line_of_csv_that_cannot_be_read_is_named() {
    let row = |id: &str, at: &str, amount: &str| format!("id,at,amount\n{},{},1\n{id},{at},{amount}\n", sig(1), unix(1));
    let good = (sig(2), unix(2).to_string());
    for (file, expected) in [
        (row("memo of somebody", &good.1, "1"), "line 3, column id"),
        (row(&good.0, "yesterday", "1"), "line 3, column at"),
        (row(&good.0, &unix(DAY + 1).to_string(), "1"), "line 3, column at"),
        (row(&good.0, &good.1, "1.2345678"), "line 3, column amount"),
        (row(&good.0, &good.1, "1e6"), "line 3, column amount"),
        (row(&good.0, &good.1, ""), "line 3, column amount"),
        ("id,at\n".to_owned(), "line 1, column amount"),
        ("id,at,amount,amount_minor_units\n".to_owned(), "line 1, column amount"),
        ("at,amount\n".to_owned(), "line 1, column id"),
        ("id,signature,at,amount\n".to_owned(), "line 1, column id"),
        (String::new(), "file"),
    ] {
        let refused = usdc_day().read(StatementFormat::Csv, file.as_bytes()).unwrap_err();
        assert_eq!(refused.place, expected, "{file}");
        assert!(!refused.to_string().contains("somebody"), "what is written there is not repeated");
    }
}

#[test]
fn our_json_has_integers_or_decimal_strings_and_never_a_fraction() {
    let file = json!({"items": [
        {"id": sig(1), "at": whole(10).to_string(), "amount_minor_units": 24_750_000, "counterparty": "somebody"},
        {"id": sig(2), "at": unix(20), "amount": "-0.000001"},
    ]});
    assert_eq!(read(StatementFormat::Json, &file.to_string()), vec![(1, sig(1), 24_750_000), (2, sig(2), -1)]);
    let with = |member: &str, value: Value| {
        let mut file = file.clone();
        file["items"][1][member] = value;
        place(&usdc_day(), StatementFormat::Json, &file.to_string())
    };
    assert_eq!(with("id", json!(7)), "item 2, field id");
    assert_eq!(with("at", json!("soon")), "item 2, field at");
    assert_eq!(with("at", json!(1.5)), "item 2, field at");
    assert_eq!(with("amount", json!(24.75)), "item 2, field amount");
    assert_eq!(with("amount_minor_units", json!(1)), "item 2, field amount");
    assert_eq!(with("invoice_id", json!("in_1")), "item 2, field invoice_id");
    let fraction = file.to_string().replace("24750000", "24750000.0");
    assert_eq!(place(&usdc_day(), StatementFormat::Json, &fraction), "item 1, field amount_minor_units");
    assert_eq!(place(&usdc_day(), StatementFormat::Json, "{\"items\": [\n{]}"), "line 2, column 2");
    assert_eq!(place(&usdc_day(), StatementFormat::Json, "[]"), "file");
}

fn balance(owner: &SolanaAddress, mint: &SolanaAddress, amount: u64) -> Value {
    json!({"accountIndex": 1, "mint": mint.to_string(), "owner": owner.to_string(),
        "uiTokenAmount": {"amount": amount.to_string(), "decimals": 6, "uiAmount": 0.1, "uiAmountString": "0.1"}})
}

fn transaction(n: u8, seconds: i64, pre: Vec<Value>, post: Vec<Value>) -> Value {
    json!({"slot": 5, "blockTime": unix(seconds), "meta": {"err": null, "fee": 5000, "preTokenBalances": pre, "postTokenBalances": post,
        "preBalances": [10_000, 500], "postBalances": [5_000, 700]},
        "transaction": {"signatures": [sig(n)], "message": {"accountKeys": [wallet(7).to_string(), WALLET.to_string()]}}})
}

#[test]
fn a_nodes_answers_say_how_much_of_the_asset_each_transaction_moved() {
    let (other, other_mint) = (wallet(8), wallet(10));
    let file = json!([
        transaction(1, 10, vec![balance(&WALLET, &MINT, 100), balance(&other, &MINT, 900)], vec![balance(&WALLET, &MINT, 350)]),
        // A whole JSON-RPC answer; the wallet's first token account, and a second one.
        {"jsonrpc": "2.0", "id": 1, "result": transaction(2, 20, vec![], vec![balance(&WALLET, &MINT, 20), balance(&WALLET, &MINT, 5)])},
        transaction(3, 30, vec![balance(&WALLET, &MINT, 375)], vec![balance(&WALLET, &MINT, 300)]),
        // Another mint, and nothing of this one.
        transaction(4, 40, vec![balance(&WALLET, &other_mint, 1)], vec![balance(&WALLET, &other_mint, 2)]),
    ]);
    assert_eq!(read(StatementFormat::SolanaRpc, &file.to_string()), vec![(1, sig(1), 250), (2, sig(2), 25), (3, sig(3), -75)]);

    let sol =
        StatementAsset { code: "SOL".into(), decimals: 9, mint: Some("So11111111111111111111111111111111111111112".parse().unwrap()) };
    let lamports = |account: &SolanaAddress, file: &Value| {
        let scope = Scope { asset: sol.clone(), account: account.to_string(), ..usdc_day() };
        scope
            .read(StatementFormat::SolanaRpc, file.to_string().as_bytes())
            .map(|items| items.iter().map(|item| item.amount.units()).collect())
    };
    let one = json!([transaction(1, 10, vec![], vec![])]);
    assert_eq!(lamports(&WALLET, &one), Ok(vec![200]));
    assert_eq!(lamports(&wallet(7), &one), Ok(vec![-5_000]), "what it paid the network is in it");
    assert_eq!(lamports(&other, &one), Ok(vec![]));
    let mut loaded = one.clone();
    loaded[0]["meta"]["loadedAddresses"] = json!({"writable": [other.to_string()], "readonly": []});
    loaded[0]["meta"]["preBalances"] = json!([10_000, 500, 40]);
    loaded[0]["meta"]["postBalances"] = json!([5_000, 700, 90]);
    assert_eq!(lamports(&other, &loaded), Ok(vec![50]));
    let mut parsed = one.clone();
    parsed[0]["transaction"]["message"]["accountKeys"] = json!([{"pubkey": wallet(7).to_string()}, {"pubkey": WALLET.to_string()}]);
    assert_eq!(lamports(&WALLET, &parsed), Ok(vec![200]));
}

#[test]
fn a_nodes_answer_that_cannot_be_read_is_named() {
    let good = transaction(1, 10, vec![balance(&WALLET, &MINT, 1)], vec![balance(&WALLET, &MINT, 2)]);
    let second = |spoil: fn(&mut Value)| {
        let mut bad = transaction(2, 20, vec![balance(&WALLET, &MINT, 1)], vec![balance(&WALLET, &MINT, 2)]);
        spoil(&mut bad);
        place(&usdc_day(), StatementFormat::SolanaRpc, &json!([good, bad]).to_string())
    };
    let cases: [(Spoil, &str); 8] = [
        (|tx| *tx = Value::Null, "item 2, field transaction.signatures"),
        (|tx| tx["transaction"]["signatures"] = json!([sig(1)]), "item 2, field transaction.signatures"),
        (|tx| tx["blockTime"] = Value::Null, "item 2, field blockTime"),
        (|tx| tx["blockTime"] = json!(unix(DAY + 1)), "item 2, field blockTime"),
        (|tx| tx["meta"]["postTokenBalances"] = Value::Null, "item 2, field postTokenBalances"),
        (|tx| tx["meta"]["preTokenBalances"][0]["owner"] = Value::Null, "item 2, field preTokenBalances"),
        (|tx| tx["meta"]["postTokenBalances"][0]["uiTokenAmount"]["amount"] = json!(2), "item 2, field postTokenBalances"),
        (|tx| tx["meta"]["postTokenBalances"][0]["uiTokenAmount"]["amount"] = json!("18014398509481984"), "item 2, field meta"),
    ];
    for (spoil, expected) in cases {
        assert_eq!(second(spoil), expected);
    }
}

fn usd_day() -> Scope {
    let asset = StatementAsset { code: "usd".into(), decimals: 2, mint: None };
    Scope { source: StatementSource::Stripe, account: "acct_1Ab".into(), asset, ..usdc_day() }
}

/// The dashboard's export.
fn activity(rows: &str) -> String {
    format!("id,Type,Source,Amount,Fee,Net,Currency,Created (UTC),Available On (UTC),Description\n{rows}")
}

#[test]
fn stripes_rows_are_their_gross_amount_and_what_stripe_kept() {
    let day = whole(60).to_string()[..16].replace('T', " ");
    let file = activity(&format!(
        "txn_1,charge,ch_1,49.00,1.72,47.28,usd,{day},{day},\"Subscription, somebody@example.com\"\n\
         txn_2,refund,re_1,-49.00,0.00,-49.00,usd,{day},{day},\n\
         txn_3,payout,po_1,-120.5,0,-120.50,USD,{day},{day},STRIPE PAYOUT\n"
    ));
    let items = usd_day().read(StatementFormat::StripeCsv, file.as_bytes()).unwrap();
    let said: Vec<(u32, &str, i64)> = items.iter().map(|item| (item.line, item.reference.as_str(), item.amount.units())).collect();
    assert_eq!(said, vec![(2, "txn_1", 4_900), (2, "txn_1", -172), (3, "txn_2", -4_900), (4, "txn_3", -12_050)]);
    assert!(!format!("{items:?}").contains("somebody"));

    // The itemized report, with the column that both sides know.
    let file = format!(
        "balance_transaction_id,created_utc,available_on_utc,currency,gross,fee,net,reporting_category,invoice_id\n\
         txn_1,{day}:00,{day}:00,usd,49.00,1.72,47.28,charge,in_7\ntxn_2,{day}:00,{day}:00,usd,-49.00,0.00,-49.00,refund,in_7\n"
    );
    let items = usd_day().read(StatementFormat::StripeCsv, file.as_bytes()).unwrap();
    let said: Vec<(&str, Option<&str>, i64)> =
        items.iter().map(|item| (item.reference.as_str(), item.id.as_deref(), item.amount.units())).collect();
    assert_eq!(said, vec![("in_7", Some("txn_1"), 4_900), ("txn_1", None, -172), ("in_7", Some("txn_2"), -4_900)]);
}

#[test]
fn a_row_of_stripes_that_cannot_be_read_is_named() {
    let day = whole(60).to_string()[..16].replace('T', " ");
    let good = format!("txn_1,charge,ch_1,49.00,1.72,47.28,usd,{day},,\n");
    let scope = usd_day();
    for (row, expected) in [
        (format!("txn_1,charge,ch_1,1.00,0.00,1.00,usd,{day},,\n"), "line 3, column id"),
        (format!("john_smith7,charge,ch_1,1.00,0.00,1.00,usd,{day},,\n"), "line 3, column id"),
        (format!("txn_john_smith,charge,ch_1,1.00,0.00,1.00,usd,{day},,\n"), "line 3, column id"),
        (format!("Somebody,charge,ch_1,1.00,0.00,1.00,usd,{day},,\n"), "line 3, column id"),
        (format!("txn_2,charge,ch_1,\"1,049.00\",0.00,1049.00,usd,{day},,\n"), "line 3, column amount"),
        (format!("txn_2,charge,ch_1,1.001,0.00,1.001,usd,{day},,\n"), "line 3, column amount"),
        (format!("txn_2,charge,ch_1,1.00,x,1.00,usd,{day},,\n"), "line 3, column fee"),
        (format!("txn_2,charge,ch_1,1.00,0.30,0.71,usd,{day},,\n"), "line 3, column net"),
        (format!("txn_2,charge,ch_1,1.00,0.00,1.00,eur,{day},,\n"), "line 3, column currency"),
        ("txn_2,charge,ch_1,1.00,0.00,1.00,usd,someday,,\n".to_owned(), "line 3, column created_utc"),
        ("txn_2,charge,ch_1,1.00,0.00,1.00,usd,2001-01-01 00:00,,\n".to_owned(), "line 3, column created_utc"),
        ("txn_2,charge\n".to_owned(), "line 3, column number 3"),
    ] {
        assert_eq!(place(&scope, StatementFormat::StripeCsv, &activity(&format!("{good}{row}"))), expected, "{row}");
    }
    assert_eq!(place(&scope, StatementFormat::StripeCsv, "id,Amount,Fee,Currency,Created (UTC)\n"), "line 1, column net");
    assert_eq!(place(&scope, StatementFormat::StripeCsv, "id,Amount,Fee,Net,Currency,Created\n"), "line 1, column created_utc");
    assert_eq!(place(&scope, StatementFormat::SolanaRpc, "[]"), "file");
    assert_eq!(place(&usdc_day(), StatementFormat::StripeCsv, &activity(&good)), "file");
}

/// Whatever a file holds, it is read or refused; and what is read is in the period, with ids that cannot name anybody.
#[test]
fn no_file_is_read_in_part_or_ends_the_program() {
    let day = whole(60).to_string()[..16].replace('T', " ");
    let files = [
        (
            usdc_day(),
            StatementFormat::Csv,
            format!("id,at,amount,memo\r\n{},{},-24.75,\"a \"\"b\"\"\"\r\n{},{},1,\n", sig(1), whole(10), sig(2), unix(20)),
        ),
        (
            usdc_day(),
            StatementFormat::Json,
            json!({"items": [{"id": sig(1), "at": unix(10), "amount_minor_units": 24_750_000}]}).to_string(),
        ),
        (usdc_day(), StatementFormat::SolanaRpc, json!([transaction(1, 10, vec![], vec![balance(&WALLET, &MINT, 5)])]).to_string()),
        (usd_day(), StatementFormat::StripeCsv, activity(&format!("txn_1,charge,ch_1,49.00,1.72,47.28,usd,{day},{day},\"x, y\"\n"))),
    ];
    let mut read = [0_u32, 0];
    for seed in 0..8_000 {
        let mut dice = crate::tests::histories::Dice(seed);
        let (scope, format, file) = &files[(seed % 4) as usize];
        let mut bytes = file.clone().into_bytes();
        for _ in 0..=dice.below(3) {
            let at = dice.below(bytes.len() as u64) as usize;
            match dice.below(4) {
                0 => bytes[at] ^= 1 << dice.below(8),
                1 => bytes[at] = b",\"\n\r.-0[{}"[dice.below(10) as usize],
                2 if bytes.len() > 1 => drop(bytes.remove(at)),
                _ => bytes.truncate(at.max(1)),
            }
        }
        let outcome = scope.read(*format, &bytes);
        read[usize::from(outcome.is_ok())] += 1;
        for item in outcome.into_iter().flatten() {
            assert!(scope.covers(item.at) && scope.id_rule(&item.reference).is_ok(), "seed {seed}: {item:?}");
        }
    }
    assert!(read[0] > 1_000 && read[1] > 500, "both happen: {read:?}");
}
