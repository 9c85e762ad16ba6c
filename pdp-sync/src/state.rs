//! What survives between passes: floors, the decision record, what was written, the status.
//!
//! Each piece is written whole. Order makes crashes harmless: floors before acting, the record before the first write.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use pdp_policies::decision::DecisionRecord;
use pdp_policies::instruction::Enrolled;
use pdp_policies::policy::Policy;
use pdp_policies::trust::{Floors, InstructionFloor};
use pdp_policies::{At, Channel, Digest, HandedReport, Span};
use pdp_transport::Error;
use pdp_transport::cli::Failure;
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::files;
use pdp_transport::signing_key::SigningKey;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::content::Content;
use crate::moving::{MOVES, Origin, Remembered};
use crate::others::Newest;
use crate::secret_store::SecretStore;
use crate::store::Store;

/// What was seen of the vendor.
pub(crate) const FLOORS: &str = "floors.json";
/// What the channel server answered to the enrolment.
pub(crate) const ENROLLED: &str = "enrolled.json";
/// The last report, for those that wait for this data plane.
pub(crate) const HANDED: &str = "report.json";
/// When the newest reports of others were issued.
const OTHERS: &str = "others.json";
/// When certified approvals were seen first.
const CERTIFIED: &str = "certified.json";
/// How long the last levels took.
const LENGTHS: &str = "lengths.json";
/// The root of a person's reset.
pub(crate) const ROOT: &str = "root.json";

/// What survives, held by this process alone.
#[derive(Debug)]
pub(crate) struct State {
    store: Store,
    /// A folder that may be lost.
    cache: PathBuf,
    pub(crate) floors: Floors,
    /// The floors that a restart would find, none before the first catalog that is followed.
    stored: Option<Floors>,
    pub(crate) record: Option<DecisionRecord>,
    /// Digests that our files may have in the target, by path: before and after the write in progress.
    pub(crate) written: BTreeMap<String, BTreeSet<Digest>>,
    /// The policy of the pass before.
    pub(crate) policy: Option<Policy>,
    /// What the channel server answered to the enrolment.
    pub(crate) enrolled: Option<Enrolled>,
    /// The newest instruction that was followed.
    pub(crate) instruction: Option<Kept>,
    /// The newest report that arrived.
    pub(crate) reported: Option<Reported>,
    /// The last report, for those that wait for this data plane.
    pub(crate) handed: Option<Handed>,
    /// Since when what is installed runs healthy without a break.
    pub(crate) healthy: Option<Healthy>,
    /// When the newest report of each data plane was issued that this one goes after.
    pub(crate) others: Newest,
    /// When approvals were seen first that count by a certificate.
    pub(crate) certified: BTreeMap<Digest, At>,
    /// How long the last levels took here.
    pub(crate) lengths: Vec<Span>,
    /// Successors of the vendor's addresses.
    pub(crate) moves: Remembered,
    /// What was noticed while loading and saving, by its stable name.
    pub(crate) events: Vec<&'static str>,
    _lock: Option<File>,
}

/// An instruction as it came, to be judged anew in every pass.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Kept {
    /// The DSSE envelope.
    pub(crate) envelope: String,
    /// The server's tag for it.
    pub(crate) tag: Option<String>,
    /// Whose it is; another source begins anew.
    pub(crate) source: String,
    /// The server that gave it, or said last that it still holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) server: Option<String>,
    pub(crate) floor: InstructionFloor,
}

/// What was told last, and when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reported {
    /// SHA-256 of the report without its dates.
    pub(crate) content: Digest,
    pub(crate) at: At,
}

/// A report as others may hand it on, and what it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Handed {
    pub(crate) report: HandedReport,
    pub(crate) told: Reported,
}

/// A level that runs healthy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Healthy {
    /// SHA-256 of its descriptor.
    pub(crate) sha256: Digest,
    /// Since when, without a break.
    pub(crate) since: At,
    /// When that was seen last, but for some minutes.
    #[serde(default = "At::never")]
    pub(crate) seen: At,
}

impl State {
    /// Opens the folder. The root is read at the first start only; later it is compared and reported.
    pub(crate) fn open(folder: &Path, root: &Content) -> Result<Self> {
        let io = |e: std::io::Error| Error::io(format!("make the state folder {}", folder.display()), &e);
        std::fs::create_dir_all(folder).map_err(io)?;
        Self::load(Store::Folder(folder.to_owned()), folder, root, Some(lock(folder)?))
    }

    /// Looks at the folder beside the process that holds it; for commands that write nothing.
    pub(crate) fn peek(folder: &Path, root: &Content) -> Result<Self> {
        Self::load(Store::Folder(folder.to_owned()), folder, root, None)
    }

