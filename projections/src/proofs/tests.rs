use super::*;
use crate::testkit::Sample;

#[test]
fn a_proof_keeps_every_look_at_the_chain() {
    let sample = Sample::new();
    let rows = sample.fold::<Proofs>(&sample.events());
    let proof = rows.get(sample.proof).unwrap();
    assert_eq!((proof.status, proof.receipt_id), (ProofStatus::ReceiptMapped, Some(sample.receipt)));
    let outcomes: Vec<_> = proof.attempts.iter().map(|attempt| (attempt.attempt, attempt.outcome)).collect();
    assert_eq!(outcomes, [(1, Outcome::Pending), (2, Outcome::Passed)]);
}
