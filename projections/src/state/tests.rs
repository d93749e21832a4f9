use super::*;
use crate::{ALL, testkit::Sample};
use events::vocab::{personal::Personal, stream::Recorded};

/// A sample's events as the log holds them, with what was sealed.
fn recorded(sample: &Sample) -> Vec<(Recorded, Option<Personal>)> {
    let events = [sample.events(), vec![sample.erased()]].concat();
    sample.record(&events).into_iter().map(|(recorded, _, personal)| (recorded, personal)).collect()
}

fn replayed(events: &[(Recorded, Option<Personal>)], opened: bool) -> Replay {
    let mut replay = Replay::of(ALL);
    for (recorded, personal) in events {
        replay.fold(recorded, personal.as_ref().filter(|_| opened)).unwrap();
    }
    replay
}

#[test]
fn what_is_left_out_is_all_that_personal_data_makes() {
    let sample = Sample::new();
    let events = recorded(&sample);
    // At every position, erasure included: a root of the past does not change with what can still be opened.
    for end in 1..=events.len() {
        let (with, without) = (replayed(&events[..end], true), replayed(&events[..end], false));
        for definition in ALL {
            let rows = |replay: &Replay| -> Vec<_> {
                replay.ids(definition.name).into_iter().map(|id| replay.row(definition.name, id).unwrap()).collect()
            };
            assert_eq!(rows(&with), rows(&without), "{} at {end}", definition.name);
        }
        assert_eq!(with.state().unwrap(), without.state().unwrap());
    }
    let shown = replayed(&events[..events.len() - 1], true).whole_row("payments", sample.payment.0).unwrap().unwrap();
    assert_eq!(shown["identity_value"], "77", "whoever brings personal data sees it");
}

#[test]
fn every_event_that_matters_changes_the_root_and_an_attestation_changes_none() {
    let sample = Sample::new();
    let events = recorded(&sample);
    let mut replay = Replay::of(ALL);
    let mut before = replay.state().unwrap().root();
    for (recorded, _) in &events {
        replay.fold(recorded, None).unwrap();
        let state = replay.state().unwrap();
        assert_eq!(state.at_position, recorded.position);
        let matters = ALL.iter().any(|definition| (definition.handles)(recorded.envelope.event_type));
        // Some events are noted by a read model only under conditions.
        assert!(matters || state.root() == before, "{}", recorded.envelope.event_type.as_str());
        before = state.root();
    }
    let attested = replay.state().unwrap().into_event();
    assert_eq!((attested.root, attested.form.as_str()), (before, FORM));
    assert_eq!(attested.projections.len(), ALL.len());
    assert!(attested.projections.windows(2).all(|pair| pair[0].name < pair[1].name));
    assert_eq!(attested.trial_balance.len(), 3, "buyer, merchant and fee of one payment");
}

#[test]
fn an_event_left_out_is_missed_by_those_that_rest_on_it() {
    let sample = Sample::new();
    let events = recorded(&sample);
    let created = events.iter().position(|(recorded, _)| recorded.envelope.event_type.as_str() == "payment.created").unwrap();
    let (mut replay, mut missed) = (Replay::of(ALL), Vec::new());
    for (recorded, _) in &events {
        match recorded.position == created as u64 {
            true => replay.leave_out(recorded),
            false => missed.extend(replay.apply(recorded, None).unwrap()),
        }
    }
    assert!(replay.ids("payments").is_empty() && !replay.ids("receipts").is_empty());
    assert!(missed.iter().any(|one| (one.projection, one.poisoned.event_type) == ("journal", "settlement.evidenced")));
    assert!(missed.iter().all(|one| ["payments", "journal", "movements"].contains(&one.projection)), "{missed:?}");
    let mut gap = Replay::of(ALL);
    assert!(matches!(gap.fold(&events[1].0, None), Err(StateError::Gap(0))));
}
