//! Whether the entitlement check's index answers what PostgreSQL does.

use api::{
    http::{fresh::MinPosition, problem::Problem},
    routes::input::Customer,
    services::access_check::{AccessCheck, Check, Checked, Named},
    state::State,
};
use events::vocab::{id::OwnerId, rail::RailId};
use ledger::entitlement_check::Answer;
use projections::access_index::AccessIndex;
use std::collections::BTreeMap;
use uuid::Uuid;

/// A customer with a product of his merchant.
#[derive(Clone, Debug, sqlx::FromRow)]
struct Known {
    owner_id: Uuid,
    livemode: bool,
    id: Uuid,
    external_product_id: String,
    external_customer_id: Option<String>,
    wallet: Option<String>,
    email: Option<String>,
}

/// The same check, always answered by PostgreSQL: its index is never filled.
pub fn by_database(state: &State) -> AccessCheck {
    let (log, vault, clock) = (state.log.clone(), state.vault.clone(), state.clock.clone());
    AccessCheck::new(AccessIndex::default(), log, vault, clock, state.reader.clone(), state.fresh.clone(), state.own_writes.clone())
}

/// Asks about up to `most` pairs of customer and product, in every way that they can be asked about, and asserts that both answer
/// the same. How often each reason, or code of a refusal, was given.
///
/// # Panics
/// If an answer differs.
pub async fn same_answers(state: &State, most: usize) -> BTreeMap<String, usize> {
    let mut given = BTreeMap::new();
    let Some(last) = state.log.head().await.expect("the log has a head").next_position.checked_sub(1) else { return given };
    let by_database = by_database(state);
    let customers = customers(state).await;
    let step = customers.len().div_ceil(most.max(1)).max(1);
    // Another part of them each time.
    let first = usize::try_from(last).unwrap_or(0) % step;
    for known in customers.into_iter().skip(first).step_by(step) {
        for question in questions(&known) {
            let min = MinPosition(Some(last));
            let check = |named| Check {
                owner: question.owner,
                live: question.live,
                both_modes: question.both_modes,
                named,
                customer: &question.customer,
                rail: &question.rail,
                min,
            };
            let named = if question.by_id { Named::Id(known.id) } else { Named::External(&known.external_product_id) };
            let memory = outcome(state.check.answer(&check(named)).await);
            let database = outcome(by_database.answer(&check(named)).await);
            assert_eq!(memory, database, "the index (left) differs from PostgreSQL: {known:?} {question:?}");
            let reason = memory.map_or_else(|code| code, |(_, _, answer)| answer.reason.as_str().to_owned());
            *given.entry(reason).or_default() += 1;
        }
    }
    given
}

#[derive(Debug)]
struct Question {
    owner: OwnerId,
    live: bool,
    both_modes: bool,
    by_id: bool,
    customer: Result<Customer, Problem>,
    rail: Result<Option<RailId>, Problem>,
}

/// All identities at once and each alone, on the default rail and on others, live and in the sandbox, as the owner and as another.
fn questions(known: &Known) -> Vec<Question> {
    let Known { external_customer_id: id, wallet, email, .. } = known;
    let named = [
        Customer::parse(id, &None, wallet, email),
        Customer::parse(id, &None, &None, &None),
        Customer::parse(&None, id, &None, &None),
        Customer::parse(&None, &None, wallet, &None),
        Customer::parse(&None, &None, &None, &email.as_ref().map(|email| email.to_uppercase())),
    ];
    let mut questions = Vec::new();
    for (number, customer) in named.into_iter().enumerate() {
        for rail in [None, Some(RailId::X402), Some(RailId::BaseUsdc)] {
            // All rails with all identities; one rail with each alone.
            if number > 0 && rail == Some(RailId::BaseUsdc) {
                continue;
            }
            for live in [known.livemode, !known.livemode] {
                let (owner, both_modes) = (OwnerId(known.owner_id), number % 2 == 0);
                questions.push(Question { owner, live, both_modes, by_id: number == 1, customer: customer.clone(), rail: Ok(rail) });
            }
        }
    }
    let stranger = OwnerId(Uuid::from_u128(7));
    let customer = Customer::parse(id, &None, wallet, email);
    questions.push(Question { owner: stranger, live: true, both_modes: true, by_id: true, customer, rail: Ok(None) });
    questions
}

async fn customers(state: &State) -> Vec<Known> {
    let mut transaction = state.log.pool().begin().await.expect("the database answers");
    let models = ["access_products", "entitlements", "memberships"];
    sqlx::query(include_str!("../../projections/src/runner/sql/enter_live.sql"))
        .bind(models.as_slice())
        .execute(&mut *transaction)
        .await
        .expect("the read models are there");
    sqlx::query_as(include_str!("sql/customers.sql")).fetch_all(&mut *transaction).await.expect("the read models are read")
}

/// What can be compared of an answer.
fn outcome(answered: Result<Checked, Problem>) -> Result<(Uuid, RailId, Answer), String> {
    answered.map(|checked| (checked.product.meta.id, checked.rail, checked.answer)).map_err(|problem| problem.code.to_owned())
}
