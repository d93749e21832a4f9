//! Every command that `docs/audit.md` prints, run as it is printed.

use crate::{approvals::Operators, log_key, text};
use api::http::jwt::Role;
use events::{proof::Witness, vocab::words::Scope};
use hilt_tests::{app::TestApp, payments, processes::Folder, python};
use std::{fs, path::Path};
use tokio::process::Command;

/// The commands of the page, in order.
fn commands() -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/audit.md");
    let page = fs::read_to_string(page).unwrap();
    let blocks = page.split("\n```sh\n").skip(1).map(|rest| rest.split("\n```").next().unwrap());
    blocks.collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_page_does_what_it_says() {
    let witness = Witness::generate("witness.example.com/hilt").unwrap();
    let known = witness.key().to_string();
    let app = TestApp::start(&[("HILT_LOG_WITNESSES", &known)]).await;
    let log = app.state.log.clone();
    let shop = payments::shop(&log, true).await;
    let paid = payments::paid(&log, &shop).await;
    // The reader kept a checkpoint some time ago.
    let folder = Folder::new();
    fs::write(folder.path().join("checkpoint.old"), text(&app, "/v1/log/checkpoint").await).unwrap();
    fs::write(folder.path().join("witness.key"), witness.to_secret()).unwrap();
    payments::paid(&log, &shop).await;
    let operators = Operators::of(&app).await;
    operators.register().await;
    let asked = operators.asked().await;
    operators.approved(&asked).await.ok();
    let commands = commands();
    assert!(commands.lines().count() > 40, "the page prints commands");
    fs::write(folder.path().join("page.sh"), format!("set -euo pipefail\n{commands}\necho; echo all of it")).unwrap();
    let path = std::env::var("PATH").unwrap();
    let binaries = std::env::current_exe().unwrap().parent().unwrap().parent().unwrap().to_owned();
    let run = Command::new("bash")
        .arg("page.sh")
        .current_dir(folder.path())
        .env("PATH", format!("{}:{}:{path}", python::folder().join(".venv/bin").display(), binaries.display()))
        .env("API", &app.base_url)
        .env("VKEY", log_key(&app).await.to_string())
        .env("RECEIPT", paid.receipt_id.to_string())
        .env("PAYMENT", paid.session.payment_id.to_string())
        .env("APPROVAL", asked["id"].as_str().unwrap())
        .env("OPERATORS", operators.folder.path())
        .env("HILT_KEY", app.key(shop.owner_id, true, Scope::ALL).await)
        .env("HILT_TOKEN", app.token(Role::Auditor, None).await)
        .kill_on_drop(true)
        .output()
        .await
        .unwrap();
    let (said, errors) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && said.trim_end().ends_with("all of it"), "{said}\n{errors}");
    assert_eq!(said.matches("Signature Verified Successfully").count(), 6, "{said}");
    app.close().await;
}
