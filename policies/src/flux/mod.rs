//! What Flux says about one object, and what it doesn't say: its word counts for exactly the digest that is wanted and
//! for the newest generation of the object. Messages are never matched on.

mod reasons;

use crate::digest::Digest;
use crate::time::At;

pub use reasons::{Class, Meaning, REASONS, class};

/// The kinds of Flux objects that pdp-sync writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// helm.toolkit.fluxcd.io/v2
    HelmRelease,
    /// kustomize.toolkit.fluxcd.io/v1
    Kustomization,
    /// source.toolkit.fluxcd.io/v1
    OciRepository,
}

impl Kind {
    /// The kind as Kubernetes writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::HelmRelease => "HelmRelease",
            Self::Kustomization => "Kustomization",
            Self::OciRepository => "OCIRepository",
        }
    }
}

/// The status of a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Truth {
    /// `True`
    True,
    /// `False`
    False,
    /// `Unknown`, or anything else.
    Unknown,
}

/// One condition of a Flux object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FluxCondition {
    /// `type`: `Ready`, `Reconciling`, `Stalled` are read.
    pub kind: String,
    /// `status`
    pub status: Truth,
    /// `reason`
    pub reason: String,
    /// `observedGeneration`: the generation that it judges.
    pub observed_generation: Option<i64>,
    /// `lastTransitionTime`
    pub last_transition: Option<At>,
}

/// What was read of one Flux object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Its kind.
    pub kind: Kind,
    /// `metadata.generation`
    pub generation: i64,
    /// `metadata.deletionTimestamp` is set.
    pub deleting: bool,
    /// `spec.suspend`
    pub suspended: bool,
    /// `status.observedGeneration`
    pub observed_generation: Option<i64>,
    /// `status.conditions`
    pub conditions: Vec<FluxCondition>,
    /// The digest that Flux tried last: of a HelmRelease `status.lastAttemptedRevisionDigest`, of a Kustomization
    /// `status.lastAttemptedRevision`, of an OCIRepository that of `status.artifact.revision`.
    pub attempted: Option<Digest>,
    /// The digest that is in place: of a HelmRelease `status.history[0].ociDigest` (absent after a rollback), of a
    /// Kustomization `status.lastAppliedRevision`, of an OCIRepository that of `status.artifact.revision`.
    pub applied: Option<Digest>,
    /// The digest that it is about.
    pub wanted: Digest,
    /// The component's timeout has passed since the digest was written: until then a failure that a restart of the
    /// API server causes as well doesn't count.
    pub timeout_passed: bool,
    /// Flux has been at what was written last for so long that it won't come to an end.
    pub overdue: bool,
}

/// How one Flux object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// There is no such object.
    NotThere,
    /// A person suspended it.
    Suspended,
    /// Flux can't go on now, for this reason.
    Waiting(String),
    /// Flux is at it, or hasn't seen what is wanted yet.
    Progressing(String),
    /// The wanted digest is in place and healthy since then.
    Healthy {
        /// When it got ready.
        since: At,
    },
    /// The wanted digest was tried and failed, for this reason.
    Failed(String),
}

/// Judges one Flux object; `None` if there is none.
pub fn health(observed: Option<&Observed>) -> Health {
    let Some(observed) = observed else { return Health::NotThere };
    match judge(observed) {
        Health::Progressing(reason) if observed.overdue && observed.at_it() => {
            Health::Failed(format!("TimedOut: {reason}"))
        }
        health => health,
    }
}

fn judge(observed: &Observed) -> Health {
    if observed.deleting {
        return Health::Waiting("Terminating".to_owned());
    }
    if observed.suspended {
        return Health::Suspended;
    }
    let Some(ready) = observed.condition("Ready") else {
        return Health::Progressing("NotSeenYet".to_owned());
    };
    if ready.observed_generation.or(observed.observed_generation) != Some(observed.generation) {
        return Health::Progressing("NewGeneration".to_owned());
    }
    match ready.status {
        Truth::True => healthy(observed, ready),
        Truth::False => unhealthy(observed, ready),
        Truth::Unknown => Health::Progressing(ready.reason.clone()),
    }
}

/// The digest in a Flux revision: `sha256:...` or `<tag>@sha256:...`.
pub fn digest_of_revision(revision: &str) -> Option<Digest> {
    revision.rsplit('@').next()?.parse().ok()
}

impl Observed {
    fn condition(&self, kind: &str) -> Option<&FluxCondition> {
        self.conditions.iter().find(|condition| condition.kind == kind)
    }

    fn is_true(&self, kind: &str) -> Option<&FluxCondition> {
        self.condition(kind).filter(|condition| condition.status == Truth::True)
    }

    /// A pass is under way: what stands in `Ready` may be about the one before.
    fn under_way(&self) -> bool {
        self.is_true("Reconciling").is_some_and(|condition| condition.reason != "ProgressingWithRetry")
    }

    /// Flux has taken up the wanted digest and says that it goes on with it. Some failures it tries again without end,
    /// such as a record of Helm's that is too large to be stored.
    fn at_it(&self) -> bool {
        let reconciling = self.is_true("Reconciling");
        let this_generation = reconciling.is_some_and(|it| it.observed_generation == Some(self.generation));
        self.kind != Kind::OciRepository && this_generation && self.attempted == Some(self.wanted)
    }

    /// The digest in place is the wanted one. A HelmRelease may not know it; then what was tried last is in place,
    /// because a HelmRelease that was rolled back is never ready.
    fn in_place(&self) -> bool {
        match self.kind {
            Kind::HelmRelease => {
                self.attempted == Some(self.wanted)
                    && self.applied.is_none_or(|applied| applied == self.wanted)
            }
            Kind::Kustomization | Kind::OciRepository => self.applied == Some(self.wanted),
        }
    }
}

fn healthy(observed: &Observed, ready: &FluxCondition) -> Health {
    let reconciling = observed.is_true("Reconciling");
    if let Some(busy) = reconciling.or(observed.is_true("Stalled")) {
        return Health::Progressing(busy.reason.clone());
    }
    if observed.observed_generation != Some(observed.generation) {
        return Health::Progressing("NewGeneration".to_owned());
    }
    if !observed.in_place() {
        return Health::Progressing("OtherDigest".to_owned());
    }
    match ready.last_transition {
        Some(since) => Health::Healthy { since },
        None => Health::Progressing("NoTransitionTime".to_owned()),
    }
}

fn unhealthy(observed: &Observed, ready: &FluxCondition) -> Health {
    let exhausted = || observed.is_true("Stalled").is_some_and(|stalled| stalled.reason == "RetriesExceeded");
    let class = class(observed.kind, &ready.reason);
    let failed = match class {
        Some(Class::Failed) => true,
        Some(Class::FailedIfItLasts) => observed.timeout_passed,
        Some(Class::Waiting) => false,
        None => observed.kind != Kind::OciRepository && exhausted(),
    };
    let reason = ready.reason.clone();
    match class {
        Some(Class::Waiting) => Health::Waiting(reason),
        _ if observed.under_way() => Health::Progressing(reason),
        _ if failed && observed.attempted == Some(observed.wanted) => Health::Failed(reason),
        _ if failed => Health::Progressing("OtherDigest".to_owned()),
        Some(_) => Health::Progressing(reason),
        None => Health::Waiting(reason),
    }
}
