//! Rate limits: how often a key, an owner and an address may call this process. They keep one caller from taking the service away
//! from the others; they are no quota of a plan. Each process counts for itself: behind a balancer a caller has as many allowances as
//! there are processes.

mod address;
mod bucket;
mod buckets;

pub use address::TrustedProxies;
pub use bucket::{Bucket, Quota, Taken};

use super::{
    permissions::Who,
    problem::{Code, Problem},
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use buckets::Buckets;
use events::vocab::{id::OwnerId, time::Timestamp};
use std::{
    fmt::Write as _,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

/// What is left, as `draft-ietf-httpapi-ratelimit-headers` writes it.
pub const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// What is allowed.
pub const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// Callers of a kind that are remembered.
const REMEMBERED: usize = 65_536;

/// The limits of a deployment; `None` is no limit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct LimitConfig {
    /// Of a key, entitlement checks left out.
    pub key: Option<Quota>,
    /// Of a key's entitlement checks.
    pub checks: Option<Quota>,
    /// Of an owner's keys and sessions together, entitlement checks left out.
    pub owner: Option<Quota>,
    /// Of an address, where anyone may begin something.
    pub address: Option<Quota>,
    /// Whose word for a caller's address is taken.
    pub proxies: TrustedProxies,
}

/// A key's allowances, held beside the key so that using them looks nothing up.
pub struct KeyAllowance {
    requests: Bucket,
    checks: Bucket,
    owner: Arc<Bucket>,
}

/// The limits, and who has used how much.
pub struct Limits {
    config: LimitConfig,
    policies: Policies,
    owners: Buckets<OwnerId>,
    addresses: Buckets<IpAddr>,
}

/// One limit that a request counts for.
type Counted<'a> = (&'static str, Quota, &'a Bucket);

/// What is allowed, as a header, written once.
#[derive(Default)]
struct Policies {
    key: Option<HeaderValue>,
    checks: Option<HeaderValue>,
    owner: Option<HeaderValue>,
    address: Option<HeaderValue>,
}

impl Policies {
    fn new(config: &LimitConfig) -> Self {
        let header = |limits: &[(&str, Option<Quota>)]| {
            let set = limits.iter().filter_map(|(name, quota)| Some((*name, (*quota)?)));
            let said: Vec<String> = set.map(|(name, quota)| format!("\"{name}\";q={};w={}", quota.requests, quota.seconds)).collect();
            HeaderValue::try_from(said.join(", ")).ok().filter(|said| !said.is_empty())
        };
        Policies {
            key: header(&[("key", config.key), ("owner", config.owner)]),
            checks: header(&[("checks", config.checks)]),
            owner: header(&[("owner", config.owner)]),
            address: header(&[("address", config.address)]),
        }
    }
}

impl Limits {
    /// Nobody has used anything yet.
    pub fn new(config: LimitConfig) -> Self {
        let policies = Policies::new(&config);
        Limits { config, policies, owners: Buckets::new(REMEMBERED), addresses: Buckets::new(REMEMBERED) }
    }

    /// The allowances of a key of `owner`.
    pub fn key(&self, owner: OwnerId, now: Timestamp) -> KeyAllowance {
        KeyAllowance { requests: Bucket::default(), checks: Bucket::default(), owner: self.owners.of(&owner, now) }
    }

    /// Takes a request with a key.
    pub(super) fn take_key(&self, key: &KeyAllowance, who: Who, now: Timestamp) -> Outcome {
        match who {
            Who::Check => take(&self.policies.checks, [self.config.checks.map(|quota| ("checks", quota, &key.checks)), None], now),
            _ => {
                let of_key = self.config.key.map(|quota| ("key", quota, &key.requests));
                let of_owner = self.config.owner.map(|quota| ("owner", quota, &*key.owner));
                take(&self.policies.key, [of_key, of_owner], now)
            }
        }
    }

    /// Takes a request of `owner`'s dashboard session.
    pub(super) fn take_owner(&self, owner: OwnerId, now: Timestamp) -> Outcome {
        let Some(quota) = self.config.owner else { return Outcome::default() };
        take(&self.policies.owner, [Some(("owner", quota, &*self.owners.of(&owner, now))), None], now)
    }

    /// Takes a request of the address that it comes from.
    pub(super) fn take_address(&self, connection: SocketAddr, headers: &HeaderMap, now: Timestamp) -> Outcome {
        let Some(quota) = self.config.address else { return Outcome::default() };
        let caller = self.config.proxies.caller(connection, headers);
        take(&self.policies.address, [Some(("address", quota, &*self.addresses.of(&caller, now))), None], now)
    }
}

/// What taking a request came to.
#[derive(Default)]
pub(super) struct Outcome {
    /// What is allowed and what is left, for the answer, whatever it is.
    pub headers: Option<(HeaderValue, HeaderValue)>,
    /// The refusal, when an allowance is used up.
    pub refused: Option<Problem>,
}

/// Takes one request of each, the first that has none refusing.
fn take(policy: &Option<HeaderValue>, counted: [Option<Counted<'_>>; 2], now: Timestamp) -> Outcome {
    let (mut left, mut refused) = (String::with_capacity(64), None);
    for (name, quota, bucket) in counted.into_iter().flatten() {
        let Taken { remaining, full_in, refused_for } = bucket.take(quota, now);
        let comma = if left.is_empty() { "" } else { ", " };
        // Writing to a String does not fail.
        let _ = write!(left, "{comma}\"{name}\";r={remaining};t={}", refused_for.unwrap_or(full_in));
        if let Some(seconds) = refused_for {
            let detail = format!("the limit \"{name}\" allows {} requests in {} seconds", quota.requests, quota.seconds);
            refused = Some(Problem::new(Code::RateLimited, detail).retry_after(u64::from(seconds)));
            break;
        }
    }
    Outcome { headers: policy.clone().zip(HeaderValue::try_from(left).ok()), refused }
}
