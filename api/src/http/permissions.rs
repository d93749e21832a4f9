//! Who may call which route: contract §7 as a table, asked before a request's body is read. Handlers rely on it and do not ask again;
//! what depends on a request's content (a mode that it names, an object that it is about) is for them.

use super::{
    auth::{Access, Caller},
    jwt::Role,
    problem::{Code, Problem},
};
use axum::http::Method;
use events::vocab::words::Scope;
use std::collections::HashMap;

/// Who may call a route.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Who {
    /// Machines that look after the service: anyone, and never limited.
    Machine,
    /// Anyone. What it answers costs little.
    Anyone,
    /// Anyone; it begins something or costs something, so each address has an allowance.
    Begins,
    /// A key with that permission, or the owner's dashboard session.
    Key(Scope),
    /// The entitlement check: as [`Who::Key`] with an allowance of its own.
    Check,
    /// Any live key, or the dashboard session: workspace routes need no access permission.
    LiveKey,
    /// A live key with that permission, or the dashboard session.
    Live(Scope),
    /// A sandbox key or a sandbox-capable live key with that permission, or the dashboard session (DIS-27).
    Sandbox(Scope),
    /// The owner's dashboard session and no key (INV-57).
    Session,
    /// Staff.
    Staff,
    /// Staff and auditors.
    Reader,
}

use Who::{Anyone, Begins, Check, Key, Live, LiveKey, Machine, Reader, Sandbox, Session, Staff};

