//! The check's index against PostgreSQL over random histories: sessions on several rails, payments, renewals, gifts, revocations,
//! expiry, erasures, the sandbox with its clocks, several merchants and people with several identities, and time that passes. The events are written
//! past the deciders, so that states meet which the service would hardly ever bring together.

use events::{
    clock::random_bytes,
    log::{Append, Context, Expected, NewEvent, StreamWrite},
    vocab::{
        bytes::SolanaAddress,
        event::*,
        id::*,
        personal::Personal,
        rail::RailId,
        stream::{Actor, Category, StreamId},
        time::Timestamp,
        words::PaymentProtocol,
    },
};
use hilt_tests::{app::TestApp, checks::same_answers};
use projections::testkit::{Sample, Written};
use std::collections::{BTreeMap, HashMap};
use uuid::Uuid;

/// A generator that a failed history can be made again with.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
    fn one_in(&mut self, sides: usize) -> bool {
        self.roll(sides) == 0
    }
}

/// A product of a merchant, and its mode.
#[derive(Clone, Copy)]
struct Sold {
    sample: Sample,
    live: bool,
}

/// An entitlement that was begun.
#[derive(Clone, Copy)]
struct Open {
    sold: Sold,
    sample: Sample,
    paid: bool,
}

struct World {
    app: TestApp,
    dice: Dice,
    sold: Vec<Sold>,
    open: Vec<Open>,
    /// Until when each membership is paid, and its last entitlement.
    members: HashMap<Uuid, (Timestamp, Open)>,
    /// What the clock of each merchant's sandbox shows.
    clocks: BTreeMap<TestClockId, (Sold, Timestamp)>,
}

impl World {
    async fn begin(seed: u64) -> Self {
        // Without workers: what they would do at its time is among what happens here anyway.
        let app = TestApp::start(&[("HILT_ROLES", "api,relay,projections")]).await;
        let mut world =
            World { app, dice: Dice(seed | 1), sold: Vec::new(), open: Vec::new(), members: HashMap::new(), clocks: BTreeMap::new() };
        for merchant in 0..2_u8 {
            let owner: OwnerId = if merchant == 0 { world.app.owner } else { events::clock::new_id() };
            for (number, live) in [true, true, false].into_iter().enumerate() {
                let subject = world.app.state.vault.new_subject(owner).await.unwrap();
                let sample = Sample::of(owner, subject);
                let sample = Sample { setting: RailSettingId(events::clock::new_id()), ..sample };
                let mut events = sample.set_up();
                for written in &mut events {
                    if let Event::AccessProductCreated(e) = &mut written.event {
                        // Merchants choose the same names.
                        e.external_product_id = format!("product-{number}");
                        e.default_rail = if number == 1 { RailId::X402 } else { RailId::SolanaUsdc };
                    }
                }
                let sold = Sold { sample, live };
                world.append(&sold, &events).await;
                world.sold.push(sold);
            }
        }
        world
    }

    async fn append(&self, sold: &Sold, events: &[Written]) {
        let new = |written: &Written| NewEvent {
            event_id: written.event_id,
            event: written.event.clone(),
            personal: written.personal.clone(),
            causation_id: None,
        };
        let write = |written: &Written| StreamWrite { stream: written.stream, expected: Expected::Any, events: vec![new(written)] };
        let context = Context {
            owner_id: Some(sold.sample.owner),
            livemode: sold.live,
            actor: Actor::system("test"),
            request_id: None,
            correlation_id: sold.sample.owner.0,
        };
        let append = Append { context, writes: events.iter().map(write).collect(), idempotency: None };
        self.app.state.log.append(append).await.unwrap();
    }

    async fn append_new(&self, sold: &Sold, id: impl Into<Uuid>, event: impl Into<Event>) {
        let event = event.into();
        let stream = StreamId::new(event.event_type().category(), id);
        self.append(sold, &[Written { stream, event_id: events::clock::new_id(), event, personal: None }]).await;
    }

    async fn step(&mut self) {
        match self.dice.roll(15) {
            0..=3 => self.ask().await,
            4..=6 => self.pay().await,
            7 => self.gift().await,
            8 => self.revoke_membership().await,
            9 => self.end_entitlement().await,
            10 => self.lapse_membership().await,
            11 if self.dice.one_in(3) => self.erase().await,
            12 => self.app.clock.advance_seconds(86_400 * i64::try_from(self.dice.roll(20)).unwrap()),
            13 => self.advance_clock().await,
            _ => self.ask().await,
        }
    }

    /// The clock of a merchant's sandbox, made when it is first wanted.
    async fn clock(&mut self, sold: Sold) -> TestClockId {
        let id = TestClockId(sold.sample.app.0);
        if !self.clocks.contains_key(&id) {
            let frozen_time = self.app.clock.now();
            self.append_new(&sold, id, TestClockCreated { test_clock_id: id, name: None, frozen_time }).await;
            self.clocks.insert(id, (sold, frozen_time));
        }
        id
    }

