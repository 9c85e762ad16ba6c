#![allow(clippy::unwrap_used, clippy::panic)]
use base64::{Engine, engine::general_purpose::STANDARD};
use pdp_policies::decision::Phase;
use pdp_policies::foreign::{Template, UsedImage};
use pdp_policies::{Digest, split_image};
use serde_json::{Value, json};

use super::*;
use crate::cluster::Kind;

const OWNER: Owner<'_> = Owner { namespace: "pdp", subscription: "pdp" };

/// Two charts, each of a stage of its own, which differ from level to level.
fn descriptor(level: u32) -> Vec<u8> {
    let component = |(name, stage): (&str, u32)| {
        let digest = Digest::of(format!("{name} {level}").as_bytes());
        json!({
            "name": name, "version": "1.0.0", "stage": stage, "releaseName": name, "namespace": "apps",
            "artifact": { "chart": { "name": name, "digest": digest, "size": 1 } },
            "onFailure": "rollback", "timeout": "5m", "settle": "1s",
            "images": [{ "name": "registry.example/app", "digest": Digest::of(b"app") }],
        })
    };
    let components = [("early", 1), ("late", 2)].map(component);
    let release = json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "line": "pdp-2026", "level": level,
        "version": format!("2026.{level}"), "kind": "update",
        "components": components,
        "bundle": { "repository": "registry.example/pdp", "digest": Digest::of(b"bundle"), "size": 1 },
    });
    release.to_string().into_bytes()
}

/// Level 42 failed at `late`, and goes back to 41.
fn going_back() -> DecisionRecord {
    let stored = |level: u32| {
        let bytes = descriptor(level);
        json!({ "level": level, "sha256": Digest::of(&bytes).hex(), "descriptor": STANDARD.encode(&bytes) })
    };
    let inputs = json!({ "platform": "azure" });
    let record = json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "target": stored(42), "lastGood": stored(41),
        "lastGoodInputs": inputs, "inputs": inputs,
        "catalog": { "timestamp": 1, "channels": 1, "targets": 1 },
        "policy": { "digest": Digest::of(b"policy"), "loosened": false },
        "authority": { "openTo": { "ring": "general", "percent": 100, "channels": 1 } },
        "attempt": 1, "decidedAt": "2026-11-20T10:00:00Z", "phase": { "goingBack": { "component": "late" } },
    });
    DecisionRecord::load(record.to_string().as_bytes()).unwrap()
}

fn name(name: &str) -> ComponentName {
    name.parse().unwrap()
}

/// A component as the last good level has it, written and ready.
fn put_back(objects: &mut Objects, record: &DecisionRecord, component: &str) {
    put(objects, &Desired::last_good(OWNER, record, &name(component)).unwrap());
}

fn put(objects: &mut Objects, desired: &Desired) {
    let mut live = desired.applier.clone();
    live["metadata"]["generation"] = json!(3);
    live["status"] = json!({
        "observedGeneration": 3, "lastAttemptedRevisionDigest": desired.digest,
        "conditions": [{ "type": "Ready", "status": "True", "reason": "UpgradeSucceeded", "observedGeneration": 3,
            "lastTransitionTime": "2026-11-20T10:05:00Z" }],
    });
    objects.put(desired.kind, desired.name.as_str(), live);
    objects.put(Kind::OciRepository, desired.source_name(), desired.source.clone());
}

fn written(next: &Next) -> Vec<&str> {
    let Next::Write { objects, .. } = next else { return vec![] };
    objects.iter().map(|desired| desired.name.as_str()).collect()
}

/// What is waited for on the way back, with Flux's word or ours.
fn waiting(next: Next) -> Vec<(String, Health)> {
    let Next::Wait(under_way) = next else { panic!("{next:?}") };
    assert!(under_way.back);
    under_way.components.into_iter().map(|it| (it.name.to_string(), it.health)).collect()
}

fn next(objects: &Objects, record: &DecisionRecord, fought: &[&str]) -> Next {
    let fought = fought.iter().map(|it| name(it)).collect();
    back(OWNER, record, (objects, &Watched::default()), &fought, "2026-11-20T10:10:00Z".parse().unwrap())
}

