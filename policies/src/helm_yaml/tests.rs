#![allow(clippy::unwrap_used)]
//! What the real Helm reads is compared in the end-to-end tests; here are limits, places, and hostile input.

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn read(text: &str) -> Value {
    Value::Object(values(text).unwrap())
}

fn refused(text: &str) -> String {
    values(text).unwrap_err().to_string()
}

#[test]
fn scalars_are_those_of_yaml_1_1() {
    assert_eq!(read("a: yes\nb: 'yes'\nc: 0644\nd: 1_000\ne: 2001-01-01\nf: ~\ng: 1:30\n"), {
        json!({ "a": true, "b": "yes", "c": 420, "d": 1000, "e": "2001-01-01", "f": null, "g": "1:30" })
    });
    assert_eq!(read("y: 1\n0644: 2\n1.50: 3\n"), json!({ "true": 1, "420": 2, "1.5": 3 }));
}

#[test]
fn the_last_key_wins_and_so_does_a_merge_below() {
    assert_eq!(read("a: 1\na: 2\n"), json!({ "a": 2 }));
    let text = "x: &x {k: merged}\nabove:\n  <<: *x\n  k: own\nbelow:\n  k: own\n  <<: *x\n";
    let wanted = json!({ "x": { "k": "merged" }, "above": { "k": "own" }, "below": { "k": "merged" } });
    assert_eq!(read(text), wanted);
}

#[test]
fn a_config_map_ends_with_its_first_document_and_a_values_file_goes_on() {
    let text = "a: {b: 1}\n---\na: {c: 2}\n---\n";
    assert_eq!(read(text), json!({ "a": { "b": 1 } }));
    assert_eq!(Value::Object(values_file(text).unwrap()), json!({ "a": { "b": 1, "c": 2 } }));
    assert_eq!(documents(text).unwrap().len(), 3);
    assert_eq!(values("---\n---\na: 1\n").unwrap(), Table::new());
    assert_eq!(values("").unwrap(), Table::new());
}

#[test]
fn a_chart_has_texts_where_helm_wants_them() {
    let text =
        "version: 1.10\nappVersion: 20240101\ndeprecated: true\ndependencies: [{name: 1, enabled: no}]\n";
    let wanted = json!({
        "version": "1.1", "appVersion": "20240101", "deprecated": true,
        "dependencies": [{ "name": "1", "enabled": false }],
    });
    assert_eq!(Value::Object(chart(text).unwrap()), wanted);
}

#[test]
fn problems_have_a_place_and_quote_nothing() {
    let secrets = [
        ("a: 1\nb: [s3cret\n", "2:"),
        ("a: 1\n? [s3cret]\n: 1\n", "2:3: "),
        ("a: !!int s3cret\n", "1:"),
        ("s3cret: .nan\n", "1:9: "),
        ("a: *s3cret\n", "1:4: "),
        ("a: 1\n\ts3cret: 1\n", "1:4: "),
        ("1: a\n'1': s3cret\n", "2:1: "),
        ("<<: s3cret\n", "1:5: "),
        ("a: &s3cret [*s3cret]\n", "1:13: "),
        ("- s3cret\n", "file: "),
    ];
    for (text, place) in secrets {
        let problem = refused(text);
        assert!(problem.starts_with(place) && !problem.contains("s3cret"), "{text:?}: {problem}");
    }
    let third = values_file("a: 1\n---\nb: 1\n---\nc: 1\nd: [\n").unwrap_err();
    assert_eq!(third.place, "6:4");
    assert_eq!(values_file("a: 1\n--- b\n").unwrap_err().place, "2:1");
}

#[test]
fn real_files_fit() {
    let comments = format!("a:\n{}  b: 1\n", "  # why\n".repeat(50_000));
    assert_eq!(read(&comments), json!({ "a": { "b": 1 } }));
    let uses = format!("a: &a {{b: 1, c: 2}}\nall:\n{}", "- *a\n".repeat(20_000));
    assert_eq!(read(&uses)["all"].as_array().unwrap().len(), 20_000);
    let merges: String = (0..5000).map(|n| format!("k{n}:\n  <<: *a\n  d: 3\n")).collect();
    assert_eq!(read(&format!("a: &a {{b: 1, c: 2}}\n{merges}")).as_object().unwrap().len(), 5001);
    let large: String = (0..38_000).map(|n| format!("key{n}: some value {n}\n")).collect();
    assert!(large.len() > 900_000);
    assert_eq!(read(&large).as_object().unwrap().len(), 38_000);
    let (open, close) = ("[".repeat(150), "]".repeat(150));
    assert!(values(&format!("a: {open}{close}")).is_ok());
}