    /// Time goes on for what hangs on one of the clocks.
    async fn advance_clock(&mut self) {
        let days = i64::try_from(self.dice.roll(40)).unwrap() + 1;
        let Some(id) = self.clocks.keys().nth(self.dice.roll(2)).copied() else { return };
        let (sold, from) = self.clocks[&id];
        let frozen_time = from.plus_seconds(86_400 * days);
        self.append_new(&sold, id, TestClockAdvanced { test_clock_id: id, from, frozen_time }).await;
        self.clocks.insert(id, (sold, frozen_time));
    }

    /// Somebody opens a session, live or in the sandbox.
    async fn ask(&mut self) {
        let sold = self.sold[self.dice.roll(self.sold.len())];
        let id = self.dice.one_in(2).then(|| format!("customer-{}", self.dice.roll(4)));
        let wallet = self.dice.one_in(2).then(|| SolanaAddress([u8::try_from(self.dice.roll(3)).unwrap() + 1; 32]).to_string());
        let email = (id.is_none() && wallet.is_none() || self.dice.one_in(2)).then(|| format!("buyer-{}@example.com", self.dice.roll(4)));
        let named = [("external_customer_id", &id), ("wallet", &wallet), ("email", &email)];
        let identities: Vec<_> = named.iter().filter_map(|(kind, value)| value.as_deref().map(|value| (*kind, value))).collect();
        let subject = self.app.state.vault.resolve_subject(sold.sample.owner, &identities).await.unwrap();
        let Sample { product, app, access_product, .. } = sold.sample;
        let membership = MembershipId::of(product, subject);
        let sample = Sample { product, app, access_product, membership, ..Sample::of(sold.sample.owner, subject) };
        let personal = Personal { external_customer_id: id, email, ..Personal::default() };
        let rail = [RailId::SolanaUsdc, RailId::SolanaUsdc, RailId::X402][self.dice.roll(3)];
        let protocol = self.dice.one_in(3).then_some(PaymentProtocol::X402);
        let test_clock_id = match !sold.live && self.dice.one_in(2) {
            true => Some(self.clock(sold).await),
            false => None,
        };
        let mut events = sample.asked();
        for written in &mut events {
            match &mut written.event {
                Event::PaymentSessionCreated(e) => (e.wallet, e.payment_protocol) = (wallet.clone(), protocol),
                Event::EntitlementPended(e) => {
                    (e.wallet, e.rail_id) = (wallet.clone(), rail);
                    written.personal = Some((subject, personal.clone()));
                    if !sold.live {
                        e.origin = EntitlementOrigin::Sandbox { sandbox_session_id: SandboxSessionId(sample.session.0), test_clock_id };
                    }
                }
                _ => {}
            }
        }
        if !sold.live {
            events.retain(|written| matches!(written.event, Event::EntitlementPended(_)));
        }
        self.append(&sold, &events).await;
        self.open.push(Open { sold, sample, paid: false });
    }

    /// A session is paid for, in one append with all that follows from it.
    async fn pay(&mut self) {
        let waiting: Vec<usize> = (0..self.open.len()).filter(|at| !self.open[*at].paid).collect();
        if waiting.is_empty() {
            return;
        }
        let at = waiting[self.dice.roll(waiting.len())];
        self.open[at].paid = true;
        let open = self.open[at];
        let now = self.app.clock.now();
        let sandbox_session_id = SandboxSessionId(open.sample.session.0);
        let before = self.members.get(&open.sample.membership.0).map(|(until, _)| *until);
        let start = before.map_or(now, |until| until.max(now));
        let mut events = open.sample.paid();
        for written in &mut events {
            written.personal = None;
            match &mut written.event {
                Event::MembershipActivated(e) if before.is_some() => {
                    let e = e.clone();
                    written.event = MembershipRenewed {
                        membership_id: e.membership_id,
                        product_id: e.product_id,
                        subject_id: e.subject_id,
                        wallet: e.wallet,
                        payment_id: e.payment_id,
                        tx_signature: e.tx_signature,
                        period_start: start,
                        period_end: start.plus_days(30),
                        grace_period_days: 3,
                        renewal_reminder_offsets_days: vec![],
                        platform: None,
                        payment_event: e.payment_event,
                    }
                    .into();
                }
                Event::MembershipActivated(e) => (e.period_start, e.period_end) = (now, now.plus_days(30)),
                Event::EntitlementActivated(e) => {
                    (e.active_from, e.expires_at) = (now, start.plus_days(30));
                    if !open.sold.live {
                        e.evidence = ActivationEvidence::Sandbox { sandbox_session_id, confirmed_event: events::clock::new_id() };
                    }
                }
                _ => {}
            }
        }
        let member = !self.dice.one_in(5);
        events.retain(|written| match written.event {
            Event::EntitlementActivated(_) => true,
            Event::MembershipActivated(_) | Event::MembershipRenewed(_) => open.sold.live && member,
            _ => open.sold.live,
        });
        self.append(&open.sold, &events).await;
        if open.sold.live && member {
            self.members.insert(open.sample.membership.0, (start.plus_days(30), open));
        }
    }