#[test]
fn the_last_stage_goes_back_first() {
    let (record, mut objects) = (going_back(), Objects::default());
    assert_eq!(written(&next(&objects, &record, &[])), ["late"]);
    put_back(&mut objects, &record, "late");
    assert_eq!(written(&next(&objects, &record, &[])), ["early"]);
    put_back(&mut objects, &record, "early");
    assert!(matches!(next(&objects, &record, &[]), Next::Done));
}

#[test]
fn a_suspended_component_holds_no_other_up_but_is_not_back() {
    let (record, mut objects) = (going_back(), Objects::default());
    let suspended: Value = json!({ "spec": { "suspend": true } });
    objects.put(Kind::HelmRelease, "late", suspended);
    assert_eq!(written(&next(&objects, &record, &[])), ["early"]);
    put_back(&mut objects, &record, "early");
    assert_eq!(waiting(next(&objects, &record, &[])), [("late".to_owned(), Health::Suspended)]);
    put_back(&mut objects, &record, "late");
    assert!(matches!(next(&objects, &record, &[]), Next::Done));
}

#[test]
fn what_others_fight_over_holds_no_other_up_but_is_not_back() {
    let (record, mut objects) = (going_back(), Objects::default());
    assert_eq!(written(&next(&objects, &record, &["late"])), ["early"]);
    put_back(&mut objects, &record, "early");
    let foreign = Health::Waiting("ForeignWriter".to_owned());
    assert_eq!(waiting(next(&objects, &record, &["late"])), [("late".to_owned(), foreign)]);
}

#[test]
fn a_component_that_runs_a_foreign_image_fails_its_level_whatever_flux_says() {
    let record = going_back().in_phase(Phase::Applying {});
    let mut objects = Objects::default();
    let wanted = ["early", "late"].map(|it| {
        let component = record.target().components.iter().find(|c| c.name.as_str() == it).unwrap();
        Desired::target(OWNER, &record, component)
    });
    wanted.iter().for_each(|desired| put(&mut objects, desired));
    let right = format!("mirror.example/app@{}", Digest::of(b"app"));
    let own = ["bank.example/sidecar".parse().unwrap()];
    for (image, own, failed) in [
        (right.as_str(), &own[..0], None),
        ("bank.example/sidecar:1", &own[..], None),
        ("bank.example/sidecar:1", &own[..0], Some("late")),
        ("registry.example/app:1", &own[..], Some("late")),
    ] {
        let used = UsedImage { place: "container app".to_owned(), image: image.to_owned() };
        let template = Template { workload: "Deployment apps/late".to_owned(), images: vec![used] };
        let mut workloads = Workloads::default();
        workloads.judge(&wanted[1], &[template], 0, own);
        let now = "2026-11-20T10:10:00Z".parse().unwrap();
        let running = "0.1.0".parse().unwrap();
        match forward(OWNER, &record, &objects, (&workloads, &Watched::default()), &running, now) {
            Next::Failed(Failed { component, cause, foreign }) => {
                assert_eq!(Some(component.as_str()), failed, "{image}");
                let name = split_image(image).0;
                assert_eq!(foreign, name.parse().ok().into_iter().collect::<Vec<_>>(), "{image}");
                assert_eq!(cause, format!("ForeignImage: Deployment apps/late, container app: {image}"));
            }
            next => assert!(matches!(next, Next::Done) && failed.is_none(), "{image}: {next:?}"),
        }
    }
}

#[test]
fn what_was_worked_out_holds_for_the_same_decision_beside_the_same_objects() {
    use std::sync::Arc;

    use crate::flux::installed::Standing;
    use crate::flux::memory::Memory;

    let (record, memory) = (going_back(), Memory::default());
    let done = record.clone().in_phase(Phase::Done {});
    let (objects, others) = (Arc::new(Objects::default()), Arc::new(Objects::default()));
    let worked_out = |record: &DecisionRecord, objects: &Arc<Objects>| {
        let mut times = 0;
        memory.standing(record, objects, || {
            times += 1;
            Standing::default()
        });
        times
    };
    for (record, objects, times) in [
        (&record, &objects, 1),
        (&record, &objects, 0),
        (&record, &others, 1),
        (&done, &others, 1),
        (&done, &others, 0),
    ] {
        assert_eq!(worked_out(record, objects), times, "{:?}", record.phase());
    }
    memory.forget();
    assert_eq!(worked_out(&done, &others), 1, "a person asked to look at everything anew");
}
