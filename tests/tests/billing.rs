//! A merchant's own subscription of Hilt, which Stripe keeps (RT-050 to RT-053): AC-37, AC-38, INV-57, INV-79.

#[path = "billing/faults.rs"]
mod faults;
#[path = "billing/limits.rs"]
mod limits;
#[path = "billing/office.rs"]
mod office;
#[path = "billing/plans.rs"]
mod plans;
#[path = "billing/statement.rs"]
mod statement;