    fn a_member(&mut self) -> Option<(Uuid, events::vocab::time::Timestamp, Open)> {
        let mut all: Vec<_> = self.members.iter().map(|(id, (until, open))| (*id, *until, *open)).collect();
        all.sort_by_key(|(id, ..)| *id);
        (!all.is_empty()).then(|| all[self.dice.roll(all.len())])
    }

    async fn gift(&mut self) {
        let Some((id, until, open)) = self.a_member() else { return };
        let days = u32::try_from(self.dice.roll(9)).unwrap() + 1;
        let period_end = until.max(self.app.clock.now()).plus_days(days);
        self.append_new(&open.sold, id, MembershipGifted { membership_id: id.into(), days, period_end }).await;
        let renewed = EntitlementRenewed {
            entitlement_id: open.sample.entitlement,
            access_product_id: open.sample.access_product,
            expires_at: period_end,
            membership_event: events::clock::new_id(),
        };
        self.append_new(&open.sold, open.sample.entitlement, renewed).await;
        self.members.insert(id, (period_end, open));
    }

    async fn revoke_membership(&mut self) {
        let Some((id, _, open)) = self.a_member() else { return };
        let revoked_at = self.app.clock.now();
        let revoked = MembershipRevoked { membership_id: id.into(), reason: "refund".into(), revoked_at };
        self.append_new(&open.sold, id, revoked).await;
        if self.dice.one_in(2) {
            let entitlement_id = open.sample.entitlement;
            self.append_new(&open.sold, entitlement_id, EntitlementRevoked { entitlement_id, reason: "refund".into() }).await;
        }
    }

    async fn lapse_membership(&mut self) {
        let Some((id, period_end, open)) = self.a_member() else { return };
        let grace_end = period_end.plus_days(3);
        let membership_id = id.into();
        match self.dice.one_in(2) {
            true => self.append_new(&open.sold, id, MembershipEnteredGrace { membership_id, period_end, grace_end }).await,
            false => {
                let expired = MembershipExpired {
                    membership_id,
                    product_id: open.sample.product,
                    access_product_id: Some(open.sample.access_product),
                    subject_id: open.sample.subject,
                    payment_id: open.sample.payment,
                    period_end,
                    expired_at: self.app.clock.now(),
                };
                self.append_new(&open.sold, id, expired).await;
            }
        }
    }

    async fn end_entitlement(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let open = self.open[self.dice.roll(self.open.len())];
        let entitlement_id = open.sample.entitlement;
        let reason = "staff".to_owned();
        match (open.paid, self.dice.one_in(2)) {
            (false, _) => self.append_new(&open.sold, entitlement_id, EntitlementFailed { entitlement_id, reason }).await,
            (true, true) => self.append_new(&open.sold, entitlement_id, EntitlementRevoked { entitlement_id, reason }).await,
            (true, false) => {
                let expired = EntitlementExpired { entitlement_id, expired_at: self.app.clock.now() };
                self.append_new(&open.sold, entitlement_id, expired).await;
            }
        }
    }

    async fn erase(&mut self) {
        if self.open.is_empty() {
            return;
        }
        let open = self.open[self.dice.roll(self.open.len())];
        let subject_id = open.sample.subject;
        if self.app.state.vault.erase(subject_id).await.unwrap() {
            let stream = StreamId::new(Category::Subject, subject_id);
            let event = SubjectErased { subject_id, reason: "asked".into(), approval: None }.into();
            self.append(&open.sold, &[Written { stream, event_id: events::clock::new_id(), event, personal: None }]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn over_any_history_the_index_answers_what_postgresql_does() {
    let seed = u64::from_le_bytes(random_bytes());
    println!("seed {seed}");
    let mut world = World::begin(seed).await;
    let mut given: BTreeMap<String, usize> = BTreeMap::new();
    for round in 0..6 {
        for _ in 0..40 {
            world.step().await;
        }
        for (reason, times) in same_answers(&world.app.state, if round == 5 { 24 } else { 6 }).await {
            *given.entry(reason).or_default() += times;
        }
    }
    let asked: usize = given.values().sum();
    assert!(asked > 500 && given.len() >= 7, "the questions were too few or too much alike: {given:?}");
    let fallen_back = world.app.get_public("/readyz").await.body["access_index"]["fallbacks"].clone();
    assert!(fallen_back.as_u64().unwrap() < 50, "the index itself was hardly asked: {fallen_back} of {asked}");
    world.app.rebuilt_equals_live().await;
    world.app.end().await;
}
