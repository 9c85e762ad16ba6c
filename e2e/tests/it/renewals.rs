//! The vendor's trust lives on: every role is renewed by its holders, and told in time.

use jiff::{SignedDuration, Timestamp};
use pdp_e2e::{DataPlane, Finished, Program, World};
use serde_json::Value;

use crate::forge::{Stolen, bump, signed};

const FOUNDED: &str = "2026-11-23T08:00:00Z";

struct Vendor {
    world: World,
    founded: Timestamp,
}

impl Vendor {
    fn start() -> Self {
        let world = World::prepare(Default::default(), false).unwrap();
        let mut vendor = Self { world, founded: FOUNDED.parse().unwrap() };
        vendor.day(0);
        vendor.world.found().unwrap();
        vendor
    }

    /// So many days after the ceremony.
    fn day(&mut self, day: i64) {
        self.world.now = Some((self.founded + SignedDuration::from_hours(24 * day)).to_string());
    }

    fn online(&self, command: &str) -> Finished {
        let (snapshot, timestamp) = (self.world.key("snapshot"), self.world.key("timestamp"));
        let args = ["catalog", command, "--key", &snapshot, "--key", &timestamp, "-o", "json"];
        self.world.run(Program::Publisher, &args, &[]).unwrap()
    }

    fn renew(&self, role: &str, keys: [&str; 2]) {
        let keys = keys.map(|key| self.world.key(key));
        self.world.publisher(&["catalog", "renew", role, "--key", &keys[0], "--key", &keys[1]]).unwrap();
    }

    fn renew_all(&self) {
        self.renew("root", ["root-1", "root-3"]);
        self.renew("targets", ["targets-1", "targets-2"]);
        self.renew("releases", ["release-1", "release-2"]);
        self.renew("channels", ["manager-1", "manager-2"]);
        let published = self.online("publish");
        assert!(published.ok(), "{}", published.stderr);
    }
}

/// What a command said of the ends of roles: its exit code and the roles.
fn endings(finished: &Finished) -> (Option<i32>, Vec<String>) {
    let value: Value = serde_json::from_str(&finished.stdout).unwrap();
    let roles = value["endings"].as_array().unwrap().iter().map(|it| it["role"].as_str().unwrap().to_owned());
    (finished.code, roles.collect())
}

fn catalog_of(plane: &DataPlane, vendor: &Vendor) -> String {
    plane.pass(&vendor.world, &[]).unwrap();
    plane.status().unwrap()["catalog"]["state"].as_str().unwrap().to_owned()
}

#[test]
fn the_end_of_a_role_is_told_from_thirty_days_before_and_fails_the_refresh_in_the_last_week() {
    let mut vendor = Vendor::start();
    for (day, exit, roles) in [
        (14, 0, &[][..]),
        (15, 0, &["channels"][..]),
        (37, 0, &["channels"][..]),
        (38, 5, &["channels"][..]),
        (46, 5, &["channels"][..]),
        (160, 5, &["channels", "targets"][..]),
        (185, 5, &["channels", "targets"][..]),
        (340, 5, &["channels", "targets", "root", "releases"][..]),
    ] {
        vendor.day(day);
        let refreshed = vendor.online("refresh");
        let (code, told) = endings(&refreshed);
        assert_eq!(
            (code, told.as_slice()),
            (Some(exit), roles.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>().as_slice()),
            "day {day}"
        );
        for role in roles {
            assert!(
                refreshed.stderr.contains(&format!("catalog renew {role}")),
                "day {day}: {}",
                refreshed.stderr
            );
        }
    }
}

#[test]
fn publish_promote_and_stop_only_warn() {
    let mut vendor = Vendor::start();
    vendor.day(46);
    let (code, told) = endings(&vendor.online("publish"));
    assert_eq!((code, told), (Some(0), vec!["channels".to_owned()]));
    let key = vendor.world.key("manager-1");
    let stopped =
        vendor.world.publisher(&["channel", "stop", "--line", "pdp-2026", "--reason", "x", "--key", &key]);
    let stderr = stopped.unwrap().stderr;
    assert!(stderr.contains("ROLE `channels` ENDED"), "{stderr}");
}

#[test]
fn every_role_is_renewed_by_its_holders_and_data_planes_go_on_for_years() {
    let mut vendor = Vendor::start();
    let plane = vendor.world.data_plane("acme", "prod", "general", "").unwrap();
    let away = vendor.world.data_plane("acme", "away", "general", "").unwrap();
    for plane in [&plane, &away] {
        assert_eq!(catalog_of(plane, &vendor), "fresh");
    }
    for month in 1..=25 {
        vendor.day(month * 30);
        vendor.online("refresh");
        match month % 6 {
            // Nobody is there: the channels end, which is told before anybody starts, and is healed afterwards.
            0 => continue,
            1 if month > 1 => assert_eq!(catalog_of(&plane, &vendor), "expired: `channels`"),
            _ => {}
        }
        vendor.renew_all();
        assert_eq!(endings(&vendor.online("refresh")), (Some(0), vec![]), "month {month}");
        assert_eq!(catalog_of(&plane, &vendor), "fresh", "month {month}");
    }
    assert_eq!(catalog_of(&away, &vendor), "fresh", "it was off for two years and follows all roots");
    let files = vendor.world.git.files("catalog", "catalog").unwrap();
    assert!(files.contains_key("metadata/22.root.json") && !files.contains_key("metadata/23.root.json"));
}

