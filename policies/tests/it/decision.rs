//! The decision record: only a permit begins one, only its own bytes bring it back.

use pdp_policies::decision::{DecisionRecord, Evidence, Inputs, Phase, PolicyMark};
use pdp_policies::gate::{Instruction, Situation, Verdict, decide};
use pdp_policies::policy::Policy;
use pdp_policies::{Digest, ImageName, PdpId, Platform, RefusalCode};

use crate::vendor::{Vendor, channel, line, now, release};

fn record(level: u32, before: Option<&DecisionRecord>) -> DecisionRecord {
    begun(level, before, &[]).unwrap()
}

/// None if the gate lets nothing begin under this list of the customer's images.
fn begun(level: u32, before: Option<&DecisionRecord>, own: &[ImageName]) -> Option<DecisionRecord> {
    let releases = [release(level)];
    let catalog = Vendor::new().trusted(&releases, &channel(&releases), now());
    let pdp = PdpId { organization: "acme".parse().unwrap(), data_plane: "prod".parse().unwrap() };
    let ring = "general".parse().unwrap();
    let quarantined = before.map(|before| before.quarantined_under(own)).unwrap_or_default();
    let version = "0.1.0".parse().unwrap();
    let situation = Situation {
        pdp: &pdp,
        line: &line(),
        ring: &ring,
        installed: before.and_then(DecisionRecord::installed),
        quarantined: &quarantined,
        pdp_sync: &version,
        itself: None,
        kubernetes: None,
        flux: None,
        found: &[],
        instruction: Instruction::Channel,
        approvals: &[],
        uncounted: &[],
        others: &[],
        usual_length: None,
        policy_before: None,
    };
    let Verdict::Proceed(permit) = decide(&catalog, &Policy::default(), &situation, now()).unwrap() else {
        return None;
    };
    let evidence = Evidence {
        catalog: catalog.versions(),
        inputs: Inputs {
            component_platform_values: None,
            mirror: None,
            moved_to: None,
            platform: Platform::Azure,
            left_out: vec![],
            flux: None,
        },
        policy: PolicyMark {
            digest: Digest::of(b"policy"),
            changed_by: None,
            loosened: false,
            changes: vec![],
        },
        now: now(),
    };
    Some(DecisionRecord::begin(*permit, before, evidence))
}

#[test]
fn it_comes_back_as_it_was_and_a_changed_descriptor_is_refused() {
    let bytes = record(41, None).to_bytes().unwrap();
    assert_eq!(DecisionRecord::load(&bytes).unwrap().to_bytes().unwrap(), bytes);
    let mut value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    value["target"]["descriptor"] = "e30=".into();
    let refusal = DecisionRecord::load(value.to_string().as_bytes()).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::HashMismatch);
}

#[test]
fn a_failed_level_leaves_the_last_good_one_and_is_remembered_for_ever() {
    let done = record(40, None).in_phase(Phase::Done {});
    let failed = record(41, Some(&done)).in_phase(Phase::Quarantined {
        component: "cilium".parse().unwrap(),
        cause: None,
        foreign: vec![],
    });
    assert_eq!(failed.installed().unwrap().level.0, 40);
    let next = record(42, Some(&failed));
    assert_eq!(next.last_good().unwrap().level.0, 40, "never back to a level that failed");
    assert_eq!(next.quarantined().get(&failed.target_digest().sha256), Some(&1));
}

#[test]
fn a_level_that_failed_for_images_alone_is_tried_again_once_the_customer_lists_them_all() {
    let names = |names: &[&str]| names.iter().map(|name| name.parse().unwrap()).collect::<Vec<ImageName>>();
    let failed = |foreign: &[&str]| {
        let (component, foreign) = ("cilium".parse().unwrap(), names(foreign));
        let done = record(40, None).in_phase(Phase::Done {});
        let record = record(41, Some(&done)).in_phase(Phase::Quarantined { component, cause: None, foreign });
        // As another process finds it.
        DecisionRecord::load(&record.to_bytes().unwrap()).unwrap()
    };
    for (foreign, own, again) in [
        (&["b.example/x", "b.example/y"][..], &["b.example/y", "b.example/x"][..], true),
        (&["b.example/x", "b.example/y"], &["b.example/x"], false),
        (&["b.example/x"], &["b.example/x/z", "b.example"], false),
        (&["b.example/x"], &[], false),
        // It failed for something else.
        (&[], &["b.example/x"], false),
    ] {
        let failed = failed(foreign);
        let next = begun(41, Some(&failed), &names(own));
        assert_eq!(next.is_some(), again, "{foreign:?} {own:?}");
        let Some(next) = next else { continue };
        assert_eq!((next.attempt(), next.last_good().unwrap().level.0), (1, 40));
        // Nor does the first failure hold it when a person took it back.
        let taken = next.clone().in_phase(Phase::TakenBack {});
        assert!(begun(41, Some(&taken), &[]).is_some());
        // What it fails for next counts anew, whatever is listed.
        let component = "cilium".parse().unwrap();
        let ended = next.in_phase(Phase::Quarantined { component, cause: None, foreign: vec![] });
        assert!(begun(41, Some(&ended), &names(own)).is_none());
    }
}

#[test]
fn a_decision_of_an_older_version_names_the_config_maps_that_it_named() {
    let component = "gateway".parse().unwrap();
    let mut inputs = record(41, None).inputs().clone();
    assert_eq!(inputs.values_from(&component), ["pdp-platform-values", "pdp-values-gateway"]);
    let read: Inputs = serde_json::from_str(&serde_json::to_string(&inputs).unwrap()).unwrap();
    assert_eq!(read, inputs, "none is written, and none is read");
    inputs.component_platform_values = Some("platform-".to_owned());
    let wanted = ["pdp-platform-values", "platform-gateway", "pdp-values-gateway"];
    assert_eq!(inputs.values_from(&component), wanted);
}
