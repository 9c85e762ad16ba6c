//! Which roles of people end soon: said to whoever is at the keyboard, the louder the nearer.

use pdp_policies::At;
use pdp_policies::trust::{Catalog, Nearness, Role};
use pdp_transport::cli::output::say;
use serde::Serialize;

/// A role whose end is near.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Ending {
    #[serde(serialize_with = "by_name")]
    pub(crate) role: Role,
    pub(crate) expires: At,
    /// Whole days left; below zero once it has ended.
    pub(crate) days: i64,
    #[serde(skip)]
    pub(crate) near: Nearness,
}

fn by_name<S: serde::Serializer>(role: &Role, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(role.name())
}

/// The roles of people that end within 30 days or have ended, the nearest first. The others are signed every hour.
pub(crate) fn endings(catalog: &Catalog, now: At) -> Vec<Ending> {
    let people = catalog.expiries().into_iter().filter(|(role, _)| role.is_of_people());
    let ending = |(role, expires): (Role, At)| {
        let days = expires.seconds_since(now).div_euclid(86_400);
        Some(Ending { role, expires, days, near: Nearness::of(expires, now)? })
    };
    let mut all: Vec<_> = people.filter_map(ending).collect();
    all.sort_by_key(|ending| (ending.expires, ending.role));
    all
}

/// Says each of them to whoever is at the keyboard.
pub(crate) fn tell(endings: &[Ending]) {
    endings.iter().for_each(|ending| say(&ending.to_string()));
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { role, expires, days, near } = self;
        let then = "from then on no data plane starts anything new";
        match near {
            Nearness::Month => write!(f, "◎ role `{role}` ends in {days} days, on {expires}")?,
            Nearness::Fortnight => write!(f, "⚠ role `{role}` ends in {days} days, on {expires}: {then}")?,
            Nearness::Week => write!(f, "✗ ROLE `{role}` ENDS IN {days} DAYS, on {expires}: {then}")?,
            Nearness::Day => write!(f, "✗ LAST DAY OF ROLE `{role}`: it ends on {expires}; {then}")?,
            Nearness::Ended => {
                write!(f, "✗ ROLE `{role}` ENDED on {expires}: no data plane starts anything new")?;
            }
        }
        write!(f, "\n  its holders sign `publisher catalog renew {role}`, then `publisher catalog publish`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearer_the_end_the_louder_the_words() {
        let now = At::from_unix(1_800_000_000);
        let said = |days: i64| {
            let expires = At::from_unix(now.unix() + days * 86_400);
            let near = Nearness::of(expires, now)?;
            Some(Ending { role: Role::Targets, expires, days, near }.to_string())
        };
        let said: Vec<_> = [31, 30, 14, 7, 1, -1].into_iter().filter_map(said).collect();
        insta::assert_snapshot!(said.join("\n"));
    }
}
