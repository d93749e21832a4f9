//! Random concurrent histories from several processes, checked against a model.

use hilt_tests::{
    db::Database,
    history::{self, End, Expectation, Kind, Record},
    verify,
};
use std::{
    collections::HashMap,
    process::{Command, Stdio},
};

const PROCESSES: usize = 3;
const APPENDS: u64 = 400;

/// What the model knows: the version of every stream, who holds which fingerprint, which keys are answered.
#[derive(Default)]
struct Model {
    versions: HashMap<String, u64>,
    holders: HashMap<u8, String>,
    keys: HashMap<u8, u64>,
}

impl Model {
    /// What the rules say of an append at this point: the same order of checks as the log documents.
    fn judge(&self, record: &Record) -> Option<End> {
        if record.key.is_some_and(|key| self.keys.contains_key(&key)) {
            return Some(End::Answered);
        }
        let mut added: HashMap<String, u64> = HashMap::new();
        for write in &record.writes {
            let stream = history::stream(write).to_string();
            let before = self.versions.get(&stream).map(|version| version + 1).unwrap_or(0);
            let actual = (before + added.get(&stream).copied().unwrap_or(0)).checked_sub(1);
            let holds = match write.expected {
                Expectation::Any => true,
                Expectation::New => actual.is_none(),
                Expectation::At(version) => actual == Some(version),
            };
            if !holds {
                return Some(End::Conflict(stream, actual));
            }
            *added.entry(stream).or_default() += 1;
        }
        let mut holders = self.holders.clone();
        for write in &record.writes {
            let stream = history::stream(write).to_string();
            match write.kind {
                Kind::Take(number) => match holders.get(&number) {
                    Some(holder) if *holder != stream => return Some(End::ClaimTaken(holder.clone())),
                    _ => drop(holders.insert(number, stream)),
                },
                Kind::Release(number) if holders.get(&number) == Some(&stream) => drop(holders.remove(&number)),
                Kind::Release(_) | Kind::Plain => {}
            }
        }
        None
    }

    fn apply(&mut self, record: &Record) {
        for write in &record.writes {
            let stream = history::stream(write).to_string();
            self.versions.entry(stream.clone()).and_modify(|version| *version += 1).or_insert(0);
            match write.kind {
                Kind::Take(number) => drop(self.holders.insert(number, stream)),
                Kind::Release(number) if self.holders.get(&number) == Some(&stream) => drop(self.holders.remove(&number)),
                Kind::Release(_) | Kind::Plain => {}
            }
        }
        if let Some(key) = record.key {
            self.keys.insert(key, 0);
        }
    }
}

fn run_processes(url: &str) -> Vec<Record> {
    let run = || {
        let arguments = ["history", url, &APPENDS.to_string()];
        let output = Command::new(env!("CARGO_BIN_EXE_appender")).args(arguments).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    // A thread for each, or one whose output nobody reads would hold the head while it waits for its pipe.
    let outputs: Vec<String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..PROCESSES).map(|_| scope.spawn(run)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    outputs.iter().flat_map(|output| output.lines()).map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn every_outcome_is_the_models() {
    let database = Database::fresh().await;
    let url = database.service_url().to_owned();
    let records = tokio::task::spawn_blocking(move || run_processes(&url)).await.unwrap();
    assert_eq!(records.len() as u64, PROCESSES as u64 * APPENDS);
    let log = database.log().await;
    let events = verify::whole_log(&log).await;

    let mut winners: Vec<(u64, &Record)> =
        records.iter().filter_map(|record| if let End::Done(first) = record.outcome { Some((first, record)) } else { None }).collect();
    winners.sort_by_key(|(first, _)| *first);
    // Which outcomes a loser could have had, at each point of the log.
    let mut losers: Vec<&Record> = records.iter().filter(|record| !matches!(record.outcome, End::Done(_))).collect();
    losers.sort_by_key(|record| record.before);
    let mut explained = vec![false; losers.len()];
    let mut model = Model::default();
    let mut position = 0;
    for (first, record) in winners.iter().map(|(first, record)| (*first, Some(*record))).chain([(events.len() as u64, None)]) {
        assert_eq!(first, position, "appends are whole and follow one another");
        for (loser, explained) in losers.iter().zip(&mut explained) {
            if loser.before <= position && position <= loser.after && !*explained {
                *explained = model.judge(loser).as_ref() == Some(&loser.outcome);
            }
        }
        let Some(record) = record else { break };
        assert_eq!(model.judge(record), None, "{record:?} won at {first}");
        assert!(record.before <= first && first < record.after, "{record:?} is outside its time");
        for (write, event) in record.writes.iter().zip(&events[position as usize..]) {
            assert_eq!(event.envelope.event_id.0, write.event_id);
            assert_eq!(event.envelope.stream, history::stream(write));
        }
        model.apply(record);
        position += record.writes.len() as u64;
    }
    let unexplained: Vec<_> = losers.iter().zip(&explained).filter(|(_, explained)| !**explained).collect();
    assert!(unexplained.is_empty(), "{} of {} losses have no reason: {:?}", unexplained.len(), losers.len(), unexplained.first());
    for (what, count) in [
        ("wins", winners.len()),
        ("conflicts", losers.iter().filter(|record| matches!(record.outcome, End::Conflict(..))).count()),
        ("taken claims", losers.iter().filter(|record| matches!(record.outcome, End::ClaimTaken(_))).count()),
        ("answered keys", losers.iter().filter(|record| record.outcome == End::Answered).count()),
    ] {
        assert!(count > 3, "the history has only {count} {what}");
    }
    claims_and_answers_are_what_the_events_say(&log, &model).await;
}

async fn claims_and_answers_are_what_the_events_say(log: &events::log::Log, model: &Model) {
    for number in 0..6 {
        let fingerprint = history::fingerprint(number);
        let claim = events::claims::Claim::fingerprint(history::OWNER, false, events::vocab::rail::RailId::SolanaUsdc, &fingerprint);
        let holder = log.find_claim(&claim).await.unwrap().map(|stream| stream.to_string());
        assert_eq!(holder.as_ref(), model.holders.get(&number), "fingerprint {number}");
    }
    for key in 0..200 {
        let answer = log.find_answer(history::OWNER, history::OPERATION, &key.to_string()).await.unwrap();
        assert_eq!(answer.is_some(), model.keys.contains_key(&key), "key {key}");
    }
}