/// Every route and who may call it; a test fails when one is missing. What is under `/v1/admin/` and not here is for [`Who::Staff`], and so
/// is whatever else of `/v1/` was forgotten.
pub const TABLE: &[(Who, &[&str])] = &[
    (Machine, &["GET /healthz", "GET /readyz", "GET /metrics"]),
    (
        Anyone,
        &[
            "GET /.well-known/jwks.json",
            "GET /v1/log/checkpoint",
            "GET /v1/log/keys",
            "GET /v1/payments/{payment_id}",
            "GET /v1/products/p/{slug}",
            "GET /v1/pay/phantom/return",
            "GET /v1/pay/solana/{payment_id}",
            // A picture, which no document describes.
            "GET /v1/pay/solana/icon.svg",
            "GET /v1/receipt/{receipt_id}/public",
            "GET /v1/receipt/{receipt_id}/verify",
            "GET /v1/discord-connect/callback",
            "GET /v1/products/p/{slug}/discord-connect/callback",
            // Providers: each proves itself by what it signs or knows.
            "POST /v1/provider-webhooks/helius/solana",
            "POST /v1/access/provider-webhooks/alchemy/evm",
            "POST /v1/admin/access/billing/stripe-webhook",
            "GET /v1/x402/supported",
        ],
    ),
    (
        Begins,
        &[
            "POST /v1/products/p/{slug}/connect",
            "POST /v1/products/p/{slug}/resolve-handoff",
            "POST /v1/products/p/{slug}/solana-pay",
            "GET /v1/products/p/{slug}/discord-connect/start",
            "POST /v1/pay/broadcast",
            "POST /v1/pay/confirm",
            "POST /v1/pay/submit",
            "POST /v1/pay/transaction",
            "POST /v1/pay/identity/start",
            "POST /v1/pay/identity/complete",
            "POST /v1/pay/phantom/connect/callback",
            "POST /v1/pay/phantom/message-url",
            "POST /v1/pay/phantom/message/callback",
            "POST /v1/pay/phantom/transaction-url",
            "POST /v1/pay/phantom/transaction/callback",
            "POST /v1/pay/solana/{payment_id}",
            "POST /v1/x402/verify",
            "POST /v1/x402/settle",
            "GET /v1/access/x402/resource/{session_id}",
            "POST /v1/access/x402/resource/{session_id}",
            // Proofs cost a few hundred rows each.
            "GET /v1/log/checkpoints",
            "GET /v1/log/checkpoints/{size}",
            "GET /v1/log/consistency",
            "GET /v1/log/tile/{level}/{index}",
            "GET /v1/log/tile/{level}/{index}/{*rest}",
            "POST /v1/log/cosignatures",
            "GET /v1/receipt/{receipt_id}/proof",
            // An agent shows the token of its setup intent in the body.
            "POST /v1/access/agent-bootstrap",
            "POST /v1/access/agent-bootstrap/{setup_intent_id}/status",
            "POST /v1/access/agent-bootstrap/{setup_intent_id}/manifest",
        ],
    ),
    (Check, &["POST /v1/access/entitlements/check"]),
    (
        Key(Scope::Read),
        &[
            "GET /v1/access/apps",
            "GET /v1/access/apps/{id}",
            "GET /v1/access/payment-sessions",
            "GET /v1/access/payment-sessions/{id}",
            "GET /v1/access/products",
            "GET /v1/access/products/available-rails",
            "GET /v1/access/products/{id}",
            "GET /v1/access/rail-settings",
            "GET /v1/access/rail-settings/{rail_id}",
            "GET /v1/access/rails",
            "GET /v1/access/setup/readiness",
            "GET /v1/access/webhooks",
            "GET /v1/access/webhooks/{id}",
            "GET /v1/access/webhooks/{id}/deliveries",
            "GET /v1/access/webhooks/{id}/deliveries/{delivery_id}",
            "GET /v1/access/events",
        ],
    ),
    (
        Key(Scope::Write),
        &[
            "POST /v1/access/apps",
            "POST /v1/access/products",
            "PATCH /v1/access/products/{id}",
            "PUT /v1/access/rail-settings/{rail_id}",
            // Live only, but for candidates of the sandbox: their handlers tell an agent with a sandbox key who can let it in.
            "POST /v1/access/payment-sessions",
            "POST /v1/access/payment-proofs",
        ],
    ),
    (
        Key(Scope::Webhooks),
        &[
            "POST /v1/access/webhooks",
            "PATCH /v1/access/webhooks/{id}",
            "DELETE /v1/access/webhooks/{id}",
            "POST /v1/access/webhooks/{id}/pause",
            "POST /v1/access/webhooks/{id}/resume",
            "POST /v1/access/webhooks/{id}/rotate-secret",
            "POST /v1/access/webhooks/{id}/test",
            "POST /v1/access/webhooks/{id}/redeliver",
            "POST /v1/access/webhooks/{id}/deliveries/{delivery_id}/redeliver",
        ],
    ),
    (Live(Scope::Read), &["GET /v1/access/fees"]),
    (Live(Scope::Write), &["POST /v1/products/{product_id}/handoff-link"]),
    (
        Sandbox(Scope::Write),
        &[
            "POST /v1/access/sandbox/payment-sessions",
            "POST /v1/access/sandbox/payment-sessions/{id}/confirm",
            "POST /v1/access/sandbox/test-clocks",
            "POST /v1/access/sandbox/test-clocks/{id}/advance",
            "DELETE /v1/access/sandbox/test-clocks/{id}",
        ],
    ),
    (
        Sandbox(Scope::Read),
        &[
            "GET /v1/access/sandbox/payment-sessions",
            "GET /v1/access/sandbox/payment-sessions/{id}",
            "GET /v1/access/sandbox/test-clocks",
            "GET /v1/access/sandbox/test-clocks/{id}",
        ],
    ),
    (
        LiveKey,
        &[
            "GET /v1/credits",
            "GET /v1/journal/trial-balance",
            "GET /v1/memberships",
            "GET /v1/memberships/lookup",
            "GET /v1/memberships/renewal-intelligence",
            "GET /v1/memberships/{membership_id}",
            "POST /v1/memberships/{membership_id}/cancel-renewal",
            "GET /v1/memberships/{membership_id}/delivery-diagnostics",
            "POST /v1/memberships/{membership_id}/delivery-support-ticket",
            "POST /v1/memberships/{membership_id}/gift",
            "PATCH /v1/memberships/{membership_id}/notes",
            "PATCH /v1/memberships/{membership_id}/profile",
            "POST /v1/memberships/{membership_id}/resume-renewal",
            "POST /v1/memberships/{membership_id}/retry-delivery",
            "POST /v1/memberships/{membership_id}/revoke",
            "GET /v1/memberships/{membership_id}/subscription",
            "GET /v1/payments/{payment_id}/history",
            "GET /v1/products",
            "POST /v1/products",
            "GET /v1/products/{product_id}",
            "PATCH /v1/products/{product_id}",
            "DELETE /v1/products/{product_id}",
            "GET /v1/products/{product_id}/analytics",
            "GET /v1/products/{product_id}/payments",
            "POST /v1/receipt",
            "GET /v1/receipt/{receipt_id}",
            "PATCH /v1/receipt/{receipt_id}/invoice-metadata",
            "GET /v1/receipt/{receipt_id}/pdf",
            "POST /v1/receipt/{receipt_id}/send-proof",
            "GET /v1/receipts",
            "GET /v1/support/tickets",
            "POST /v1/support/tickets",
            "GET /v1/support/tickets/{ticket_id}",
            "POST /v1/support/tickets/{ticket_id}/message",
            "GET /v1/workspace/profile",
            "PUT /v1/workspace/profile",
        ],
    ),
    (
        Session,
        &[
            "GET /v1/access/api-keys",
            "POST /v1/access/api-keys",
            "GET /v1/access/api-keys/{id}",
            "DELETE /v1/access/api-keys/{id}",
            "POST /v1/access/api-keys/{id}/rotate",
            "GET /v1/access/agent-bootstrap/{setup_intent_id}",
            "POST /v1/access/agent-bootstrap/{setup_intent_id}/approve",
            "POST /v1/access/agent-bootstrap/{setup_intent_id}/reject",
            "GET /v1/billing/summary",
            "POST /v1/billing/checkout/stripe",
            "POST /v1/billing/portal/stripe",
            "POST /v1/billing/refresh/stripe",
        ],
    ),
    (
        Reader,
        &[
            "GET /v1/admin/access/approvals/{id}/proof",
            "GET /v1/admin/access/audit-events",
            "GET /v1/admin/access/journal/trial-balance",
            "GET /v1/admin/access/reconciliation/statements",
            "GET /v1/admin/access/reconciliation/statements/{id}",
            "GET /v1/admin/access/reconciliation/statements/{id}/items",
            "GET /v1/admin/access/operator-keys/{operator}",
            "GET /v1/log/tile/entries/{index}",
            "GET /v1/log/tile/entries/{index}/{*rest}",
        ],
    ),
];

