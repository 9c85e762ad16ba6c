//! Prints `docs/codes.md`: every refusal and obstacle in the words of its type.
#![allow(clippy::unwrap_used)]

use pdp_policies::{ObstacleCode, Owner, RefusalCode};

/// Code and description of every variant, from the type's own schema.
fn variants<T: schemars::JsonSchema + serde::de::DeserializeOwned>() -> Vec<(T, String, String)> {
    let schema = serde_json::to_value(schemars::schema_for!(T)).unwrap();
    let all = schema["oneOf"].as_array().unwrap().clone();
    all.into_iter()
        .map(|variant| {
            let name = variant["const"].as_str().unwrap().to_owned();
            let words = variant["description"].as_str().unwrap().replace('\n', " ");
            (serde_json::from_value(variant["const"].clone()).unwrap(), name, words)
        })
        .collect()
}

fn main() {
    println!("# Codes\n\nWritten by `make reference` from the types; a test compares. Codes are stable.\n");
    println!(
        "## Refusals\n\nThey judge documents, in this order. What is refused is not looked at any further.\n"
    );
    println!("| code | meaning | what to do |\n| --- | --- | --- |");
    for (code, name, words) in variants::<RefusalCode>() {
        println!("| `{name}` | {words} | {} |", code.hint());
    }
    println!(
        "\n## Obstacles\n\nThey judge one candidate level: \"not yet\", with an owner and, where it is known, the next time.\n"
    );
    println!("| code | meaning | who can take it away |\n| --- | --- | --- |");
    for (code, name, words) in variants::<ObstacleCode>() {
        let owner = match code.owner() {
            Owner::Vendor => "WSO2",
            Owner::Customer => "customer",
        };
        println!("| `{name}` | {words} | {owner} |");
    }
}
