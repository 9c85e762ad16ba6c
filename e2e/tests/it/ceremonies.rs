//! Ceremonies of people in different places: what they agree on is what is signed, and nothing else fits.

use pdp_e2e::World;
use serde_json::Value;

use crate::people::{Ceremony, PLAN, found};

fn world() -> World {
    World::prepare(Default::default(), false).unwrap()
}

fn joined(world: &World) -> Ceremony<'_> {
    let ceremony = Ceremony::start(world, "ceremony", PLAN);
    ceremony.join_all();
    ceremony
}

/// The code of an error, and that nothing was left behind.
fn refused(finished: &pdp_e2e::Finished) -> String {
    assert!(!finished.ok(), "{}", finished.stdout);
    finished.error().unwrap_or_else(|| panic!("{}", finished.stderr))
}

fn edit(path: &std::path::Path, change: impl FnOnce(&mut Value)) {
    let mut value: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    change(&mut value);
    std::fs::write(path, serde_json::to_vec(&value).unwrap()).unwrap();
}

#[test]
fn three_people_in_three_folders_found_a_vendor_that_data_planes_follow() {
    let world = world();
    let ceremony = found(&world);
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    plane.pass(&world, &[]).unwrap();
    assert_eq!(plane.status().unwrap()["catalog"]["state"], "fresh");
    let keys = world.publisher(&["catalog", "keys", "-o", "json"]).unwrap();
    let keys: Value = serde_json::from_str(&keys.stdout).unwrap();
    let root = keys["roles"].as_array().unwrap().iter().find(|role| role["role"] == "root").unwrap();
    let holders: Vec<_> =
        root["keys"].as_array().unwrap().iter().map(|key| key["holder"].as_str().unwrap()).collect();
    assert_eq!(holders, ["alice", "bob", "carol"]);
    assert!(root["keys"].as_array().unwrap().iter().all(|key| key["signed"] == true), "{root}");
    let status: Value = serde_json::from_str(&ceremony.status(&ceremony.all()).stdout).unwrap();
    assert_eq!((&status["notJoined"], &status["notSigned"]), (&Value::Array(vec![]), &Value::Array(vec![])));
}

#[test]
fn nobody_signs_while_somebody_is_missing_or_unseen() {
    let world = world();
    let ceremony = Ceremony::start(&world, "ceremony", PLAN);
    assert!(ceremony.join("alice").ok());
    assert_eq!(refused(&ceremony.sign("alice", &ceremony.joined(), &[])), "PersonMissing");
    for person in ["bob", "carol", "ci", "online", "spare", "server"] {
        assert!(ceremony.join(person).ok());
    }
    assert_eq!(refused(&ceremony.sign("alice", &ceremony.joined(), &[])), "NotConfirmed");
    let other = format!("sha256:{}", "0".repeat(64));
    assert_eq!(refused(&ceremony.sign("alice", &ceremony.joined(), &["--expect", &other])), "DraftDiffers");
    let draft = ceremony.draft();
    assert!(ceremony.sign("alice", &ceremony.joined(), &["--expect", &draft]).ok());
    let catalog = ceremony.file("catalog");
    assert_eq!(refused(&ceremony.finish(&ceremony.all(), &catalog)), "PersonMissing");
    assert!(!ceremony.path("catalog").exists());
}

#[test]
fn nobody_joins_who_is_not_in_the_plan_and_no_plan_is_taken_that_nobody_can_follow() {
    let world = world();
    let ceremony = Ceremony::start(&world, "ceremony", PLAN);
    assert_eq!(refused(&ceremony.join("mallory")), "NotInvited");
    assert!(!ceremony.path("keys-mallory").exists());
    for (from, to, code) in [
        ("root: { threshold: 2", "root: { threshold: 4", "ThresholdAboveKeys"),
        ("channels: { threshold: 2", "channels: { threshold: 1", "ThresholdTooLow"),
        ("director: [server]", "director: []", "BadPlan"),
        ("  snapshot: { threshold: 1, holders: [online] }\n", "", "BadPlan"),
        ("line:", "lines: [x]\nline:", "BadYaml"),
        ("[alice, bob, ci]", "[Alice, bob, ci]", "BadYaml"),
    ] {
        std::fs::write(ceremony.path("bad.yaml"), PLAN.replace(from, to)).unwrap();
        let (plan, out) = (ceremony.file("bad.yaml"), ceremony.file("bad-start"));
        assert_eq!(refused(&ceremony.run(&["start", "--plan", &plan, "--out", &out])), code, "{to}");
        assert!(!ceremony.path("bad-start").exists());
    }
}

