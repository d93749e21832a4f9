//! Bodies to begin with, for whoever reads the document and for the collection made from it. Rails are named in them (OPS-26).

use serde_json::{Map, Value};

/// By schema. A unit test holds each against its schema's fields.
const EXAMPLES: &str = include_str!("examples.json");

/// Gives every schema its example.
pub fn give(document: &mut Value) {
    let Ok(examples) = serde_json::from_str::<Map<String, Value>>(EXAMPLES) else { return };
    for (schema, example) in examples {
        if let Some(schema) = document["components"]["schemas"].get_mut(schema) {
            schema["example"] = example;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_names_fields_that_its_schema_has_and_all_that_it_asks_for() {
        let document = crate::routes::openapi::document("https://api.example.com");
        let examples: Map<String, Value> = serde_json::from_str(EXAMPLES).unwrap();
        for (name, example) in examples {
            let schema = &document["components"]["schemas"][&name];
            assert!(schema.is_object(), "{name} is a schema");
            for field in example.as_object().unwrap().keys() {
                assert!(schema["properties"].get(field).is_some(), "{name} has no {field}");
            }
            for field in schema["required"].as_array().into_iter().flatten() {
                assert!(example.get(field.as_str().unwrap()).is_some(), "{name} asks for {field}");
            }
        }
    }
}
