//! Every route, with requests that its document allows and requests that it does not, under every kind of credential: no answer is
//! of a status, a media type or a shape that the document does not give, and none is a 5xx.
//!
//! `HILT_TEST_FUZZ_EXAMPLES` says how many random requests each operation gets in each mode, and `HILT_TEST_FUZZ_SEED` where they
//! begin.

use crate::world::World;
use hilt_tests::{processes::Folder, python};
use serde_json::Value;
use std::collections::BTreeSet;

/// Random requests an operation; the requests at the boundaries of each schema come on top.
const EXAMPLES: &str = "8";

/// What is held against the document. Whether a request that the document allows is also accepted is not: many rules, such as that a
/// wallet exists, are beyond a schema.
const CHECKS: &str = "not_our_fault,status_code_conformance,content_type_conformance,response_headers_conformance,\
                      response_schema_conformance,unsupported_method";

#[tokio::test(flavor = "multi_thread")]
async fn no_request_gets_an_answer_that_is_not_documented() {
    let world = World::make().await;
    let folder = Folder::new();
    let (described, seen) = (folder.path().join("world.json"), folder.path().join("seen.json"));
    std::fs::write(&described, world.described().await.to_string()).unwrap();
    let set = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let mut fuzzer = python::program("schemathesis");
    fuzzer
        .args(["run", &format!("{}/openapi.json", world.app.base_url), "--url", &world.app.base_url])
        .args(["--checks", CHECKS, "--phases", "examples,coverage,fuzzing", "--warnings", "off", "--continue-on-failure", "--no-shrink"])
        .args(["--max-examples", &set("HILT_TEST_FUZZ_EXAMPLES", EXAMPLES), "--seed", &set("HILT_TEST_FUZZ_SEED", "1"), "--workers", "1"])
        .args(["--output-sanitize", "false"])
        .env("SCHEMATHESIS_HOOKS", "fuzz_hooks")
        .env("PYTHONPATH", python::folder())
        .env("HILT_FUZZ_WORLD", &described)
        .env("HILT_FUZZ_SEEN", &seen)
        .current_dir(folder.path());
    println!("{}", python::run(fuzzer).await);
    let seen: Value = serde_json::from_str(&std::fs::read_to_string(&seen).unwrap()).unwrap();
    reaches_behind_the_first_check(&seen);
    world.app.close().await;
}

/// A fuzzer that is turned away everywhere finds nothing.
fn reaches_behind_the_first_check(seen: &Value) {
    let mut refused = BTreeSet::new();
    let mut successful = 0;
    for (operation, by_credential) in seen.as_object().unwrap() {
        let statuses: BTreeSet<_> = by_credential.as_object().unwrap().values().flat_map(|one| one.as_object().unwrap().keys()).collect();
        match statuses.iter().any(|status| status.starts_with(['2', '3'])) {
            true => successful += 1,
            false => drop(refused.insert(operation.clone())),
        }
    }
    println!("{successful} operations answered with success; never: {refused:#?}");
    assert!(successful > refused.len(), "too many operations were never reached: {refused:#?}");
}
