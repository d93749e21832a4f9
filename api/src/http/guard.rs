//! What every request passes before its route: whose it is, whether there are too many, and whether the route is for the caller.

use super::{
    auth::{Auth, Caller},
    limits::{Limits, Outcome, RATE_LIMIT, RATE_LIMIT_POLICY},
    permissions::{Permissions, Who},
    problem::Problem,
};
use axum::{
    extract::{ConnectInfo, MatchedPath, Request},
    http::HeaderMap,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use events::{
    clock::Clock,
    vocab::{id::OwnerId, time::Timestamp},
};
use std::{net::SocketAddr, sync::Arc};

/// Stands before the routes.
pub struct Guard {
    auth: Auth,
    limits: Arc<Limits>,
    permissions: Permissions,
    clock: Clock,
}

impl Guard {
    /// Asks `auth` who calls, and counts in `limits`.
    pub fn new(auth: Auth, limits: Arc<Limits>, permissions: Permissions, clock: Clock) -> Self {
        Guard { auth, limits, permissions, clock }
    }

    fn who(&self, request: &Request) -> Option<Who> {
        let template = request.extensions().get::<MatchedPath>()?;
        self.permissions.of(request.method(), template.as_str())
    }

    /// The caller, if the route asks for one, and what his request counts for. A refused credential counts for its address.
    async fn admit(&self, who: Who, headers: &HeaderMap, from: Option<SocketAddr>) -> (Result<Option<Caller>, Problem>, Outcome) {
        let now = self.clock.now();
        if !who.needs_credential() {
            let outcome = if who == Who::Begins { self.of_address(headers, from, now) } else { Outcome::default() };
            return (Ok(None), outcome);
        }
        match self.auth.caller(headers).await {
            Err(problem) => (Err(problem), self.of_address(headers, from, now)),
            Ok(caller) => {
                let outcome = match &caller {
                    Caller::Key(_, allowance) => self.limits.take_key(allowance, who, now),
                    Caller::Token(claims) => match claims.owner_id {
                        Some(owner) => self.limits.take_owner(OwnerId(owner), now),
                        // Staff and auditors.
                        None => Outcome::default(),
                    },
                };
                (who.permits(&caller).map(|()| Some(caller)), outcome)
            }
        }
    }

    fn of_address(&self, headers: &HeaderMap, from: Option<SocketAddr>, now: Timestamp) -> Outcome {
        from.map_or_else(Outcome::default, |connection| self.limits.take_address(connection, headers, now))
    }

    /// The route's answer, if the caller may have it. A route that the table does not know is asked as it is.
    pub(super) async fn pass(&self, mut request: Request, next: Next) -> Response {
        let Some(who) = self.who(&request) else { return next.run(request).await };
        let from = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(connection)| *connection);
        let (admitted, Outcome { headers, refused }) = self.admit(who, request.headers(), from).await;
        let mut response = match (refused, admitted) {
            (Some(too_many), _) => too_many.into_response(),
            (None, Err(problem)) => problem.into_response(),
            (None, Ok(caller)) => {
                if let Some(caller) = caller {
                    request.extensions_mut().insert(caller);
                }
                next.run(request).await
            }
        };
        if let Some((policy, left)) = headers {
            let answer: &mut HeaderMap = response.headers_mut();
            answer.insert(RATE_LIMIT_POLICY, policy);
            answer.insert(RATE_LIMIT, left);
        }
        response
    }
}
