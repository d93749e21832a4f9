//! Where settings come from: the file, overlaid by the environment.

use super::{ConfigError, SETTINGS};
use std::collections::BTreeMap;
use toml::Value;

/// The raw text of every setting that is set.
pub(super) struct Source(BTreeMap<&'static str, String>);

impl Source {
    /// Reads both places; the environment wins. An empty variable counts as unset, as `docker run -e NAME=` leaves it.
    pub fn new(file: Option<&str>, environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, ConfigError> {
        let mut values = file.map(values_of_file).transpose()?.unwrap_or_default();
        for (name, value) in environment {
            if let Some(setting) = SETTINGS.iter().find(|setting| setting.variable == name)
                && !value.is_empty()
            {
                values.insert(setting.variable, value);
            }
        }
        Ok(Source(values))
    }

    /// The value of `name`, parsed, or none if it is unset.
    pub fn optional<T>(&self, name: &'static str, rule: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, ConfigError> {
        let default = SETTINGS.iter().find(|setting| setting.variable == name).and_then(|setting| setting.default);
        let Some(text) = self.0.get(name).map(String::as_str).or(default) else { return Ok(None) };
        parse(text).map(Some).ok_or_else(|| ConfigError::Invalid { name, rule: format!("it must be {rule}") })
    }

    /// The value of `name`, parsed; for settings with a default.
    pub fn required<T>(&self, name: &'static str, rule: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, ConfigError> {
        self.optional(name, rule, parse)?.ok_or_else(|| ConfigError::Invalid { name, rule: format!("it must be set to {rule}") })
    }
}

fn values_of_file(text: &str) -> Result<BTreeMap<&'static str, String>, ConfigError> {
    let table: toml::Table = text.parse().map_err(|error: toml::de::Error| ConfigError::NotToml {
        line: error.span().map(|span| text[..span.start.min(text.len())].lines().count().max(1)),
        why: error.message().to_owned(),
    })?;
    let mut values = BTreeMap::new();
    for (key, value) in table {
        let setting = SETTINGS.iter().find(|setting| setting.key() == key).ok_or_else(|| ConfigError::UnknownKey(key.clone()))?;
        let rule = || ConfigError::Invalid {
            name: setting.variable,
            rule: "it must be text, a number, true, false, or a list or table of text".to_owned(),
        };
        values.insert(setting.variable, text_of(&value).ok_or_else(rule)?);
    }
    Ok(values)
}

/// A value in the environment's notation: lists joined by commas, tables as `key=value` pairs.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Boolean(truth) => Some(truth.to_string()),
        Value::Array(items) => items.iter().map(|item| item.as_str()).collect::<Option<Vec<_>>>().map(|items| items.join(",")),
        Value::Table(pairs) => {
            let pair = |(key, value): (&String, &Value)| value.as_str().map(|value| format!("{key}={value}"));
            pairs.iter().map(pair).collect::<Option<Vec<_>>>().map(|pairs| pairs.join(","))
        }
        Value::Float(_) | Value::Datetime(_) => None,
    }
}
