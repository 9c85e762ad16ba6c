//! helm-controller goes away in the middle of an upgrade: it forgets then which release was good.

use anyhow::Result;
use pdp_e2e::cluster::{Cluster, Kind, Part, SubscriptionState, alone};
use pdp_e2e::{Fate, Line};

use super::{LAST, chart_refs, level_failed};
use crate::plane::Plane;
use crate::scenario::Scenario;

/// How helm-controller ends: as on a drained node, or as on a machine that dies.
const ENDS: [End; 2] = [End::Term, End::Kill];

#[derive(Debug, Clone, Copy)]
enum End {
    Term,
    Kill,
}

/// How far Helm has come when helm-controller ends.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// Helm has written down that it begins.
    Pending,
    /// The workload is the new one.
    Applied,
}

const MOMENTS: [Moment; 2] = [Moment::Pending, Moment::Applied];

/// The workload is new for twenty seconds before it counts as available.
fn slow(line: &mut Line) -> Result<()> {
    line.replace(LAST, "templates/workload.yaml", "\n  selector:", "\n  minReadySeconds: 20\n  selector:")
}

/// Helm's records of the last component that say an upgrade is under way.
fn pending(cluster: &Cluster, place: &str) -> bool {
    let all = cluster.api.list(Kind::SECRET, place).unwrap();
    all.iter().any(|it| it["metadata"]["labels"]["status"] == "pending-upgrade")
}

fn generation(cluster: &Cluster, place: &str) -> u64 {
    let found = cluster.api.get(Kind::DEPLOYMENT, place, LAST).unwrap().unwrap_or_default();
    found["metadata"]["generation"].as_u64().unwrap_or_default()
}

/// Opens level 42, ends helm-controller at the moment of its upgrade of the last component, and waits for the level's end.
fn interrupted(
    cluster: &mut Cluster,
    kind: &str,
    (end, moment): (End, Moment),
    edit: fn(&mut Line) -> Result<()>,
    ended: fn(&SubscriptionState) -> bool,
) {
    let name = format!("{kind}-{end:?}-{moment:?}").to_lowercase();
    let Plane { world, subscription, pdp_sync, .. } = Plane::at_41(cluster, &name, edit);
    let place = format!("wso2-dataplane-{name}");
    let (at_41, before) = (chart_refs(&cluster.api, &name), generation(cluster, &place));
    world.open(42, &["general=100"]).unwrap();
    let come = || match moment {
        Moment::Pending => pending(cluster, &place),
        Moment::Applied => generation(cluster, &place) > before,
    };
    pdp_sync.wait("Helm to come so far", come).unwrap();
    match end {
        End::Term => cluster.terminate(Part::HelmController).unwrap(),
        End::Kill => cluster.stop(Part::HelmController),
    }
    cluster.start_again(Part::HelmController).unwrap();
    subscription.until(&pdp_sync, &format!("the end of level 42 ({name})"), ended).unwrap();
    let back = chart_refs(&cluster.api, &name) == at_41;
    assert_eq!(back, subscription.state().level() == Some(41), "{name}: {}", subscription.describe());
}

/// Every end at every moment.
fn all() -> impl Iterator<Item = (End, Moment)> {
    ENDS.into_iter().flat_map(|end| MOMENTS.map(|moment| (end, moment)))
}

#[test]
fn a_good_level_goes_on_when_helm_controller_ends_in_the_midst_of_it() {
    let mut cluster = alone();
    let _scenario =
        Scenario::begin("faults: helm-controller ends in mid-upgrade of a good level; it goes on");
    let installed = |state: &SubscriptionState| state.level() == Some(42) && state.is_ready();
    all().for_each(|it| interrupted(&mut cluster, "good", it, slow, installed));
}

#[test]
fn a_bad_level_goes_back_when_helm_controller_ends_in_the_midst_of_it() {
    let mut cluster = alone();
    let _scenario =
        Scenario::begin("faults: helm-controller ends in mid-upgrade of a bad level; it goes back");
    let bad = |line: &mut Line| line.fate(LAST, Fate::NeverReady);
    let back = |state: &SubscriptionState| level_failed(state) && state.level() == Some(41);
    all().for_each(|it| interrupted(&mut cluster, "bad", it, bad, back));
}
