//! Two people agree, each signs with a key of his own, and one proof covers both: checked by tools that nobody here wrote, and by
//! `hilt-replay` without a server (RT-105, RT-106, INV-48).

use crate::log_key;
use api::http::jwt::Role;
use events::{proof::NoteKey, vocab::bytes::Hash32};
use hilt_tests::{
    app::{Answer, TestApp},
    processes::Folder,
    python,
};
use ledger::{approval::statement::KeyStatement, wallet};
use replay_tool::{BreakClass, Failure, OperatorKey, verify_approval};
use reqwest::Method;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, path::Path};
use tokio::process::Command;

const WALLET: &str = "11111111111111111111111111111112";

/// Two operators, their tokens and their keys, which are files in a folder of theirs.
pub struct Operators<'a> {
    app: &'a TestApp,
    tokens: [String; 2],
    keys: [OperatorKey; 2],
    pub folder: Folder,
}

const NAMES: [&str; 2] = ["staff-1", "staff-2"];

impl<'a> Operators<'a> {
    pub async fn of(app: &'a TestApp) -> Self {
        let folder = Folder::new();
        let key = |name: &str| OperatorKey::generate(&folder.path().join(format!("{name}.key"))).unwrap();
        let keys = NAMES.map(key);
        for (name, key) in NAMES.iter().zip(&keys) {
            fs::write(folder.path().join(format!("{name}.pem")), key.public_pem()).unwrap();
        }
        let tokens = [app.token_of(NAMES[0], Role::Staff, None).await, app.token_of(NAMES[1], Role::Staff, None).await];
        Operators { app, tokens, keys, folder }
    }

    async fn send(&self, who: usize, method: Method, path: &str, body: Value) -> Answer {
        let request = self.app.request(method, &format!("/v1/admin/access{path}")).bearer_auth(&self.tokens[who]);
        self.app.send(request.json(&body)).await
    }

    async fn post(&self, who: usize, path: &str, body: Value) -> Answer {
        self.send(who, Method::POST, path, body).await
    }

    async fn get(&self, path: &str) -> Answer {
        self.app.send(self.app.request(Method::GET, &format!("/v1/admin/access{path}")).bearer_auth(&self.tokens[0])).await
    }

    /// What registers the key of one of them.
    fn registration(&self, who: usize) -> Value {
        let public_key = Hash32(self.keys[who].public());
        let statement = KeyStatement::new(self.app.state.checkpointer.origin(), NAMES[who], public_key);
        json!({"public_key": public_key, "signature": self.keys[who].sign(statement.canonical().as_bytes())})
    }

    pub async fn register(&self) {
        for who in [0, 1] {
            self.post(who, "/operator-keys", self.registration(who)).await.ok();
        }
    }

    fn sign(&self, who: usize, statement: &Value) -> Value {
        json!(self.keys[who].sign(statement["statement"].as_str().unwrap().as_bytes()))
    }

    /// Asked for by the first, signed.
    pub async fn asked(&self) -> Value {
        let mut body = asked_for();
        let statement = self.post(0, "/approvals/statement", body.clone()).await.ok();
        body["approval_id"] = statement["approval_id"].clone();
        body["signature"] = self.sign(0, &statement);
        self.post(0, "/approvals", body).await.ok()
    }

    /// Approved by the second, signed.
    pub async fn approved(&self, asked: &Value) -> Answer {
        let path = of(asked, "statement");
        let statement = self.post(1, &path, json!({"reason": "I was there"})).await.ok();
        let body = json!({"reason": "I was there", "signature": self.sign(1, &statement)});
        self.post(1, &of(asked, "approve"), body).await
    }

    fn publics(&self) -> BTreeMap<String, Hash32> {
        NAMES.iter().zip(&self.keys).map(|(name, key)| ((*name).to_owned(), Hash32(key.public()))).collect()
    }
}

fn asked_for() -> Value {
    json!({"action": "hilt_treasury_wallet_change", "target": "solana_usdc", "payload": {"treasury_wallet": WALLET},
        "reason": "key ceremony 4"})
}

