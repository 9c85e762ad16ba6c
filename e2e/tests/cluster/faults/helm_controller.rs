//! helm-controller goes away in the middle of an upgrade: it forgets then which release was good.

use anyhow::Result;
use pdp_e2e::cluster::{Cluster, Kind, Part, PdpSync, Subscription, SubscriptionState, alone};
use pdp_e2e::{Fate, Line, World};

use super::{LAST, chart_refs, level_failed};
use crate::plane::{Plane, upgrading};
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

/// The workload never gets ready, and is given up late enough for both to be under way at once.
fn bad(line: &mut Line) -> Result<()> {
    line.fate(LAST, Fate::NeverReady)?;
    let (soon, late) = ("progressDeadlineSeconds: 3", "progressDeadlineSeconds: 15");
    line.replace(LAST, "templates/workload.yaml", soon, late)
}

fn generation(cluster: &Cluster, place: &str) -> u64 {
    let found = cluster.api.get(Kind::DEPLOYMENT, place, LAST).unwrap().unwrap_or_default();
    found["metadata"]["generation"].as_u64().unwrap_or_default()
}

/// A data plane whose level 42 is good but slow, or bad.
struct Interrupted {
    place: String,
    at_41: [String; 2],
    /// Of the last component's Deployment.
    before: u64,
    world: World,
    subscription: Subscription,
    pdp_sync: PdpSync,
}

impl Interrupted {
    /// At level 41.
    fn new(cluster: &Cluster, name: &str, edit: fn(&mut Line) -> Result<()>) -> Self {
        let Plane { world, subscription, pdp_sync, .. } = Plane::at_41(cluster, name, edit);
        let place = format!("wso2-dataplane-{name}");
        let (at_41, before) = (chart_refs(&cluster.api, name), generation(cluster, &place));
        Self { place, at_41, before, world, subscription, pdp_sync }
    }

    fn came_to(&self, moment: Moment, cluster: &Cluster) -> bool {
        match moment {
            Moment::Pending => upgrading(cluster, &self.place),
            Moment::Applied => generation(cluster, &self.place) > self.before,
        }
    }

    fn ends(&self, cluster: &Cluster, level: u64, ended: fn(&SubscriptionState) -> bool) {
        let Self { subscription, pdp_sync, place, .. } = self;
        subscription.until(pdp_sync, &format!("the end of level 42 in {place}"), ended).unwrap();
        assert_eq!(subscription.state().level(), Some(level), "{}", subscription.describe());
        let back = chart_refs(&cluster.api, &subscription.namespace) == self.at_41;
        assert_eq!(back, level == 41, "{}", subscription.describe());
    }
}

/// Ends helm-controller at the moment of its upgrade to a good and to a bad level 42.
fn interrupt(cluster: &mut Cluster, end: End, moment: Moment) {
    let name = |kind: &str| format!("{kind}-{end:?}-{moment:?}").to_lowercase();
    let both = [Interrupted::new(cluster, &name("good"), slow), Interrupted::new(cluster, &name("bad"), bad)];
    both.iter().for_each(|it| it.world.open(42, &["general=100"]).unwrap());
    for it in &both {
        it.pdp_sync.wait("Helm to come so far", || it.came_to(moment, cluster)).unwrap();
    }
    match end {
        End::Term => cluster.terminate(Part::HelmController).unwrap(),
        End::Kill => cluster.stop(Part::HelmController),
    }
    cluster.start_again(Part::HelmController).unwrap();
    let [good, bad] = both;
    good.ends(cluster, 42, |state| state.level() == Some(42) && state.is_ready());
    bad.ends(cluster, 41, level_failed);
}

#[test]
fn a_good_level_goes_on_and_a_bad_one_goes_back_when_helm_controller_ends_in_the_midst_of_it() {
    let mut cluster = alone();
    let _scenario = Scenario::begin(
        "faults: helm-controller ends in mid-upgrade; a good level goes on, a bad one goes back",
    );
    for (end, moment) in ENDS.into_iter().flat_map(|end| MOMENTS.map(|moment| (end, moment))) {
        interrupt(&mut cluster, end, moment);
    }
}