    /// Out of the Secrets of a subscription. `cache` is a folder that may be lost.
    pub(crate) fn in_cluster(secrets: SecretStore, cache: &Path, root: &Content) -> Result<Self> {
        Self::load(Store::Secrets(secrets), cache, root, None)
    }

    fn load(mut store: Store, folder: &Path, root: &Content, lock: Option<File>) -> Result<Self> {
        let mut events = Vec::new();
        let record = store.get("record.json")?.map(|bytes| DecisionRecord::load(&bytes)).transpose()?;
        let reset = store.get(ROOT)?;
        let given = reset.clone().map_or_else(|| root.read(pdp_policies::MAX_FILE_BYTES), |r| Ok(Some(r)))?;
        let stored: Option<Floors> = read(&store, FLOORS)?;
        let floors = match &stored {
            Some(floors) => {
                store.pin(floors.pinned_root())?;
                floors.clone()
            }
            None => first_floors(reset.or(store.pinned_root()?).or_else(|| given.clone()), root)?,
        };
        if given.is_some_and(|given| given != floors.pinned_root()) {
            events.push("RootChanged");
        }
        Ok(Self {
            cache: folder.join("cache"),
            floors,
            stored,
            record,
            written: read(&store, "written.json")?.unwrap_or_default(),
            policy: read(&store, "policy.json")?,
            enrolled: read(&store, ENROLLED)?,
            instruction: read(&store, "instruction.json")?,
            reported: read(&store, "reported.json")?,
            handed: read(&store, HANDED)?,
            healthy: read(&store, "healthy.json")?.flatten(),
            others: read(&store, OTHERS)?.unwrap_or_default(),
            certified: read(&store, CERTIFIED)?.unwrap_or_default(),
            lengths: read(&store, LENGTHS)?.unwrap_or_default(),
            moves: read(&store, MOVES)?.unwrap_or_default(),
            store,
            events,
            _lock: lock,
        })
    }

    /// The record of a decision that isn't finished.
    pub(crate) fn unfinished(&self) -> Option<&DecisionRecord> {
        self.record.as_ref().filter(|record| record.is_unfinished())
    }

    pub(crate) fn save_floors(&mut self, floors: Floors) -> Result<()> {
        self.floors = floors;
        // Compared with what was written, not with what was seen last: a write may have failed, and days may go by in
        // steps that are each too small.
        if self.stored.as_ref().is_none_or(|stored| self.floors.worth_saving(stored)) {
            self.store.pin(self.floors.pinned_root())?;
            write(&mut self.store, FLOORS, &self.floors)?;
            // Not before: what was lost in mid-apply is rebuilt once a catalog is read again.
            if self.record.is_some() && self.stored.is_none() {
                self.events.push("FloorsRebuilt");
            }
            self.stored = Some(self.floors.clone());
        }
        Ok(())
    }

    /// Keeps a verified root of a catalog that was refused. Before the first catalog that is followed nothing is kept: the
    /// root that a person gave may still be corrected.
    pub(crate) fn keep_root(&mut self, floors: Floors) -> Result<()> {
        if self.keeps_roots() { self.save_floors(floors) } else { Ok(()) }
    }

    /// True once a catalog was followed: from then on a verified root is kept.
    pub(crate) fn keeps_roots(&self) -> bool {
        self.stored.is_some()
    }

    /// Remembers where the vendor's addresses have moved to.
    pub(crate) fn learn_moves(&mut self, channel: Option<&Channel>, origin: &Origin, now: At) -> Result<()> {
        let Some(channel) = channel else { return Ok(()) };
        let learnt = self.moves.after(&channel.moves, origin, now);
        if learnt != self.moves {
            write(&mut self.store, MOVES, &learnt)?;
            self.moves = learnt;
        }
        Ok(())
    }

    pub(crate) fn save_record(&mut self, record: DecisionRecord) -> Result<()> {
        self.store.put("record.json", &record.to_bytes().map_err(internal)?)?;
        self.record = Some(record);
        Ok(())
    }

    pub(crate) fn save_written(&mut self) -> Result<()> {
        write(&mut self.store, "written.json", &self.written)
    }

    pub(crate) fn save_policy(&mut self, policy: &Policy) -> Result<()> {
        if self.policy.as_ref() != Some(policy) {
            write(&mut self.store, "policy.json", policy)?;
            self.policy = Some(policy.clone());
        }
        Ok(())
    }

    pub(crate) fn save_enrolled(&mut self, enrolled: Enrolled) -> Result<()> {
        write(&mut self.store, ENROLLED, &enrolled)?;
        self.enrolled = Some(enrolled);
        Ok(())
    }

