//! A hotfix reaches the organization that it is for, nobody else, and isn't lost by what comes next.

use serde_json::{Value, json};

use crate::rings::Story;

/// 42 is built as a hotfix of 41.
fn hotfix(story: &Story, audience: &[&str]) -> anyhow::Result<()> {
    story.world.release_with(42, "normal", |line| {
        line.release["kind"] = json!("hotfix");
        line.audience = audience.iter().map(|name| (*name).to_owned()).collect();
        Ok(())
    })
}

#[test]
fn its_audience_alone_gets_it_and_keeps_it() {
    let mut story = Story::begin(&[("wso2-lab", "canary"), ("acme", "early"), ("shop", "early")]);
    story.release(41);
    story.until_all_at(41);

    let nobody = hotfix(&story, &[]).unwrap_err().to_string();
    assert!(nobody.contains("error[AudienceMissing]"), "{nobody}");
    let unknown = story.world.promote(42, &["--for", "acne"]).unwrap_err().to_string();
    assert!(unknown.contains("error[UnknownOrganization]") && unknown.contains("`acne`"), "{unknown}");
    story.world.promote(42, &["--for", "acme"]).unwrap();
    story.world.publish_catalog().unwrap();
    let catalog = story.world.git.git("catalog", &["show", "catalog:targets/channel-pdp-2026.json"]).unwrap();
    assert!(catalog.contains("audience") && !catalog.contains("acme"), "no customer is named: {catalog}");
    let shown = story.world.publisher(&["channel", "show", "--line", "pdp-2026"]).unwrap();
    assert!(shown.stdout.contains("hotfix of 41 for 1"), "{}", shown.stdout);

    // No ring before acme's has anybody to try it, and the clock of the tempo doesn't count.
    let known = || story.world.rollout(42).is_ok_and(|view| view["rings"][1]["status"] != "waiting");
    pdp_e2e::wait_for("early to open", known).unwrap();
    let reached = story.round();
    assert_eq!(reached["acme-prod"], Some(42), "{:#}", story.planes[1].status().unwrap());
    assert_eq!((reached["wso2-lab-prod"], reached["shop-prod"]), (Some(41), Some(41)));
    let status = story.planes[2].status().unwrap();
    assert_eq!(status["obstacles"], Value::Array(vec![]), "others wait for nothing: {status:#}");
    let early = &story.world.rollout(42).unwrap()["rings"][1];
    assert_eq!((&early["census"]["members"], &early["starts"]), (&json!(1), &json!(1)), "{early:#}");

    // A level without the fix would leave acme behind.
    let on_41 = |line: &mut pdp_e2e::Line| {
        line.release["base"] = json!(41);
        Ok(())
    };
    let stranded = story.world.release_with(43, "emergency", on_41).unwrap_err().to_string();
    assert!(stranded.contains("error[Stranded]"), "{stranded}");
    assert!(stranded.contains("42 (on 1 data planes)"), "what is reported counts: {stranded}");
    let (a, b) = (story.world.key("manager-1"), story.world.key("manager-2"));
    let withdraw = ["release", "withdraw", "42", "--line", "pdp-2026", "--reason", "not needed any more"];
    story.world.publisher(&[&withdraw[..], &["--key", &a, "--key", &b]].concat()).unwrap();
    story.world.publish_catalog().unwrap();
    story.world.promote(43, &["--tempo", "emergency"]).unwrap();
    story.world.publish_catalog().unwrap();
    story.until_all_at(43);
}