#[test]
fn what_aliases_blow_up_ends_early() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..12 {
        let uses = vec![format!("*a{}", n - 1); 10].join(", ");
        bomb += &format!("a{n}: &a{n} [{uses}]\n");
    }
    assert!(refused(&bomb).ends_with("aliases make too much of the file"), "{}", refused(&bomb));
    let long = format!("a: &a {}\nb:\n{}", "x".repeat(500_000), "- *a\n".repeat(50_000));
    assert!(refused(&long).ends_with("aliases make too much of the file"));
    let merges: String =
        (1..30).map(|n| format!("a{n}: &a{n}\n  <<: [*a{0}, *a{0}, *a{0}]\n", n - 1)).collect();
    assert!(values(&format!("a0: &a0 {{k: v}}\n{merges}")).is_err());
}

#[test]
fn what_is_too_large_or_too_deep_is_refused() {
    assert!(refused(&"#".repeat(MAX_YAML_BYTES + 1)).contains("bytes"));
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", ""), ("&a [", "]"), ("!x {? ", "}")] {
        let deep = format!("{}x{}", open.repeat(50_000), close.repeat(50_000));
        assert!(values(&deep).is_err(), "{open}");
    }
    let nested: String = (0..400).map(|n| format!("{}k:\n", " ".repeat(n))).collect();
    assert!(values(&nested).is_err());
    assert!(refused(&format!("a: [{}]", "1,".repeat(300_000))).contains("more than 250000 values"));
}

/// Fragments that make most of YAML.
fn hostile() -> impl Strategy<Value = String> {
    let fragment = prop::sample::select(vec![
        "a",
        "b: ",
        "\n",
        "\n  ",
        "- ",
        "? ",
        ": ",
        "{",
        "}",
        "[",
        "]",
        ", ",
        "'",
        "\"",
        "# c\n",
        "&x ",
        "*x",
        "<<: ",
        "<<: *x\n",
        "!!str ",
        "!!int ",
        "!!binary ",
        "! ",
        "|\n",
        ">-\n",
        "|2+\n",
        "---\n",
        "...\n",
        "\t",
        "%TAG ! x\n",
        "\\u00e9",
        "yes",
        "0644",
        "1_0.5e3",
        "~",
        "\u{feff}",
        "\u{85}",
        "\0",
        "\r\n",
        "é",
        "2001-01-01",
    ]);
    prop::collection::vec(fragment, 0..40).prop_map(|parts| parts.concat())
}

/// Values as Helm knows them: numbers are floats.
fn any_values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f64>().prop_filter_map("finite", |value| number::json(value).ok()),
        "[ -~é\\n\\t]{0,12}".prop_map(Value::from),
    ];
    let inner = leaf.prop_recursive(4, 32, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::hash_map("[a-z0-9.~<-]{0,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    prop::collection::hash_map("[a-z]{1,6}", inner, 0..4)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
}

proptest! {
    #[test]
    fn hostile_text_never_panics(text in hostile()) {
        let _ = (first(&text), values(&text), values_file(&text), documents(&text), chart(&text));
    }

    #[test]
    fn any_text_never_panics(text in any::<String>()) {
        let _ = (first(&text), values_file(&text), documents(&text));
    }

    #[test]
    fn json_is_read_as_json(wanted in any_values()) {
        prop_assert_eq!(first(&wanted.to_string()).unwrap(), wanted.clone());
        prop_assert_eq!(first(&serde_json::to_string_pretty(&wanted).unwrap()).unwrap(), wanted);
    }

    #[test]
    fn a_bomb_of_any_shape_stays_small(width in 1usize..12, levels in 1usize..40) {
        let mut bomb = "a0: &a0 x\n".to_owned();
        for n in 1..levels {
            let uses = vec![format!("*a{}", n - 1); width].join(", ");
            bomb += &format!("a{n}: &a{n} [{uses}]\n");
        }
        if let Ok(table) = values(&bomb) {
            prop_assert!(Value::Object(table).to_string().len() < 4 * 1024 * 1024);
        }
    }
}
