//! The Flux target as the driver sees it.

use std::cell::RefCell;
use std::sync::Arc;

use pdp_policies::decision::{DecisionRecord, Phase};
use pdp_policies::flux::Health;
use pdp_policies::trust::{Catalog, Verified};
use pdp_policies::{Digest, ImageName, Obstacle, ObstacleCode, Span, Turn};
use pdp_transport::cli::failure::{Result, internal};

use super::artifact_keys;
use super::desired::{self, Desired, Owner};
use super::fights;
use super::installed::{Installed, Standing, left_as_they_are};
use super::installed_images;
use super::labelled::ChartWorkloads;
use super::leftovers::leftovers;
use super::memory::Memory;
use super::moved;
use super::next::{self, Failed, Next};
use super::nudge;
use super::observed::Objects;
use super::preflight::{self, Check};
use super::removed;
use super::workloads::{Look, Workloads};
use pdp_transport::oci::OciOptions;

use crate::changes::Changes;
use crate::cluster::{Cluster, Kind, name_of};
use crate::crd::Signatures;
use crate::fault;
use crate::reconcile;
use crate::state::State;
use crate::target::{
    Alive, Applied, ComponentHealth, Fight, Found, Images, Preflight, Progress, Target, Tidied, UnderWay,
    turns,
};
use crate::time::Clock;

/// One step writes no more often than this: each stage once, each way, and then some.
const MAX_WRITES: usize = 300;

/// The Flux objects of one subscription.
#[derive(Debug)]
pub(crate) struct FluxTarget<'a> {
    pub(crate) cluster: &'a Cluster,
    /// The subscription's name.
    pub(crate) name: &'a str,
    /// The registry of the artifacts.
    pub(crate) artifacts: &'a OciOptions,
    pub(crate) signatures: Signatures,
    /// Images of the customer's that components may run.
    pub(crate) own_images: &'a [ImageName],
    pub(crate) memory: &'a Memory,
    /// How the workloads of charts are found.
    pub(crate) charts: ChartWorkloads,
    /// What the cluster itself says: versions, other subscriptions.
    pub(crate) surroundings: Found,
    /// The clock of the pass.
    pub(crate) clock: &'a Clock,
    /// What the watches saw.
    pub(crate) changes: &'a Changes,
    /// What this pass read of the cluster, until it writes.
    pub(crate) read: Reading,
}

/// The objects as this pass knows them, none after a write.
#[derive(Debug, Default)]
pub(crate) struct Reading(RefCell<Option<Arc<Objects>>>);

