//! The log in tiles, read by the `tlog_tiles` crate, which nobody here wrote.

use crate::{ask, bytes, grow, log_key, text};
use api::http::jwt::Role;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::proof::Checkpoint;
use hilt_tests::{app::TestApp, payments};
use reqwest::{Method, header};
use serde_json::{Value, json};
use tlog_tiles::{Hash, Tile, TileHashReader, TileReader, check_record, check_tree, prove_record, prove_tree, record_hash};
use tokio::runtime::Handle;

/// Reads tiles of a service, as a client of the crate does; alters one if it is told to.
struct Tiles<'a> {
    app: &'a TestApp,
    altered: Option<&'a str>,
}

fn address(tile: &Tile) -> String {
    // The crate writes the height of tiles, which is always 8 here, into their paths.
    tile.path().replacen("tile/8/", "/v1/log/tile/", 1)
}

impl TileReader for Tiles<'_> {
    fn height(&self) -> u8 {
        8
    }
    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, tlog_tiles::Error> {
        let read = async {
            let mut found = Vec::new();
            for tile in tiles {
                let path = address(tile);
                let mut hashes = bytes(self.app, &path).await;
                if self.altered.is_some_and(|altered| path.contains(altered)) {
                    // The second hash, where there is one: the first stands on the way up from record 3, and no proof of it has it.
                    let at = if hashes.len() > 32 { 41 } else { 9 };
                    hashes[at] ^= 1;
                }
                found.push(hashes);
            }
            found
        };
        Ok(tokio::task::block_in_place(|| Handle::current().block_on(read)))
    }
    fn save_tiles(&self, _: &[Tile], _: &[Vec<u8>]) {}
}

