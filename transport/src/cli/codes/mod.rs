//! Every stable code of every program in words: what it means, what usually brings it about, what to do next.
//!
//! Codes that are types have their words there (`policies`, `error.rs`); all others have them in the tables here.

mod data_plane;
mod lint;
mod lint_cluster;
mod lint_sources;
mod markdown;
mod nearest;
mod people;
mod publisher;
mod release;
mod server;
mod shared;
mod statements;

use pdp_policies::codes::{Words, command_refusals, obstacles, refusals};
use serde::Serialize;

use crate::error::{Kind, Row};

pub use markdown::markdown;
pub use nearest::nearest;

/// Code, meaning, usual cause, next step.
type Line = (&'static str, &'static str, &'static str, &'static str);

/// What uses a code. One code may be used by several, with a meaning of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// A document was judged and is not used at all.
    Refusal,
    /// A level can't start yet.
    Obstacle,
    /// A registry, a Git host, a proxy or a file failed.
    Failure,
    /// Any program's command line.
    CommandLine,
    /// A command of `publisher`.
    Publisher,
    /// `publisher release lint` and `release lock`.
    Lint,
    /// What people order a rollout to do.
    Rollout,
    /// The channel server: its start, and its answers.
    ChannelServer,
    /// `pdp-sync` and `kubectl pdp`.
    DataPlane,
}

/// One meaning of one code; each text is a sentence or two in one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// What uses the code.
    pub source: Source,
    /// The stable code.
    pub code: String,
    /// What it means.
    pub meaning: String,
    /// What usually brings it about.
    pub cause: String,
    /// What to do next.
    pub next: String,
}

impl Source {
    /// All of them, in the order of the document.
    pub const ALL: [Self; 9] = [
        Self::Refusal,
        Self::Obstacle,
        Self::Failure,
        Self::CommandLine,
        Self::Publisher,
        Self::Lint,
        Self::Rollout,
        Self::ChannelServer,
        Self::DataPlane,
    ];

    /// For people: "a code of ...".
    pub fn words(self) -> &'static str {
        match self {
            Self::Refusal => "a document was judged and is not used at all",
            Self::Obstacle => "a level can't start yet",
            Self::Failure => "a registry, a Git host, a proxy or a file failed",
            Self::CommandLine => "command line of any program",
            Self::Publisher => "publisher",
            Self::Lint => "publisher release lint",
            Self::Rollout => "an order to a rollout was refused",
            Self::ChannelServer => "channel server",
            Self::DataPlane => "pdp-sync, kubectl pdp",
        }
    }

    /// Its codes, in the order of its table.
    pub fn entries(self) -> Vec<Entry> {
        match self {
            Self::Refusal => self.of(refusals()),
            Self::Obstacle => self.of(obstacles()),
            Self::Rollout => self.of(command_refusals()),
            Self::Failure => Kind::ALL.map(|kind| self.failure(kind.row())).to_vec(),
            Self::CommandLine => self.table(&[shared::TABLE]),
            Self::Publisher => {
                self.table(&[publisher::TABLE, people::TABLE, release::TABLE, statements::TABLE])
            }
            Self::Lint => {
                self.table(&[lint::TABLE, lint_sources::TABLE, lint_cluster::TABLE, statements::FINDINGS])
            }
            Self::ChannelServer => self.table(&[server::TABLE]),
            Self::DataPlane => self.table(&[data_plane::TABLE]),
        }
    }

    fn of(self, all: Vec<Words>) -> Vec<Entry> {
        let entry = |words: Words| Entry {
            source: self,
            code: words.code,
            meaning: words.meaning,
            cause: words.cause.to_owned(),
            next: words.next.to_owned(),
        };
        all.into_iter().map(entry).collect()
    }

    fn failure(self, row: Row) -> Entry {
        self.entry(&(row.code, row.meaning, row.cause, row.hint))
    }

    fn table(self, tables: &[&[Line]]) -> Vec<Entry> {
        tables.iter().copied().flatten().map(|line| self.entry(line)).collect()
    }

    fn entry(self, (code, meaning, cause, next): &Line) -> Entry {
        Entry {
            source: self,
            code: (*code).to_owned(),
            meaning: (*meaning).to_owned(),
            cause: (*cause).to_owned(),
            next: (*next).to_owned(),
        }
    }
}

/// Every meaning of every code.
pub fn all() -> Vec<Entry> {
    Source::ALL.into_iter().flat_map(Source::entries).collect()
}
