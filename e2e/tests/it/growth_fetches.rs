//! A catalog that is refreshed every hour: what a fetch or a push costs doesn't depend on how often it was.

use std::collections::BTreeMap;

use pdp_e2e::{World, wait_for};

/// So often the catalog was refreshed.
const FEW: u32 = 10;
const MANY: u32 = 3000;

/// Bytes that the catalog's host sent or took since the last call, in packs; and how many those were.
fn packs(world: &World) -> (u64, usize) {
    let all = world.git.take_exchanges().into_iter();
    let packs: Vec<_> = all.filter(|it| it.method == "POST" && it.path.starts_with("/catalog/")).collect();
    (packs.iter().map(|it| it.sent.unwrap_or_default() + it.received).sum(), packs.len())
}

/// A history of refreshes; the newest is the one that was there.
fn age(world: &World, times: u32) {
    let mut newest = world.git.files("catalog", "catalog").unwrap();
    newest.retain(|path, _| ["metadata/snapshot.json", "metadata/timestamp.json"].contains(&path.as_str()));
    let older = |number: u32| -> BTreeMap<_, _> {
        let other = |content: &[u8]| [number.to_string().as_bytes(), content].concat();
        newest.iter().map(|(path, content)| (path.clone(), other(content))).collect()
    };
    let commits: Vec<_> = (0..times).map(older).chain([newest.clone()]).collect();
    world.git.append("catalog", "catalog", &commits).unwrap();
}

fn serve_until_followed(world: &World) {
    world.start_server().unwrap();
    world.server().unwrap().ready().unwrap();
    wait_for("the server to know the level", || world.rollout(41).is_ok()).unwrap();
    world.server().unwrap().kill();
}

/// What each program fetches or pushes: with nothing in its cache, and after one more refresh.
fn costs(times: u32) -> Vec<(&'static str, (u64, usize))> {
    let mut world = World::start().unwrap();
    world.release(41, "emergency").unwrap();
    world.open(41, &["general=100"]).unwrap();
    age(&world, times);
    world.serve().unwrap();
    world.server().unwrap().kill();
    std::fs::remove_dir_all(world.path("channel-server.cache")).unwrap();
    std::fs::remove_dir_all(world.path("pdp-publisher")).unwrap();
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    let mut costs = Vec::new();
    packs(&world);
    for which in ["first", "next"] {
        assert!(plane.pass(&world, &[]).unwrap().ok());
        assert_eq!(plane.level(), Some(41));
        costs.push((which, packs(&world)));
        serve_until_followed(&world);
        costs.push((which, packs(&world)));
        let keys = [world.key("snapshot"), world.key("timestamp")];
        world.publisher(&["catalog", "refresh", "--key", &keys[0], "--key", &keys[1]]).unwrap();
        costs.push((which, packs(&world)));
    }
    costs
}

#[test]
fn three_thousand_refreshes_cost_nobody_more_than_ten() {
    let (few, many) = (costs(FEW), costs(MANY));
    for ((which, (before, packs)), (_, (after, packs_after))) in few.iter().zip(&many) {
        assert_eq!(packs, packs_after, "{which} packs: {few:?} {many:?}");
        assert!(*after <= before + before / 10 + 64, "{which} bytes: {few:?} {many:?}");
    }
    assert!(many[3].1.0 < many[0].1.0 / 2, "a data plane fetches what is new: {many:?}");
}