    /// Another server says that the instruction still holds.
    pub(crate) fn save_server(&mut self, url: &str) -> Result<()> {
        match self.instruction.clone() {
            Some(kept) if kept.server.as_deref() != Some(url) => {
                self.save_instruction(Kept { server: Some(url.to_owned()), ..kept })
            }
            _ => Ok(()),
        }
    }

    pub(crate) fn save_instruction(&mut self, kept: Kept) -> Result<()> {
        write(&mut self.store, "instruction.json", &kept)?;
        self.instruction = Some(kept);
        Ok(())
    }

    pub(crate) fn save_reported(&mut self, reported: Reported) -> Result<()> {
        write(&mut self.store, "reported.json", &reported)?;
        self.reported = Some(reported);
        Ok(())
    }

    pub(crate) fn save_handed(&mut self, handed: Handed) -> Result<()> {
        write(&mut self.store, HANDED, &handed)?;
        self.handed = Some(handed);
        Ok(())
    }

    pub(crate) fn save_healthy(&mut self, healthy: Option<Healthy>) -> Result<()> {
        if self.healthy != healthy {
            write(&mut self.store, "healthy.json", &healthy)?;
            self.healthy = healthy;
        }
        Ok(())
    }

    pub(crate) fn save_others(&mut self, others: Newest) -> Result<()> {
        if self.others != others {
            write(&mut self.store, OTHERS, &others)?;
            self.others = others;
        }
        Ok(())
    }

    pub(crate) fn save_certified(&mut self, certified: BTreeMap<Digest, At>) -> Result<()> {
        if self.certified != certified {
            write(&mut self.store, CERTIFIED, &certified)?;
            self.certified = certified;
        }
        Ok(())
    }

    pub(crate) fn save_lengths(&mut self, lengths: Vec<Span>) -> Result<()> {
        write(&mut self.store, LENGTHS, &lengths)?;
        self.lengths = lengths;
        Ok(())
    }

    /// The descriptor of the level that waits, for people who want to know what it would change.
    pub(crate) fn save_candidate(&mut self, descriptor: &[u8]) -> Result<()> {
        if self.store.get("candidate.json")?.as_deref() == Some(descriptor) {
            return Ok(());
        }
        self.store.put("candidate.json", descriptor)
    }

    /// This data plane's own key, none until it was made.
    pub(crate) fn own_key(&self) -> Result<Option<SigningKey>> {
        match &self.store {
            // Read by its path: a file that others may read is refused.
            Store::Folder(folder) => Ok(SigningKey::read(&folder.join("key.pem"))?),
            Store::Secrets(_) => {
                let pem = self.store.get("key.pem")?;
                Ok(pem.map(|pem| SigningKey::from_pem("key.pem of the identity Secret", &pem)).transpose()?)
            }
        }
    }

    pub(crate) fn save_key(&mut self, key: &SigningKey) -> Result<()> {
        self.store.put("key.pem", key.to_pem().as_bytes())
    }

    pub(crate) fn cache(&self, name: &str) -> PathBuf {
        self.cache.join(name)
    }
}

pub(crate) fn write(store: &mut Store, name: &str, value: &impl Serialize) -> Result<()> {
    store.put(name, &serde_json::to_vec_pretty(value).map_err(internal)?)
}

/// None if the piece isn't there. One whose bytes mean nothing counts as lost: it is kept aside for people, and everything
/// here can be rebuilt. A disk that fails to give the bytes is an error: they are still there, and floors among them.
pub(crate) fn read<T: DeserializeOwned>(store: &Store, name: &str) -> Result<Option<T>> {
    let Some(bytes) = store.get(name)? else { return Ok(None) };
    match serde_json::from_slice(&bytes) {
        Ok(value) => Ok(Some(value)),
        Err(error) => {
            tracing::warn!(name, %error, "an unreadable piece of state is kept aside");
            store.set_aside(name);
            Ok(None)
        }
    }
}

fn first_floors(root: Option<Vec<u8>>, from: &Content) -> Result<Floors> {
    let missing = || {
        Failure::new("NotFound", format!("root {from}"))
            .hint("put the vendor's 1.root.json there; it is read once")
    };
    Ok(Floors::new(root.ok_or_else(missing)?))
}

fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let io = |e: std::io::Error| Error::io(format!("lock {}", path.display()), &e);
    files::lock(&path).map_err(io)?.ok_or_else(|| {
        Failure::new("AlreadyRunning", format!("another pdp-sync holds {}", folder.display()))
            .hint("one data plane needs one pdp-sync; stop the other one")
    })
}

#[cfg(test)]
mod tests;
