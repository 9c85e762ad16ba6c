//! Who is open to what, as data planes report it, and what helps.

use pdp_e2e::{Finished, Program};
use serde_json::{Value, json};

use crate::rings::Story;

fn exposure(story: &Story, more: &[&str]) -> Finished {
    let args = [&["exposure", "--line", "pdp-2026", "-o", "json"], more].concat();
    story.world.run(Program::Publisher, &args, &[]).unwrap()
}

#[test]
fn whoever_lacks_a_fix_is_named_with_its_deadline_until_the_fix_is_there() {
    let mut story = Story::begin(&[("acme", "canary")]);
    story.release(41);
    story.until_all_at(41);
    story.round();
    story.release(42);
    let found = exposure(&story, &["--advisory", "WSO2-2026-0142"]);
    assert_eq!(found.code, Some(1), "it was due on 27 November: {}", found.stderr);
    let found: Value = serde_json::from_str(&found.stdout).unwrap();
    let [plane] = &found["exposed"].as_array().unwrap()[..] else { panic!("{found:#}") };
    assert_eq!(found["notJudged"], json!([]));
    assert_eq!((&plane["dataPlane"], &plane["level"]), (&json!("acme/prod"), &json!(41)));
    let open = &plane["open"][0];
    assert_eq!(
        (&open["fixedBy"], &open["due"], &open["overdue"]),
        (&json!(42), &json!("2026-11-27T08:00:00Z"), &json!(true))
    );
    assert_eq!(plane["best"], json!({ "level": 42, "fixes": ["WSO2-2026-0142"], "introduces": [] }));
    let nobody = exposure(&story, &["--organization", "nobody"]);
    assert_eq!(nobody.error().as_deref(), Some("UnknownOrganization"), "{}{}", nobody.stdout, nobody.stderr);
    assert_eq!(exposure(&story, &["--advisory", "WSO2-1999-1"]).error().as_deref(), Some("NotFound"));

    story.until_all_at(42);
    story.round();
    let found = exposure(&story, &[]);
    assert!(found.ok(), "{}{}", found.stdout, found.stderr);
    let found: Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!(found, json!({ "exposed": [], "notJudged": [] }));
}
