//! The plan of a ceremony: the people of each role, and how many of them must sign. A file that people write.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use pdp_policies::trust::Role;
use pdp_policies::{Line, Person};
use pdp_transport::cli::failure::{Failure, Result};
use serde::{Deserialize, Serialize};

use crate::catalog::holder_change;

/// More people than this hold no role.
const MAX_HOLDERS: usize = 32;

/// The plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Plan {
    /// The release line of the first channel.
    pub(crate) line: Line,
    /// The six roles of the catalog.
    pub(crate) roles: BTreeMap<Role, Seating>,
    /// Whose Ed25519 keys direct data planes: channel servers.
    pub(crate) director: BTreeSet<Person>,
    /// Whose keys sign artifacts.
    pub(crate) artifact: BTreeSet<Person>,
}

/// Who holds a role.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Seating {
    /// How many must sign.
    pub(crate) threshold: usize,
    pub(crate) holders: BTreeSet<Person>,
}

/// What a key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) enum Seat {
    Role(Role),
    Director,
    Artifact,
}

impl fmt::Display for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => role.fmt(f),
            Self::Director => f.write_str("director"),
            Self::Artifact => f.write_str("artifact"),
        }
    }
}

impl FromStr for Seat {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "director" => Ok(Self::Director),
            "artifact" => Ok(Self::Artifact),
            role => role.parse().map(Self::Role),
        }
    }
}

impl TryFrom<String> for Seat {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        text.parse()
    }
}

impl From<Seat> for String {
    fn from(seat: Seat) -> Self {
        seat.to_string()
    }
}

/// People as messages name them.
pub(crate) fn quoted(people: &[Person]) -> String {
    people.iter().map(|person| format!("`{person}`")).collect::<Vec<_>>().join(", ")
}

impl Plan {
    /// What each person makes a key for.
    pub(crate) fn seats(&self) -> BTreeMap<Person, BTreeSet<Seat>> {
        let roles = self.roles.iter().map(|(role, seating)| (Seat::Role(*role), &seating.holders));
        let lists = [(Seat::Director, &self.director), (Seat::Artifact, &self.artifact)];
        let mut seats: BTreeMap<Person, BTreeSet<Seat>> = BTreeMap::new();
        for (seat, people) in roles.chain(lists) {
            for person in people {
                seats.entry(person.clone()).or_default().insert(seat);
            }
        }
        seats
    }

    /// Refuses a plan that no data plane would take, or that nobody could sign.
    ///
    /// # Errors
    /// `BadPlan`, `ThresholdTooLow`, `ThresholdAboveKeys`.
    pub(crate) fn check(&self) -> Result<()> {
        let bad = |cause: String| Failure::new("BadPlan", "the plan of the ceremony").cause(cause);
        for role in Role::ALL {
            let seating =
                self.roles.get(&role).ok_or_else(|| bad(format!("nobody holds the role `{role}`")))?;
            holder_change::check(role, seating.threshold, seating.holders.len())?;
        }
        let people = self.roles.iter().map(|(role, it)| (Seat::Role(*role), it.holders.len()));
        let lists = [(Seat::Director, self.director.len()), (Seat::Artifact, self.artifact.len())];
        for (seat, holders) in people.chain(lists) {
            if holders == 0 || holders > MAX_HOLDERS {
                return Err(bad(format!("`{seat}` has {holders} holders; 1 to {MAX_HOLDERS} are possible")));
            }
        }
        Ok(())
    }
}
