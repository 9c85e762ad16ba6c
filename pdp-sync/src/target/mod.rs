//! Where a level is applied: a customer's repository that Flux reads, or the Flux objects of a cluster.

pub(crate) mod git;
pub(crate) mod git_apply;
mod meaning;

use pdp_policies::decision::DecisionRecord;
use pdp_policies::flux::Health;
use pdp_policies::release::{Component, Release};
use pdp_policies::trust::{Catalog, Verified};
use pdp_policies::{At, ComponentName, Obstacle, PresentVersion, Span, Turn};
use pdp_transport::cli::failure::Result;

use crate::preflight::Trouble;
use crate::state::State;
use crate::time::Clock;

/// Called now and then while a level is being applied.
pub(crate) type Alive<'a> = dyn Fn(&mut State) + 'a;

/// Says which images nodes wouldn't find.
pub(crate) type Images<'a> = dyn Fn() -> Result<Option<Obstacle>> + 'a;

/// Where a level is applied.
pub(crate) trait Target {
    /// What the place itself has to say before anything is decided.
    fn found(&self, state: &State) -> Result<Found>;

    /// Takes over what the newest catalog says of the keys behind what is installed.
    fn trust(&self, state: &State, catalog: &Verified<Catalog>) -> Result<()>;

    /// Whether everything is at hand to begin with `record`, which isn't stored yet. `images` is asked once its artifacts
    /// are found right.
    fn preflight(
        &self,
        state: &State,
        catalog: &Verified<Catalog>,
        record: &DecisionRecord,
        images: &Images<'_>,
    ) -> Result<Preflight>;

    /// Applies, or goes on with, what the stored record says: as far as it gets without waiting for others.
    fn carry_on(&self, state: &mut State, clock: &Clock, alive: &Alive<'_>) -> Result<Progress>;

    /// Puts right what drifted; called when nothing is under way.
    fn tidy(&self, state: &State) -> Result<Tidied>;

    /// Clears away what nobody needs any more; called when nothing is about to start either.
    fn clear(&self, state: &State) -> Result<()>;
}

/// What the place says.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// Edits by others, suspended components, strangers.
    pub(crate) obstacles: Vec<Obstacle>,
    /// Version of Kubernetes, none without a cluster.
    pub(crate) kubernetes: Option<PresentVersion>,
    /// Version of Flux, none if nobody can tell.
    pub(crate) flux: Option<PresentVersion>,
}

/// Whether a level can begin.
#[derive(Debug)]
pub(crate) enum Preflight {
    /// Everything is at hand.
    Ready,
    /// Flux is still fetching; nothing of the customer's was touched.
    NotYet(Vec<ComponentHealth>),
    /// Only people can go on.
    Blocked(Vec<Obstacle>),
    /// An artifact can't be had, or is refused.
    Trouble(Trouble),
}

/// How far [`Target::carry_on`] came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Progress {
    /// To an end.
    Ended(Applied),
    /// Others have to do their part first: waiting is a value.
    UnderWay(UnderWay),
}

/// What a level has become. Only a target makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Applied {
    /// Written; nobody measured health.
    Written,
    /// Written, healthy and settled.
    Healthy,
    /// A component failed; what may go back went back.
    GoneBack(ComponentName),
    /// A person took it back.
    TakenBack,
}

/// What is waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UnderWay {
    pub(crate) turn: Turn,
    /// True while going back.
    pub(crate) back: bool,
    /// The components of the stage that aren't done.
    pub(crate) components: Vec<ComponentHealth>,
    /// When to look again if nobody says anything before.
    pub(crate) next: Span,
    /// Others who change what is written here, again and again.
    pub(crate) fought: Vec<Fight>,
}

/// Somebody else changes fields of ours again and again: they are put back less and less often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fight {
    pub(crate) component: ComponentName,
    /// `Kind/name`
    pub(crate) object: String,
    /// The field manager, if the API server says so.
    pub(crate) manager: Option<String>,
    /// Paths of the fields that aren't as they should be.
    pub(crate) fields: Vec<String>,
    /// When they are put back again.
    pub(crate) again: At,
}

/// So many fields of one object are named.
const NAMED_FIELDS: usize = 4;

impl std::fmt::Display for Fight {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { object, fields, again, .. } = self;
        let who = match &self.manager {
            Some(manager) => format!("field manager `{manager}`"),
            None => "somebody".to_owned(),
        };
        let named = fields.iter().take(NAMED_FIELDS).map(String::as_str).collect::<Vec<_>>().join(", ");
        write!(f, "{who} changes {named} of {object} again and again; put back next at {again}")
    }
}

/// A component and what Flux says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ComponentHealth {
    pub(crate) name: ComponentName,
    pub(crate) health: Health,
}

/// What was put right.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Tidied {
    /// Objects that others had changed, `Kind/name`.
    pub(crate) repaired: Vec<String>,
    /// Those that others change again and again.
    pub(crate) fought: Vec<Fight>,
    /// All components of what is installed.
    pub(crate) components: Vec<ComponentHealth>,
    /// Those that run images which neither the release nor the customer names, and which.
    pub(crate) foreign: std::collections::BTreeMap<ComponentName, String>,
    /// Those that stay at a level that failed.
    pub(crate) held: std::collections::BTreeSet<ComponentName>,
}

/// The components of a release, as the record's inputs select them, turn by turn.
pub(crate) fn turns<'a>(
    release: &'a Release,
    record: &DecisionRecord,
) -> std::collections::BTreeMap<Turn, Vec<&'a Component>> {
    let inputs = record.inputs();
    let mut turns = std::collections::BTreeMap::<Turn, Vec<_>>::new();
    for component in release.components_for(inputs.platform, &inputs.left_out) {
        turns.entry(Turn::of(component)).or_default().push(component);
    }
    turns
}