#[test]
fn a_file_that_was_altered_on_the_way_is_refused() {
    let world = world();
    let ceremony = joined(&world);
    let mallory = Ceremony::start(&world, "mallory", PLAN);
    mallory.join_all();
    let of_mallory: Value =
        serde_json::from_slice(&std::fs::read(mallory.path("join-alice")).unwrap()).unwrap();
    let good = std::fs::read(ceremony.path("join-alice")).unwrap();
    type Alter = fn(&mut Value, &Value);
    let alterations: [(&str, Alter); 6] = [
        ("CeremonyFileAltered", |join, other| join["keys"]["root"] = other["keys"]["root"].clone()),
        ("CeremonyFileAltered", |join, other| {
            join["keys"]["root"] = other["keys"]["root"].clone();
            join["proofs"]["root"] = other["proofs"]["root"].clone();
        }),
        ("CeremonyFileAltered", |join, _| drop(join["keys"].as_object_mut().unwrap().remove("channels"))),
        ("CeremonyFileUnreadable", |join, _| join["more"] = 1.into()),
        ("CeremonyFileUnreadable", |join, _| join["person"] = "A\u{1b}[2K".into()),
        ("CeremonyFileAltered", |join, _| join["person"] = "carol".into()),
    ];
    for (code, alter) in alterations {
        std::fs::write(ceremony.path("join-alice"), &good).unwrap();
        edit(&ceremony.path("join-alice"), |join| alter(join, &of_mallory));
        let status = ceremony.status(&ceremony.joined());
        assert_eq!(refused(&status), code);
        assert!(!status.stderr.contains('\u{1b}'), "{}", status.stderr);
    }
}

#[test]
fn a_file_of_another_ceremony_or_a_second_one_of_a_person_is_refused() {
    let world = world();
    let ceremony = joined(&world);
    ceremony.sign_all();
    let other = Ceremony::start(&world, "other", PLAN);
    other.join_all();
    other.sign_all();
    for (name, code) in
        [("join-alice", "OtherCeremony"), ("sign-alice", "OtherCeremony"), ("start", "OtherCeremony")]
    {
        let files = [ceremony.all(), vec![other.file(name)]].concat();
        assert_eq!(refused(&ceremony.status(&files)), code, "{name}");
    }
    let twice = [ceremony.all(), vec![ceremony.file("join-bob"), ceremony.file("sign-bob")]].concat();
    assert!(ceremony.status(&twice).ok(), "the same file twice says nothing new");
    std::fs::rename(ceremony.path("keys-alice"), ceremony.path("before")).unwrap();
    std::fs::rename(ceremony.path("join-alice"), ceremony.path("first")).unwrap();
    assert!(ceremony.join("alice").ok());
    let files = [ceremony.joined(), vec![ceremony.file("first")]].concat();
    assert_eq!(refused(&ceremony.status(&files)), "JoinedTwice");
    // What the others signed was over her first keys.
    assert_eq!(refused(&ceremony.status(&ceremony.all())), "SignedOther");
    std::fs::rename(ceremony.path("first"), ceremony.path("join-alice")).unwrap();
    let (bob, draft) = (ceremony.path("sign-bob"), ceremony.draft());
    std::fs::rename(&bob, ceremony.path("before-bob")).unwrap();
    assert!(ceremony.sign("bob", &ceremony.joined(), &["--expect", &draft]).ok());
    let files = [ceremony.all(), vec![ceremony.file("before-bob")]].concat();
    assert_eq!(refused(&ceremony.status(&files)), "SignedTwice");
    // Carol's keys don't sign for Alice.
    let signed = ceremony.sign("carol", &[ceremony.joined(), vec![]].concat(), &["--expect", &draft]);
    assert_eq!(refused(&signed), "Exists");
}

