//! The roles of the catalog: who signs what, and when it ends.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::time::At;

/// A role of TUF. `releases` and `channels` are delegated by `targets`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Who holds the roles at the top.
    Root,
    /// Who holds the delegated roles, and the key lists.
    Targets,
    /// The releases.
    Releases,
    /// The channels.
    Channels,
    /// Which files belong together.
    Snapshot,
    /// That all of it is fresh.
    Timestamp,
}

impl Role {
    /// All, in the order in which each one's holders are known.
    pub const ALL: [Self; 6] =
        [Self::Root, Self::Targets, Self::Releases, Self::Channels, Self::Snapshot, Self::Timestamp];
    /// Those that people sign.
    pub const PEOPLE: [Self; 4] = [Self::Root, Self::Targets, Self::Releases, Self::Channels];

    /// As it stands in the metadata.
    pub fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Targets => "targets",
            Self::Releases => "releases",
            Self::Channels => "channels",
            Self::Snapshot => "snapshot",
            Self::Timestamp => "timestamp",
        }
    }

    /// How many signatures it must ask for: no reader takes a catalog in which one person alone signs for people.
    pub fn least_threshold(self) -> usize {
        super::signers::least_threshold(self.name())
    }

    /// The role whose file names who holds this one.
    pub fn parent(self) -> Self {
        match self {
            Self::Releases | Self::Channels => Self::Targets,
            _ => Self::Root,
        }
    }

    /// True if people sign it; the others are signed anew every hour.
    pub fn is_of_people(self) -> bool {
        Self::PEOPLE.contains(&self)
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|role| role.name() == text);
        found.ok_or_else(|| "root, targets, releases, channels, snapshot or timestamp".to_owned())
    }
}

/// How near the end of a role of people is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Nearness {
    /// At most 30 days are left.
    Month,
    /// At most 14 days are left.
    Fortnight,
    /// At most 7 days are left.
    Week,
    /// At most a day is left.
    Day,
    /// It has ended: data planes start nothing new.
    Ended,
}

impl Nearness {
    /// None while more than 30 days are left.
    pub fn of(expires: At, now: At) -> Option<Self> {
        const DAY: i64 = 86_400;
        let left = expires.seconds_since(now);
        // As data planes judge it: the second of the expiry itself is still good.
        let steps = [(Self::Ended, -1), (Self::Day, DAY), (Self::Week, 7 * DAY), (Self::Fortnight, 14 * DAY)];
        let near = steps.into_iter().find(|(_, most)| left <= *most).map(|(near, _)| near);
        near.or((left <= 30 * DAY).then_some(Self::Month))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_end_comes_nearer_at_exact_borders() {
        const DAY: i64 = 86_400;
        let now = At::from_unix(1_800_000_000);
        for (left, near) in [
            (31 * DAY, None),
            (30 * DAY + 1, None),
            (30 * DAY, Some(Nearness::Month)),
            (14 * DAY, Some(Nearness::Fortnight)),
            (7 * DAY + 1, Some(Nearness::Fortnight)),
            (7 * DAY, Some(Nearness::Week)),
            (DAY, Some(Nearness::Day)),
            (0, Some(Nearness::Day)),
            (-1, Some(Nearness::Ended)),
        ] {
            assert_eq!(Nearness::of(At::from_unix(now.unix() + left), now), near, "{left} s");
        }
        assert!(Nearness::Month < Nearness::Week && Nearness::Day < Nearness::Ended);
    }

    #[test]
    fn a_role_is_read_as_it_is_written() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse::<Role>(), Ok(role));
        }
        assert!("Root".parse::<Role>().is_err() && "".parse::<Role>().is_err());
    }
}
