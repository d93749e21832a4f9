//! The form in which a row is hashed: what the payloads alone make of it, the same bytes from a fold in memory and from the table.

use crate::runner::Definition;
use events::{
    leaf::leaf_hash,
    vocab::{bytes::Hash32, time::Timestamp},
};
use serde_json::{Map, Value};

/// How state roots are made. A row is its JSON without personal fields, canonical as RFC 8785 has it (integers in full); a leaf is
/// SHA-256 of `0x00` and those bytes; a table's root is RFC 6962's over the leaves in id order.
pub const FORM: &str = "rfc6962-sha256/rows-1";

/// How the rows of one projection are brought into that form.
#[derive(Clone, Debug)]
pub struct RowForm {
    /// Columns that hold an instant, which PostgreSQL and the fold write differently.
    instants: Vec<String>,
    personal: &'static [&'static str],
}

impl RowForm {
    /// That of `definition`.
    pub fn of(definition: &Definition) -> Self {
        let typed = columns(definition.schema).filter(|(_, kind)| *kind == "timestamptz");
        RowForm { instants: typed.map(|(name, _)| name.to_owned()).collect(), personal: definition.personal_fields }
    }

    /// A row with all its fields, as the other side would have it.
    pub fn whole(&self, mut row: Value) -> Value {
        clean(&mut row);
        if let Value::Object(fields) = &mut row {
            for name in &self.instants {
                if let Some(Value::String(text)) = fields.get_mut(name)
                    && let Ok(at) = Timestamp::parse(text)
                {
                    *text = at.to_string();
                }
            }
        }
        row
    }

    /// A row without what is personal in it.
    pub fn public(&self, row: Value) -> Value {
        let mut row = self.whole(row);
        if let Value::Object(fields) = &mut row {
            self.personal.iter().for_each(|path| remove(fields, path));
        }
        row
    }
}

/// The leaf of a row that [`RowForm::public`] yields.
pub fn row_leaf(row: &Value) -> Hash32 {
    leaf_hash(&canonical(row))
}

/// Canonical JSON: RFC 8785, but with every integer in full.
pub fn canonical(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512);
    write(value, &mut bytes);
    bytes
}

fn write(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Array(values) => {
            out.push(b'[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                write(value, out);
            }
            out.push(b']');
        }
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort_unstable_by(|left, right| left.encode_utf16().cmp(right.encode_utf16()));
            out.push(b'{');
            for (index, name) in names.into_iter().enumerate() {
                if index > 0 {
                    out.push(b',');
                }
                text(name, out);
                out.push(b':');
                fields.get(name).into_iter().for_each(|value| write(value, out));
            }
            out.push(b'}');
        }
        Value::String(string) => text(string, out),
        Value::Null | Value::Bool(_) | Value::Number(_) => out.extend_from_slice(value.to_string().as_bytes()),
    }
}

fn text(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(Value::from(text).to_string().as_bytes());
}

/// PostgreSQL's text holds every character but NUL, which becomes U+FFFD there.
fn clean(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => *text = text.replace('\0', "\u{FFFD}"),
        Value::Array(values) => values.iter_mut().for_each(clean),
        Value::Object(fields) => fields.values_mut().for_each(clean),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn remove(fields: &mut Map<String, Value>, path: &str) {
    match path.split_once("[].") {
        None => drop(fields.remove(path)),
        Some((list, field)) => {
            if let Some(Value::Array(elements)) = fields.get_mut(list) {
                elements.iter_mut().filter_map(Value::as_object_mut).for_each(|element| drop(element.remove(field)));
            }
        }
    }
}

/// Names and types of the columns that the DDL of one table names.
fn columns(schema: &str) -> impl Iterator<Item = (&str, &str)> {
    let body = schema.split_once("(\n").map_or("", |(_, rest)| rest);
    let body = body.split_once("\n);").map_or("", |(body, _)| body);
    body.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        words.next().zip(words.next()).map(|(name, kind)| (name, kind.trim_end_matches(',')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ALL, journal::Journal};
    use serde_json::json;

    #[test]
    fn a_row_is_the_same_bytes_from_the_table_and_from_the_fold() {
        let form = RowForm::of(&Definition::of::<Journal>());
        let table =
            json!({"created_at": "2027-01-15T08:00:00.5+00:00", "asset_symbol": "a\u{FFFD}b", "position": 9_007_199_254_740_993_u64});
        let fold = json!({"position": 9_007_199_254_740_993_u64, "asset_symbol": "a\u{0}b", "created_at": "2027-01-15T08:00:00.5Z"});
        assert_eq!(canonical(&form.public(table)), canonical(&form.public(fold.clone())));
        let text = r#"{"asset_symbol":"a�b","created_at":"2027-01-15T08:00:00.5Z","position":9007199254740993}"#;
        assert_eq!(String::from_utf8(canonical(&form.public(fold))).unwrap(), text, "sorted, tight, integers in full");
    }

    #[test]
    fn what_is_personal_is_left_out_in_lists_too() {
        let form = RowForm { instants: Vec::new(), personal: &["email", "messages[].body"] };
        let row = json!({"id": 1, "email": "a@example.com", "messages": [{"by": "x", "body": "hello"}, {"by": "y"}]});
        assert_eq!(form.public(row), json!({"id": 1, "messages": [{"by": "x"}, {"by": "y"}]}));
    }

    #[test]
    fn every_column_that_is_called_personal_is_left_out_and_every_left_out_field_is_a_column() {
        for definition in ALL {
            let called = definition.schema.lines().filter(|line| line.starts_with("COMMENT ON COLUMN") && line.contains("Personal."));
            for line in called {
                let column = line.split_whitespace().nth(3).and_then(|name| name.split_once('.')).map_or("", |(_, column)| column);
                assert!(definition.personal_fields.contains(&column), "{}.{column} is personal", definition.name);
            }
            for path in definition.personal_fields {
                let column = path.split("[].").next().unwrap_or_default();
                assert!(columns(definition.schema).any(|(name, _)| name == column), "{} has no column {column}", definition.name);
            }
            assert_eq!(definition.personal, !definition.personal_fields.is_empty(), "{}", definition.name);
        }
    }
}
