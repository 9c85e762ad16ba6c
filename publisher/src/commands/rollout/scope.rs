//! What of a rollout is halted or resumed.

use pdp_policies::rollout::HaltScope;
use pdp_policies::{Organization, Ring};

/// One ring, one organization, or all of the rollout.
#[derive(Debug, clap::Args)]
#[group(multiple = false)]
pub(super) struct Scope {
    /// This ring alone; later rings don't open meanwhile.
    #[arg(long)]
    ring: Option<Ring>,
    /// This organization alone, in whichever ring its data planes are.
    #[arg(long)]
    organization: Option<Organization>,
}

impl Scope {
    /// The scope that was named, none for the whole rollout.
    pub(super) fn named(&self) -> Option<HaltScope> {
        let organization = self.organization.clone();
        let organization = organization.map(|organization| HaltScope::Organization { organization });
        self.ring.clone().map(|ring| HaltScope::Ring { ring }).or(organization)
    }
}

/// For people.
pub(super) fn words(scope: &HaltScope) -> String {
    match scope {
        HaltScope::Ring { ring } => format!("ring `{ring}`"),
        HaltScope::Rollout {} => "the rollout".to_owned(),
        HaltScope::Organization { organization } => format!("organization `{organization}`"),
    }
}
