//! The Flux target as the driver sees it.

use pdp_policies::decision::{DecisionRecord, Phase};
use pdp_policies::flux::Health;
use pdp_policies::trust::{Catalog, Verified};
use pdp_policies::{ComponentName, Obstacle, ObstacleCode, Span};
use pdp_transport::cli::failure::{Result, internal};
use serde_json::json;

use super::desired::{self, Desired, Owner};
use super::installed::{Installed, installed};
use super::memory::Memory;
use super::next::{self, Next};
use super::observed::Objects;
use super::preflight::{self, Check};
use super::removed;
use super::workloads::Workloads;
use crate::cluster::{Cluster, Kind};
use crate::crd::{FORCE_AT, REQUESTED_AT};
use crate::fault;
use crate::state::State;
use crate::subscription::Subscription;
use crate::target::{
    Alive, Applied, ComponentHealth, Found, Preflight, Progress, Target, Tidied, UnderWay, stages,
};
use crate::time::Clock;

/// One step writes no more often than this: each stage once, each way, and then some.
const MAX_WRITES: usize = 300;

/// The Flux objects of one subscription.
#[derive(Debug)]
pub(crate) struct FluxTarget<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) subscription: &'a Subscription,
    pub(crate) memory: &'a Memory,
    /// What the cluster itself says: versions, other subscriptions.
    pub(crate) surroundings: Found,
    /// The clock of the pass.
    pub(crate) clock: &'a Clock,
}

impl FluxTarget<'_> {
    fn owner(&self) -> Owner<'_> {
        Owner { namespace: &self.cluster.namespace, subscription: &self.subscription.metadata.name }
    }

    fn objects(&self) -> Result<Objects> {
        Objects::read(self.cluster, self.owner().subscription)
    }

    fn write(&self, desired: &Desired, objects: &Objects) -> Result<()> {
        let source = objects.get(Kind::OciRepository, desired.source_name());
        if !source.is_some_and(|live| desired::holds(&desired.source, live)) {
            self.cluster.apply(Kind::OciRepository, &desired.source)?;
        }
        self.cluster.apply(desired.kind, &desired.applier)
    }

    /// Applies until others have to do their part, or a component failed.
    fn forward(&self, record: &DecisionRecord, clock: &Clock) -> Result<Forward> {
        for _ in 0..MAX_WRITES {
            let objects = self.objects()?;
            let workloads = self.workloads(record, &objects, clock)?;
            match next::forward(self.owner(), record, &objects, &workloads, clock.now()) {
                Next::Write { stage, objects: due } => {
                    fault::point(&format!("before-write-{stage}"));
                    due.iter().try_for_each(|desired| self.write(desired, &objects))?;
                    fault::point(&format!("after-write-{stage}"));
                }
                Next::Wait(under_way) => {
                    self.nudge(&under_way, &objects)?;
                    return Ok(Forward::Wait(under_way));
                }
                Next::Failed(component) => return Ok(Forward::Failed(component)),
                Next::Done if removed::remove(self.cluster, record, &objects)? => {
                    let next = Span::from_seconds(2);
                    return Ok(Forward::Wait(UnderWay { stage: 100, back: false, components: vec![], next }));
                }
                Next::Done => return Ok(Forward::Done),
            }
        }
        Err(others_write())
    }

    fn back(&self, record: &DecisionRecord, clock: &Clock) -> Result<Option<UnderWay>> {
        for _ in 0..MAX_WRITES {
            let objects = self.objects()?;
            match next::back(self.owner(), record, &objects, clock.now()) {
                Next::Write { stage, objects: due } => {
                    fault::point(&format!("before-back-{stage}"));
                    due.iter().try_for_each(|desired| self.write(desired, &objects))?;
                    fault::point(&format!("after-back-{stage}"));
                }
                Next::Wait(under_way) => {
                    self.nudge(&under_way, &objects)?;
                    return Ok(Some(under_way));
                }
                Next::Failed(_) | Next::Done => return Ok(None),
            }
        }
        Err(others_write())
    }

    /// helm-controller can cut its own wait for the very revision that is wanted and then rests
    /// (`HealthCheckCanceled`): once per generation it is asked to go on.
    fn nudge(&self, under_way: &UnderWay, objects: &Objects) -> Result<()> {
        let cut = Health::Waiting("HealthCheckCanceled".to_owned());
        for component in under_way.components.iter().filter(|component| component.health == cut) {
            let name = component.name.as_str();
            let Some(live) = objects.get(Kind::HelmRelease, name) else { continue };
            let token = format!("pdp-sync-{}", live["metadata"]["generation"]);
            if live["metadata"]["annotations"][FORCE_AT] != token {
                let patch =
                    json!({ "metadata": { "annotations": { REQUESTED_AT: token, FORCE_AT: token } } });
                self.cluster.merge(Kind::HelmRelease, name, &patch)?;
            }
        }
        Ok(())
    }

    /// The workloads of what this level touched and Flux calls healthy.
    fn workloads(&self, record: &DecisionRecord, objects: &Objects, clock: &Clock) -> Result<Workloads> {
        let owner = self.owner();
        let all = stages(record.target(), record).into_values().flatten();
        let touched = all.filter(|c| desired::is_touched(owner, record, c));
        let wanted = touched.map(|c| Desired::target(owner, record, c));
        let healthy = |d: &Desired| matches!(objects.health(d, clock.now()), Health::Healthy { .. });
        Workloads::read(self.cluster, objects, &wanted.filter(healthy).collect::<Vec<_>>())
    }

    /// Sources that neither the record's target nor its last good level names.
    fn leftovers<'o>(&self, record: &DecisionRecord, objects: &'o Objects) -> Vec<&'o str> {
        let owner = self.owner();
        let target = stages(record.target(), record).into_values().flatten();
        let mut kept: Vec<_> = target.map(|c| Desired::target(owner, record, c)).collect();
        if let Some(good) = record.last_good() {
            kept.extend(good.components.iter().filter_map(|c| Desired::last_good(owner, record, &c.name)));
        }
        let names: Vec<_> = kept.iter().map(Desired::source_name).collect();
        objects.of(Kind::OciRepository).map(|(name, _)| name).filter(|name| !names.contains(name)).collect()
    }
}

