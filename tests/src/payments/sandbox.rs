//! A payment without money.

use super::{Shop, activate, context, customer, decided, pend, stream};
use events::{
    clock::new_id,
    log::Log,
    unit::Unit,
    vocab::{
        bytes::Hash32,
        event::{EntitlementOrigin, Event},
        id::{EntitlementId, SandboxSessionId},
        rail::RailId,
        stream::Category,
    },
};
use ledger::{
    Cited,
    entitlement::Entitlement,
    evidence::{Evidence, SandboxEvidence},
    sandbox_session,
    sandbox_session::SandboxSession,
};

/// A complete sandbox session of a sandbox shop; the entitlement that it activated.
pub async fn sandbox(log: &Log, shop: &Shop) -> (SandboxSessionId, EntitlementId) {
    let (session_id, entitlement_id): (SandboxSessionId, EntitlementId) = (new_id(), new_id());
    let subject_id = log.vault().new_subject(shop.owner_id).await.unwrap();
    let (now, proof_hash) = (log.clock().now(), Hash32::of(b"proof"));
    let correlation_id = new_id();
    let mut unit = Unit::new(log, context(shop.owner_id, false, correlation_id));
    let mut session = unit.start::<SandboxSession>(stream(Category::SandboxSession, session_id));
    let create = sandbox_session::Create {
        sandbox_session_id: session_id,
        access_product_id: shop.access_product_id,
        product_id: shop.product_id,
        entitlement_id,
        subject_id,
        wallet: None,
        rail_id: RailId::SolanaUsdc,
        sandbox_enabled: true,
        sandbox_mode_confirmed: true,
        proof_hash,
        expires_at: now.plus_seconds(1_800),
        test_clock_id: None,
        personal: customer(),
    };
    let created = unit.decide(&mut session, sandbox_session::Command::Create(Box::new(create)), None).unwrap()[0];
    let mut entitlement = unit.start::<Entitlement>(stream(Category::Entitlement, entitlement_id));
    let origin = EntitlementOrigin::Sandbox { sandbox_session_id: session_id, test_clock_id: None };
    unit.decide(&mut entitlement, pend(shop, entitlement_id, subject_id, origin), Some(created)).unwrap();
    unit.commit().await.unwrap();

    let mut unit = Unit::new(log, context(shop.owner_id, false, correlation_id));
    let mut session = unit.load::<SandboxSession>(session.stream).await.unwrap();
    let confirmed = unit.decide(&mut session, sandbox_session::Command::Confirm { proof_hash, now }, Some(created)).unwrap()[0];
    let SandboxSession::Confirmed { session: facts, .. } = &session.state else { panic!("the session is confirmed") };
    let Event::SandboxSessionConfirmed(confirmation) = decided(&unit, confirmed) else { panic!("the right proof confirms") };
    let evidence = SandboxEvidence {
        owner_id: shop.owner_id,
        livemode: false,
        session: (**facts).clone(),
        confirmed: Cited::new(confirmed, confirmation),
    };
    activate(&mut unit, shop, entitlement_id, Evidence::Sandbox(Box::new(evidence)), confirmed, (now, None)).await;
    unit.commit().await.unwrap();
    (session_id, entitlement_id)
}