#[test]
fn a_role_is_renewed_by_enough_of_its_holders_and_by_nobody_else() {
    let mut vendor = Vendor::start();
    vendor.day(10);
    let world = &vendor.world;
    let renew = |role: &str, key: &str| {
        world.run(Program::Publisher, &["catalog", "renew", role, "--key", &world.key(key)], &[]).unwrap()
    };
    for (role, key, code) in
        [("targets", "release-1", "KeyWithoutRole"), ("root", "targets-1", "KeyWithoutRole")]
    {
        let refused = renew(role, key);
        assert!(refused.stderr.contains(&format!("error[{code}]")), "{role} {key}: {}", refused.stderr);
    }
    let online = renew("snapshot", "snapshot");
    assert!(online.stderr.contains("renewed every hour by `publisher catalog refresh`"), "{}", online.stderr);
    for role in ["root", "targets"] {
        renew(role, &format!("{role}-1"));
        let published = vendor.online("publish");
        let waits = format!("`proposals/{role}-2` waits: 1 more signature(s) needed");
        assert!(published.stderr.contains(&waits), "{}", published.stderr);
        // The second one, in another place, runs the same command.
        renew(role, &format!("{role}-2"));
        let published = vendor.online("publish");
        assert!(published.stdout.contains(&format!("proposals/{role}-2")), "{}", published.stdout);
    }
}

/// Puts a role on a proposals branch, changed by `edit` and signed by these keys.
fn propose(world: &World, path: &str, branch: &str, keys: &[&Stolen], edit: impl FnOnce(&mut Value)) {
    let mut files = world.git.files("catalog", "catalog").unwrap();
    let now = if path.contains("root") { "metadata/1.root.json" } else { path };
    let mut file: Value = serde_json::from_slice(&files[now]).unwrap();
    bump(&mut file["signed"]);
    edit(&mut file["signed"]);
    files.insert(path.to_owned(), signed(&file["signed"], keys));
    files.retain(|name, _| name == path);
    // As somebody's branch, whoever may push one.
    world.git.overwrite("catalog", branch, &files).unwrap();
}

#[test]
fn other_holders_wait_for_the_signatures_of_the_role_below_and_both_come_together() {
    let vendor = Vendor::start();
    let world = &vendor.world;
    let [t1, t2, m3, new] =
        ["targets-1", "targets-2", "manager-3", "release-2"].map(|name| Stolen::from(world, name));
    propose(world, "metadata/targets.json", "proposals/targets-2", &[&t1, &t2], |targets| {
        let roles = targets["delegations"]["roles"].as_array_mut().unwrap();
        let channels = roles.iter_mut().find(|role| role["name"] == "channels").unwrap();
        channels["keyids"] = serde_json::json!([m3.id, new.id]);
    });
    let published = vendor.online("publish");
    assert!(published.ok(), "{}", published.stderr);
    let waits = "`proposals/targets-2` waits: `channels` would lack 1 signature(s) of those who hold it then";
    assert!(published.stderr.contains(waits), "{}", published.stderr);
    // Who will hold the role signs already; who never will doesn't.
    let stranger = ["catalog", "renew", "channels", "--key", &world.key("release-1")];
    let refused = world.run(Program::Publisher, &stranger, &[]).unwrap();
    assert!(refused.stderr.contains("error[KeyWithoutRole]"), "{}", refused.stderr);
    vendor.renew("channels", ["manager-3", "release-2"]);
    let published = vendor.online("publish");
    for branch in ["proposals/targets-2", "proposals/channels-2"] {
        assert!(published.stdout.contains(branch), "{branch}: {} {}", published.stdout, published.stderr);
    }
}

#[test]
fn a_root_with_another_online_key_is_published_with_that_key() {
    let vendor = Vendor::start();
    let world = &vendor.world;
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    assert_eq!(catalog_of(&plane, &vendor), "fresh");
    let [r1, r2, spare] = ["root-1", "root-2", "timestamp-spare"].map(|name| Stolen::from(world, name));
    propose(world, "metadata/2.root.json", "proposals/root-2", &[&r1, &r2], |root| {
        root["roles"]["timestamp"]["keyids"] = serde_json::json!([spare.id]);
    });
    let dropped =
        world.run(Program::Publisher, &["catalog", "proposals", "drop", "proposals/root-2"], &[]).unwrap();
    assert!(dropped.stderr.contains("error[SignedRoot]"), "{}", dropped.stderr);
    let old = vendor.online("publish");
    assert!(old.ok() && old.stderr.contains("no given key holds the role `timestamp`"), "{}", old.stderr);
    let args =
        ["catalog", "publish", "--key", &world.key("snapshot"), "--key", &world.key("timestamp-spare")];
    let published = world.publisher(&args).unwrap();
    assert!(published.stdout.contains("proposals/root-2"), "{}", published.stdout);
    assert_eq!(catalog_of(&plane, &vendor), "fresh");
}

