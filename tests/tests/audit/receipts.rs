//! Receipts and their place in the log, checked by tools that nobody here wrote; each also rejects what was altered.

use crate::{ask, bytes, log_key, text};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use events::proof::Witness;
use hilt_tests::{app::TestApp, payments, processes::Folder, python};
use replay_tool::{WitnessOptions, witness};
use reqwest::{Method, header};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::{fs, path::Path};
use tokio::process::Command;

/// A service with a receipt that is in the log, a witness that saw it, and everything that anyone can ask for, in files.
async fn world() -> (TestApp, Folder, String) {
    let key = Witness::generate("witness.example/w1").unwrap();
    let known = key.key().to_string();
    let app = TestApp::start(&[("HILT_LOG_WITNESSES", &known), ("HILT_CHECKPOINT_SECONDS", "86400")]).await;
    let log = app.state.log.clone();
    let shop = payments::shop(&log, true).await;
    payments::paid(&log, &shop).await;
    let paid = payments::paid(&log, &shop).await;
    payments::session(&log, &shop).await;
    let folder = Folder::new();
    let log_key = log_key(&app).await;
    let options = WitnessOptions {
        log: format!("{}/v1/log", app.base_url),
        key: log_key.clone(),
        witness: key.clone(),
        state: folder.path().join("seen"),
        submit: true,
    };
    witness(&options).await.unwrap();
    let receipt = format!("/v1/receipt/{}", paid.receipt_id);
    let keep = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
    keep("public.json", bytes(&app, &format!("{receipt}/public")).await);
    keep("proof.json", bytes(&app, &format!("{receipt}/proof?format=json")).await);
    keep("proof.tlog", bytes(&app, &format!("{receipt}/proof")).await);
    keep("receipt.cose", bytes(&app, &format!("{receipt}/proof?format=cose")).await);
    keep("jwks.json", bytes(&app, "/.well-known/jwks.json").await);
    keep("log.vkey", log_key.to_string().into_bytes());
    keep("witness.vkey", known.into_bytes());
    let keys = app.get_public("/v1/log/keys").await.ok();
    keep("log.pem", keys["checkpoint_keys"][0]["pem"].as_str().unwrap().into());
    keep("cose.pem", keys["cose_receipt_keys"][0]["pem"].as_str().unwrap().into());
    (app, folder, receipt)
}

fn read(folder: &Folder, name: &str) -> Vec<u8> {
    fs::read(folder.path().join(name)).unwrap()
}

async fn succeeds(mut command: Command) -> bool {
    command.kill_on_drop(true).output().await.unwrap().status.success()
}

