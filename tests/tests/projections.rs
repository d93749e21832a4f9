//! The read models on a real PostgreSQL and a real nats-server: what they show, their rebuilds, erasure, poison events and versions.
//! Each test ends with the same sentence: rebuilt equals live.

use events::vocab::{
    event::{Event, EventType},
    membership::MembershipStatus,
    words::Platform,
};
use hilt_tests::{
    db::Database,
    nats::Nats,
    readers::{PATIENCE, Process, append, samples, until},
};
use projections::{
    Window, entitlements, memberships, payment_sessions, payments, receipts,
    runner::{Applied, Definition, Handler, HandlerError, Keys, Poison, Progress, Projection, Rows, Start, State, Subscription},
    testkit::{START, Sample},
    tickets,
};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_shows_in_every_read_model() {
    let (database, nats) = (Database::fresh().await, Nats::start());
    let process = Process::start(&database, &nats).await;
    let (sample, position) = samples(process.log(), 3).await;
    process.caught_up(position).await;
    process.relayed(position).await;

    let (reader, owner) = (process.reader(), sample.owner);
    let payment = payments::find(&reader, owner, sample.payment).await.unwrap().unwrap();
    assert_eq!((payment.status, payment.receipt_id), (payments::PaymentStatus::Confirmed, Some(sample.receipt)));
    assert!(payments::find(&reader, events::clock::new_id(), sample.payment).await.unwrap().is_none(), "another owner sees nothing");
    let session = payment_sessions::find(&reader, owner, sample.session).await.unwrap().unwrap();
    assert_eq!(session.email.as_deref(), Some("buyer@example.com"));
    let customer = entitlements::Customer { email: Some("Buyer@Example.com".to_owned()), ..Default::default() };
    let held = entitlements::of_customer(&reader, owner, sample.access_product, false, &customer).await.unwrap();
    assert_eq!(held.iter().map(|row| row.meta.id).collect::<Vec<_>>(), [sample.entitlement.0]);

    let by_handle = memberships::Lookup::Identity("buyer".to_owned());
    let found = memberships::lookup(&reader, owner, &by_handle).await.unwrap();
    assert_eq!(found.len(), 1);
    let standing = found[0].membership.status(START.plus_days(31));
    assert_eq!((standing, found[0].product_title.as_deref()), (MembershipStatus::Grace, Some("Inner Circle")));
    assert_eq!((found[0].membership.platform, found[0].receipt_id), (Some(Platform::Telegram), Some(sample.receipt)));
    let by_transaction = memberships::Lookup::Transaction(sample.tx);
    let found = memberships::lookup(&reader, owner, &by_transaction).await.unwrap();
    assert_eq!(found[0].membership.status(START), MembershipStatus::Active);
    let filter = memberships::Filter { platform: Some(Platform::Telegram), q: Some("@BUY".to_owned()), ..Default::default() };
    assert_eq!(memberships::list(&reader, owner, &filter, Window::first(10), START).await.unwrap().total, 1);

    let filter = receipts::Filter { q: Some(sample.tx.to_string()[..12].to_lowercase()), ..Default::default() };
    let page = receipts::list(&reader, owner, true, &filter, Window::first(10)).await.unwrap();
    assert_eq!((page.total, page.items[0].meta.id), (1, sample.receipt.0));
    let after = Window { after: Some((page.items[0].meta.created_at, page.items[0].meta.id)), ..Window::first(10) };
    assert!(receipts::list(&reader, owner, true, &filter, after).await.unwrap().items.is_empty());

    let ticket = tickets::find(&reader, owner, &format!("hilt_ticket_{}", sample.ticket)).await.unwrap().unwrap();
    assert_eq!(ticket.messages.len(), 2);
    let due = projections::webhook_deliveries::due(&reader, START.plus_seconds(6), 10).await.unwrap();
    assert_eq!(due.len(), 3, "the due deliveries of all owners");
    process.rebuilt_equals_live().await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_under_load_is_invisible_and_exact() {
    let (database, nats) = (Database::fresh().await, Nats::start());
    let process = Process::start(&database, &nats).await;
    let (known, position) = samples(process.log(), 10).await;
    process.caught_up(position).await;

    let busy = Arc::new(AtomicBool::new(true));
    let (log, going) = (process.log().clone(), busy.clone());
    let load = tokio::spawn(async move {
        let mut last = 0;
        while going.load(Ordering::SeqCst) {
            last = samples(&log, 1).await.1;
        }
        last
    });
    let (reader, going) = (process.reader(), busy.clone());
    let reads = tokio::spawn(async move {
        let mut count = 0;
        while going.load(Ordering::SeqCst) {
            let row = payments::find(&reader, known.owner, known.payment).await.unwrap();
            assert!(row.is_some(), "a reader never sees half a rebuild");
            count += 1;
        }
        count
    });
    for _ in 0..3 {
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = told.clone();
        let progress = Progress::new(move |done| tell.lock().unwrap().push(done));
        let rebuilt = process.projections.rebuild("payments", progress).await.unwrap();
        assert!(rebuilt.checkpoint.is_some() && !told.lock().unwrap().is_empty());
        process.projections.rebuild("payment_sessions", Progress::silent()).await.unwrap();
    }
    busy.store(false, Ordering::SeqCst);
    assert!(reads.await.unwrap() > 10);
    let position = load.await.unwrap();
    process.caught_up(position).await;
    process.rebuilt_equals_live().await;
    let digest = process.projections.digest("payments").await.unwrap();
    process.projections.rebuild("payments", Progress::silent()).await.unwrap();
    assert_eq!(process.projections.digest("payments").await.unwrap(), digest);
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn erasure_reaches_every_read_model() {
    let (database, nats) = (Database::fresh().await, Nats::start());
    let process = Process::start(&database, &nats).await;
    let (sample, position) = samples(process.log(), 1).await;
    process.caught_up(position).await;
    process.log().vault().erase(sample.subject).await.unwrap();
    let position = append(process.log(), sample.owner, &[sample.erased()]).await;
    process.caught_up(position).await;
    let (reader, owner) = (process.reader(), sample.owner);
    let session = payment_sessions::find(&reader, owner, sample.session).await.unwrap().unwrap();
    assert_eq!((session.email, session.external_customer_id, session.metadata), (None, None, None));
    let entitlement = entitlements::find(&reader, owner, sample.entitlement).await.unwrap().unwrap();
    assert_eq!((entitlement.email, entitlement.identity_display), (None, None));
    let ticket = tickets::find(&reader, owner, &format!("hilt_ticket_{}", sample.ticket)).await.unwrap().unwrap();
    assert!(ticket.subject.is_none() && ticket.messages.iter().all(|message| message.body.is_none()));
    let delivery = projections::webhook_deliveries::find(&reader, owner, sample.delivery).await.unwrap().unwrap();
    assert_eq!(delivery.body, None);
    let member = memberships::row(&reader, owner, sample.membership).await.unwrap().unwrap();
    assert_eq!((member.email.as_deref(), member.display(), member.identity_value.as_deref()), (None, None, None));
    for lookup in ["@buyer", "77", "customer-7", "buyer@example.com"] {
        let found = memberships::lookup(&reader, owner, &memberships::Lookup::Identity(lookup.to_owned())).await.unwrap();
        assert!(found.is_empty(), "{lookup} still finds the erased member");
    }
    // Compared with a fold that never could read the person's data.
    process.rebuilt_equals_live().await;
    process.stop().await;
}

/// `tickets` under another name, whose code fails for an opened ticket, or does not, or is a version further.
struct Odd<const FAILS: bool, const V: i32>;

impl<const FAILS: bool, const V: i32> Projection for Odd<FAILS, V> {
    const NAME: &'static str = "tickets";
    const VERSION: i32 = V;
    const PERSONAL: bool = true;
    const SCHEMA: &'static str = tickets::Tickets::SCHEMA;
    const LOAD: &'static str = tickets::Tickets::LOAD;
    const SAVE: &'static str = tickets::Tickets::SAVE;
    const SCAN: &'static str = tickets::Tickets::SCAN;
    type Row = tickets::Ticket;
    fn handles(event_type: EventType) -> bool {
        tickets::Tickets::handles(event_type)
    }
    fn keys(event: &Event) -> Keys {
        tickets::Tickets::keys(event)
    }
    fn apply(rows: &mut Rows<tickets::Ticket>, event: &Applied<'_>) -> Result<(), Poison> {
        if FAILS && matches!(event.event, Event::TicketOpened(_)) {
            return Err(Poison::Rule("tickets cannot be opened"));
        }
        tickets::Tickets::apply(rows, event)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_event_stops_one_projection_visibly_until_the_code_is_fixed() {
    let (database, nats) = (Database::fresh().await, Nats::start());
    let receipts = Definition::of::<receipts::Receipts>();
    let process = Process::start_with(&database, &nats, &[Definition::of::<Odd<true, 1>>(), receipts]).await;
    let (_, position) = samples(process.log(), 2).await;
    process.projections.wait_for("receipts", position, PATIENCE).await.unwrap();
    let state = || process.projections.health()[0].clone();
    until("it says so", || matches!(state().state, State::Poisoned { .. })).await;
    let State::Poisoned { position: at, event_id, reason } = state().state else { unreachable!() };
    assert_eq!((state().checkpoint, reason.as_str()), (Some(at - 1), "tickets cannot be opened"));
    let admin = database.admin_pool().await;
    let letter = || async {
        sqlx::query_as::<_, (i64, uuid::Uuid, bool)>(
            "SELECT position, event_id, resolved_at IS NOT NULL FROM projections.dead_letters WHERE name = 'tickets'",
        )
        .fetch_optional(&admin)
        .await
        .unwrap()
    };
    let begun = Instant::now();
    while letter().await.is_none() && begun.elapsed() < PATIENCE {
        sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(letter().await, Some((at as i64, event_id.0, false)));
    // The others go on.
    let (_, position) = samples(process.log(), 2).await;
    process.projections.wait_for("receipts", position, PATIENCE).await.unwrap();
    assert_eq!(state().checkpoint, Some(at - 1));
    process.stop().await;

    let process = Process::start_with(&database, &nats, &[Definition::of::<Odd<false, 1>>(), receipts]).await;
    process.caught_up(position).await;
    let begun = Instant::now();
    while letter().await != Some((at as i64, event_id.0, true)) {
        assert!(begun.elapsed() < PATIENCE, "the dead letter is marked as resolved");
        sleep(Duration::from_millis(20)).await;
    }
    process.rebuilt_equals_live().await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_is_built_beside_the_old_and_the_old_program_steps_aside() {
    let (database, nats) = (Database::fresh().await, Nats::start());
    let old = Process::start_with(&database, &nats, &[Definition::of::<Odd<false, 1>>()]).await;
    let (sample, position) = samples(old.log(), 3).await;
    old.caught_up(position).await;
    let new = Process::start_with(&database, &nats, &[Definition::of::<Odd<false, 2>>()]).await;
    until("the new one is live", || new.projections.health()[0].state == State::Live).await;
    until("the old one steps aside", || old.projections.health()[0].state == State::Superseded).await;
    let position = append(new.log(), sample.owner, &Sample::of(sample.owner, sample.subject).around()).await;
    new.caught_up(position).await;
    new.rebuilt_equals_live().await;
    let versions: Vec<(i32, String)> = sqlx::query_as("SELECT version, state FROM projections.slots ORDER BY version")
        .fetch_all(&database.admin_pool().await)
        .await
        .unwrap();
    assert_eq!(versions, [(1, "retired".to_owned()), (2, "live".to_owned())]);
    old.stop().await;
    new.stop().await;
}

/// Notes what it is given, and fails now and then.
struct Noting {
    seen: Arc<Mutex<Vec<u64>>>,
    calls: usize,
}

impl Handler for Noting {
    fn handles(&self, event_type: EventType) -> bool {
        event_type == EventType::ReceiptCreated
    }
    async fn handle(&mut self, batch: &[Applied<'_>]) -> Result<(), HandlerError> {
        self.calls += 1;
        self.seen.lock().unwrap().extend(batch.iter().map(|applied| applied.recorded.position));
        if self.calls % 2 == 1 { Err(HandlerError("not now".to_owned())) } else { Ok(()) }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_gets_every_event_in_order_at_least_once() {
    let (database, nats) = (Database::fresh().await, Nats::start());
    let process = Process::start_with(&database, &nats, &[]).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (_, first) = samples(process.log(), 2).await;
    for _ in 0..2 {
        let subscription = Subscription::new(process.deps.clone(), "noting", Start::Beginning);
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(subscription.clone().run(Noting { seen: seen.clone(), calls: 0 }, shutdown.clone()));
        let (_, position) = samples(process.log(), 3).await;
        until("it is there", || subscription.health().checkpoint == Some(position)).await;
        shutdown.cancel();
        timeout(PATIENCE, running).await.unwrap().unwrap();
    }
    let seen = seen.lock().unwrap().clone();
    let all = process.log().read(0, 10_000).await.unwrap();
    let expected: BTreeSet<u64> =
        all.iter().filter(|one| one.envelope.event_type == EventType::ReceiptCreated).map(|one| one.position).collect();
    assert_eq!(seen.iter().copied().collect::<BTreeSet<_>>(), expected);
    let mut firsts = seen.clone();
    let mut known = BTreeSet::new();
    firsts.retain(|position| known.insert(*position));
    assert!(firsts.is_sorted() && seen.len() > firsts.len() && first > 0);
    process.stop().await;
}