impl FluxTarget<'_> {
    fn owner(&self) -> Owner<'_> {
        Owner { namespace: &self.cluster.namespace, subscription: self.name }
    }

    /// What is known: no kind is listed until a watch saw a change or something was written, and then once a pass.
    fn objects(&self) -> Result<Arc<Objects>> {
        if let Some(known) = self.read.0.borrow().clone() {
            return Ok(known);
        }
        let objects = self.memory.objects.get(self.changes, || self.list())?;
        *self.read.0.borrow_mut() = Some(Arc::clone(&objects));
        Ok(objects)
    }

    /// As they are now: whatever is written is decided on this.
    fn reread(&self) -> Result<Arc<Objects>> {
        let objects = self.memory.objects.renew(self.changes, || self.list())?;
        *self.read.0.borrow_mut() = Some(Arc::clone(&objects));
        Ok(objects)
    }

    /// Worked out once as long as nothing changes.
    fn standing(&self, record: &DecisionRecord, objects: &Arc<Objects>) -> Arc<Standing> {
        self.memory.standing(record, objects, || Standing::of(self.owner(), record, objects))
    }

    fn list(&self) -> Result<Objects> {
        Objects::read(self.cluster, self.owner().subscription)
    }

    /// Something is being written: what was read holds no longer.
    fn forget(&self) {
        self.memory.objects.forget();
        *self.read.0.borrow_mut() = None;
    }

    fn write(&self, desired: &Desired, objects: &Objects) -> Result<()> {
        self.forget();
        for (kind, wanted) in desired.needed() {
            let live = objects.get(kind, name_of(wanted));
            if live.is_some_and(|live| desired::holds(wanted, live)) {
                continue;
            }
            if kind == Kind::ConfigMap && live.is_some() {
                // What can't be changed is made anew.
                self.cluster.delete(kind, name_of(wanted))?;
            }
            self.cluster.apply(kind, wanted)?;
        }
        self.cluster.apply(desired.kind, &desired.applier)?;
        let (name, now) = (desired.name.as_str(), self.clock.now());
        self.memory.written(desired.kind, name, desired.content()?, now);
        Ok(())
    }

    /// Applies until others have to do their part, or a component failed.
    fn forward(&self, record: &DecisionRecord, clock: &Clock) -> Result<Forward> {
        for _ in 0..MAX_WRITES {
            let objects = self.reread()?;
            let workloads = self.workloads(record, &objects, clock)?;
            let running = reconcile::own_version();
            let seen = (&workloads, &self.memory.watched(&objects));
            match next::forward(self.owner(), record, &objects, seen, &running, clock.now()) {
                Next::Write { turn, objects: due } => {
                    let stage = turn.stage;
                    let (due, fought) = self.sift(due, &objects)?;
                    if due.is_empty() {
                        return Ok(Forward::Wait(fights::contested(turn, fought, clock.now())));
                    }
                    fault::point(&format!("before-write-{stage}"));
                    due.iter().try_for_each(|desired| self.write(desired, &objects))?;
                    fault::point(&format!("after-write-{stage}"));
                }
                Next::Wait(under_way) => {
                    self.nudge(&under_way, &objects)?;
                    return Ok(Forward::Wait(under_way));
                }
                Next::Failed(failed) => return Ok(Forward::Failed(failed)),
                Next::Done => {
                    let left = removed::left(&record.target().removed, &objects);
                    if left.is_nothing() {
                        return Ok(Forward::Done);
                    }
                    self.forget();
                    removed::remove(self.cluster, &left, &objects)?;
                    let (components, next) = (left.suspended, Span::from_seconds(2));
                    let fought = vec![];
                    let last = turns(record.target(), record).into_keys().next_back();
                    let turn = last.unwrap_or(Turn::FIRST);
                    return Ok(Forward::Wait(UnderWay { turn, back: false, components, next, fought }));
                }
            }
        }
        Err(others_write())
    }

    fn back(&self, record: &DecisionRecord, clock: &Clock) -> Result<Option<UnderWay>> {
        let mut fought = Vec::new();
        for _ in 0..MAX_WRITES {
            let objects = self.reread()?;
            let contested = fought.iter().map(|fight: &Fight| fight.component.clone()).collect();
            let seen = (&*objects, &self.memory.watched(&objects));
            match next::back(self.owner(), record, seen, &contested, clock.now()) {
                Next::Write { turn, objects: due } => {
                    let stage = turn.stage;
                    let (due, more) = self.sift(due, &objects)?;
                    fought.extend(more);
                    if due.is_empty() {
                        continue;
                    }
                    fault::point(&format!("before-back-{stage}"));
                    due.iter().try_for_each(|desired| self.write(desired, &objects))?;
                    fault::point(&format!("after-back-{stage}"));
                }
                Next::Wait(under_way) => {
                    self.nudge(&under_way, &objects)?;
                    return Ok(Some(UnderWay { fought, ..under_way }));
                }
                Next::Failed(..) | Next::Done => return Ok(None),
            }
        }
        Err(others_write())
    }

    fn nudge(&self, under_way: &UnderWay, objects: &Objects) -> Result<()> {
        self.forget();
        for (kind, name, patch) in nudge::nudges(under_way, objects) {
            self.cluster.merge(kind, &name, &patch)?;
        }
        Ok(())
    }

    /// What may be written now, and who has changed the rest so often that it has to wait.
    fn sift(&self, due: Vec<Desired>, objects: &Objects) -> Result<(Vec<Desired>, Vec<Fight>)> {
        let (mut ours, mut fought) = (Vec::new(), Vec::new());
        for desired in due {
            match self.fight(&desired, objects)? {
                Some(fight) => fought.push(fight),
                None => ours.push(desired),
            }
        }
        Ok((ours, fought))
    }

    fn fight(&self, desired: &Desired, objects: &Objects) -> Result<Option<Fight>> {
        let wanted = desired.content()?;
        let again = self.memory.wait(desired.kind, desired.name.as_str(), wanted, self.clock.now());
        Ok(again.map(|again| fights::fight(objects, desired, again)))
    }

    /// The workloads of what this level touched and Flux calls healthy.
    fn workloads(&self, record: &DecisionRecord, objects: &Objects, clock: &Clock) -> Result<Workloads> {
        let owner = self.owner();
        let all = turns(record.target(), record).into_values().flatten();
        let touched = all.filter(|c| desired::is_touched(owner, record, c));
        let wanted = touched.map(|c| Desired::target(owner, record, c));
        let healthy = |d: &Desired| matches!(objects.health(d, clock.now()), Health::Healthy { .. });
        Workloads::read(self.look(), objects, &wanted.filter(healthy).collect::<Vec<_>>())
    }

    fn look(&self) -> Look<'_> {
        Look { cluster: self.cluster, charts: self.charts, own: self.own_images }
    }
}