/// Runs `holds` on the folder with each file altered at places all over it, and back.
async fn rejects_altered(folder: &Folder, files: &[&str], holds: impl AsyncFn(&Path) -> bool) {
    assert!(holds(folder.path()).await, "what was not altered holds");
    for name in files {
        let path = folder.path().join(name);
        let whole = fs::read(&path).unwrap();
        for part in 0..5 {
            let place = (whole.len() - 2) * part / 4;
            let mut altered = whole.clone();
            altered[place] ^= 1;
            fs::write(&path, altered).unwrap();
            assert!(!holds(folder.path()).await, "{name} altered at {place}");
        }
        fs::write(&path, whole).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn python_cryptography_and_rfc8785_check_a_receipt_and_its_place_in_the_log() {
    let (app, folder, _) = world().await;
    let holds = async |folder: &Path| {
        let mut check = python::program("python");
        check.arg(python::folder().join("check_proof.py")).arg(folder);
        succeeds(check).await
    };
    rejects_altered(&folder, &["proof.tlog", "log.vkey", "witness.vkey"], &holds).await;
    // What is JSON has places that carry nothing; these do.
    for (file, member) in
        [("public.json", "receipt_hash"), ("public.json", "ed25519_sig"), ("proof.json", "entry"), ("proof.json", "payload")]
    {
        let whole = read(&folder, file);
        let mut json: Value = serde_json::from_slice(&whole).unwrap();
        let text = json[member].as_str().unwrap();
        let (first, rest) = text.split_at(1);
        json[member] = format!("{}{rest}", if first == "0" { "1" } else { "0" }).into();
        fs::write(folder.path().join(file), json.to_string()).unwrap();
        assert!(!holds(folder.path()).await, "{member} of {file}");
        fs::write(folder.path().join(file), whole).unwrap();
    }
    let whole = read(&folder, "public.json");
    let mut json: Value = serde_json::from_slice(&whole).unwrap();
    json["receipt_json"]["transaction"]["amount_raw"] = json!(25_000_001);
    fs::write(folder.path().join("public.json"), json.to_string()).unwrap();
    assert!(!holds(folder.path()).await, "another amount");
    app.close().await;
}

/// What a COSE Receipt claims, after it was verified.
const CLAIMS: &str = "\
import sys
from scitt_cose.receipt import verify_receipt
receipt, key = (open(name, 'rb').read() for name in sys.argv[1:3])
found = verify_receipt(receipt, leaf_entry_hex=sys.argv[3], log_public_key_pem=key)
assert found.ok
print(found.issuer, found.subject)
";

#[tokio::test(flavor = "multi_thread")]
async fn scitt_cose_verifies_the_cose_receipt_of_the_entry_and_of_no_other() {
    let (app, folder, _) = world().await;
    let proof: Value = serde_json::from_slice(&read(&folder, "proof.json")).unwrap();
    let entry = proof["entry"].as_str().unwrap().to_owned();
    let verify = |folder: &Path, entry: &str| {
        let mut scitt = python::program("scitt-cose");
        scitt.arg("--receipt").arg(folder.join("receipt.cose")).arg("--receipt-log-pubkey").arg(folder.join("cose.pem"));
        scitt.args(["--leaf-entry-hex", entry, "--json"]);
        scitt
    };
    let said: Value = serde_json::from_str(&python::run(verify(folder.path(), &entry)).await).unwrap();
    let receipt = &said["receipt"];
    assert_eq!(receipt["ok"], json!(true), "{said}");
    assert_eq!((&receipt["tree_size"], &receipt["leaf_index"]), (&proof["tree_size"], &proof["position"]), "{said}");
    assert_eq!(receipt["root"], proof["root"], "{said}");
    let mut claims = python::program("python");
    claims.args(["-c", CLAIMS]).arg(folder.path().join("receipt.cose")).arg(folder.path().join("cose.pem")).arg(&entry);
    assert_eq!(python::run(claims).await.trim(), format!("hilt.local/log receipt/{}", proof["receipt_id"].as_str().unwrap()));
    rejects_altered(&folder, &["receipt.cose"], async |folder: &Path| succeeds(verify(folder, &entry)).await).await;
    let mut other = hex::decode(&entry).unwrap();
    other[60] ^= 1;
    assert!(!succeeds(verify(folder.path(), &hex::encode(other))).await, "another entry");
    fs::copy(folder.path().join("log.pem"), folder.path().join("cose.pem")).unwrap();
    assert!(!succeeds(verify(folder.path(), &entry)).await, "the log's checkpoint key signs no COSE Receipts");
    assert_eq!(
        STANDARD.decode(proof["cose_receipt"].as_str().unwrap()).unwrap(),
        read(&folder, "receipt.cose"),
        "the same bytes each time"
    );
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openssl_and_signed_note_verify_the_checkpoint() {
    use signed_note::{Note, StandardVerifier, VerifierList};
    let (app, folder, _) = world().await;
    let note = text(&app, "/v1/log/checkpoint").await;
    let (body, lines) = note.split_once("\n\n").unwrap();
    let signature = STANDARD.decode(lines.lines().next().unwrap().rsplit(' ').next().unwrap()).unwrap();
    fs::write(folder.path().join("body"), format!("{body}\n")).unwrap();
    fs::write(folder.path().join("signature"), &signature[4..]).unwrap();
    let holds = async |folder: &Path| {
        let mut openssl = Command::new("openssl");
        openssl.args(["pkeyutl", "-verify", "-pubin", "-inkey", "log.pem", "-rawin", "-in", "body", "-sigfile", "signature"]);
        openssl.current_dir(folder);
        succeeds(openssl).await
    };
    rejects_altered(&folder, &["body", "signature", "log.pem"], holds).await;

    let vkey = String::from_utf8(read(&folder, "log.vkey")).unwrap();
    let verifiers = VerifierList::new(vec![Box::new(StandardVerifier::new(&vkey).unwrap())]);
    let (verified, unverified) = Note::from_bytes(note.as_bytes()).unwrap().verify(&verifiers).unwrap();
    assert_eq!((verified.len(), unverified.len()), (1, 1), "the witness's line is another's business");
    let forged = note.replacen("\n— ", "x\n— ", 1);
    assert!(Note::from_bytes(forged.as_bytes()).is_err() || Note::from_bytes(forged.as_bytes()).unwrap().verify(&verifiers).is_err());
    app.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_comes_in_the_form_that_is_asked_for_and_pages_and_documents_point_at_it() {
    let (app, _folder, receipt) = world().await;
    let kind = async |accept: Option<&str>, query: &str| {
        let mut request = app.request(Method::GET, &format!("{receipt}/proof{query}"));
        if let Some(accept) = accept {
            request = request.header(header::ACCEPT, accept);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.headers()[header::CONTENT_TYPE].to_str().unwrap().to_owned()
    };
    for (accept, query, expected) in [
        (None, "", "text/plain; charset=utf-8"),
        (Some("application/cose"), "", "application/scitt-receipt+cose"),
        (Some("application/scitt-receipt+cose"), "", "application/scitt-receipt+cose"),
        (Some("application/json"), "", "application/json"),
        (Some("application/json"), "?format=tlog", "text/plain; charset=utf-8"),
    ] {
        assert_eq!(kind(accept, query).await, expected, "{accept:?} {query}");
    }
    app.get_public(&format!("{receipt}/proof?format=pdf")).await.refused(422, "validation_failed");
    app.get_public("/v1/receipt/nothing/proof").await.refused(404, "receipt_not_found");
    app.get_public(&format!("/v1/receipt/{}/proof", events::clock::new_id::<uuid::Uuid>())).await.refused(404, "receipt_not_found");
    let public = app.get_public(&format!("{receipt}/public")).await.ok();
    assert_eq!(public["proof_url"], json!(format!("https://api.hilt.so{receipt}/proof")));
    let id = receipt.rsplit('/').next().unwrap();
    let page = ask(&app, &format!("/r/{id}")).await.text().await.unwrap();
    assert!(page.contains(&format!("href=\"{receipt}/proof?format=cose\"")), "{page}");

    // A receipt that no checkpoint covers yet gets one.
    let shop = payments::shop(&app.state.log, true).await;
    let paid = payments::paid(&app.state.log, &shop).await;
    let before = app.state.checkpointer.latest().await.unwrap().unwrap().size;
    let proof = app.get_public(&format!("/v1/receipt/{}/proof?format=json", paid.receipt_id)).await.ok();
    assert!(proof["tree_size"].as_u64().unwrap() > before);
    let payload = hex::decode(proof["payload"].as_str().unwrap()).unwrap();
    assert_eq!(proof["payload_hash"], json!(hex::encode(Sha256::digest(&payload))));
    app.close().await;
}
