//! Read models are folded anew from the log and compared with those in use.

use events::vault::MasterKey;
use hilt_tests::{db::Database, payments};
use replay_tool::{BreakClass, Failure, Tell};
use sqlx::AssertSqlSafe;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

#[tokio::test]
async fn a_changed_row_of_a_read_model_is_found_and_a_rebuild_mends_it() {
    let database = Database::fresh().await;
    let log = database.log().await;
    let shop = payments::shop(&log, true).await;
    let paid = payments::paid(&log, &shop).await;
    payments::session(&log, &shop).await;

    let models = replay_tool::open_models(&database.pool().await, MasterKey::from_bytes([7; 32])).await.unwrap();
    let names: Vec<String> = models.names().iter().map(|&name| name.to_owned()).collect();
    let told = Arc::new(AtomicU64::new(0));
    let (last, tell): (_, Tell) = {
        let told = told.clone();
        (log.head().await.unwrap().next_position, Arc::new(move |_, progress| told.store(progress.done, Ordering::SeqCst)))
    };
    let built = replay_tool::rebuild(&models, &names, &tell).await.unwrap();
    assert!(built.iter().all(|model| model.rebuilt && model.checkpoint == Some(last - 1)));
    assert_eq!(told.load(Ordering::SeqCst), last);
    assert_eq!(replay_tool::diff(&models, &names, &tell).await.unwrap().len(), names.len());

    let admin = database.admin_pool().await;
    let (slot,): (String,) =
        sqlx::query_as("SELECT slot FROM projections.slots WHERE name = 'payments' AND state = 'live'").fetch_one(&admin).await.unwrap();
    let id = paid.session.payment_id;
    let change = format!("UPDATE {slot}.payments SET status = 'FAILED' WHERE id = '{id}'");
    assert_eq!(sqlx::raw_sql(AssertSqlSafe(change)).execute(&admin).await.unwrap().rows_affected(), 1);
    let Err(Failure::Broken(found)) = replay_tool::diff(&models, &names, &tell).await else { panic!("the change is not found") };
    assert_eq!((found.class, found.position), (BreakClass::ProjectionMismatch, last - 1));
    assert_eq!(found.detail, format!("payments: row {id} differs in status"));

    replay_tool::rebuild(&models, &["payments".to_owned()], &tell).await.unwrap();
    replay_tool::diff(&models, &names, &tell).await.unwrap();
    assert!(matches!(replay_tool::diff(&models, &["unheard".to_owned()], &tell).await, Err(Failure::Input(_))));
}
