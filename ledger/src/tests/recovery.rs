use crate::{
    attestation::{self, Attestation},
    recovery::{self, Recovery},
};
use events::{
    decider::Decider as _,
    vocab::{
        bytes::{Hash32, Signature64, SolanaAddress},
        event::{Asset, AttestedBalance, Event, RecoveryCertified, StateAttested},
        id::{AttestationId, RecoveryId},
        money::Total,
        words::Account,
    },
};

fn line(account: Account, debit: u64, credit: u64) -> AttestedBalance {
    let asset = Asset { symbol: "USDC".into(), decimals: 6, mint: SolanaAddress([9; 32]) };
    AttestedBalance { asset, livemode: true, account, debit: Total(debit), credit: Total(credit) }
}

fn attested(trial_balance: Vec<AttestedBalance>) -> StateAttested {
    let root = Hash32([7; 32]);
    StateAttested {
        attestation_id: AttestationId::of(41, &root),
        at_position: 41,
        form: "form".into(),
        root,
        projections: vec![],
        trial_balance,
    }
}

fn attest(events: &[Event], attested: StateAttested) -> Result<usize, attestation::Rejection> {
    let state = Attestation::fold(events);
    Attestation::decide(&state, attestation::Command::Attest(Box::new(attested))).map(|facts| facts.len())
}

#[test]
fn a_root_is_attested_once_at_a_position() {
    let balanced = attested(vec![line(Account::Buyer, 5, 0), line(Account::Merchant, 0, 5)]);
    assert_eq!(attest(&[], balanced.clone()), Ok(1));
    assert_eq!(attest(&[balanced.clone().into()], balanced.clone()), Ok(0), "the same is nothing new");
    let elsewhere = StateAttested { at_position: 42, ..balanced };
    assert_eq!(attest(&[], elsewhere), Err(attestation::Rejection::OtherId));
}

#[test]
fn a_trial_balance_that_does_not_balance_is_never_attested() {
    let rejection = Err(attestation::Rejection::Unbalanced);
    assert_eq!(attest(&[], attested(vec![line(Account::Buyer, 5, 0), line(Account::Merchant, 0, 4)])), rejection);
    let mut sandbox = line(Account::Merchant, 0, 5);
    sandbox.livemode = false;
    assert_eq!(attest(&[], attested(vec![line(Account::Buyer, 5, 0), sandbox])), rejection, "modes do not make up for one another");
}

#[test]
fn a_recovery_is_certified_once_by_somebody_whose_id_says_nothing() {
    let certified = |operator: &str, json: &str| RecoveryCertified {
        recovery_id: RecoveryId(uuid::Uuid::from_u128(1)),
        operator: operator.into(),
        operator_key: Hash32([1; 32]),
        certificate_json: json.into(),
        certificate_hash: Hash32::of(json),
        ed25519_sig: Signature64([2; 64]),
    };
    let decide = |state: &Recovery, certified: RecoveryCertified| {
        Recovery::decide(state, recovery::Command::Certify(Box::new(certified))).map(|facts| facts.len())
    };
    assert_eq!(decide(&Recovery::Absent, certified("staff-1", "{}")), Ok(1));
    for name in ["", "Ana Example", "ana@example.com", "ÄNA"] {
        assert_eq!(decide(&Recovery::Absent, certified(name, "{}")), Err(recovery::Rejection::OperatorInvalid), "{name}");
    }
    let forged = RecoveryCertified { certificate_json: "{\"a\":1}".into(), ..certified("staff-1", "{}") };
    assert_eq!(decide(&Recovery::Absent, forged), Err(recovery::Rejection::HashMismatch));
    let on_record = Recovery::fold(&[certified("staff-1", "{}").into()]);
    assert_eq!(decide(&on_record, certified("staff-1", "{}")), Ok(0));
    assert_eq!(decide(&on_record, certified("staff-2", "{}")), Err(recovery::Rejection::AlreadyCertified));
}
