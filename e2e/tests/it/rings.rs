//! The channel server on an ordinary day: rings in order, grants, reports, staging before production.

use std::collections::BTreeMap;

use pdp_e2e::{DataPlane, World};
use serde_json::Value;

use crate::base::unix_now;

pub(crate) const HEALTHY: &str = "  probe: {command: [sh, -c, 'exit 0'], interval: 1s}\n";

/// A world with a server and data planes, whose clock moves by rounds.
pub(crate) struct Story {
    pub(crate) world: World,
    pub(crate) planes: Vec<DataPlane>,
    pub(crate) now: i64,
}

impl Story {
    /// Organizations by ring; each gets a data plane `prod`.
    pub(crate) fn begin(organizations: &[(&str, &str)]) -> Self {
        Self::begin_with(organizations, World::serve)
    }

    /// As above, with a server that is started in another way.
    pub(crate) fn begin_with(
        organizations: &[(&str, &str)],
        serve: impl FnOnce(&mut World) -> anyhow::Result<()>,
    ) -> Self {
        let mut world = World::start().unwrap();
        let now = unix_now();
        world.set_now(now).unwrap();
        serve(&mut world).unwrap();
        let mut planes = Vec::new();
        for (name, ring) in organizations {
            world.organization(name, ring).unwrap();
            planes.push(world.enrolled(name, "prod", HEALTHY).unwrap());
        }
        Self { world, planes, now }
    }

    pub(crate) fn release(&self, level: u32) {
        self.world.release(level, "emergency").unwrap();
        let known = || self.world.rollout(level).is_ok_and(|view| !view["created"].is_null());
        pdp_e2e::wait_for("the server to know the level", known).unwrap();
    }

    pub(crate) fn pass_time(&mut self, seconds: i64) {
        self.now += seconds;
        self.world.set_now(self.now).unwrap();
    }

    /// Every data plane makes one pass.
    pub(crate) fn round(&self) -> BTreeMap<String, Option<u64>> {
        let passed = self.planes.iter().map(|plane| {
            plane.pass(&self.world, &[]).unwrap();
            (plane.name.clone(), plane.level())
        });
        passed.collect()
    }

    /// Rounds, ten minutes each, until all are at the level.
    pub(crate) fn until_all_at(&mut self, level: u64) {
        for _ in 0..150 {
            if self.round().values().all(|at| *at == Some(level)) {
                return;
            }
            self.pass_time(600);
        }
        panic!("{:#}", self.world.rollout(u32::try_from(level).unwrap()).unwrap());
    }
}

#[test]
fn rings_open_in_order_and_every_start_was_granted() {
    let mut story = Story::begin(&[("wso2-lab", "canary"), ("acme", "early"), ("shop", "general")]);
    story.release(41);
    let first = story.round();
    assert_eq!(first["wso2-lab-prod"], Some(41), "{:#}", story.planes[0].status().unwrap());
    assert_eq!(
        (first["acme-prod"], first["shop-prod"]),
        (None, None),
        "{:#}",
        story.planes[1].status().unwrap()
    );
    let status = story.planes[1].status().unwrap();
    assert_eq!(status["obstacles"][0]["code"], "RingNotOpenYet", "{status:#}");
    story.until_all_at(41);
    for plane in &story.planes {
        let status = plane.status().unwrap();
        assert_eq!(status["authority"]["grant"]["attempt"], 1, "{status:#}");
    }
    let opened: Vec<_> = story
        .world
        .server()
        .unwrap()
        .events()
        .unwrap()
        .iter()
        .filter_map(|event| {
            let body: Value = serde_json::from_str(event["body"].as_str()?).ok()?;
            Some(body["rollout"]["event"]["ringOpened"]["ring"].as_str()?.to_owned())
        })
        .collect();
    assert_eq!(opened, ["canary", "early", "general"]);
}

#[test]
fn staging_goes_before_production_and_a_pinned_customer_holds_nobody_up() {
    let mut story = Story::begin(&[("wso2-lab", "canary")]);
    let pin = "  policy: {pin: {to: {level: 41}, reason: close, expires: 2099-01-31T00:00:00Z}}\n";
    for (name, more) in [("acme", ""), ("nordbank", pin), ("shop", "")] {
        story.world.organization(name, "general").unwrap();
        let id = format!("{name}/staging");
        story
            .world
            .publisher(&["pdp", "override", &id, "--ring", "early", "--reason", "staging first"])
            .unwrap();
        for plane in ["staging", "prod"] {
            let more = if plane == "prod" { more } else { "" };
            story.planes.push(story.world.enrolled(name, plane, &format!("{HEALTHY}{more}")).unwrap());
        }
    }
    story.release(41);
    story.until_all_at(41);
    story.release(42);
    let mut seen_staging_first = false;
    for _ in 0..60 {
        let levels = story.round();
        let at = |name: &str| levels[name] == Some(42);
        let staged = at("acme-staging") && at("shop-staging");
        seen_staging_first |= staged && !at("acme-prod") && !at("shop-prod");
        assert!(staged || (!at("acme-prod") && !at("shop-prod")), "production never goes first: {levels:?}");
        if at("acme-prod") && at("shop-prod") {
            break;
        }
        story.pass_time(600);
    }
    assert!(seen_staging_first);
    let levels = story.round();
    assert_eq!(levels["nordbank-prod"], Some(41), "pinned: {levels:?}");
    assert_eq!(levels["acme-prod"], Some(42), "{:#}", story.world.rollout(42).unwrap());
    let view = story.world.rollout(42).unwrap();
    assert_eq!(view["rings"][2]["census"]["deferred"], 1, "{view:#}");
    let status = story.planes.iter().find(|plane| plane.name == "nordbank-prod").unwrap().status().unwrap();
    assert_eq!(status["obstacles"][0]["code"], "Pinned", "{status:#}");
}

#[test]
fn a_level_that_takes_long_is_not_silent() {
    let mut story = Story::begin(&[]);
    story.world.organization("slow", "canary").unwrap();
    let count = story.world.path("count");
    // Two stages take four minutes each by the data plane's clock.
    let probe = format!(
        "  probe: {{command: [sh, -c, 'test $PDP_STAGE -gt 2 && exit 0; f={0}-$PDP_STAGE; n=$(cat $f 2>/dev/null || echo 0); \
         echo $((n+1)) > $f; test $n -ge 2 || exit 75'], interval: 2m}}\n",
        count.display()
    );
    story.planes.push(story.world.enrolled("slow", "prod", &probe).unwrap());
    story.release(41);
    story.round();
    assert_eq!(story.planes[0].level(), Some(41), "{:#}", story.planes[0].status().unwrap());
    let (_, metrics) = story.world.server().unwrap().get("/metrics").unwrap();
    let line = metrics.lines().find(|line| line.starts_with("pdp_channel_server_reports_total")).unwrap();
    let reports: u32 = line.rsplit(' ').next().unwrap().parse().unwrap();
    // That it started, and every five minutes that it is still at it.
    assert!(reports >= 3, "{reports} reports");
}
