//! `publisher explain`: one code, all codes, codes that don't exist.

use serde_json::Value;

use crate::publisher;

#[test]
fn a_code_is_explained_to_people_and_machines() {
    for code in
        ["HelmMissing", "LockStale", "NotFound", "Quarantined", "UnknownSigner", "OtherWave", "tooLARGE"]
    {
        let (exit, text, stderr) = publisher(&["explain", code]);
        assert!(exit == 0 && text.to_lowercase().starts_with(&code.to_lowercase()), "{text}{stderr}");
        for part in ["  meaning:  ", "  cause:    ", "  next:     "] {
            assert!(text.contains(part), "{code}: {part} in {text}");
        }
        let (_, json, _) = publisher(&["explain", code, "-o", "json"]);
        let value: Value = serde_json::from_str(&json).unwrap();
        for meaning in value["meanings"].as_array().unwrap() {
            for part in ["source", "meaning", "cause", "next"] {
                assert!(meaning[part].as_str().is_some_and(|it| !it.is_empty()), "{code}: {part} in {json}");
            }
        }
        // One word for one code, however many meanings it has.
        let (_, names, _) = publisher(&["explain", code, "-o", "name"]);
        assert_eq!(names.trim_end(), value["code"].as_str().unwrap());
    }
}

#[test]
fn all_codes_are_listed_once_with_a_sentence_each() {
    let (_, text, _) = publisher(&["explain"]);
    let (_, names, _) = publisher(&["explain", "-o", "name"]);
    let of_lines: Vec<_> = text.lines().map(|line| line.split_once("  ").unwrap()).collect();
    assert_eq!(of_lines.iter().map(|(code, _)| *code).collect::<Vec<_>>(), names.lines().collect::<Vec<_>>());
    assert!(of_lines.iter().all(|(_, words)| words.trim().len() > 10));
    let mut sorted: Vec<_> = names.lines().collect();
    sorted.dedup();
    assert!(sorted.is_sorted() && sorted.len() == of_lines.len() && sorted.len() > 150);
}

#[test]
fn an_unknown_code_is_refused_with_the_nearest_ones() {
    for (wanted, near) in
        [("HelmMising", "`HelmMissing`"), ("lockstale1", "`LockStale`"), ("Zyzzyva", "lists all")]
    {
        let (exit, stdout, stderr) = publisher(&["explain", wanted]);
        assert!(exit == 2 && stdout.is_empty() && stderr.contains("error[UnknownCode]"), "{stderr}");
        assert!(stderr.contains(near), "{wanted}: {stderr}");
    }
}
