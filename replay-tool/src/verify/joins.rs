//! Facts held against each other, key by key: streams without gaps, ids once, demands met, claims held by one.
//!
//! Every part of the keys is looked at by itself, on every core. What is found first in the order of positions, and within one event in
//! the order of the checks, counts.

use super::{
    balance::{Followed, Sums},
    claims,
    facts::{Fact, Kind, NO_TAG, Space, Tag, Tagger},
    lifecycle::Rule,
    store::{ByTag, Store},
};
use crate::class::{Break, BreakClass};
use events::{
    leaf::NO_LEAF,
    vocab::{event::Event, id::EventId, stream::StreamId},
};
use std::{
    collections::hash_map,
    io,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Bytes of facts that one thread joins.
const FEW: u64 = 1 << 20;

/// When in a verification something shows.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Phase {
    /// At an event, in the order of the log.
    Event,
    /// At the log's end.
    End,
    /// In the claims table.
    Table,
}

/// What does not hold, before it is told in words.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Found {
    pub phase: Phase,
    pub position: u64,
    /// Which check, in the order of the checks of one event.
    pub rank: u8,
    pub class: BreakClass,
    pub detail: Detail,
}

/// What to tell of it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Detail {
    /// The whole break, told where it was found.
    Whole(Box<Break>),
    /// The detail; the event is read again for its names.
    Told(String),
    /// The event breaks this rule; what it cites is read from it.
    Rule(Rule),
}

impl Found {
    /// A break that is told already.
    pub fn whole(phase: Phase, rank: u8, broken: Break) -> Self {
        Found { phase, position: broken.position, rank, class: broken.class, detail: Detail::Whole(Box::new(broken)) }
    }
    /// At an event whose names are not at hand any more.
    pub fn of_event(position: u64, rank: u8, class: BreakClass, detail: String) -> Self {
        Found { phase: Phase::Event, position, rank, class, detail: Detail::Told(detail) }
    }
    /// At the log's end.
    pub fn at_end(broken: Break) -> Self {
        Found::whole(Phase::End, 1, broken)
    }
    fn rule(position: u64, rule: Rule) -> Self {
        Found { phase: Phase::Event, position, rank: 3, class: rule.class(), detail: Detail::Rule(rule) }
    }
    fn in_table(position: u64, detail: String) -> Self {
        Found { phase: Phase::Table, position, rank: 0, class: BreakClass::ClaimMismatch, detail: Detail::Told(detail) }
    }
    /// Whether the event must be read again to tell of it.
    pub fn needs_row(&self) -> bool {
        self.phase == Phase::Event && !matches!(self.detail, Detail::Whole(_))
    }
    /// The break, told of an event of that id and stream, which says `event`.
    pub fn named(self, names: Option<(EventId, StreamId)>, event: Option<&Event>) -> Break {
        let Found { class, position, .. } = self;
        let detail = match (self.detail, event) {
            (Detail::Whole(broken), _) => return *broken,
            (Detail::Told(detail), _) => detail,
            (Detail::Rule(rule), Some(event)) => rule.detail(event),
            (Detail::Rule(_), None) => class.meaning().trim().to_owned(),
        };
        match names {
            Some((event_id, stream)) => Break::of(class, position, event_id, stream, detail),
            None => Break::at(class, position, detail),
        }
    }
    fn place(&self) -> (Phase, u64, u8) {
        (self.phase, self.position, self.rank)
    }
}

/// Keeps whichever comes first.
pub(crate) fn earlier(best: &mut Option<Found>, found: Found) {
    if best.as_ref().is_none_or(|best| found.place() < best.place()) {
        *best = Some(found);
    }
}

/// What facts are held against.
#[derive(Clone, Debug)]
pub(crate) struct Joining {
    /// The first event is the log's first: what an event cites must be there.
    pub whole: bool,
    /// The claims table is among the facts.
    pub table: bool,
    /// The tag of no leaf.
    pub no_leaf: Tag,
    /// Where one set of sums of the trial balance ends and the next begins.
    pub cuts: Vec<u64>,
}

