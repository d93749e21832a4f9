use super::*;
use crate::testkit::Sample;

#[test]
fn an_app_is_a_row() {
    let sample = Sample::new();
    let rows = sample.fold::<AccessApps>(&sample.events());
    assert_eq!(rows.get(sample.app).unwrap().external_app_id, format!("app-{}", sample.app));
}
