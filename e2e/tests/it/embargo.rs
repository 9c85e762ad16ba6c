//! A level fixes what nobody may know yet; the detail comes later, and only as the level signed it.

use std::path::Path;

use jiff::Timestamp;
use pdp_e2e::{Finished, Program};
use serde_json::{Value, json};

use crate::rings::Story;

const ID: &str = "WSO2-2026-0142";
const CVE: &str = "CVE-2026-41123";
const VECTOR: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
const TITLE: &str = "Anybody reads every secret";

fn ran(story: &Story, args: &[&str]) -> Finished {
    story.world.run(Program::Publisher, args, &[]).unwrap()
}

fn disclose(story: &Story, more: &[&str]) -> Finished {
    ran(story, &[&["release", "disclose", "line/42/release.yaml", "--out", "told.json"], more].concat())
}

/// Files under a folder that say a word; links aren't followed.
fn saying(folder: &Path, word: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap().filter_map(Result::ok) {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            saying(&path, word, found);
        } else if kind.is_file() {
            let bytes = std::fs::read(&path).unwrap_or_default();
            if bytes.windows(word.len()).any(|it| it == word.as_bytes()) {
                found.push(path.display().to_string());
            }
        }
    }
}

fn edited(story: &Story, was: &str, is: &str) {
    let file = story.world.path("line/42/release.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(was), "{text}");
    std::fs::write(file, text.replace(was, is)).unwrap();
}

#[test]
fn a_level_keeps_what_is_under_embargo_and_its_detail_comes_later_as_it_was_signed() {
    let mut story = Story::begin(&[("acme", "canary")]);
    story.release(41);
    story.until_all_at(41);
    let until = Timestamp::from_second(story.now + 86_400).unwrap().to_string();
    let (line, embargo) = (["--line", "pdp-2026"], until.clone());
    let edit = |line: &mut pdp_e2e::Line| {
        let it = &mut line.release["advisories"][0];
        (it["cves"], it["cvss"], it["title"]) = (json!([CVE]), json!(VECTOR), json!(TITLE));
        (it["introducedIn"], it["embargoedUntil"]) = (json!(41), json!(embargo));
        Ok(())
    };
    story.world.release_with(42, "emergency", edit).unwrap();

    // Nothing that went out says it: the built folder, the catalog with all its commits, what is shown.
    for word in [CVE, VECTOR, TITLE] {
        let mut found = Vec::new();
        saying(&story.world.path("level-42"), word, &mut found);
        assert_eq!(found, [""; 0], "{word}");
    }
    let mut found = Vec::new();
    saying(&story.world.path("level-42"), ID, &mut found);
    assert_eq!(found.len(), 2, "the search finds what is there, descriptor and VEX document: {found:?}");
    let history = story.world.git.git("catalog", &["log", "--all", "--patch", "--text"]).unwrap();
    assert!(
        history.contains(ID)
            && !history.contains(CVE)
            && !history.contains(VECTOR)
            && !history.contains(TITLE)
    );
    let under = format!("fixes {ID} (Critical, exploited in the wild; under embargo until {until})");
    let shown = ran(&story, &[&["release", "show", "42"], &line[..]].concat());
    assert!(shown.stdout.contains(&under), "{}{}", shown.stdout, shown.stderr);
    let compared = ran(&story, &[&["release", "diff", "41", "42"], &line[..]].concat());
    assert!(compared.stdout.contains(&under), "{}{}", compared.stdout, compared.stderr);

    // Before its time nothing is written, whatever release.yaml says by now.
    let early = disclose(&story, &["-o", "json"]);
    assert_eq!(early.error().as_deref(), Some("EmbargoNotOver"), "{}", early.stderr);
    assert!(early.stderr.contains(&until) && !story.world.path("told.json").exists());
    edited(&story, &until, "2026-11-21T08:00:00Z");
    assert_eq!(disclose(&story, &[]).error().as_deref(), Some("EmbargoNotOver"));
    edited(&story, "2026-11-21T08:00:00Z", &until);

    story.pass_time(86_400);
    edited(&story, r#""severity": "critical""#, r#""severity": "high""#);
    // The vector has another word in that.
    assert_eq!(disclose(&story, &[]).code, Some(1));
    edited(&story, r#""severity": "high""#, r#""severity": "critical""#);
    edited(&story, r#""knownExploited": true"#, r#""knownExploited": false"#);
    let changed = disclose(&story, &[]);
    assert_eq!(changed.error().as_deref(), Some("DisclosureDiffers"), "{}", changed.stderr);
    edited(&story, r#""knownExploited": false"#, r#""knownExploited": true"#);
    let written = disclose(&story, &["-o", "json"]);
    assert!(written.ok(), "{}{}", written.stdout, written.stderr);
    let file = story.world.path("told.json");
    let bytes = std::fs::read(&file).unwrap();
    assert!(
        disclose(&story, &["--advisory", ID]).ok() && std::fs::read(&file).unwrap() == bytes,
        "the same bytes"
    );
    let told: Value = serde_json::from_slice(&bytes).unwrap();
    let one = &told["advisories"][0];
    assert_eq!(
        (&one["cves"], &one["title"], &one["introducedIn"]),
        (&json!([CVE]), &json!(TITLE), &json!(41))
    );

    // The VEX document of the built level says it now; of another level nothing is written.
    let another = disclose(&story, &["--folder", "level-41", "-o", "json"]);
    assert_eq!(another.error().as_deref(), Some("LevelRewritten"), "{}", another.stderr);
    let written = disclose(&story, &["--folder", "level-42"]);
    assert!(written.ok(), "{}", written.stderr);
    let mut found = Vec::new();
    saying(&story.world.path("level-42"), CVE, &mut found);
    let [document] = &found[..] else { panic!("{found:?}") };
    let document: Value = serde_json::from_slice(&std::fs::read(document).unwrap()).unwrap();
    let vulnerability = json!({ "name": CVE, "aliases": [ID] });
    assert_eq!(
        (&document["version"], &document["statements"][0]["vulnerability"]),
        (&json!(2), &vulnerability)
    );

    // Whoever has the file is told all of it; whoever hasn't still isn't.
    let with = ["--advisories", "told.json"];
    let all = format!("fixes {ID} (Critical 9.8, exploited in the wild; {CVE})");
    for args in [&["release", "show", "42"][..], &["release", "diff", "41", "42"]] {
        let shown = ran(&story, &[args, &line, &with].concat());
        assert!(shown.stdout.contains(&all), "{}{}", shown.stdout, shown.stderr);
    }
    let exposure = |more: &[&str]| {
        ran(&story, &[&["exposure", "--advisory", CVE, "-o", "json"], &line[..], more].concat())
    };
    assert_eq!(exposure(&[]).error().as_deref(), Some("NotFound"));
    let found: Value = serde_json::from_str(&exposure(&with).stdout).unwrap();
    let open = &found["exposed"][0]["open"][0];
    assert_eq!(
        (&open["id"], &open["cves"], &open["score"]),
        (&json!(ID), &json!([CVE]), &json!(9.8)),
        "{found:#}"
    );

    // A file of another level, or one that says other things than were signed, is refused.
    for (field, value) in [("sha256", json!("0".repeat(64))), ("level", json!(41))] {
        let mut other = told.clone();
        other[field] = value;
        refused(&story, &other);
    }
    for (field, value) in
        [("severity", json!("low")), ("id", json!("WSO2-2026-0143")), ("embargoedUntil", json!(null))]
    {
        let mut other = told.clone();
        other["advisories"][0][field] = value;
        refused(&story, &other);
    }
}

fn refused(story: &Story, told: &Value) {
    std::fs::write(story.world.path("other.json"), told.to_string()).unwrap();
    let shown = ran(story, &["release", "show", "42", "--line", "pdp-2026", "--advisories", "other.json"]);
    assert_eq!(shown.error().as_deref(), Some("DisclosureDiffers"), "{}{told:#}", shown.stdout);
}
