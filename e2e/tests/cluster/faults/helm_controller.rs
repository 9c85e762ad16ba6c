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
    /// A hook before the upgrade is there.
    Hook,
    /// Helm is on the way back.
    Back,
}

const MOMENTS: [Moment; 4] = [Moment::Pending, Moment::Applied, Moment::Hook, Moment::Back];

/// What is done to a level.
type Edit = fn(&mut Line) -> Result<()>;

/// Levels that stay in a moment for a while: 41, and a 42 that is good, if it comes to the moment, and one that is bad.
struct Levels {
    at_41: Edit,
    good: Option<Edit>,
    bad: Edit,
}

impl Moment {
    fn levels(self) -> Levels {
        let at_41: Edit = |_| Ok(());
        match self {
            Self::Pending | Self::Applied => Levels { at_41, good: Some(slow), bad },
            Self::Hook => Levels { at_41, good: Some(slow_hook), bad: hanging_hook },
            Self::Back => Levels { at_41: slow, good: None, bad: |line| line.fate(LAST, Fate::NeverReady) },
        }
    }
}

/// Pods of a hook, one after the other.
const SLOW_HOOK: &str = r#"apiVersion: batch/v1
kind: Job
metadata:
  name: slow
  annotations: {helm.sh/hook: pre-upgrade, helm.sh/hook-delete-policy: before-hook-creation}
spec:
  completions: 12
  parallelism: 1
  template:
    spec:
      restartPolicy: Never
      containers:
        - {name: main, image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"}
"#;

/// The hook never ends, and is given up before long.
fn hanging_hook(line: &mut Line) -> Result<()> {
    line.set(LAST, "timeout", "40s".into())?;
    line.fate(LAST, Fate::HookHangs)
}

/// The hook takes some seconds, and ends well.
fn slow_hook(line: &mut Line) -> Result<()> {
    line.write(LAST, "templates/slow-hook.yaml", SLOW_HOOK)
}

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
    fn new(cluster: &Cluster, name: &str, at_41: Edit, at_42: Edit) -> Self {
        let Plane { world, subscription, pdp_sync, .. } = Plane::before_41(cluster, name, at_41, at_42);
        subscription.until_level(&pdp_sync, 41).unwrap();
        let place = format!("wso2-dataplane-{name}");
        let (at_41, before) = (chart_refs(&cluster.api, name), generation(cluster, &place));
        Self { place, at_41, before, world, subscription, pdp_sync }
    }

    fn came_to(&self, moment: Moment, cluster: &Cluster) -> bool {
        match moment {
            Moment::Pending => upgrading(cluster, &self.place),
            Moment::Applied => generation(cluster, &self.place) > self.before,
            Moment::Hook => !cluster.api.list(Kind::JOB, &self.place).unwrap().is_empty(),
            Moment::Back => {
                self.subscription.state().phase() == "goingBack" && upgrading(cluster, &self.place)
            }
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

fn restart(cluster: &mut Cluster, end: End) {
    match end {
        End::Term => cluster.terminate(Part::HelmController).unwrap(),
        End::Kill => cluster.stop(Part::HelmController),
    }
    cluster.start_again(Part::HelmController).unwrap();
}

/// Data planes at level 41 that come to a moment with level 42.
struct Interruption {
    moment: Moment,
    good: Option<Interrupted>,
    bad: Interrupted,
}

impl Interruption {
    fn new(cluster: &Cluster, end: End, moment: Moment) -> Self {
        let Levels { at_41, good, bad } = moment.levels();
        let name = |kind: &str| format!("{kind}-{end:?}-{moment:?}").to_lowercase();
        let good = good.map(|good| Interrupted::new(cluster, &name("good"), at_41, good));
        Self { moment, good, bad: Interrupted::new(cluster, &name("bad"), at_41, bad) }
    }

    /// Ends helm-controller when all have come to the moment, and waits for the good level: another end of helm-controller
    /// would be another test.
    fn play(&self, cluster: &mut Cluster, end: End) {
        let all = || self.good.iter().chain([&self.bad]);
        all().for_each(|it| it.world.open(42, &["general=100"]).unwrap());
        for it in all() {
            it.pdp_sync.wait("Helm to come so far", || it.came_to(self.moment, cluster)).unwrap();
        }
        restart(cluster, end);
        if let Some(good) = &self.good {
            good.ends(cluster, 42, |state| state.level() == Some(42) && state.is_ready());
        }
    }
}

#[test]
fn a_good_level_goes_on_and_a_bad_one_goes_back_when_helm_controller_ends_in_the_midst_of_it() {
    let mut cluster = alone();
    let _scenario = Scenario::begin(
        "faults: helm-controller ends in an upgrade, a hook, on the way back; good goes on, bad goes back",
    );
    for end in ENDS {
        let begun: Vec<_> = std::thread::scope(|scope| {
            let cluster = &*cluster;
            let threads = MOMENTS.map(|moment| scope.spawn(move || Interruption::new(cluster, end, moment)));
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        begun.iter().for_each(|it| it.play(&mut cluster, end));
        begun.iter().for_each(|it| it.bad.ends(&cluster, 41, level_failed));
    }
}
