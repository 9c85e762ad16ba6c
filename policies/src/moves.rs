//! Successors of the vendor's addresses, as a channel lists them.
//!
//! A move is a hint about where to look, never about what to believe: whatever lies at the new address is judged like
//! what lay at the old one.

mod address;

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use address::{Address, BadAddress};

use crate::time::{At, Span};

/// A channel lists no more moves than this.
pub const MAX_MOVES: usize = 32;

/// An old address is kept for at least so long after its move was read. Whoever serves the new one can hold a correction
/// back for as long as a timestamp lives (a week); two people need the rest to notice a wrong move and to sign another.
pub const LEAST_KEPT: Span = Span::from_seconds(30 * 86_400);

/// What moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum MoveKind {
    /// The catalog, or ring state: the address of a Git repository, or an OCI repository.
    Catalog,
    /// Where artifacts lie: a registry, or a path in it.
    Artifacts,
    /// The channel server.
    Server,
}

impl MoveKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Catalog, Self::Artifacts, Self::Server];

    /// Its name in documents and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Catalog => "catalog",
            Self::Artifacts => "artifacts",
            Self::Server => "server",
        }
    }
}

impl fmt::Display for MoveKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::str::FromStr for MoveKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| "write catalog, artifacts or server".to_owned())
    }
}

/// One address and its successor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Move {
    /// What moves.
    pub kind: MoveKind,
    /// The old address.
    pub from: Address,
    /// The new address.
    pub to: Address,
    /// From then on the new address is asked first.
    pub since: At,
    /// Until then the old address is kept, and asked when the new one can't be had.
    pub until: At,
}

/// One step of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop<'a> {
    /// The move that led here.
    pub by: &'a Move,
    /// Where it leads.
    pub to: Address,
}

/// The successors of an address at `now`, the nearest first; empty if it stays where it is. No move counts twice, so
/// that a chain always ends.
pub fn successors<'a>(moves: &'a [Move], kind: MoveKind, address: &Address, now: At) -> Vec<Hop<'a>> {
    walk(moves, kind, address, |one| one.since <= now).0
}

/// The chain, and the move that would count twice if there is one.
fn walk<'a>(
    moves: &'a [Move],
    kind: MoveKind,
    address: &Address,
    counts: impl Fn(&Move) -> bool,
) -> (Vec<Hop<'a>>, Option<&'a Move>) {
    let mut hops = Vec::<Hop<'_>>::new();
    let mut at = address.clone();
    while let Some((by, to)) = next(moves, kind, &at, &counts) {
        if hops.iter().any(|hop| std::ptr::eq(hop.by, by)) {
            return (hops, Some(by));
        }
        hops.push(Hop { by, to: to.clone() });
        at = to;
    }
    (hops, None)
}

/// The move that fits best: of two registries' paths the longer one.
fn next<'a>(
    moves: &'a [Move],
    kind: MoveKind,
    at: &Address,
    counts: impl Fn(&Move) -> bool,
) -> Option<(&'a Move, Address)> {
    let fitting = moves.iter().filter(|one| one.kind == kind && counts(one));
    let led = fitting.filter_map(|one| Some((one, one.leads(at)?)));
    led.max_by_key(|(one, _)| one.from.len())
}

impl Move {
    /// Until when a data plane that read of it at `first_read` counts on the old address. What is signed can't be sooner
    /// than a correction takes.
    pub fn kept_until(&self, first_read: At) -> At {
        self.until.max(first_read.plus(LEAST_KEPT))
    }

    /// Where it leads from an address, none if it isn't about that one.
    fn leads(&self, at: &Address) -> Option<Address> {
        match self.kind {
            MoveKind::Artifacts => self.to.with(at.below(&self.from)?),
            MoveKind::Catalog | MoveKind::Server => (*at == self.from).then(|| self.to.clone()),
        }
    }

    fn problems(&self) -> Vec<String> {
        let said = |what: &str| format!("the move of the {} from {}: {what}", self.kind, self.from);
        let mut problems = Vec::new();
        for address in [&self.from, &self.to] {
            problems.extend(address.misfit(self.kind).map(|why| said(&format!("{address} {why}"))));
        }
        if self.from.is_url() != self.to.is_url() {
            problems.push(said("one address is a URL and the other one isn't"));
        }
        if self.from == self.to {
            problems.push(said("it leads to itself"));
        }
        if self.to.is_on_this_machine() && !self.from.is_on_this_machine() {
            problems.push(said("it leads to whatever machine follows it"));
        }
        if self.until <= self.since {
            problems.push(said("it ends before it begins"));
        }
        problems
    }
}

/// All that is inconsistent within the moves of a channel, in words.
pub(crate) fn problems(moves: &[Move]) -> Vec<String> {
    let mut problems: Vec<_> = moves.iter().flat_map(Move::problems).collect();
    if moves.len() > MAX_MOVES {
        problems.push(format!("{} moves, {MAX_MOVES} at most", moves.len()));
        return problems;
    }
    let mut seen = BTreeSet::new();
    for one in moves.iter().filter(|one| !seen.insert((one.kind, &one.from))) {
        problems.push(format!("two moves of the {} from {}", one.kind, one.from));
    }
    for one in moves {
        let (_, twice) = walk(moves, one.kind, &one.from, |_| true);
        if twice.is_some_and(|twice| std::ptr::eq(twice, one)) {
            problems.push(format!("the moves of the {} lead from {} in a circle", one.kind, one.from));
        }
    }
    problems
}
