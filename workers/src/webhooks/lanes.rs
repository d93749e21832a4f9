//! The queue of deliveries: a lane for each endpoint, so that a slow receiver holds up nobody but itself.
//!
//! It lives in memory only. What it knows follows from the log, and a delivery that is queued twice or too early does no harm:
//! the attempt reads the delivery's own stream first.

use events::vocab::{
    id::{DeliveryId, EndpointId},
    time::Timestamp,
};
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashMap, VecDeque},
};

/// A delivery and when to attempt it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Job {
    /// Not before.
    pub due: Timestamp,
    /// Which.
    pub delivery: DeliveryId,
    /// To whom.
    pub endpoint: EndpointId,
}

/// How much is under way at a time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Attempts to one endpoint.
    pub lane: usize,
    /// Attempts to an endpoint that was slow the last time: few, so that many slow endpoints together cannot use up `total`.
    pub slow_lane: usize,
    /// Attempts altogether.
    pub total: usize,
}

#[derive(Default)]
struct Lane {
    ready: VecDeque<DeliveryId>,
    under_way: usize,
    slow: bool,
    in_turn: bool,
}

/// Where a delivery of the queue stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Known {
    /// Waits for its time. An entry of the heap with another time is an old one.
    Waiting(Timestamp),
    /// Waits for its turn.
    Ready,
    /// Is attempted; it was asked for again meanwhile when there is a time.
    UnderWay(Option<Timestamp>),
}

/// Deliveries by endpoint and by time.
pub struct Lanes {
    limits: Limits,
    known: HashMap<DeliveryId, Known>,
    waiting: BinaryHeap<Reverse<Job>>,
    lanes: HashMap<EndpointId, Lane>,
    /// Lanes that may start an attempt, in the order in which they are served.
    turns: VecDeque<EndpointId>,
    under_way: usize,
}

impl Lanes {
    /// An empty queue.
    pub fn new(limits: Limits) -> Self {
        Lanes { limits, known: HashMap::new(), waiting: BinaryHeap::new(), lanes: HashMap::new(), turns: VecDeque::new(), under_way: 0 }
    }
    /// Queues a delivery. One that waits for a later time is moved forward; one that is under way is looked at again after it.
    pub fn push(&mut self, job: Job) {
        let now = match self.known.get(&job.delivery) {
            None => Known::Waiting(job.due),
            Some(Known::Waiting(due)) if job.due < *due => Known::Waiting(job.due),
            Some(Known::Waiting(_) | Known::Ready) => return,
            Some(Known::UnderWay(asked)) => Known::UnderWay(Some(asked.map_or(job.due, |due| due.min(job.due)))),
        };
        self.known.insert(job.delivery, now);
        if let Known::Waiting(_) = now {
            self.waiting.push(Reverse(job));
        }
    }
    /// The next delivery to attempt, which is under way from now on.
    pub fn next(&mut self, now: Timestamp) -> Option<Job> {
        self.wake(now);
        while self.under_way < self.limits.total {
            let endpoint = self.turns.pop_front()?;
            let Some(lane) = self.lanes.get_mut(&endpoint) else { continue };
            lane.in_turn = false;
            if lane.under_way >= lane.limit(self.limits) {
                continue;
            }
            let Some(delivery) = lane.ready.pop_front() else { continue };
            lane.under_way += 1;
            self.under_way += 1;
            self.known.insert(delivery, Known::UnderWay(None));
            self.take_turn(endpoint);
            return Some(Job { due: now, delivery, endpoint });
        }
        None
    }
    /// An attempt is over; `slow` tells whether the receiver was, and `again` when to try again, if at all.
    pub fn finish(&mut self, job: Job, slow: bool, again: Option<Timestamp>) {
        let asked = match self.known.remove(&job.delivery) {
            Some(Known::UnderWay(asked)) => asked,
            _ => None,
        };
        if let Some(lane) = self.lanes.get_mut(&job.endpoint) {
            lane.under_way = lane.under_way.saturating_sub(1);
            lane.slow = slow;
            self.under_way = self.under_way.saturating_sub(1);
            if lane.under_way == 0 && lane.ready.is_empty() && !slow {
                self.lanes.remove(&job.endpoint);
            }
        }
        self.take_turn(job.endpoint);
        if let Some(due) = asked.into_iter().chain(again).min() {
            self.push(Job { due, ..job });
        }
    }
    /// Deliveries that wait or are under way.
    pub fn len(&self) -> usize {
        self.known.len()
    }
    /// Attempts under way.
    pub fn under_way(&self) -> usize {
        self.under_way
    }

    fn wake(&mut self, now: Timestamp) {
        while self.waiting.peek().is_some_and(|Reverse(job)| job.due <= now) {
            let Some(Reverse(job)) = self.waiting.pop() else { return };
            if self.known.get(&job.delivery) != Some(&Known::Waiting(job.due)) {
                continue;
            }
            self.known.insert(job.delivery, Known::Ready);
            self.lanes.entry(job.endpoint).or_default().ready.push_back(job.delivery);
            self.take_turn(job.endpoint);
        }
    }

