use super::*;

fn parse(file: &str, environment: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::parse(Some(file), environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
}

fn invalid(name: &str, value: &str) -> bool {
    matches!(parse("", &[(name, value)]), Err(ConfigError::Invalid { name: named, .. }) if named == name)
}

#[test]
fn defaults_are_valid() {
    let config = parse("", &[]).unwrap();
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.data_dir, PathBuf::from(".hilt"));
    assert_eq!(config.roles.len(), 4);
    assert_eq!((config.access_fee.get(), config.workspace_fee.get()), (100, 10));
    assert_eq!(config.public_api_url, "https://api.hilt.so");
    assert!(config.evm_rpc_urls.is_empty() && config.database_url.is_none() && !config.webhook_allow_private);
}

#[test]
fn the_environment_wins_over_the_file() {
    let file = "listen = \"127.0.0.1:1\"\nnats_prefix = \"file\"\naccess_fee_bps = 70\nroles = [\"api\", \"relay\"]";
    let config = parse(file, &[("HILT_LISTEN", "127.0.0.1:2"), ("HILT_NATS_PREFIX", ""), ("PATH", "/bin")]).unwrap();
    assert_eq!(config.listen.port(), 2);
    assert_eq!(config.nats_prefix, "file");
    assert_eq!(config.access_fee.get(), 70);
    assert_eq!(config.roles, BTreeSet::from([Role::Api, Role::Relay]));
}

#[test]
fn chains_come_as_text_or_as_a_table() {
    let text = parse("", &[("HILT_EVM_RPC_URLS", "eip155:8453=https://a.example/k?x=1, eip155:1=http://b.example")]).unwrap();
    let table = parse("[evm_rpc_urls]\n\"eip155:8453\" = \"https://a.example/k?x=1\"\n\"eip155:1\" = \"http://b.example\"", &[]).unwrap();
    assert_eq!(text.evm_rpc_urls, table.evm_rpc_urls);
    assert_eq!(text.evm_rpc_urls["eip155:8453"].expose().as_str(), "https://a.example/k?x=1");
}

#[test]
fn prices_come_as_text_or_as_a_table() {
    use events::vocab::words::{BillingInterval::*, BillingPlan::*};
    let text = parse("", &[("HILT_STRIPE_WORKSPACE_PRICES", "growth_monthly=price_1, scale_yearly=price_2")]).unwrap();
    let table = parse("[stripe_workspace_prices]\ngrowth_monthly = \"price_1\"\nscale_yearly = \"price_2\"", &[]).unwrap();
    assert_eq!(text.stripe_workspace_prices, table.stripe_workspace_prices);
    assert_eq!(text.stripe_workspace_prices.of(Growth, Monthly), Some("price_1"));
    assert_eq!(text.stripe_workspace_prices.of(Growth, Yearly), None);
}

#[test]
fn an_unknown_key_is_named() {
    assert_eq!(parse("listne = \"x\"", &[]).unwrap_err(), ConfigError::UnknownKey("listne".to_owned()));
}

#[test]
fn broken_toml_is_located_without_quoting_it() {
    let error = parse("listen = \"127.0.0.1:1\"\nmaster_key = \"s3cret\n", &[]).unwrap_err();
    assert!(matches!(error, ConfigError::NotToml { line: Some(2), .. }), "{error:?}");
    assert!(!error.to_string().contains("s3cret"));
}

