use super::*;
use serde_json::json;

const TOKEN: &str = "0x833589fcd6edb6e08f4c7c32d4f71b54bda02913";

fn topic(n: u8) -> String {
    format!("0x{}{}", "0".repeat(24), format!("{n:02x}").repeat(20))
}
fn word(units: u64) -> String {
    format!("0x{units:064x}")
}
fn hash(n: u8) -> String {
    format!("0x{}", format!("{n:02x}").repeat(32))
}
fn log(index: u64, units: u64) -> Value {
    json!({
        "account": { "address": TOKEN }, "topics": [TRANSFER, topic(1), topic(2)], "data": word(units), "index": index,
        "transaction": { "hash": hash(9), "status": 1 },
    })
}
fn body(event: &Value) -> Value {
    json!({ "webhookId": "wh_1", "id": "whevt_1", "createdAt": "2026-11-20T00:00:00Z", "type": "GRAPHQL", "event": event })
}
fn block(logs: &[Value]) -> Value {
    json!({ "data": { "block": { "hash": hash(7), "number": 31_000_000, "logs": logs } }, "sequenceNumber": "10000000000578619000" })
}
fn read(body: &Value) -> Result<Message, NotAlchemy> {
    message(body.to_string().as_bytes())
}
fn transfers(body: &Value) -> Block {
    match read(body) {
        Ok(Message::Transfers(block)) => block,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_block_with_transfers_names_them_all() {
    let found = transfers(&body(&block(&[log(3, 25_000_000), log(5, 0)])));
    assert_eq!((found.message_ref.as_str(), found.webhook_ref.as_deref()), ("whevt_1", Some("wh_1")));
    assert_eq!((found.number, found.hash.to_string()), (31_000_000, hash(7)));
    assert_eq!(found.sequence_number.as_deref(), Some("10000000000578619000"));
    let first = &found.candidates[0];
    assert_eq!((first.token_contract.to_string().as_str(), first.log_index, first.amount.as_str()), (TOKEN, 3, "25000000"));
    assert_eq!((first.from.0, first.to.0, first.tx_hash.to_string()), ([1; 20], [2; 20], hash(9)));
    assert_eq!(found.candidates[1].amount, "0");
}

#[test]
fn amounts_are_exact_up_to_256_bits() {
    assert_eq!(decimal([0xff; 32]), "115792089237316195423570985008687907853269984665640564039457584007913129639935");
    for units in [1, 9, 10, 255, 256, 1_000_000, u64::MAX] {
        let mut word = [0; 32];
        word[24..].copy_from_slice(&units.to_be_bytes());
        assert_eq!(decimal(word), units.to_string());
    }
}

#[test]
fn what_is_no_transfer_is_passed_over() {
    let with = |pointer: &str, value: Value| {
        let mut changed = log(1, 1);
        *changed.pointer_mut(pointer).unwrap() = value;
        changed
    };
    let mut removed = log(1, 1);
    removed["removed"] = json!(true);
    let not_transfers = [
        with("/topics/0", json!(hash(1))),
        with("/topics", json!([TRANSFER, topic(1), topic(2), word(7)])),
        with("/topics", json!([TRANSFER, topic(1)])),
        with("/topics/1", json!(hash(3))),
        with("/data", json!("0x")),
        with("/data", json!(format!("{}00", word(1)))),
        with("/index", json!(-1)),
        with("/account/address", json!("0x12")),
        with("/transaction/hash", Value::Null),
        with("/transaction/status", json!(0)),
        removed,
        json!(7),
    ];
    for log in not_transfers {
        assert_eq!(read(&body(&block(std::slice::from_ref(&log)))), Ok(Message::Heartbeat), "{log}");
    }
}

#[test]
fn heartbeats_and_errors_are_known_and_anything_else_is_refused() {
    assert_eq!(read(&body(&block(&[]))), Ok(Message::Heartbeat));
    assert_eq!(read(&body(&json!({ "data": {} }))), Ok(Message::Heartbeat));
    assert_eq!(read(&body(&json!({ "error": "query failed", "data": null }))), Ok(Message::ProviderError));
    let mut other = body(&block(&[log(1, 1)]));
    other["type"] = json!("ADDRESS_ACTIVITY");
    for wrong in [json!([]), json!("x"), json!({}), body(&json!(1)), body(&Value::Null), other] {
        assert_eq!(read(&wrong), Err(NotAlchemy::Form), "{wrong}");
    }
    let mut nameless = block(&[log(1, 1)]);
    nameless["data"]["block"]["hash"] = Value::Null;
    assert_eq!(read(&body(&nameless)), Err(NotAlchemy::Block));
    assert_eq!(read(&body(&block(&vec![json!({}); MOST + 1]))), Err(NotAlchemy::TooMany));
}

#[test]
fn numbers_may_be_written_in_hex() {
    let mut hex = log(1, 1);
    hex["index"] = json!("0x1f");
    assert_eq!(transfers(&body(&block(&[hex]))).candidates[0].log_index, 31);
}

/// Random damage to a message: it may be refused or mean less, and never more than was in it.
#[test]
fn damaged_messages_are_refused_or_mean_less() {
    let whole = body(&block(&[log(3, 25_000_000), log(5, 17)])).to_string().into_bytes();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    for _ in 0..20_000 {
        let mut damaged = whole.clone();
        for _ in 0..=random(3) {
            let at = random(damaged.len());
            match random(4) {
                0 => damaged.truncate(at.max(1)),
                1 => damaged[at] = b"0123456789abcdef\"{}[]:,x\\ \0\xff"[random(28)],
                2 => drop(damaged.remove(at.min(damaged.len() - 1))),
                _ => damaged.insert(at, damaged[random(damaged.len())]),
            }
            if damaged.is_empty() {
                break;
            }
        }
        if let Ok(Message::Transfers(block)) = message(&damaged) {
            assert!((1..=2).contains(&block.candidates.len()));
            assert!(block.candidates.iter().all(|one| !one.amount.is_empty() && one.amount.bytes().all(|byte| byte.is_ascii_digit())));
        }
    }
}

#[test]
fn nesting_without_end_is_refused() {
    for deep in ["[".repeat(100_000), format!("{{\"event\":{}", "{\"a\":".repeat(100_000))] {
        assert_eq!(message(deep.as_bytes()), Err(NotAlchemy::Form));
    }
}

#[test]
fn the_chain_is_the_messages_own_or_the_configured_one() {
    let plain = transfers(&body(&block(&[log(1, 1)])));
    let named = |network: &str| Block { network: Some(network.to_owned()), ..plain.clone() };
    let (one, by_webhook): (Chains, Chains) = ("8453".parse().unwrap(), "wh_1=1, wh_2=10".parse().unwrap());
    assert_eq!((one.of(&plain), by_webhook.of(&plain)), (Some(8_453), Some(1)));
    assert_eq!((one.of(&named("ETH_MAINNET")), one.of(&named("MOON_MAINNET"))), (Some(1), None));
    assert_eq!("wh_2=10".parse::<Chains>().unwrap().of(&plain), None);
    assert!("".parse::<Chains>().is_err() && "wh_1".parse::<Chains>().is_err() && "wh_1=x".parse::<Chains>().is_err());
}