    fn take_turn(&mut self, endpoint: EndpointId) {
        let Some(lane) = self.lanes.get_mut(&endpoint) else { return };
        if !lane.in_turn && !lane.ready.is_empty() && lane.under_way < lane.limit(self.limits) {
            lane.in_turn = true;
            self.turns.push_back(endpoint);
        }
    }
}

impl Lane {
    fn limit(&self, limits: Limits) -> usize {
        if self.slow { limits.slow_lane } else { limits.lane }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const LIMITS: Limits = Limits { lane: 2, slow_lane: 1, total: 5 };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }
    fn job(endpoint: u128, delivery: u128, due: i64) -> Job {
        Job { due: at(due), delivery: DeliveryId(Uuid::from_u128(delivery)), endpoint: EndpointId(Uuid::from_u128(endpoint)) }
    }
    fn drain(lanes: &mut Lanes, now: i64) -> Vec<(u128, u128)> {
        std::iter::from_fn(|| lanes.next(at(now))).map(|job| (job.endpoint.0.as_u128(), job.delivery.0.as_u128())).collect()
    }

    #[test]
    fn a_full_lane_holds_up_no_other() {
        let mut lanes = Lanes::new(LIMITS);
        for delivery in 1..=9 {
            lanes.push(job(1, delivery, 0));
        }
        lanes.push(job(2, 20, 0));
        assert_eq!(drain(&mut lanes, 0), [(1, 1), (2, 20), (1, 2)]);
        lanes.finish(job(1, 1, 0), false, None);
        assert_eq!(drain(&mut lanes, 0), [(1, 3)]);
        assert_eq!((lanes.len(), lanes.under_way()), (9, 3));
    }

    #[test]
    fn a_slow_lane_gets_few_slots_until_it_is_fast_again() {
        let mut lanes = Lanes::new(LIMITS);
        for delivery in 1..=4 {
            lanes.push(job(1, delivery, 0));
        }
        assert_eq!(drain(&mut lanes, 0).len(), 2);
        lanes.finish(job(1, 1, 0), true, None);
        assert_eq!(drain(&mut lanes, 0), []);
        lanes.finish(job(1, 2, 0), true, None);
        assert_eq!(drain(&mut lanes, 0), [(1, 3)]);
        lanes.finish(job(1, 3, 0), false, None);
        assert_eq!(drain(&mut lanes, 0), [(1, 4)]);
    }

    #[test]
    fn a_retry_waits_for_its_time() {
        let mut lanes = Lanes::new(LIMITS);
        lanes.push(job(1, 1, 0));
        assert_eq!(drain(&mut lanes, 0), [(1, 1)]);
        lanes.finish(job(1, 1, 0), false, Some(at(5)));
        assert_eq!(drain(&mut lanes, 4), []);
        assert_eq!(drain(&mut lanes, 5), [(1, 1)]);
        lanes.finish(job(1, 1, 0), false, None);
        assert_eq!(lanes.len(), 0);
    }

    #[test]
    fn a_delivery_is_queued_once() {
        let mut lanes = Lanes::new(LIMITS);
        lanes.push(job(1, 1, 0));
        lanes.push(job(1, 1, 0));
        assert_eq!(drain(&mut lanes, 0), [(1, 1)]);
        lanes.push(job(1, 1, 0));
        lanes.finish(job(1, 1, 0), false, None);
        assert_eq!(lanes.len(), 1, "asked for while it was under way");
        assert_eq!(drain(&mut lanes, 0), [(1, 1)]);
        lanes.finish(job(1, 1, 0), false, None);
        assert_eq!((lanes.len(), drain(&mut lanes, 0)), (0, vec![]));
    }

    #[test]
    fn one_that_waits_is_moved_forward_and_never_back() {
        let mut lanes = Lanes::new(LIMITS);
        lanes.push(job(1, 1, 100));
        lanes.push(job(1, 1, 10));
        lanes.push(job(1, 1, 50));
        assert_eq!(drain(&mut lanes, 9), []);
        assert_eq!(drain(&mut lanes, 10), [(1, 1)]);
        lanes.finish(job(1, 1, 10), false, None);
        assert_eq!((lanes.len(), drain(&mut lanes, 1_000)), (0, vec![]), "the later times are forgotten");
    }

    #[test]
    fn the_total_is_bounded_and_lanes_take_turns() {
        let mut lanes = Lanes::new(LIMITS);
        for endpoint in 1..=4 {
            for delivery in 0..3 {
                lanes.push(job(endpoint, endpoint * 10 + delivery, 0));
            }
        }
        assert_eq!(drain(&mut lanes, 0), [(1, 10), (2, 20), (3, 30), (4, 40), (1, 11)]);
    }
}