/// The arguments of `publisher` in each example that is shipped.
fn shipped() -> Vec<(&'static str, Vec<String>)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../publisher/deploy/refresh");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let after = |text: &str, mark: &str| {
        let line = text.lines().find_map(|line| line.trim().strip_prefix(mark)).unwrap();
        line.split_whitespace().map(str::to_owned).collect()
    };
    let job: Value = serde_saphyr::from_str(&read("cronjob.yaml")).unwrap();
    let args = &job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["args"];
    vec![
        ("systemd", after(&read("pdp-catalog-refresh.service"), "ExecStart=/usr/local/bin/publisher ")),
        ("CronJob", serde_json::from_value(args.clone()).unwrap()),
        ("CI", after(&read("github-actions.yaml"), "run: publisher ")),
    ]
}

#[test]
fn the_shipped_schedules_refresh() {
    let mut vendor = Vendor::start();
    for (hour, (name, args)) in shipped().into_iter().enumerate() {
        vendor.world.now = Some((vendor.founded + SignedDuration::from_hours(1 + hour as i64)).to_string());
        let key = |arg: String| match arg.rsplit_once('/') {
            Some((_, file)) => vendor.world.key(file.trim_end_matches(".key")),
            None => arg,
        };
        let args: Vec<_> = args.into_iter().map(key).collect();
        let done = vendor.world.publisher(&args.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
        assert!(done.stdout.contains("✔ fresh as of"), "{name}: {}", done.stdout);
    }
}

#[test]
fn a_catalog_that_a_wrong_clock_dated_ahead_is_healed_by_two_people_with_one_command() {
    for ahead in [SignedDuration::from_hours(2), SignedDuration::from_hours(24 * 365)] {
        let mut vendor = Vendor::start();
        let plane = vendor.world.data_plane("acme", "prod", "general", "").unwrap();
        assert_eq!(catalog_of(&plane, &vendor), "fresh");
        vendor.world.now = Some((vendor.founded + ahead).to_string());
        let refreshed = vendor.online("refresh");
        assert!(matches!(refreshed.code, Some(0 | 5)), "{}", refreshed.stderr);
        vendor.world.now = Some((vendor.founded + SignedDuration::from_mins(5)).to_string());
        assert!(plane.pass(&vendor.world, &[]).unwrap().stdout.contains("ClockSkew"));
        let refused = vendor.online("refresh");
        assert_eq!(refused.error().as_deref(), Some("CatalogDatedAhead"), "{}", refused.stderr);
        assert!(refused.stderr.contains("publisher catalog redate"), "{}", refused.stderr);
        let redate = |people: &[&str]| {
            let keys = ["snapshot", "timestamp"].iter().chain(people).map(|name| vendor.world.key(name));
            let keys: Vec<_> = keys.flat_map(|key| ["--key".to_owned(), key]).collect();
            let keys: Vec<_> = keys.iter().map(String::as_str).collect();
            vendor.world.run(Program::Publisher, &[&["catalog", "redate"], &keys[..]].concat(), &[]).unwrap()
        };
        for people in [&[][..], &["manager-1"], &["manager-1", "manager-1"], &["manager-1", "release-1"]] {
            let refused = redate(people);
            assert!(refused.stderr.contains("error[TwoPeopleNeeded]"), "{people:?}: {}", refused.stderr);
        }
        let healed = redate(&["manager-1", "manager-2"]);
        assert!(healed.ok(), "{}", healed.stderr);
        assert_eq!(catalog_of(&plane, &vendor), "fresh");
        vendor.world.now = Some((vendor.founded + SignedDuration::from_mins(10)).to_string());
        assert!(vendor.online("refresh").ok());
        let again = vendor.online("redate");
        assert_eq!(again.error().as_deref(), Some("NotAhead"), "{}", again.stderr);
    }
}

#[test]
fn the_git_hosts_clock_stops_a_signature_and_sets_no_time() {
    let vendor = Vendor::start();
    let key = vendor.world.key("manager-1");
    let stop = ["channel", "stop", "--line", "pdp-2026", "--reason", "x", "--key", &key];
    let before = vendor.world.git.git("catalog", &["show-ref"]).unwrap();
    for date in ["Mon, 23 Nov 2026 06:00:00 GMT", "Tue, 23 Nov 2027 08:00:00 GMT"] {
        vendor.world.git.set_clock(Some(date));
        let stopped = vendor.world.run(Program::Publisher, &stop, &[]).unwrap();
        for refused in [vendor.online("refresh"), vendor.online("publish"), stopped] {
            assert_eq!(refused.error().as_deref(), Some("ClockDiffers"), "{date}: {}", refused.stderr);
        }
        assert_eq!(vendor.world.git.git("catalog", &["show-ref"]).unwrap(), before, "{date}");
    }
    vendor.world.git.set_clock(Some("Mon, 23 Nov 2026 08:10:00 GMT"));
    let refreshed: Value = serde_json::from_str(&vendor.online("refresh").stdout).unwrap();
    assert_eq!(refreshed["signedAt"], FOUNDED, "its own clock counts");
}
