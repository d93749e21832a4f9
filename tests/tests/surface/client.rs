//! A client generated from the document, as a stranger would generate one: it type-checks, and it runs the whole sandbox lifecycle.

use hilt_tests::{app::TestApp, processes::Folder, python, solana_tx::Keypair};

/// The generator knows no PDF and no COSE; to it these are bytes.
const CONFIG: &str = "\
project_name_override: hilt
package_name_override: hilt_client
content_type_overrides:
  application/pdf: application/octet-stream
  application/scitt-receipt+cose: application/octet-stream
";

/// All that is generated from the document is checked; the generator's own base class does not stand up to strictness.
const MYPY: &str = "[mypy]\n[mypy-hilt_client.client]\nignore_errors = True\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_client_type_checks_and_runs_the_lifecycle() {
    let app = TestApp::start(&[]).await;
    let folder = Folder::new();
    let document = app.request(reqwest::Method::GET, "/openapi.json").send().await.unwrap().text().await.unwrap();
    std::fs::write(folder.path().join("openapi.json"), document).unwrap();
    std::fs::write(folder.path().join("config.yaml"), CONFIG).unwrap();
    std::fs::write(folder.path().join("mypy.ini"), MYPY).unwrap();

    let mut generate = python::program("openapi-python-client");
    generate.args(["generate", "--path", "openapi.json", "--config", "config.yaml", "--meta", "none", "--output-path", "hilt_client"]);
    generate.args(["--fail-on-warning"]).current_dir(folder.path());
    python::run(generate).await;

    let lifecycle = python::folder().join("lifecycle.py");
    let mut check = python::program("mypy");
    check
        .args(["--config-file", "mypy.ini", "--strict", "--cache-dir", ".mypy"])
        .arg(&lifecycle)
        .env("MYPYPATH", folder.path())
        .current_dir(folder.path());
    python::run(check).await;

    let mut run = python::program("python");
    run.arg(&lifecycle).args([&app.base_url, &app.sandbox_key]).arg(Keypair::generate().address().to_string());
    run.env("PYTHONPATH", folder.path());
    let said = python::run(run).await;
    assert_eq!(said.lines().last(), Some("granted"), "{said}");
    app.close().await;
}
