use super::*;
use crate::testkit::{Sample, Written, hash};
use events::{
    clock::new_id,
    vocab::{
        event::{AttestedBalance, FeeDue, PaymentCreated, SettlementEvidenced},
        money::{FeeBps, Minor, Total},
        words::Account,
    },
};

fn minor(units: u64) -> Minor {
    Minor::new(units).unwrap()
}

/// The payment's own events, with the fee from that source.
fn paid(sample: &Sample, fee_source: FeeSource) -> Vec<Written> {
    let mut events: Vec<Written> = sample.asked().into_iter().chain(sample.paid()).collect();
    for written in &mut events {
        if let Event::PaymentCreated(created) = &mut written.event {
            created.fee_source = fee_source;
        }
    }
    events
}

fn fee_due(sample: &Sample, events: &[Written]) -> Written {
    let created = events.iter().find_map(|written| match &written.event {
        Event::PaymentCreated(created) => Some(created.clone()),
        _ => None,
    });
    let PaymentCreated { payment_id, session_id, product_id, access_product_id, fee_amount, asset, fee_bps, fee_policy, .. } =
        created.unwrap();
    let due = FeeDue {
        payment_id,
        session_id,
        product_id,
        access_product_id,
        amount: fee_amount,
        asset,
        fee_bps,
        fee_policy,
        tx_signature: sample.tx,
        settlement_event: new_id(),
    };
    sample.at(due, payment_id)
}

fn balance(rows: &Rows<PaymentJournal>) -> Vec<AttestedBalance> {
    let mut balance = TrialBalance::default();
    rows.iter().for_each(|row| balance.add(row).unwrap());
    balance.lines()
}

fn sides(lines: &[AttestedBalance]) -> Vec<(Account, u64, u64)> {
    lines.iter().map(|line| (line.account, line.debit.0, line.credit.0)).collect()
}

#[test]
fn a_payment_that_nobody_pays_moves_nothing() {
    let sample = Sample::new();
    let rows = sample.fold::<Journal>(&sample.asked());
    assert_eq!(rows.get(sample.payment).unwrap().entries, []);
    assert_eq!(balance(&rows), []);
}

#[test]
fn a_settlement_goes_from_the_buyer_to_merchant_and_fee() {
    let sample = Sample::new();
    let rows = sample.fold::<Journal>(&paid(&sample, FeeSource::BuyerTransfer));
    let entries = &rows.get(sample.payment).unwrap().entries;
    assert_eq!(entries.iter().map(|entry| entry.event.as_str()).collect::<Vec<_>>(), ["settlement.evidenced"]);
    let lines = balance(&rows);
    assert_eq!(
        sides(&lines),
        [(Account::Buyer, 25_000_000, 0), (Account::Merchant, 0, 24_750_000), (Account::Fee, 0, 250_000)],
        "MON-14's example at 100 basis points"
    );
    assert!(lines.iter().all(|line| line.livemode && line.asset.symbol == "USDC"));
}

#[test]
fn a_fee_that_the_merchant_owes_is_a_debt_beside_a_payment_that_reached_him_whole() {
    let sample = Sample::new();
    let mut events = paid(&sample, FeeSource::MerchantReceivable);
    events.push(fee_due(&sample, &events));
    let rows = sample.fold::<Journal>(&events);
    let expected = [
        (Account::Buyer, 25_000_000, 0),
        (Account::Merchant, 0, 25_000_000),
        (Account::Fee, 0, 250_000),
        (Account::Receivable, 250_000, 0),
    ];
    let lines = balance(&rows);
    assert_eq!(sides(&lines), expected);
    assert_eq!(TrialBalance::unbalanced(&lines), None);
}

fn poison(sample: &Sample, events: &[Written]) -> Option<Poison> {
    let mut rows = Rows::complete();
    sample
        .record(events)
        .iter()
        .filter(|(_, event, _)| Journal::handles(event.event_type()))
        .find_map(|(recorded, event, _)| Journal::apply(&mut rows, &Applied { recorded, event, personal: None }).err())
}