enum Forward {
    Wait(UnderWay),
    Failed(ComponentName),
    Done,
}

fn others_write() -> pdp_transport::cli::Failure {
    pdp_transport::cli::Failure::new("ForeignWriter", "what is written doesn't stay")
        .cause("another field manager changes the same fields again and again")
        .hint("find it in metadata.managedFields of the HelmReleases and Kustomizations")
}

impl Target for FluxTarget<'_> {
    fn found(&self, state: &State) -> Result<Found> {
        let objects = self.objects()?;
        let mut obstacles = self.surroundings.obstacles.clone();
        let record = state.record.as_ref();
        let installed = record.map(|record| installed(self.owner(), record, &objects)).unwrap_or_default();
        let strange =
            installed.iter().map(|it| &it.desired).filter(|it| objects.is_strange(it.kind, it.name.as_str()));
        obstacles.extend(strange.map(|it| preflight::stranger(it.kind, it.name.as_str(), self.owner())));
        for kind in &objects.missing {
            let detail = format!(
                "the API server doesn't serve {} of the version that is needed; install or update Flux",
                kind.name()
            );
            obstacles.push(Obstacle::new(ObstacleCode::RequiresUnmet, None, detail));
        }
        let suspended =
            installed.iter().filter(|it| objects.is_suspended(it.desired.kind, it.desired.name.as_str()));
        obstacles.extend(suspended.map(|it| preflight::suspended(it.desired.kind, it.desired.name.as_str())));
        let (kubernetes, flux) = (self.surroundings.kubernetes.clone(), self.surroundings.flux.clone());
        Ok(Found { obstacles, kubernetes, flux })
    }

    fn preflight(
        &self,
        _: &State,
        catalog: &Verified<Catalog>,
        record: &DecisionRecord,
    ) -> Result<Preflight> {
        let now = self.clock.now();
        let (cluster, subscription, memory) = (self.cluster, self.subscription, self.memory);
        let check = Check { cluster, subscription, owner: self.owner(), memory, catalog, record, now };
        check.run(&self.objects()?)
    }

    fn carry_on(&self, state: &mut State, clock: &Clock, _: &Alive<'_>) -> Result<Progress> {
        let Some(record) = state.record.clone() else { return Err(internal("no decision to carry on with")) };
        let component = match record.phase() {
            Phase::GoingBack { component } => component.clone(),
            Phase::TakingBack {} => {
                if let Some(under_way) = self.back(&record, clock)? {
                    return Ok(Progress::UnderWay(under_way));
                }
                fault::point("before-taken-back");
                state.save_record(record.in_phase(Phase::TakenBack {}))?;
                return Ok(Progress::Ended(Applied::TakenBack));
            }
            _ => match self.forward(&record, clock)? {
                Forward::Wait(under_way) => return Ok(Progress::UnderWay(under_way)),
                Forward::Done => {
                    fault::point("before-finish");
                    state.save_record(record.in_phase(Phase::Done {}))?;
                    fault::point("after-finish");
                    return Ok(Progress::Ended(Applied::Healthy));
                }
                Forward::Failed(component) => component,
            },
        };
        let record = record.in_phase(Phase::GoingBack { component: component.clone() });
        if state.record.as_ref() != Some(&record) {
            fault::point("before-going-back");
            state.save_record(record.clone())?;
            fault::point("after-going-back");
        }
        if let Some(under_way) = self.back(&record, clock)? {
            return Ok(Progress::UnderWay(under_way));
        }
        fault::point("before-quarantine");
        state.save_record(record.in_phase(Phase::Quarantined { component: component.clone() }))?;
        fault::point("after-quarantine");
        Ok(Progress::Ended(Applied::GoneBack(component)))
    }

    fn tidy(&self, state: &State) -> Result<Tidied> {
        let Some(record) = &state.record else { return Ok(Tidied::default()) };
        let objects = self.objects()?;
        let mut tidied = Tidied::default();
        for Installed { desired, held } in installed(self.owner(), record, &objects) {
            if next::differs(&objects, &desired) {
                self.write(&desired, &objects)?;
                tidied.repaired.push(format!("{}/{}", desired.kind.name(), desired.name));
            }
            let health = objects.health(&desired, self.clock.now());
            tidied.held.extend(held.then(|| desired.name.clone()));
            tidied.components.push(ComponentHealth { name: desired.name, health });
        }
        Ok(tidied)
    }

    fn clear(&self, state: &State) -> Result<()> {
        let Some(record) = &state.record else { return Ok(()) };
        let objects = self.objects()?;
        for name in self.leftovers(record, &objects) {
            self.cluster.delete(Kind::OciRepository, name)?;
        }
        Ok(())
    }
}
