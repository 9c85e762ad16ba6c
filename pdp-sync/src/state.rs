//! What survives between passes: floors, the decision record, what was written, the status.
//!
//! Each file is written whole. Order makes crashes harmless: floors before acting, the record before the first write.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::{Path, PathBuf};

use pdp_policies::decision::{DecisionRecord, Phase};
use pdp_policies::instruction::Enrolled;
use pdp_policies::policy::Policy;
use pdp_policies::trust::{Floors, InstructionFloor};
use pdp_policies::{At, Digest};
use pdp_transport::cli::Failure;
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::files;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// No state file is larger (bytes).
const MAX_STATE_BYTES: u64 = 16 * 1024 * 1024;

/// The state folder, held by this process alone.
#[derive(Debug)]
pub(crate) struct State {
    folder: PathBuf,
    pub(crate) floors: Floors,
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
    /// What was noticed while loading, by its stable name.
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
    pub(crate) floor: InstructionFloor,
}

/// What was told last, and when.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Reported {
    /// SHA-256 of the report without its dates.
    pub(crate) content: Digest,
    pub(crate) at: At,
}

impl State {
    /// Opens the folder. The root is read at the first start only; later it is compared and reported.
    pub(crate) fn open(folder: &Path, root: &Path) -> Result<Self> {
        let io =
            |e: std::io::Error| Failure::new("Io", format!("state folder {}", folder.display())).cause(e);
        std::fs::create_dir_all(folder).map_err(io)?;
        Self::load(folder, root, Some(lock(folder)?))
    }

    /// Looks at the folder beside the process that holds it; for commands that write nothing.
    pub(crate) fn peek(folder: &Path, root: &Path) -> Result<Self> {
        Self::load(folder, root, None)
    }

    fn load(folder: &Path, root: &Path, lock: Option<File>) -> Result<Self> {
        let mut events = Vec::new();
        let record = match files::read_capped(&folder.join("record.json"), MAX_STATE_BYTES)? {
            Some(bytes) => Some(DecisionRecord::load(&bytes)?),
            None => None,
        };
        let given = files::read_capped(root, pdp_policies::MAX_FILE_BYTES)?;
        let floors = match read(folder, "floors.json") {
            Some(floors) => floors,
            None => {
                if record.is_some() {
                    events.push("FloorsRebuilt");
                }
                first_floors(given.clone(), root)?
            }
        };
        if given.is_some_and(|given| given != floors.pinned_root()) {
            events.push("RootChanged");
        }
        let written = read(folder, "written.json").unwrap_or_default();
        Ok(Self {
            folder: folder.to_owned(),
            floors,
            record,
            written,
            policy: read(folder, "policy.json"),
            enrolled: read(folder, "enrolled.json"),
            instruction: read(folder, "instruction.json"),
            reported: read(folder, "reported.json"),
            events,
            _lock: lock,
        })
    }

    /// The record of a decision that isn't finished.
    pub(crate) fn unfinished(&self) -> Option<&DecisionRecord> {
        self.record.as_ref().filter(|r| matches!(r.phase(), Phase::Applying {} | Phase::GoingBack { .. }))
    }

    pub(crate) fn save_floors(&mut self, floors: Floors) -> Result<()> {
        let worth = floors.worth_saving(&self.floors) || !self.folder.join("floors.json").exists();
        self.floors = floors;
        if worth { self.write("floors.json", &self.floors) } else { Ok(()) }
    }

    pub(crate) fn save_record(&mut self, record: DecisionRecord) -> Result<()> {
        files::write_atomic(&self.folder.join("record.json"), &record.to_bytes().map_err(internal)?)?;
        self.record = Some(record);
        Ok(())
    }

    pub(crate) fn save_written(&mut self) -> Result<()> {
        self.write("written.json", &self.written)
    }

    pub(crate) fn save_policy(&mut self, policy: &Policy) -> Result<()> {
        if self.policy.as_ref() != Some(policy) {
            self.write("policy.json", policy)?;
            self.policy = Some(policy.clone());
        }
        Ok(())
    }

    pub(crate) fn save_enrolled(&mut self, enrolled: Enrolled) -> Result<()> {
        self.write("enrolled.json", &enrolled)?;
        self.enrolled = Some(enrolled);
        Ok(())
    }

    pub(crate) fn save_instruction(&mut self, kept: Kept) -> Result<()> {
        self.write("instruction.json", &kept)?;
        self.instruction = Some(kept);
        Ok(())
    }

    pub(crate) fn save_reported(&mut self, reported: Reported) -> Result<()> {
        self.write("reported.json", &reported)?;
        self.reported = Some(reported);
        Ok(())
    }

    /// The file of this data plane's own key.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.folder.join("key.pem")
    }

    pub(crate) fn cache(&self, name: &str) -> PathBuf {
        self.folder.join("cache").join(name)
    }

    fn write(&self, name: &str, value: &impl Serialize) -> Result<()> {
        write(&self.folder, name, value)
    }
}

pub(crate) fn write(folder: &Path, name: &str, value: &impl Serialize) -> Result<()> {
    let bytes = serde_json::to_vec_pretty(value).map_err(internal)?;
    Ok(files::write_atomic(&folder.join(name), &bytes)?)
}

/// A file that can't be read counts as lost: it is kept aside for people, and everything here can be rebuilt.
pub(crate) fn read<T: DeserializeOwned>(folder: &Path, name: &str) -> Option<T> {
    let path = folder.join(name);
    let bytes = files::read_capped(&path, MAX_STATE_BYTES).ok().flatten()?;
    match serde_json::from_slice(&bytes) {
        Ok(value) => Some(value),
        Err(error) => {
            tracing::warn!(file = %path.display(), %error, "unreadable state file kept aside");
            let _ = std::fs::rename(&path, path.with_extension("unreadable"));
            None
        }
    }
}

fn first_floors(root: Option<Vec<u8>>, path: &Path) -> Result<Floors> {
    let missing = || {
        Failure::new("NotFound", format!("root {}", path.display()))
            .hint("put the vendor's 1.root.json there; it is read once")
    };
    Ok(Floors::new(root.ok_or_else(missing)?))
}

fn lock(folder: &Path) -> Result<File> {
    let path = folder.join("lock");
    let io = |e: std::io::Error| Failure::new("Io", format!("lock {}", path.display())).cause(e);
    files::lock(&path).map_err(io)?.ok_or_else(|| {
        Failure::new("AlreadyRunning", format!("another pdp-sync holds {}", folder.display()))
            .hint("one data plane needs one pdp-sync; stop the other one")
    })
}