enum Forward {
    Wait(UnderWay),
    Failed(Failed),
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
        let standing = record.map(|record| self.standing(record, &objects)).unwrap_or_default();
        let installed: Vec<_> = standing.installed.iter().map(|it| &it.desired).collect();
        for it in standing.installed.iter().filter(|it| it.differs) {
            let fight = self.fight(&it.desired, &objects)?;
            obstacles.extend(fight.map(|it| Obstacle::new(ObstacleCode::HeldByEdit, None, it.to_string())));
        }
        let strange = installed.iter().filter(|it| objects.is_strange(it.kind, it.name.as_str()));
        obstacles.extend(strange.map(|it| preflight::stranger(it.kind, it.name.as_str(), self.owner())));
        let values = installed.iter().filter_map(|it| it.values.as_ref()).map(name_of);
        let strange = values.filter(|name| objects.is_strange(Kind::ConfigMap, name));
        obstacles.extend(strange.map(|name| preflight::stranger(Kind::ConfigMap, name, self.owner())));
        obstacles.extend(objects.missing.iter().map(|kind| preflight::not_served(*kind)));
        obstacles.extend((self.charts == ChartWorkloads::Unseen).then(preflight::unseen_workloads));
        let suspended = installed.iter().filter(|it| objects.is_suspended(it.kind, it.name.as_str()));
        obstacles.extend(suspended.map(|it| preflight::suspended(it.kind, it.name.as_str())));
        let (kubernetes, flux) = (self.surroundings.kubernetes.clone(), self.surroundings.flux.clone());
        Ok(Found { obstacles, kubernetes, flux })
    }

    /// A key that was revoked goes at once, and a new one is there before Flux verifies what is installed again.
    fn trust(&self, state: &State, catalog: &Verified<Catalog>) -> Result<()> {
        let inputs = state.record.as_ref().and_then(|record| record.inputs().flux.as_ref());
        let keys = catalog.artifact_keys();
        let mark = Digest::of(&serde_json::to_vec(keys).map_err(internal)?);
        if inputs.is_none_or(|flux| flux.verify_secret.is_none()) || self.memory.keeps(mark) {
            return Ok(());
        }
        artifact_keys::keep(self.cluster, self.name, keys)?;
        self.memory.kept(mark);
        Ok(())
    }

    fn preflight(
        &self,
        _: &State,
        catalog: &Verified<Catalog>,
        record: &DecisionRecord,
        images: &Images<'_>,
    ) -> Result<Preflight> {
        let now = self.clock.now();
        let Self { cluster, artifacts, signatures, memory, .. } = *self;
        let owner = self.owner();
        let check = Check { cluster, artifacts, signatures, owner, memory, catalog, record, now, images };
        let objects = self.reread()?;
        self.forget();
        check.run(&objects)
    }

    fn carry_on(&self, state: &mut State, clock: &Clock, _: &Alive<'_>) -> Result<Progress> {
        let Some(record) = state.record.clone() else { return Err(internal("no decision to carry on with")) };
        let (component, going_back) = match record.phase() {
            Phase::GoingBack { component, .. } => (component.clone(), record.phase().clone()),
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
                Forward::Failed(Failed { component, cause, foreign }) => {
                    (component.clone(), Phase::GoingBack { component, cause: Some(cause), foreign })
                }
            },
        };
        let record = record.in_phase(going_back);
        if state.record.as_ref() != Some(&record) {
            fault::point("before-going-back");
            state.save_record(record.clone())?;
            fault::point("after-going-back");
        }
        if let Some(under_way) = self.back(&record, clock)? {
            return Ok(Progress::UnderWay(under_way));
        }
        fault::point("before-quarantine");
        state.save_record(record.put_back())?;
        fault::point("after-quarantine");
        Ok(Progress::Ended(Applied::GoneBack(component)))
    }

    fn tidy(&self, state: &State) -> Result<Tidied> {
        let Some(record) = &state.record else { return Ok(Tidied::default()) };
        let mut objects = self.objects()?;
        if self.standing(record, &objects).installed.iter().any(|it| it.differs) {
            objects = self.reread()?;
        }
        let standing = self.standing(record, &objects);
        let left = left_as_they_are(self.owner(), record, &objects);
        let (mut tidied, mut looked_at) = (Tidied::default(), Vec::new());
        for Installed { desired, held, differs } in &standing.installed {
            if *differs {
                match self.fight(desired, &objects)? {
                    Some(fight) => tidied.fought.push(fight),
                    None => {
                        self.write(desired, &objects)?;
                        let places = moved::places(record, &state.moves);
                        let what = format!("{}/{}", desired.kind.name(), desired.name);
                        tidied.repaired.extend((!moved::is_move(&objects, desired, &places)).then_some(what));
                    }
                }
            }
            let health = objects.health(desired, self.clock.now());
            tidied.held.extend(held.then(|| desired.name.clone()));
            tidied.components.push(ComponentHealth { name: desired.name.clone(), health });
            looked_at.push(desired);
        }
        let shown: Vec<_> = tidied.components.iter().map(|it| it.name.clone()).collect();
        for desired in &left {
            let health = objects.health(desired, self.clock.now());
            let new = !shown.contains(&desired.name);
            tidied.components.extend(new.then_some(ComponentHealth { name: desired.name.clone(), health }));
            looked_at.extend(new.then_some(desired));
        }
        let (memory, now) = (self.memory, self.clock.now());
        let workloads = installed_images::look(self.look(), memory, &objects, &looked_at, now)?;
        tidied.foreign = workloads.all_foreign().clone();
        Ok(tidied)
    }

    fn clear(&self, state: &State) -> Result<()> {
        let Some(record) = &state.record else { return Ok(()) };
        if !self.standing(record, &self.objects()?).has_leftovers {
            return Ok(());
        }
        // What is deleted is looked at once more.
        let objects = self.reread()?;
        self.forget();
        leftovers(self.owner(), record, &objects)
            .into_iter()
            .try_for_each(|(kind, name)| self.cluster.delete(kind, name).map(|_| ()))
    }
}