#[test]
fn what_does_not_balance_is_not_entered() {
    let sample = Sample::new();
    let events = paid(&sample, FeeSource::BuyerTransfer);
    assert_eq!(poison(&sample, &events), None);
    let mut twice = events.clone();
    twice.extend(events.iter().filter(|written| matches!(written.event, Event::SettlementEvidenced(_))).cloned());
    assert_eq!(poison(&sample, &twice), Some(Poison::Rule("a payment settles once and owes its fee once")));
    let mut short = events.clone();
    for written in &mut short {
        if let Event::SettlementEvidenced(settled) = &mut written.event {
            settled.merchant_amount = minor(1);
        }
    }
    assert_eq!(poison(&sample, &short), Some(Poison::Rule("the parts of a settlement are not its whole")));
    let foreign = [
        events.clone(),
        vec![{
            let mut due = fee_due(&sample, &events);
            if let Event::FeeDue(due) = &mut due.event {
                due.asset.mint = SolanaAddress([8; 32]);
            }
            due
        }],
    ]
    .concat();
    assert_eq!(poison(&sample, &foreign), Some(Poison::Rule("a fee is owed in the payment's own asset")));
    let postings = |text: &str| serde_json::from_str::<Postings>(text);
    assert!(postings(r#"[{"account":"buyer","debit":2,"credit":0},{"account":"fee","debit":0,"credit":2}]"#).is_ok());
    assert!(postings(r#"[{"account":"buyer","debit":2,"credit":0},{"account":"fee","debit":0,"credit":1}]"#).is_err());
    assert!(postings(r#"[{"account":"buyer","debit":2,"credit":2}]"#).is_err(), "one side at a time");
}

/// Numbers that follow from one another, so that a failure names its seed.
fn numbers(seed: u64) -> impl FnMut() -> u64 {
    let mut state = hash(seed.to_be_bytes());
    move || {
        state = hash(state.0);
        u64::from_be_bytes(state.0[..8].try_into().unwrap())
    }
}

/// A history of payments, some of which settle, at random amounts, rates, assets and sources of the fee.
fn history(seed: u64) -> (Vec<Written>, Vec<SettlementEvidenced>) {
    let mut next = numbers(seed);
    let (mut events, mut settlements) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        let sample = Sample::new();
        let source = if next().is_multiple_of(2) { FeeSource::BuyerTransfer } else { FeeSource::MerchantReceivable };
        let gross = minor((next() % (Minor::MAX.units() + 1)) >> (next() % 53));
        let split = FeeBps::new((next() % 10_001) as u16).unwrap().split(gross);
        let mint = SolanaAddress([(next() % 3) as u8; 32]);
        let settles = !next().is_multiple_of(3);
        let mut of_one = Vec::new();
        for mut written in paid(&sample, source) {
            match &mut written.event {
                Event::PaymentCreated(e) => {
                    (e.amount, e.merchant_amount, e.fee_amount, e.asset.mint) = (gross, split.merchant, split.fee, mint)
                }
                Event::SettlementEvidenced(_) if !settles => continue,
                Event::SettlementEvidenced(e) => {
                    (e.gross, e.merchant_amount, e.fee_amount) = (gross, split.merchant, split.fee);
                    settlements.push(e.clone());
                }
                _ => continue,
            }
            of_one.push(written);
        }
        if settles && source == FeeSource::MerchantReceivable && split.fee != Minor::ZERO {
            of_one.push(fee_due(&sample, &of_one));
        }
        events.extend(of_one);
    }
    (events, settlements)
}

#[test]
fn in_every_history_debits_are_credits_and_the_trial_balance_is_the_sum_of_the_settlements() {
    for seed in 0..200 {
        let (events, settlements) = history(seed);
        let rows = Sample::new().fold::<Journal>(&events);
        for entry in rows.iter().flat_map(|row| &row.entries) {
            let sum = |side: fn(&Posting) -> Minor| entry.postings.iter().map(|posting| u128::from(side(posting).units())).sum::<u128>();
            assert_eq!(sum(|posting| posting.debit), sum(|posting| posting.credit), "seed {seed}");
        }
        let lines = balance(&rows);
        assert_eq!(TrialBalance::unbalanced(&lines), None, "seed {seed}");
        let total = |account| {
            let of_account = lines.iter().filter(|line| line.account == account);
            of_account.fold((0_u128, 0_u128), |sum, line| (sum.0 + u128::from(line.debit.0), sum.1 + u128::from(line.credit.0)))
        };
        let settled = |part: fn(&SettlementEvidenced) -> Minor| settlements.iter().map(|e| u128::from(part(e).units())).sum::<u128>();
        let (fees, owed) = (settled(|e| e.fee_amount), total(Account::Receivable));
        assert_eq!(total(Account::Buyer), (settled(|e| e.gross), 0), "seed {seed}");
        assert_eq!(total(Account::Fee), (0, fees), "seed {seed}");
        assert_eq!(total(Account::Merchant), (0, settled(|e| e.merchant_amount) + owed.0), "seed {seed}: he holds what he owes");
    }
}

#[test]
fn a_sum_beyond_64_bits_is_refused() {
    let sample = Sample::new();
    let rows = sample.fold::<Journal>(&paid(&sample, FeeSource::BuyerTransfer));
    let mut row = rows.get(sample.payment).unwrap().clone();
    let settled = row.entries[0].clone();
    let whole = |account, debit, credit| Posting { account, debit, credit };
    let postings = vec![whole(Account::Buyer, Minor::MAX, Minor::ZERO), whole(Account::Merchant, Minor::ZERO, Minor::MAX)];
    let entry = Entry { postings: Postings::try_from(postings).unwrap(), ..settled };
    row.entries = vec![entry; 2_049];
    assert_eq!(TrialBalance::default().add(&row), Err(SumOutOfRange));
    assert_eq!(Total(u64::MAX).checked_add(minor(1)), None);
}