fn of(asked: &Value, word: &str) -> String {
    format!("/approvals/{}/{word}", asked["id"].as_str().unwrap())
}

async fn succeeds(mut command: Command) -> bool {
    command.kill_on_drop(true).output().await.unwrap().status.success()
}

/// The proof of an approval that two operators signed, in their folder beside their public keys and the log's.
async fn proven(operators: &Operators<'_>) -> (String, NoteKey) {
    operators.register().await;
    let asked = operators.asked().await;
    operators.get(&of(&asked, "proof")).await.refused(409, "approval_not_signed");
    let approved = operators.approved(&asked).await.ok();
    assert!(approved["requested_kid"].is_string() && approved["decided_kid"].is_string(), "{approved}");
    let shown = operators.get(&format!("/approvals/{}", asked["id"].as_str().unwrap())).await.ok();
    assert_eq!((&shown["requested_kid"], &shown["decided_kid"]), (&approved["requested_kid"], &approved["decided_kid"]));
    let proof = operators.get(&of(&asked, "proof")).await.ok();
    let text = serde_json::to_string_pretty(&proof).unwrap();
    let key = log_key(operators.app).await;
    fs::write(operators.folder.path().join("approval.json"), &text).unwrap();
    fs::write(operators.folder.path().join("log.vkey"), key.to_string()).unwrap();
    (text, key)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_proof_covers_both_operators_signatures_and_other_peoples_tools_verify_it() {
    assert!(wallet::solana(WALLET).is_ok());
    let app = TestApp::start(&[]).await;
    let operators = Operators::of(&app).await;
    let (text, key) = proven(&operators).await;
    let folder = operators.folder.path();
    let report = verify_approval(&text, &key, &operators.publics()).unwrap();
    assert_eq!(report.request["subject"]["hilt_treasury_wallet_change"]["wallet"], json!(WALLET));
    assert_eq!(report.operators, NAMES);

    // Python, with the operators' own PEM files.
    let holds = async |folder: &Path| {
        let mut check = python::program("python");
        check.arg(python::folder().join("check_approval.py")).arg(folder);
        succeeds(check).await
    };
    assert!(holds(folder).await, "what was not altered holds");
    // openssl, over the statement as it stands in the proof.
    let proof: Value = serde_json::from_str(&text).unwrap();
    for (word, name) in [("request", "staff-1"), ("decision", "staff-2")] {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let statement = proof[word]["statement"].as_str().unwrap();
        let signature = STANDARD.decode(proof[word]["signature"].as_str().unwrap()).unwrap();
        fs::write(folder.join("signature"), signature).unwrap();
        for (statement, good) in [(statement.to_owned(), true), (statement.replacen("staff-", "Staff-", 1), false)] {
            fs::write(folder.join("statement"), statement).unwrap();
            let mut openssl = Command::new("openssl");
            openssl.args(["pkeyutl", "-verify", "-pubin", "-inkey", &format!("{name}.pem"), "-rawin"]);
            openssl.args(["-in", "statement", "-sigfile", "signature"]).current_dir(folder);
            assert_eq!(succeeds(openssl).await, good, "{word}");
        }
    }

    // Every member altered in turn: neither takes it.
    let altered = |pointer: &str| {
        let mut altered = proof.clone();
        let member = altered.pointer_mut(pointer).unwrap();
        *member = match member {
            Value::Number(number) => json!(number.as_u64().unwrap() + 1),
            Value::String(text) => {
                let middle = text.len() / 2;
                let other = if &text[middle..=middle] == "0" { "1" } else { "0" };
                json!(format!("{}{other}{}", &text[..middle], &text[middle + 1..]))
            }
            other => panic!("{other}"),
        };
        altered.to_string()
    };
    for pointer in [
        "/form",
        "/approval_id",
        "/event_id",
        "/position",
        "/payload",
        "/entry",
        "/leaf",
        "/tlog_proof",
        "/request/operator",
        "/request/kid",
        "/request/public_key",
        "/request/statement",
        "/request/signature",
        "/decision/operator",
        "/decision/kid",
        "/decision/public_key",
        "/decision/statement",
        "/decision/signature",
    ] {
        let altered = altered(pointer);
        assert!(verify_approval(&altered, &key, &operators.publics()).is_err(), "{pointer}");
        fs::write(folder.join("approval.json"), altered).unwrap();
        // Python's file names no form and reads no event id.
        assert!(pointer == "/form" || pointer == "/event_id" || !holds(folder).await, "{pointer}");
    }
    // The signatures hold, and the keys are not those that the operators gave out.
    let class = |operators: &BTreeMap<String, Hash32>| match verify_approval(&text, &key, operators).unwrap_err() {
        Failure::Broken(found) => found.class,
        other => panic!("{other}"),
    };
    let mut swapped = operators.publics();
    let second = swapped["staff-2"];
    swapped.insert("staff-1".into(), second);
    assert_eq!(class(&swapped), BreakClass::ApprovalSignatureInvalid);
    swapped.remove("staff-1");
    assert_eq!(class(&swapped), BreakClass::ApprovalSignatureInvalid);
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_a_key_must_sign_what_he_asks_for_and_what_he_approves() {
    let app = TestApp::start(&[]).await;
    let operators = Operators::of(&app).await;
    operators.get("/operator-keys/staff-1").await.refused(404, "operator_key_not_found");
    // Nobody has a key yet: unsigned as before, and nothing to prove.
    let unsigned = operators.post(0, "/approvals", asked_for()).await.ok();
    operators.post(1, &of(&unsigned, "approve"), json!({"reason": "seen"})).await.ok();
    operators.get(&of(&unsigned, "proof")).await.refused(409, "approval_not_signed");

    let mut another = operators.registration(0);
    another["signature"] = operators.registration(1)["signature"].clone();
    operators.post(0, "/operator-keys", another).await.refused(422, "operator_signature_invalid");
    operators.post(0, "/operator-keys", json!({"public_key": "key", "signature": ""})).await.refused(422, "validation_failed");
    operators.post(1, "/operator-keys", operators.registration(0)).await.refused(422, "operator_signature_invalid");
    operators.register().await;
    let shown = operators.get("/operator-keys/staff-1").await.ok();
    assert_eq!(shown["key"]["public_key"], json!(Hash32(operators.keys[0].public())));

    let refused = operators.post(0, "/approvals", asked_for()).await.refused(409, "operator_signature_required");
    assert!(refused["next_action"].as_str().unwrap().contains("/statement"), "{refused}");
    let mut wrong = asked_for();
    let statement = operators.post(0, "/approvals/statement", wrong.clone()).await.ok();
    // Signed, but under an id that is drawn anew.
    wrong["signature"] = operators.sign(0, &statement);
    operators.post(0, "/approvals", wrong.clone()).await.refused(422, "operator_signature_invalid");
    wrong["approval_id"] = statement["approval_id"].clone();
    wrong["reason"] = json!("another reason");
    operators.post(0, "/approvals", wrong.clone()).await.refused(422, "operator_signature_invalid");
    wrong["signature"] = json!("no base64");
    operators.post(0, "/approvals", wrong).await.refused(422, "validation_failed");

    let asked = operators.asked().await;
    operators.post(0, &of(&asked, "statement"), json!({"reason": "mine"})).await.refused(403, "second_approver_required");
    operators.post(1, &of(&asked, "approve"), json!({"reason": "seen"})).await.refused(409, "operator_signature_required");
    let statement = operators.post(1, &of(&asked, "statement"), json!({"reason": "seen"})).await.ok();
    let by_the_first = json!({"reason": "seen", "signature": operators.sign(0, &statement)});
    operators.post(1, &of(&asked, "approve"), by_the_first).await.refused(422, "operator_signature_invalid");
    // A retired key signs nothing, and its operator cannot go back to approving without one.
    operators.post(1, "/operator-keys/retire", json!({"reason": "my laptop"})).await.refused(422, "reason_required");
    operators.post(1, "/operator-keys/retire", json!({"reason": "lost"})).await.ok();
    let late = json!({"reason": "seen", "signature": operators.sign(1, &statement)});
    operators.post(1, &of(&asked, "approve"), late).await.refused(409, "operator_key_required");
    operators.post(1, &of(&asked, "approve"), json!({"reason": "seen"})).await.refused(409, "operator_key_required");
    operators.post(1, "/operator-keys", operators.registration(1)).await.refused(409, "operator_key_retired");
    // A refusal takes effect of nothing, and needs no key.
    operators.post(1, &of(&asked, "reject"), json!({"reason": "not now"})).await.ok();

    // The platform can ask it of everybody.
    let third = app.token_of("staff-3", Role::Staff, None).await;
    let ask = async || {
        let request = app.request(Method::POST, "/v1/admin/access/approvals").bearer_auth(&third).json(&asked_for());
        app.send(request).await
    };
    ask().await.ok();
    let all = json!({"value": true, "reason": "from now on"});
    operators.send(0, Method::PUT, "/settings/approval_signatures_required", all).await.ok();
    ask().await.refused(409, "operator_key_required");
    app.close().await;
}

/// Runs `hilt operator`: whether it succeeded, and what it printed.
async fn operator(arguments: &[&str]) -> (bool, String) {
    let binaries = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().to_owned();
    let run = Command::new(binaries.join("hilt")).arg("operator").args(arguments).kill_on_drop(true).output().await.unwrap();
    (run.status.success(), String::from_utf8(run.stdout).unwrap().trim_end().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_makes_and_uses_his_key_on_his_own_machine() {
    let app = TestApp::start(&[]).await;
    let folder = Folder::new();
    let file = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (key, log) = (file("own.key"), app.state.checkpointer.origin().to_owned());
    let token = app.token_of("staff-9", Role::Staff, None).await;
    let post = async |path: &str, body: &Value| {
        let request = app.request(Method::POST, &format!("/v1/admin/access{path}")).bearer_auth(&token).json(body);
        app.send(request).await
    };
    assert!(!operator(&["key", "--operator", "Mr. Smith", "--log", &log, "--key", &key]).await.0);
    let (made, registration) = operator(&["key", "--operator", "staff-9", "--log", &log, "--key", &key]).await;
    assert!(made, "{registration}");
    assert_eq!(operator(&["key", "--operator", "staff-9", "--log", &log, "--key", &key]).await.1, registration, "the same key again");
    post("/operator-keys", &serde_json::from_str(&registration).unwrap()).await.ok();

    let mut body = asked_for();
    let statement = post("/approvals/statement", &body).await.ok();
    fs::write(file("statement"), format!("{}\n", statement["statement"].as_str().unwrap())).unwrap();
    let (signed, signature) = operator(&["sign", "--key", &key, &file("statement")]).await;
    assert!(signed, "{signature}");
    body["approval_id"] = statement["approval_id"].clone();
    body["signature"] = json!(signature);
    post("/approvals", &body).await.ok();
    // What is no statement of ours, byte for byte, is not signed.
    for other in ["{}".to_owned(), format!(" {}", statement["statement"].as_str().unwrap()), "I owe you 1000 USDC".to_owned()] {
        fs::write(file("statement"), other).unwrap();
        assert_eq!(operator(&["sign", "--key", &key, &file("statement")]).await, (false, String::new()));
    }
    // openssl reads the key as it is.
    let (_, public) = operator(&["public", "--key", &key]).await;
    let openssl = Command::new("openssl").args(["pkey", "-in", &key, "-pubout"]).kill_on_drop(true).output().await.unwrap();
    assert_eq!(String::from_utf8(openssl.stdout).unwrap().trim_end(), public);
    app.close().await;
}
