//! What the channel server writes down of a catalog that it refuses.

use crate::rings::Story;

#[test]
fn a_catalog_that_is_refused_again_after_it_was_good_is_told_again() {
    let mut story = Story::begin(&[]);
    let good = story.world.git.files("catalog", "catalog").unwrap();
    let mut bad = good.clone();
    bad.get_mut("targets/channel-pdp-2026.json").unwrap().push(b' ');
    let told = |story: &Story, event: &str, times: usize| {
        let count = || {
            let events = story.world.server().unwrap().events().unwrap_or_default();
            events.iter().filter(|it| it["body"].to_string().contains(event)).count()
        };
        pdp_e2e::wait_for(&format!("{event}, {times} times"), || count() >= times).unwrap();
        assert_eq!(count(), times, "{event}");
    };
    told(&story, "catalogFollowed", 1);
    for round in [1, 2] {
        story.world.git.overwrite("catalog", "catalog", &bad).unwrap();
        told(&story, "catalogRefused", round);
        // The same versions as before: it is news all the same.
        story.world.git.overwrite("catalog", "catalog", &good).unwrap();
        story.pass_time(3600);
        told(&story, "catalogFollowed", round + 1);
    }
}
