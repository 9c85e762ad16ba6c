//! The documented lists of codes are the programs' own.

use pdp_policies::{ObstacleCode, RefusalCode};

const DOC: &str = include_str!("../../../docs/codes.md");

/// All variants of an enum by its JSON schema.
fn variants<T: schemars::JsonSchema>() -> Vec<(String, String)> {
    let schema = serde_json::to_value(schemars::schema_for!(T)).unwrap();
    let all = schema["oneOf"].as_array().unwrap();
    all.iter()
        .map(|v| {
            (v["const"].as_str().unwrap().to_owned(), v["description"].as_str().unwrap().replace('\n', " "))
        })
        .collect()
}

#[test]
fn every_code_is_documented_in_the_words_of_its_type() {
    for (code, description) in variants::<RefusalCode>().into_iter().chain(variants::<ObstacleCode>()) {
        let row = format!("| `{code}` | {description} |");
        assert!(DOC.contains(&row), "docs/codes.md lacks:\n{row}");
    }
}
