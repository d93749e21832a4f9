//! AC-99 and contract §7: every route with every kind of credential, before anything is read of the request.

use api::{
    http::{
        jwt::Role,
        permissions::{TABLE, Who},
    },
    services::keys::{self, Issue},
};
use events::vocab::{
    stream::Actor,
    words::{ActorKind, Scope},
};
use hilt_tests::app::TestApp;
use reqwest::Method;

/// Refusals that say who somebody is, and not what he asked.
const WHO: &[&str] = &[
    "auth_required",
    "invalid_api_key",
    "invalid_token",
    "scope_required",
    "dashboard_session_required",
    "merchant_required",
    "staff_required",
];

/// A credential of each kind.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Held {
    Nothing,
    Live(Scope),
    Sandbox(Scope),
    Capable,
    Owner,
    Staff,
    Auditor,
}

impl Held {
    const ALL: [Held; 11] = [
        Held::Nothing,
        Held::Live(Scope::Read),
        Held::Live(Scope::Write),
        Held::Live(Scope::Webhooks),
        Held::Sandbox(Scope::Read),
        Held::Sandbox(Scope::Write),
        Held::Sandbox(Scope::Webhooks),
        Held::Capable,
        Held::Owner,
        Held::Staff,
        Held::Auditor,
    ];

    async fn credential(self, app: &TestApp) -> Option<(&'static str, String)> {
        let key = async |livemode, scopes: &[Scope]| Some(("X-Hilt-Key", app.key(app.owner, livemode, scopes).await));
        let bearer = async |role, owner| Some(("Authorization", format!("Bearer {}", app.token(role, owner).await)));
        match self {
            Held::Nothing => None,
            Held::Live(scope) => key(true, &[scope]).await,
            Held::Sandbox(scope) => key(false, &[scope]).await,
            Held::Capable => {
                let issue = Issue { sandbox_capable: true, ..Issue::new("capable", Scope::ALL) };
                let actor = Actor { kind: ActorKind::Operator, id: Some("test".into()) };
                let issued = keys::issue(&app.state.log, &app.clock, app.owner, true, issue, actor).await.unwrap();
                Some(("X-Hilt-Key", issued.key))
            }
            Held::Owner => bearer(Role::Owner, Some(app.owner)).await,
            Held::Staff => bearer(Role::Staff, None).await,
            Held::Auditor => bearer(Role::Auditor, None).await,
        }
    }

    /// What contract §7 says: the refusal, if there is one.
    fn refused_by(self, who: Who) -> Option<(u16, &'static str)> {
        let is_key = matches!(self, Held::Live(_) | Held::Sandbox(_) | Held::Capable);
        let lacks = |scope| matches!(self, Held::Live(held) | Held::Sandbox(held) if held != scope);
        let is_sandbox = matches!(self, Held::Sandbox(_));
        let scope_required = |scope| lacks(scope).then_some((403, "scope_required"));
        let live_required = || is_sandbox.then_some((403, "live_key_required"));
        match (who, self) {
            (Who::Machine | Who::Anyone | Who::Begins, _) => None,
            (_, Held::Nothing) => Some((401, "auth_required")),
            (Who::Reader, Held::Staff | Held::Auditor) | (Who::Staff, Held::Staff) => None,
            (Who::Staff | Who::Reader, _) => Some((403, "staff_required")),
            (_, Held::Staff | Held::Auditor) => Some((403, "merchant_required")),
            (Who::Session, _) => is_key.then_some((403, "dashboard_session_required")),
            (Who::Check, _) => scope_required(Scope::Read),
            (Who::Key(scope), _) => scope_required(scope),
            (Who::LiveKey, _) => live_required(),
            (Who::Live(scope), _) => scope_required(scope).or_else(live_required),
            (Who::Sandbox(_), Held::Live(_)) => Some((403, "sandbox_key_required")),
            (Who::Sandbox(scope), _) => scope_required(scope),
        }
    }
}

/// A path of that template, about nothing that is there.
fn path(template: &str) -> String {
    let parts = template.split('/').map(|part| match part.starts_with('{') {
        true => "00000000-0000-7000-8000-000000000000",
        false => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_route_refuses_whom_it_is_not_for_and_nobody_else() {
    let app = TestApp::start(&[]).await;
    let mut asked = 0;
    for held in Held::ALL {
        let credential = held.credential(&app).await;
        for (who, route) in TABLE.iter().flat_map(|(who, routes)| routes.iter().map(move |route| (*who, *route))) {
            let (method, template) = route.split_once(' ').unwrap();
            let method: Method = method.parse().unwrap();
            let mut request = app.request(method.clone(), &path(template));
            if let Some((name, value)) = &credential {
                request = request.header(*name, value);
            }
            if method != Method::GET {
                // No body, no key for idempotency: who may not call it is told so before either is asked for.
                request = request.header("Content-Type", "application/json");
            }
            let answer = app.send(request).await;
            let code = answer.body["code"].as_str().unwrap_or_default().to_owned();
            if ["not_found", "method_not_allowed"].contains(&code.as_str()) {
                // A route that this service does not have.
                continue;
            }
            match held.refused_by(who) {
                Some(expected) => assert_eq!((answer.status.as_u16(), code.as_str()), expected, "{route} with {held:?}"),
                // Where anyone may call, a handler may still look at what a caller shows.
                None if !who.needs_credential() => {}
                None => assert!(!WHO.contains(&code.as_str()), "{route} with {held:?}: {code}"),
            }
            asked += 1;
        }
    }
    assert!(asked > 900, "{asked}");
    app.close().await;
}