async fn consistency(app: &TestApp, from: u64, to: u64) -> Vec<Hash> {
    let proof = app.get_public(&format!("/v1/log/consistency?from={from}&to={to}")).await.ok();
    let hashes = proof["hashes"].as_array().unwrap().iter();
    hashes.map(|hash| Hash(STANDARD.decode(hash.as_str().unwrap()).unwrap().try_into().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn other_peoples_client_proves_everything_from_tiles_and_notices_an_altered_one() {
    let app = TestApp::start(&[]).await;
    let log = app.state.log.clone();
    let mut signed: Vec<Checkpoint> = Vec::new();
    let key = log_key(&app).await;
    for events in [2, 300, 700, 66_000] {
        grow(&log, events).await;
        let note = text(&app, "/v1/log/checkpoint").await;
        let theirs = tlog_tiles::Checkpoint::from_bytes(note.split_once("\n\n").map(|(body, _)| format!("{body}\n")).unwrap().as_bytes());
        let ours = Checkpoint::open(&note, &key).unwrap();
        let theirs = theirs.unwrap();
        assert_eq!((theirs.origin(), theirs.size(), theirs.hash().0), (ours.origin.as_str(), ours.size, ours.root.0));
        signed.push(ours);
    }
    let newest = signed.last().unwrap();
    assert!(newest.size > 65_536 + 1_000, "there is a level 2");
    let root = Hash(newest.root.0);
    let tiles = Tiles { app: &app, altered: None };
    let reader = TileHashReader::new(newest.size, root, &tiles);
    for index in [0, 1, 255, 256, 65_535, 65_536, newest.size - 1] {
        let proof = prove_record(newest.size, index, &reader).unwrap();
        let leaf = Hash(log.read(index, 1).await.unwrap()[0].leaf.0);
        check_record(&proof, newest.size, root, index, leaf).unwrap();
        assert!(check_record(&proof, newest.size, root, index, Hash([7; 32])).is_err());
        let ours = app.state.checkpointer.tree().inclusion(index, newest.size).await.unwrap();
        assert_eq!(proof.iter().map(|hash| hash.0).collect::<Vec<_>>(), ours.iter().map(|hash| hash.0).collect::<Vec<_>>());
    }
    for old in &signed[..3] {
        let proof = prove_tree(newest.size, old.size, &reader).unwrap();
        assert_eq!(
            proof.iter().map(|h| h.0).collect::<Vec<_>>(),
            consistency(&app, old.size, newest.size).await.iter().map(|h| h.0).collect::<Vec<_>>()
        );
        check_tree(&proof, newest.size, root, old.size, Hash(old.root.0)).unwrap();
        assert!(check_tree(&proof, newest.size, root, old.size, Hash([7; 32])).is_err());
    }
    for altered in ["/tile/0/000", "/tile/1/000", "/tile/2/000"] {
        let tiles = Tiles { app: &app, altered: Some(altered) };
        // The client itself does not check every tile; then the proof that it makes of it does not hold.
        let leaf = Hash(log.read(3, 1).await.unwrap()[0].leaf.0);
        let proved = prove_record(newest.size, 3, &TileHashReader::new(newest.size, root, &tiles));
        assert!(proved.and_then(|proof| check_record(&proof, newest.size, root, 3, leaf)).is_err(), "{altered}");
    }
    app.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_is_there_for_ever_and_what_is_not_is_not_there() {
    let app = TestApp::start(&[("HILT_CHECKPOINT_SECONDS", "86400")]).await;
    grow(&app.state.log, 600).await;
    text(&app, "/v1/log/checkpoint").await;
    let size = app.state.checkpointer.latest().await.unwrap().unwrap().size;
    grow(&app.state.log, 300).await;
    let last = size - 512;
    for (path, length) in [
        ("0/000".to_owned(), 8_192),
        ("0/001".to_owned(), 8_192),
        (format!("0/002.p/{last}"), last as usize * 32),
        ("0/002.p/1".to_owned(), 32),
        ("0/000.p/17".to_owned(), 17 * 32),
        ("1/000.p/2".to_owned(), 64),
        // An encoded slash is one.
        ("0/000.p%2F17".to_owned(), 17 * 32),
    ] {
        let answer = ask(&app, &format!("/v1/log/tile/{path}")).await;
        assert_eq!(answer.status(), 200, "{path}");
        let header = |name| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header(header::CACHE_CONTROL), "public, max-age=31536000, immutable", "{path}");
        assert_eq!(header(header::CONTENT_TYPE), "application/octet-stream", "{path}");
        assert_eq!(answer.bytes().await.unwrap().len(), length, "{path}");
    }
    let beyond = format!("0/002.p/{}", last + 1);
    for path in [
        beyond.as_str(),
        "0/002",
        "0/003",
        "0/x001/000",
        "1/000",
        "1/000.p/3",
        "2/000.p/1",
        "0/0",
        "0/00",
        "00/000",
        "0/000.p/0",
        "0/000.p/256",
        "0/x000/000",
        "64/000",
        "99/000",
        "x/000",
        "entries%2F000",
        "entries%2F000/x",
    ] {
        let answer = ask(&app, &format!("/v1/log/tile/{path}")).await;
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store", "{path}: what is not there now may be soon");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!((&problem["status"], &problem["code"]), (&json!(404), &json!("not_found")), "{path}");
    }
    // What is between two sizes, and what is not.
    for (query, field) in [("from=1&to=100000", "to"), ("from=9&to=8", "from"), ("to=8", "from"), ("from=-1", "from"), ("from=x", "from")] {
        let refused = app.get_public(&format!("/v1/log/consistency?{query}")).await.refused(422, "validation_failed");
        assert!(refused.to_string().contains(field), "{query}: {refused}");
    }
    assert_eq!(app.get_public("/v1/log/consistency?from=0").await.ok(), json!({"from": 0, "to": size, "hashes": []}));
    let list = app.get_public("/v1/log/checkpoints?limit=1").await.ok();
    assert_eq!((&list["items"][0]["size"], &list["items"][0]["cosignatures"]), (&json!(size), &json!([])));
    assert_eq!(list["items"][0]["note"], json!(text(&app, &format!("/v1/log/checkpoints/{size}")).await));
    for missing in [size + 1, 99_999_999] {
        app.get_public(&format!("/v1/log/checkpoints/{missing}")).await.refused(404, "not_found");
    }
    app.get_public("/v1/log/checkpoints?cursor=x").await.refused(422, "validation_failed");
    app.end().await;
}

/// A page of the list, from the beginning to the end.
#[tokio::test(flavor = "multi_thread")]
async fn every_checkpoint_is_listed_once() {
    let app = TestApp::start(&[("HILT_CHECKPOINT_SECONDS", "86400")]).await;
    let mut signed = Vec::new();
    for _ in 0..5 {
        grow(&app.state.log, 2).await;
        signed.push(app.state.checkpointer.sign().await.unwrap().size);
    }
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get_public(&format!("/v1/log/checkpoints?limit=2{cursor}")).await.ok();
        seen.extend(page["items"].as_array().unwrap().iter().map(|item| item["size"].as_u64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    // The worker may have signed once at the start.
    seen.retain(|size| signed.contains(size));
    signed.reverse();
    assert_eq!(seen, signed);
    app.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_hash_to_leaves_and_are_for_auditors_unless_they_are_published() {
    let app = TestApp::start(&[("HILT_CHECKPOINT_SECONDS", "86400")]).await;
    grow(&app.state.log, 300).await;
    text(&app, "/v1/log/checkpoint").await;
    for path in ["/v1/log/tile/entries/000", "/v1/log/tile/entries/001.p/5"] {
        app.get_public(path).await.refused(401, "auth_required");
        app.get(&app.live_key, path).await.refused(403, "staff_required");
        let mut owner = app.request(Method::GET, path);
        owner = owner.bearer_auth(app.token(Role::Owner, Some(app.owner)).await);
        app.send(owner).await.refused(403, "staff_required");
    }
    let auditor = app.token(Role::Auditor, None).await;
    let read = async |path: &str| app.request(Method::GET, path).bearer_auth(&auditor).send().await.unwrap();
    let answer = read("/v1/log/tile/entries/000").await;
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "private, max-age=31536000, immutable");
    let (bundle, hashes) = (answer.bytes().await.unwrap(), bytes(&app, "/v1/log/tile/0/000").await);
    assert_eq!(leaves(&bundle), hashes);
    assert_eq!(leaves(&read("/v1/log/tile/entries/001.p/5").await.bytes().await.unwrap()), bytes(&app, "/v1/log/tile/0/001.p/5").await);
    assert_eq!(read("/v1/log/tile/entries/009").await.status(), 404);
    let events = app.state.log.read(0, 10_000).await.unwrap();
    assert!(events.iter().any(|event| event.envelope.event_type.as_str() == "audit.log_read"), "who reads the log is in the log");
    app.end().await;

    let open = TestApp::start(&[("HILT_LOG_ENTRIES", "public")]).await;
    grow(&open.state.log, 300).await;
    text(&open, "/v1/log/checkpoint").await;
    let answer = ask(&open, "/v1/log/tile/entries/000").await;
    assert_eq!(answer.headers()[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
    assert_eq!(leaves(&answer.bytes().await.unwrap()), bytes(&open, "/v1/log/tile/0/000").await);
    open.end().await;
}

/// The leaves of a bundle's entries, hashed by the other crate.
fn leaves(bundle: &[u8]) -> Vec<u8> {
    let (mut rest, mut leaves) = (bundle, Vec::new());
    while let Some((length, after)) = rest.split_first_chunk::<2>() {
        let (entry, after) = after.split_at(usize::from(u16::from_be_bytes(*length)));
        leaves.extend(record_hash(entry).0);
        rest = after;
    }
    assert!(rest.is_empty());
    leaves
}

#[tokio::test(flavor = "multi_thread")]
async fn altered_roots_of_tiles_and_altered_cosignatures_are_found_and_named() {
    use events::proof::{Checkpoint, Witness};
    use replay_tool::{BreakClass, Failure, VerifyOptions, verify};
    let world = hilt_tests::tampering::world().await;
    let witness = Witness::generate("w").unwrap();
    let checkpointer = events::proof::Checkpointer::new(world.log.clone(), payments::ORIGIN).with_witnesses(vec![witness.key()]);
    while world.log.head().await.unwrap().next_position < 600 {
        payments::session(&world.log, &world.shop).await;
    }
    let head = checkpointer.sign().await.unwrap();
    let checkpoint = Checkpoint { origin: payments::ORIGIN.to_owned(), size: head.size, root: head.root };
    let line = witness.cosign(&checkpoint, 1_700_000_000).line;
    checkpointer.keep_cosignatures(&format!("{}{line}\n", head.note)).await.unwrap();
    let options = VerifyOptions { vkey: Some(world.vkey.clone()), witnesses: vec![witness.key()], ..VerifyOptions::default() };
    verify(&world.admin, &options, &|_| {}).await.unwrap();
    verify(&world.database.auditor_pool().await, &options, &|_| {}).await.unwrap();
    let (nodes, lines) = (BreakClass::TreeNodeMismatch, BreakClass::CosignatureInvalid);
    for (alter, back, class) in [
        (
            "UPDATE log.tree_nodes SET hash = sha256(hash) WHERE index = 1",
            "UPDATE log.tree_nodes SET hash = kept.hash FROM kept WHERE kept.index = 1 AND tree_nodes.index = 1",
            nodes,
        ),
        ("UPDATE log.tree_nodes SET index = 7 WHERE index = 1", "UPDATE log.tree_nodes SET index = 1 WHERE index = 7", nodes),
        ("DELETE FROM log.tree_nodes WHERE index = 0", "INSERT INTO log.tree_nodes SELECT * FROM kept WHERE index = 0", nodes),
        ("INSERT INTO log.tree_nodes VALUES (2, 1, sha256('x'))", "DELETE FROM log.tree_nodes WHERE level = 2", nodes),
        ("UPDATE log.cosignatures SET signed_at = signed_at + 1", "UPDATE log.cosignatures SET signed_at = signed_at - 1", lines),
        ("UPDATE log.cosignatures SET witness = 'v'", "UPDATE log.cosignatures SET witness = 'w'", lines),
        ("UPDATE log.cosignatures SET size = size + 1", "UPDATE log.cosignatures SET size = size - 1", lines),
        (
            "UPDATE log.cosignatures SET line = replace(line, '— w ', '— v ')",
            "UPDATE log.cosignatures SET line = replace(line, '— v ', '— w ')",
            lines,
        ),
    ] {
        let alone = |statement: &str| {
            format!(
                "BEGIN; ALTER TABLE log.tree_nodes DISABLE TRIGGER USER; ALTER TABLE log.cosignatures DISABLE TRIGGER USER;
                 CREATE TABLE IF NOT EXISTS kept AS SELECT * FROM log.tree_nodes; {statement};
                 ALTER TABLE log.tree_nodes ENABLE ALWAYS TRIGGER append_only; ALTER TABLE log.cosignatures ENABLE ALWAYS TRIGGER append_only;
                 ALTER TABLE log.cosignatures ENABLE ALWAYS TRIGGER of_a_checkpoint; COMMIT"
            )
        };
        sqlx::raw_sql(sqlx::AssertSqlSafe(alone(alter))).execute(&world.admin).await.unwrap();
        match verify(&world.admin, &options, &|_| {}).await {
            Err(Failure::Broken(found)) => assert_eq!(found.class, class, "{alter}: {found}"),
            other => panic!("{alter}: {other:?}"),
        }
        sqlx::raw_sql(sqlx::AssertSqlSafe(alone(back))).execute(&world.admin).await.unwrap();
    }
    verify(&world.admin, &options, &|_| {}).await.unwrap();
    // A log whose head and tree contradict each other is not signed.
    let altered = "ALTER TABLE log.tree_nodes DISABLE TRIGGER USER; UPDATE log.tree_nodes SET hash = sha256(hash) WHERE index = 1";
    sqlx::raw_sql(altered).execute(&world.admin).await.unwrap();
    payments::session(&world.log, &world.shop).await;
    let refused = checkpointer.sign().await.unwrap_err();
    assert!(matches!(refused, events::proof::CheckpointError::Differs { .. }), "{refused}");
    let refused = sqlx::query("INSERT INTO log.cosignatures VALUES (7777, 'w', '\\x01020304', 1, 'x', 1)").execute(world.log.pool()).await;
    assert!(refused.unwrap_err().to_string().contains("no checkpoint of 7777 events"));
}