#[test]
fn every_rule_refuses_by_name() {
    for (name, value) in [
        ("HILT_LISTEN", "8080"),
        ("HILT_DATABASE_URL", "mysql://x"),
        ("HILT_ADMIN_DATABASE_URL", "x"),
        ("HILT_NATS_URL", "http://x"),
        ("HILT_NATS_PREFIX", "a.b"),
        ("HILT_SOL_PRICE_URL", "api.example"),
        ("HILT_SOL_PRICE_MAX_AGE_SECONDS", "0"),
        ("HILT_HOSTED_PRODUCTS", "perhaps"),
        ("HILT_TELEGRAM_BOT_USERNAME", "a bot"),
        ("HILT_ROLES", "api,cook"),
        ("HILT_SOLANA_RPC_URL", "ftp://x"),
        ("HILT_SOLANA_NETWORK", "solana:mainnet"),
        ("HILT_FEE_WALLET", "HiltTreasury"),
        ("HILT_EVM_RPC_URLS", "base=https://x.example"),
        ("HILT_WEBHOOK_ALLOW_PRIVATE", "yes"),
        ("HILT_MAIL_FROM", "Hilt"),
        ("HILT_PUBLIC_API_URL", "api.hilt.so"),
        ("HILT_TELEGRAM_BOT_TOKEN", "123456/x"),
        ("HILT_TELEGRAM_API_URL", "api.telegram.org"),
        ("HILT_DISCORD_BOT_TOKEN", "a b"),
        ("HILT_DISCORD_API_URL", "ftp://discord.com"),
        ("HILT_MASTER_KEY", "00"),
        ("HILT_LOG_ORIGIN", "https://log.example.org"),
        ("HILT_JWT_JWKS_URL", "jwks.json"),
        ("HILT_ACCESS_FEE_BPS", "10001"),
        ("HILT_MAX_BODY_BYTES", "12"),
        ("HILT_PLAN", "free"),
        ("HILT_PLAN_CREDITS", "sandbox=many"),
        ("HILT_PLAN_TEMPLATES", "free=1"),
        ("HILT_PLAN_TEMPLATES", "sandbox=many"),
        ("HILT_STRIPE_SECRET_KEY", "pk_test_1"),
        ("HILT_STRIPE_SECRET_KEY", "sk_test 1"),
        ("HILT_STRIPE_API_URL", "api.stripe.com"),
        ("HILT_STRIPE_WORKSPACE_PRICES", "growth=price_1"),
        ("HILT_STRIPE_WORKSPACE_PRICES", "enterprise_monthly=price_1"),
        ("HILT_STRIPE_WORKSPACE_PRICES", "growth_monthly=prod_1"),
        ("HILT_STRIPE_WORKSPACE_PRICES", "growth_monthly=price_1,growth_yearly=price_1"),
        ("HILT_STRIPE_WORKSPACE_PRICES", "growth_monthly=price_1,growth_monthly=price_2"),
    ] {
        assert!(invalid(name, value), "{name}={value}");
    }
}

#[test]
fn a_mail_server_and_its_sender_come_together() {
    let with = |url: &str| parse("", &[("HILT_SMTP_URL", url), ("HILT_MAIL_FROM", "Hilt <receipts@hilt.example>")]);
    for good in
        ["smtps://u:p%40ss@mail.example", "smtp://mail.example:587", "smtp://relay:25?tls=none", "smtp://u:p@127.0.0.1:1025/?tls=none"]
    {
        assert!(with(good).unwrap().smtp_url.is_some(), "{good}");
    }
    for bad in [
        "http://mail.example",
        "smtp://",
        "smtp://u:p@mail.example?tls=none",
        "smtp://mail.example?tls=opportunistic",
        "smtps://mail.example?tls=none",
    ] {
        assert!(matches!(with(bad), Err(ConfigError::Invalid { name: "HILT_SMTP_URL", .. })), "{bad}");
    }
    for (name, value) in [("HILT_SMTP_URL", "smtps://mail.example"), ("HILT_MAIL_FROM", "a@b.example")] {
        assert_eq!(parse("", &[(name, value)]).unwrap_err(), ConfigError::Together("HILT_SMTP_URL", "HILT_MAIL_FROM"));
    }
    assert!(!format!("{:?}", with("smtps://u:s3cret@mail.example").unwrap()).contains("s3cret"));
}

#[test]
fn two_key_sets_exclude_each_other() {
    let both = [("HILT_JWT_JWKS_FILE", "keys.json"), ("HILT_JWT_JWKS_URL", "https://issuer.example/jwks.json")];
    assert!(matches!(parse("", &both), Err(ConfigError::Both(..))));
}

#[test]
fn secrets_appear_in_no_message_and_in_no_debug_output() {
    let key = "a1".repeat(32);
    let environment = [("HILT_MASTER_KEY", key.as_str()), ("HILT_DATABASE_URL", "postgres://hilt:hunter2@db/hilt")];
    let shown = format!("{:?}", parse("", &environment).unwrap());
    assert!(!shown.contains("hunter2") && !shown.contains(&key) && !shown.contains("161"));
    let refused = parse("", &[("HILT_MASTER_KEY", "hunter2")]).unwrap_err().to_string();
    assert_eq!(refused, "HILT_MASTER_KEY is not valid: it must be 64 hexadecimal digits");
}

#[test]
fn help_names_every_setting_and_every_setting_is_read() {
    let help = help();
    assert!(SETTINGS.iter().all(|setting| help.contains(setting.variable)));
    let reader = include_str!("mod.rs");
    assert!(SETTINGS.iter().all(|setting| reader.contains(&format!("\"{}\"", setting.variable))));
}