#[test]
fn a_ceremony_that_takes_weeks_is_begun_anew() {
    let mut world = world();
    world.now = Some("2026-11-23T08:00:00Z".into());
    drop(joined(&world));
    world.now = Some("2026-12-08T08:00:00Z".into());
    let start = world.path("ceremony/start").to_string_lossy().into_owned();
    let args = ["key", "ceremony", "status", &start];
    let late = world.run(pdp_e2e::Program::Publisher, &args, &[]).unwrap();
    assert_eq!(refused(&late), "CeremonyTooOld");
    world.now = Some("2026-11-23T07:00:00Z".into());
    let early = world.run(pdp_e2e::Program::Publisher, &args, &[]).unwrap();
    assert_eq!(refused(&early), "ClockDiffers");
}

#[test]
fn everybody_checks_that_the_root_is_the_one_that_they_signed() {
    let mut world = world();
    world.now = Some("2026-11-23T08:00:00Z".into());
    let ceremony = found(&world);
    let root = world.path("vendor/catalog/metadata/1.root.json");
    let good = std::fs::read(&root).unwrap();
    let check = |ceremony: &Ceremony<'_>, files: &[String]| {
        ceremony.status(&[files, &["--root".to_owned(), root.to_string_lossy().into_owned()]].concat())
    };
    let checked = check(&ceremony, &ceremony.all());
    assert!(checked.ok(), "{}", checked.stderr);
    let value: Value = serde_json::from_str(&checked.stdout).unwrap();
    assert_eq!(value["root"]["signed"], serde_json::json!(["alice", "bob", "carol"]));

    // Whoever finishes hands out something else, as well signed as it can be.
    let other = Ceremony::start(&world, "other", PLAN);
    other.join_all();
    other.sign_all();
    assert!(other.finish(&other.all(), &other.file("catalog")).ok());
    let of_others = std::fs::read(other.path("catalog/metadata/1.root.json")).unwrap();
    let edited = |change: fn(&mut Value)| {
        let mut value: Value = serde_json::from_slice(&good).unwrap();
        change(&mut value);
        [&serde_json::to_vec_pretty(&value).unwrap()[..], b"\n"].concat()
    };
    let twice = [b"{\"signed\": {\"version\": 1}, ", &good[1..]].concat();
    for (forged, code, words) in [
        (of_others, "RootDiffers", "holds it NO MORE"),
        (
            edited(|it| it["signed"]["roles"]["root"]["threshold"] = 1.into()),
            "RootDiffers",
            "root: 1 of 3 must",
        ),
        (edited(|it| it["signed"]["expires"] = "2099-01-01T00:00:00Z".into()), "RootDiffers", "`expires` is"),
        (edited(|it| it["signed"]["keys"] = serde_json::json!({})), "RootDiffers", "`keys` is another list"),
        (twice, "RootDiffers", "in other bytes"),
        (b"nonsense".to_vec(), "RootDiffers", "role `root`"),
        (edited(|it| it["signatures"] = serde_json::json!([])), "RootNotSigned", "`alice`, `bob`, `carol`"),
        (
            edited(|it| {
                let of_another = it["signatures"][2]["sig"].clone();
                it["signatures"][0]["sig"] = of_another.clone();
                it["signatures"][1]["sig"] = of_another;
            }),
            "RootNotSigned",
            "1 of 2 holders",
        ),
    ] {
        std::fs::write(&root, &forged).unwrap();
        let finished = check(&ceremony, &ceremony.all());
        assert_eq!(refused(&finished), code, "{}", finished.stderr);
        assert!(finished.stderr.contains(words), "{words}: {}", finished.stderr);
    }
    crate::attack::note(
        "other-root-after-a-ceremony",
        "RootDiffers",
        "refused; the words name what is another",
    );

    // One signature less is the same root; and years later it is still known for what it is.
    let one_less = edited(|it| drop(it["signatures"].as_array_mut().unwrap().remove(0)));
    std::fs::write(&root, one_less).unwrap();
    let value: Value = serde_json::from_str(&check(&ceremony, &ceremony.joined()).stdout).unwrap();
    assert_eq!(value["root"]["signed"].as_array().unwrap().len(), 2);
    std::fs::write(&root, &good).unwrap();
    let files = [ceremony.all(), vec!["--root".to_owned(), root.to_string_lossy().into_owned()]].concat();
    world.now = Some("2030-11-23T08:00:00Z".into());
    let args: Vec<_> =
        ["key", "ceremony", "status"].into_iter().chain(files.iter().map(String::as_str)).collect();
    let later = world.publisher(&args).unwrap();
    assert!(later.stdout.contains("signed by `alice`, `bob`, `carol`: sha256:"), "{}", later.stdout);
}