impl Who {
    /// Whether a credential is asked for.
    pub const fn needs_credential(self) -> bool {
        !matches!(self, Machine | Anyone | Begins)
    }

    /// Whether its requests are counted.
    pub const fn is_limited(self) -> bool {
        !matches!(self, Machine | Anyone)
    }

    /// Refuses `caller` where the route is not for him.
    pub(super) fn permits(self, caller: &Caller) -> Result<(), Problem> {
        let access = || Access::of(caller);
        match self {
            Machine | Anyone | Begins => Ok(()),
            Check => access()?.require(Scope::Read).map(drop),
            Key(scope) => access()?.require(scope).map(drop),
            LiveKey => access()?.require_live().map(drop),
            Live(scope) => access()?.require(scope)?.require_live().map(drop),
            Sandbox(scope) => access()?.require_sandbox()?.require(scope).map(drop),
            Session => access()?.require_session().map(drop),
            Staff => role(caller, &[Role::Staff]),
            Reader => role(caller, &[Role::Staff, Role::Auditor]),
        }
    }
}

fn role(caller: &Caller, roles: &[Role]) -> Result<(), Problem> {
    match caller {
        Caller::Token(claims) if roles.contains(&claims.role) => Ok(()),
        Caller::Token(_) | Caller::Key(..) => Err(Problem::of(Code::StaffRequired)),
    }
}

/// The table, to look routes up in.
pub struct Permissions(HashMap<&'static str, Vec<(Method, Who)>>);

impl Permissions {
    /// The table of all routes.
    pub fn new() -> Self {
        let mut routes: HashMap<&'static str, Vec<(Method, Who)>> = HashMap::new();
        for (who, route) in TABLE.iter().flat_map(|(who, routes)| routes.iter().map(move |route| (*who, *route))) {
            if let Some((method, path)) = route.split_once(' ')
                && let Ok(method) = method.parse()
            {
                routes.entry(path).or_default().push((method, who));
            }
        }
        Permissions(routes)
    }

    /// The table of a deployment that publishes the entries of its log: whoever asks for them is like whoever asks for tiles.
    pub fn publishing_entries(mut self) -> Self {
        let entries = self.0.iter_mut().filter(|(path, _)| path.starts_with("/v1/log/tile/entries/"));
        entries.flat_map(|(_, methods)| methods).for_each(|(_, who)| *who = Begins);
        self
    }

    /// Who may call that method of the route with that template.
    pub fn of(&self, method: &Method, template: &str) -> Option<Who> {
        // A HEAD is answered by its GET.
        let method = if *method == Method::HEAD { &Method::GET } else { method };
        match self.0.get(template) {
            Some(methods) => {
                let row = methods.iter().find(|(known, _)| known == method).map(|(_, who)| *who);
                row.or_else(|| template.starts_with("/v1/admin/").then_some(Staff))
            }
            // Rather closed than open, if somebody forgets it.
            None => template.starts_with("/v1/").then_some(Staff),
        }
    }
}

impl Default for Permissions {
    fn default() -> Self {
        Permissions::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_in_the_table_is_closed() {
        let permissions = Permissions::new();
        assert_eq!(permissions.of(&Method::GET, "/v1/access/rails"), Some(Key(Scope::Read)));
        assert_eq!(permissions.of(&Method::HEAD, "/v1/access/rails"), Some(Key(Scope::Read)));
        assert_eq!(permissions.of(&Method::POST, "/v1/access/rails"), None, "no such route: the router says so");
        assert_eq!(permissions.of(&Method::POST, "/v1/admin/access/anything"), Some(Staff));
        assert_eq!(permissions.of(&Method::POST, "/v1/access/forgotten"), Some(Staff));
        assert_eq!(permissions.of(&Method::GET, "/p/{slug}"), None, "a page");
    }
}
