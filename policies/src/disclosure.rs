//! What the advisories of a level are about: what its descriptor says of them, and all that was under embargo then.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::advisory::Advisory;
use crate::codes::{Refusal, RefusalCode};
use crate::digest::{Digest, hex_form};
use crate::document;
use crate::names::{ComponentName, Level, Line};
use crate::vulnerability::Cve;

/// The largest disclosure that is read (bytes).
pub const MAX_DISCLOSURE_BYTES: u64 = 4 * 1024 * 1024;
/// More advisories than these are in no level.
pub const MAX_ADVISORIES: usize = 256;

/// The document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Disclosure {
    /// Always [`document::API_VERSION`].
    pub api_version: String,
    /// Features that a reader must know to honour this document.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub critical: Vec<String>,
    /// The release line.
    pub line: Line,
    /// The level that fixes them.
    pub level: Level,
    /// SHA-256 of its descriptor.
    #[serde(with = "hex_form")]
    pub sha256: Digest,
    /// In the order of the descriptor.
    pub advisories: Vec<Disclosed>,
}

/// All of one advisory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Disclosed {
    /// What a descriptor may say of it.
    #[serde(flatten)]
    pub advisory: Advisory,
    /// In a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Plain text, in lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it is about, in the order of their names.
    pub components: Vec<ComponentName>,
    /// Those that look as if they had it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_affected: Vec<NotAffected>,
}

impl Disclosed {
    /// What a descriptor says of one under embargo, and no more.
    pub fn opaque(signed: Advisory) -> Self {
        Self {
            advisory: signed,
            title: None,
            description: None,
            components: Vec::new(),
            not_affected: Vec::new(),
        }
    }

    /// The same after its embargo.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.advisory.embargoed_until = None;
        self
    }
}

/// A component that doesn't have it, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NotAffected {
    /// Which.
    pub component: ComponentName,
    /// Why.
    pub justification: Justification,
}

/// The reasons that OpenVEX knows, by its own names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Justification {
    /// What is vulnerable isn't in it.
    ComponentNotPresent,
    /// The code that is vulnerable isn't in it.
    VulnerableCodeNotPresent,
    /// The code is in it, and nothing runs it.
    VulnerableCodeNotInExecutePath,
    /// No attacker reaches the code with anything of theirs.
    VulnerableCodeCannotBeControlledByAdversary,
    /// Something in it keeps the vulnerability from being used.
    InlineMitigationsAlreadyExist,
}

impl Justification {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::ComponentNotPresent,
        Self::VulnerableCodeNotPresent,
        Self::VulnerableCodeNotInExecutePath,
        Self::VulnerableCodeCannotBeControlledByAdversary,
        Self::InlineMitigationsAlreadyExist,
    ];
}

/// Two statements that can't both be meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contradiction {
    /// Another advisory, by its number, has the same id.
    IdTwice(usize),
    /// Another advisory, by its number, is about the same CVE.
    CveTwice(Cve, usize),
    /// A component stands there twice.
    ComponentTwice(ComponentName),
    /// A component is said to have it, and not to have it.
    BothWays(ComponentName),
    /// It is about nothing.
    AboutNothing,
}

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IdTwice(other) => write!(f, "advisory {} has the same id", other + 1),
            Self::CveTwice(cve, other) => write!(f, "advisory {} is about {cve}, too", other + 1),
            Self::ComponentTwice(name) => write!(f, "component `{name}` stands there twice"),
            Self::BothWays(name) => write!(f, "component `{name}` is said to be affected, and not to be"),
            Self::AboutNothing => f.write_str("it is about no component"),
        }
    }
}

impl Disclosed {
    /// The CVE ids that it is about; its own id may be one.
    fn cves(&self) -> BTreeSet<Cve> {
        self.advisory.cves.iter().cloned().chain(self.advisory.id.parse()).collect()
    }

    fn contradictions(&self) -> Vec<Contradiction> {
        let mut found = Vec::new();
        let (mut affected, mut spared) = (BTreeSet::new(), BTreeSet::new());
        let twice = self.components.iter().filter(|name| !affected.insert(*name));
        found.extend(twice.map(|name| Contradiction::ComponentTwice(name.clone())));
        let names = self.not_affected.iter().map(|it| &it.component);
        let twice = names.filter(|name| !spared.insert(*name));
        found.extend(twice.map(|name| Contradiction::ComponentTwice(name.clone())));
        found.extend(affected.intersection(&spared).map(|name| Contradiction::BothWays((*name).clone())));
        if affected.is_empty() {
            found.push(Contradiction::AboutNothing);
        }
        found
    }
}

/// All contradictions among advisories, each with the number of the later advisory that it is in.
pub fn contradictions(all: &[Disclosed]) -> Vec<(usize, Contradiction)> {
    let mut found = Vec::new();
    let (mut ids, mut cves) = (BTreeMap::new(), BTreeMap::new());
    for (number, one) in all.iter().enumerate() {
        if let Some(other) = ids.get(&one.advisory.id) {
            found.push((number, Contradiction::IdTwice(*other)));
        } else {
            ids.insert(&one.advisory.id, number);
            for cve in one.cves() {
                match cves.get(&cve) {
                    Some(other) => found.push((number, Contradiction::CveTwice(cve, *other))),
                    None => drop(cves.insert(cve, number)),
                }
            }
        }
        found.extend(one.contradictions().into_iter().map(|it| (number, it)));
    }
    found
}

impl Disclosure {
    /// Reads a disclosure.
    ///
    /// # Errors
    /// `TooLarge`, `Unreadable` also for what contradicts itself, `UnknownCriticalFeature`.
    pub fn read(subject: &str, bytes: &[u8]) -> Result<Self, Refusal> {
        if bytes.len() as u64 > MAX_DISCLOSURE_BYTES {
            let detail = format!("{} bytes, at most {MAX_DISCLOSURE_BYTES}", bytes.len());
            return Err(Refusal::new(RefusalCode::TooLarge, subject, detail));
        }
        let read: Self = document::read(subject, bytes)?;
        let unreadable = |detail| Err(Refusal::new(RefusalCode::Unreadable, subject, detail));
        match contradictions(&read.advisories).into_iter().next() {
            _ if read.advisories.len() > MAX_ADVISORIES => {
                unreadable(format!("more than {MAX_ADVISORIES} advisories"))
            }
            Some((number, it)) => unreadable(format!("advisory {}: {it}", number + 1)),
            None => Ok(read),
        }
    }

    /// What a level said of an advisory, and all that is known of it now; none if this isn't what that level fixes.
    pub fn of(&self, signed: &Advisory) -> Option<&Advisory> {
        let mut all = self.advisories.iter().map(|it| &it.advisory);
        all.find(|it| it.as_signed() == *signed)
    }
}