impl Joining {
    pub fn new(tagger: &Tagger, whole: bool, table: bool, cuts: Vec<u64>) -> Self {
        Joining { whole, table, cuts, no_leaf: tagger.tag(Space::Leaf, &[&NO_LEAF.0]) }
    }
}

/// What the joins came to.
#[derive(Default, Debug)]
pub(crate) struct Joined {
    /// Number of streams.
    pub streams: u64,
    /// Number of claims held at the end.
    pub claims: u64,
    /// Demands and streams that lead before the first event.
    pub before: u64,
    /// Bytes of facts that did not fit into memory.
    pub spilled: u64,
    /// What payments moved.
    pub sums: Sums,
    /// The first thing that does not hold.
    pub found: Option<Found>,
}

impl Joined {
    fn add(&mut self, other: Joined) {
        self.streams += other.streams;
        self.claims += other.claims;
        self.before += other.before;
        if let Err(detail) = self.sums.add(other.sums) {
            earlier(&mut self.found, Found::at_end(Break::at(BreakClass::TrialBalanceMismatch, 0, detail)));
        }
        if let Some(found) = other.found {
            earlier(&mut self.found, found);
        }
    }
}

/// Holds all facts against each other.
pub(crate) fn run(facts: Store, late: Store, joining: Joining) -> io::Result<Joined> {
    // Few facts are joined sooner than threads are started.
    let threads = if facts.bytes() < FEW { 1 } else { std::thread::available_parallelism().map_or(2, usize::from) };
    let late = Mutex::new(late);
    let mut joined = over_parts(&facts, threads, |part| {
        let (outcome, emitted) = first_round(&facts, part, &joining)?;
        late.lock().map_err(|_| ended_early())?.push(&emitted)?;
        Ok(outcome)
    })?;
    let late = late.into_inner().map_err(|_| ended_early())?;
    joined.add(over_parts(&late, threads, |part| second_round(&late, part, &joining))?);
    joined.spilled = facts.written() + late.written();
    Ok(joined)
}

fn ended_early() -> io::Error {
    io::Error::other("a joining thread ended early")
}

/// Does `each` for every part, on several threads, and adds up what comes of it.
fn over_parts(store: &Store, threads: usize, each: impl Fn(usize) -> io::Result<Joined> + Sync) -> io::Result<Joined> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Joined::default();
        loop {
            let part = next.fetch_add(1, Ordering::Relaxed);
            if part >= store.parts() {
                return Ok(done);
            }
            done.add(each(part)?);
        }
    };
    if threads == 1 {
        return work();
    }
    std::thread::scope(|scope| {
        let started: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut all = Joined::default();
        for thread in started {
            let done: io::Result<Joined> = thread.join().unwrap_or_else(|_| Err(ended_early()));
            all.add(done?);
        }
        Ok(all)
    })
}

/// What is known under a key.
enum Known {
    Stream {
        version: u64,
        leaf: Tag,
    },
    Event {
        position: u64,
        permits: [Tag; 2],
    },
    Entitlement {
        awaits: [Tag; 2],
        session: Tag,
    },
    /// Until when a membership is paid.
    Membership {
        until: u64,
    },
    /// Who holds a claim, and since when; and its scope.
    Claim {
        holder: Option<(Tag, u64)>,
        scope: u64,
    },
    Payment(Followed),
}

struct Part<'a> {
    joining: &'a Joining,
    known: ByTag<Known>,
    outcome: Joined,
    emitted: Vec<u8>,
}

fn first_round(facts: &Store, part: usize, joining: &Joining) -> io::Result<(Joined, Vec<u8>)> {
    let mut state = Part { joining, known: ByTag::default(), outcome: Joined::default(), emitted: Vec::new() };
    facts.for_each(part, |fact| state.fold(fact))?;
    state.end();
    Ok((state.outcome, state.emitted))
}

