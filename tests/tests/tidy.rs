//! House rules that run: who may import whom, where SQL lives, what deciders must not touch.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// Which of our crates each crate may name. `docs/architecture.md` says why.
const ARROWS: &[(&str, &[&str])] = &[
    ("events", &[]),
    ("migrations", &[]),
    ("ledger", &["events"]),
    ("rails", &["events"]),
    ("projections", &["events"]),
    ("workers", &["events", "ledger", "rails", "projections"]),
    ("replay-tool", &["events", "ledger", "projections", "migrations"]),
    ("api", &["events", "ledger", "rails", "projections", "workers", "migrations", "replay-tool"]),
];

/// The parts of `events` that read no clock, no database and no network; all that `ledger` and `rails` may use.
const VOCABULARY: &[&str] = &["vocab", "decider", "claims"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace is the parent").to_owned()
}

fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target" && name != "node_modules") {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Code without comments, and without the tests below it.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source file is readable");
    let product = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    product.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

fn broken(rule: &str, breaks: Vec<String>) {
    assert!(breaks.is_empty(), "{rule}:\n{}", breaks.join("\n"));
}

fn sources(krate: &str) -> Vec<(String, String)> {
    let name = |path: &Path| path.strip_prefix(root()).unwrap_or(path).display().to_string();
    files(&root().join(krate).join("src"), "rs").iter().map(|path| (name(path), code(path))).collect()
}

#[test]
fn crates_import_only_what_the_arrows_allow() {
    let mut breaks = Vec::new();
    let names: Vec<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    for (krate, allowed) in ARROWS {
        let manifest = fs::read_to_string(root().join(krate).join("Cargo.toml")).expect("every crate has a manifest");
        let dependencies = manifest.split("[dev-dependencies]").next().unwrap_or_default();
        for other in names.iter().filter(|other| *other != krate && !allowed.contains(other)) {
            if dependencies.lines().any(|line| line.starts_with(&format!("{other}.")) || line.starts_with(&format!("{other} "))) {
                breaks.push(format!("{krate}/Cargo.toml depends on {other}"));
            }
        }
    }
    broken("an arrow points the wrong way", breaks);
}

#[test]
fn the_domain_and_the_rails_use_the_vocabulary_only() {
    let mut breaks = Vec::new();
    for krate in ["ledger", "rails"] {
        for (name, code) in sources(krate) {
            for (at, _) in code.match_indices("events::") {
                let rest = &code[at + "events::".len()..];
                let first: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if !first.is_empty() && !VOCABULARY.contains(&first.as_str()) {
                    breaks.push(format!("{name} uses events::{first}"));
                }
            }
        }
    }
    broken("only the vocabulary is pure", breaks);
}

#[test]
fn deciders_touch_nothing_outside() {
    let manifest = fs::read_to_string(root().join("ledger/Cargo.toml")).expect("the ledger has a manifest");
    let dependencies = manifest.split("[dev-dependencies]").next().unwrap_or_default();
    let outside = ["tokio", "sqlx", "reqwest", "async-nats", "getrandom", "rand"];
    let mut breaks: Vec<String> =
        outside.iter().filter(|name| dependencies.contains(&format!("\n{name}"))).map(|name| format!("ledger depends on {name}")).collect();
    for (name, code) in sources("ledger") {
        for word in ["async fn", ".await", "SystemTime", "Instant::now", "std::fs", "std::net", "std::env", "f32", "f64"] {
            if code.contains(word) {
                breaks.push(format!("{name} uses {word}"));
            }
        }
    }
    broken("a decider is pure and synchronous, and money is never a float", breaks);
}

#[test]
fn sql_lives_in_sql_files() {
    let mut breaks = Vec::new();
    for (krate, _) in ARROWS {
        for (name, code) in sources(krate) {
            for (number, line) in code.lines().enumerate() {
                let starts =
                    ["SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ", "WITH ", "CREATE ", "ALTER ", "DROP ", "TRUNCATE ", "GRANT "];
                if starts.iter().any(|start| line.contains(&format!("\"{start}"))) {
                    breaks.push(format!("{name}:{}", number + 1));
                }
            }
        }
    }
    broken("a statement is a file of its own", breaks);
}

#[test]
fn a_statement_file_holds_one_statement() {
    let mut breaks = Vec::new();
    for (krate, _) in ARROWS.iter().filter(|(krate, _)| *krate != "migrations") {
        for path in files(&root().join(krate).join("src"), "sql") {
            // What makes a database, its roles or its tables is a script.
            if path.file_name().is_some_and(|name| name == "schema.sql" || name == "create_roles.sql") {
                continue;
            }
            let text = fs::read_to_string(&path).expect("a statement file is readable");
            let statements = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
            if statements.trim().trim_end_matches(';').contains(';') {
                breaks.push(path.display().to_string());
            }
        }
    }
    broken("one statement a file", breaks);
}

#[test]
fn nothing_is_left_as_a_stub() {
    let mut breaks = Vec::new();
    for (krate, _) in ARROWS {
        for (name, code) in sources(krate) {
            for word in ["todo!(", "unimplemented!(", "dbg!("] {
                if code.contains(word) {
                    breaks.push(format!("{name} holds {word}"));
                }
            }
        }
    }
    broken("a stub is worse than a gap that is told", breaks);
}

#[test]
fn files_stay_readable() {
    let mut long = BTreeMap::new();
    for (krate, _) in ARROWS {
        for path in files(&root().join(krate).join("src"), "rs") {
            let lines = fs::read_to_string(&path).map(|text| text.lines().count()).unwrap_or_default();
            if lines > 600 {
                long.insert(path.display().to_string(), lines);
            }
        }
    }
    assert!(long.is_empty(), "a file near 300 lines can be read in one go: {long:#?}");
}