impl Part<'_> {
    fn fold(&mut self, fact: &Fact) {
        match fact.kind {
            Kind::Link => self.link(fact),
            Kind::Event => self.event(fact),
            Kind::Cites => self.cites(fact, |position, permits| {
                position < fact.position && permits.iter().any(|permit| *permit != NO_TAG && (*permit == fact.a || *permit == fact.b))
            }),
            Kind::CitesPosition => self.cites(fact, |position, _| position == fact.number && position < fact.position),
            Kind::Pended => {
                // The first origin counts.
                self.known.entry(fact.key).or_insert(Known::Entitlement { awaits: [fact.a, NO_TAG], session: fact.b });
            }
            Kind::PendedToo => {
                if let Some(Known::Entitlement { awaits: [_, too], .. }) = self.known.get_mut(&fact.key)
                    && *too == NO_TAG
                {
                    *too = fact.a;
                }
            }
            Kind::Paid => drop(self.known.insert(fact.key, Known::Membership { until: fact.number })),
            Kind::CitesPaid => match self.known.get(&fact.key) {
                Some(Known::Membership { until }) if *until == fact.number => {}
                None if !self.joining.whole => self.outcome.before += 1,
                _ => self.found(Found::rule(fact.position, Rule::PaidUntil)),
            },
            Kind::CitesOrigin => match self.known.get(&fact.key) {
                Some(Known::Entitlement { awaits, .. }) if awaits.contains(&fact.a) => {}
                None if !self.joining.whole => self.outcome.before += 1,
                _ => self.found(Found::rule(fact.position, Rule::OriginOfActivation)),
            },
            Kind::Activated => {
                if let Some(Known::Entitlement { session, .. }) = self.known.get(&fact.key)
                    && *session != NO_TAG
                {
                    let follows = Fact { key: fact.a, kind: Kind::ActivatedSession, a: *session, ..*fact };
                    self.emitted.extend_from_slice(&follows.to_bytes());
                }
            }
            Kind::Payment => {
                // It is asked for once: its stream begins with that.
                if let Some(followed) = Followed::new(fact) {
                    self.known.entry(fact.key).or_insert(Known::Payment(followed));
                }
            }
            Kind::Settled | Kind::FeeDue => self.moves(fact),
            Kind::Takes | Kind::Releases => self.claim(fact),
            Kind::Row => self.row(fact),
            Kind::ActivatedSession | Kind::CitesSession => {}
        }
    }

    fn found(&mut self, found: Found) {
        earlier(&mut self.outcome.found, found);
    }

    fn link(&mut self, fact: &Fact) {
        let last = self.known.insert(fact.key, Known::Stream { version: fact.number, leaf: fact.b });
        let (version, leaf) = match last {
            Some(Known::Stream { version, leaf }) => (version.saturating_add(1), leaf),
            _ => {
                self.outcome.streams += 1;
                if !self.joining.whole && fact.number > 0 {
                    self.outcome.before += 1;
                    return;
                }
                (0, self.joining.no_leaf)
            }
        };
        if fact.number != version {
            let detail = format!("the stream goes on with version {version}, the event has {}", fact.number);
            self.found(Found::of_event(fact.position, 0, BreakClass::StreamVersionGap, detail));
        } else if fact.a != leaf {
            let detail = "the event binds another leaf than that of its stream's previous event".to_owned();
            self.found(Found::of_event(fact.position, 0, BreakClass::StreamLeafMismatch, detail));
        }
    }

    fn event(&mut self, fact: &Fact) {
        match self.known.entry(fact.key) {
            hash_map::Entry::Vacant(free) => {
                free.insert(Known::Event { position: fact.position, permits: [fact.a, fact.b] });
            }
            hash_map::Entry::Occupied(taken) => {
                if let Known::Event { position, .. } = taken.get() {
                    let detail = format!("position {position} has the same event id");
                    self.found(Found::of_event(fact.position, 2, BreakClass::EventIdRepeated, detail));
                }
            }
        }
    }

    fn cites(&mut self, fact: &Fact, met: impl Fn(u64, &[Tag; 2]) -> bool) {
        match self.known.get(&fact.key) {
            Some(Known::Event { position, permits }) if met(*position, permits) => {}
            None if !self.joining.whole => self.outcome.before += 1,
            _ => {
                let rule = if fact.kind == Kind::CitesPosition { Some(Rule::SourceOfWebhook) } else { Rule::of(fact.number) };
                self.found(Found::rule(fact.position, rule.unwrap_or(Rule::SourceOfWebhook)));
            }
        }
    }

    fn moves(&mut self, fact: &Fact) {
        let moved = match self.known.get_mut(&fact.key) {
            Some(Known::Payment(payment)) => payment.moves(fact),
            _ if !self.joining.whole => {
                self.outcome.before += 1;
                return;
            }
            _ => Err("no such payment was asked for"),
        };
        let posted = moved.and_then(|(asset, postings)| self.outcome.sums.post(&self.joining.cuts, fact.position, asset, &postings));
        if let Err(rule) = posted {
            self.found(Found::of_event(fact.position, 5, BreakClass::EventUnfoldable, format!("the journal cannot fold it: {rule}")));
        }
    }

    fn claim(&mut self, fact: &Fact) {
        let claim = self.known.entry(fact.key).or_insert(Known::Claim { holder: None, scope: fact.number });
        let Known::Claim { holder, .. } = claim else { return };
        match (*holder, fact.kind) {
            (None, Kind::Takes) => {
                *holder = Some((fact.a, fact.position));
                self.outcome.claims += 1;
            }
            (Some((stream, since)), Kind::Takes) if stream != fact.a => {
                let scope = claims::scope_of(fact.number);
                let name = scope.map_or("a claim", |scope| scope.as_str());
                let detail = format!("{name} is held by another stream since position {since}");
                self.found(Found::of_event(fact.position, 4, claims::reused(scope), detail));
            }
            (Some((stream, _)), Kind::Releases) if stream == fact.a => {
                *holder = None;
                self.outcome.claims -= 1;
            }
            // The same stream keeps what it has; what a stream does not hold it cannot give back.
            _ => {}
        }
    }

    fn row(&mut self, fact: &Fact) {
        let wrong = match self.known.get_mut(&fact.key) {
            Some(Known::Claim { holder, scope }) => match holder.take() {
                Some((stream, since)) => {
                    let wrong = match (stream == fact.a, since == fact.number) {
                        (true, true) => return,
                        (false, _) => "the table gives a claim to another stream than the one that took it",
                        (true, false) => "the table names another event than the one that took the claim",
                    };
                    format!("{}: {wrong}", claims::scope_of(*scope).map_or("a claim", |scope| scope.as_str()))
                }
                None => "the table holds a claim that no event takes".to_owned(),
            },
            _ => "the table holds a claim that no event takes".to_owned(),
        };
        self.found(Found::in_table(fact.number, wrong));
    }

    fn end(&mut self) {
        if !self.joining.table {
            return;
        }
        let left = self.known.values().filter_map(|known| match known {
            Known::Claim { holder: Some((_, since)), scope } => Some((*since, *scope)),
            _ => None,
        });
        if let Some((since, scope)) = left.min() {
            let scope = claims::scope_of(scope).map_or("a claim", |scope| scope.as_str());
            self.found(Found::in_table(since, format!("{scope}: the table lacks the claim that this event takes")));
        }
    }
}

/// Confirmations of sessions, each with the activation that it cites.
fn second_round(late: &Store, part: usize, joining: &Joining) -> io::Result<Joined> {
    let mut activated: ByTag<(u64, Tag, Tag)> = ByTag::default();
    late.for_each(part, |fact| {
        if fact.kind == Kind::ActivatedSession {
            activated.insert(fact.key, (fact.position, fact.a, fact.b));
        }
    })?;
    let mut outcome = Joined::default();
    late.for_each(part, |fact| {
        if fact.kind != Kind::CitesSession {
            return;
        }
        match activated.get(&fact.key) {
            Some((position, session, owner)) if *position < fact.position && *session == fact.a && *owner == fact.b => {}
            None if !joining.whole => outcome.before += 1,
            _ => earlier(&mut outcome.found, Found::rule(fact.position, Rule::ActivationOfSession)),
        }
    })?;
    Ok(outcome)
}
