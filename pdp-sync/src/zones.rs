//! Zone data that a customer gives, newer than the program's: a folder in the manner of /usr/share/zoneinfo, or a ConfigMap.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use pdp_policies::policy::Policy;
use pdp_policies::{
    At, MAX_ZONE_BYTES, Obstacle, ObstacleCode, ZoneData, ZoneDataProblem, built_in_zone_data,
};
use pdp_transport::files;
use serde::Deserialize;

use crate::crd::ZoneDataStatus;

/// The version of the program and of its zone data, for `--version`.
pub(crate) fn version() -> &'static str {
    static WORDS: LazyLock<String> =
        LazyLock::new(|| format!("{} (zone data {})", env!("CARGO_PKG_VERSION"), built_in_zone_data()));
    &WORDS
}

/// Where it lies.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(from = "PathBuf")]
pub(crate) enum ZoneFiles {
    /// In the program.
    #[default]
    BuiltIn,
    /// `<zone>` as the system keeps it (TZif), and the version in `+VERSION`, `version` or the first line of `tzdata.zi`.
    Folder(PathBuf),
    /// The keys of a ConfigMap: `version`, and each zone with `.` in place of `/`. None if it isn't there.
    Given(String, Option<BTreeMap<String, Vec<u8>>>),
}

impl From<PathBuf> for ZoneFiles {
    fn from(path: PathBuf) -> Self {
        Self::Folder(path)
    }
}

/// By which rules a policy's windows go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Zones {
    /// The version that was given, if its rules are used.
    given: Option<String>,
    /// Why those that were given aren't used, and nothing is held by it.
    note: Option<String>,
    /// What is wrong with those that were given: nobody knows what a window means.
    problem: Option<String>,
}

/// A file with a version is short, and `tzdata.zi` has it in its first line (bytes).
const MAX_VERSION_FILE: u64 = 1024 * 1024;

impl ZoneFiles {
    /// Lets the windows of a policy go by the newer rules, once they are checked.
    pub(crate) fn apply(&self, policy: &mut Policy) -> Zones {
        let read = match self {
            Self::BuiltIn => return Zones::default(),
            _ if policy.windows.is_empty() => return Zones::default(),
            Self::Folder(folder) => of_folder(folder, policy),
            Self::Given(name, held) => of_config_map(name, held.as_ref(), policy),
        };
        let zones =
            read.map_err(ZoneDataProblem::Bad).and_then(|(version, files)| ZoneData::read(&version, &files));
        match zones {
            Ok(zones) => {
                let given = Some(zones.version().to_owned());
                policy.go_by(&Arc::new(zones));
                Zones { given, ..Zones::default() }
            }
            Err(ZoneDataProblem::Old(note)) => Zones { note: Some(note), ..Zones::default() },
            Err(ZoneDataProblem::Bad(problem)) => {
                Zones { problem: Some(format!("timeZones: {problem}")), ..Zones::default() }
            }
        }
    }
}

impl Zones {
    /// What is wrong, as what holds every level.
    pub(crate) fn obstacle(&self) -> Option<Obstacle> {
        let problem = self.problem.clone()?;
        Some(Obstacle::new(ObstacleCode::PolicyIneffective, None, problem))
    }

    pub(crate) fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// For people.
    pub(crate) fn status(&self, policy: &Policy, now: At) -> ZoneDataStatus {
        ZoneDataStatus {
            version: self.given.clone().unwrap_or_else(|| built_in_zone_data().to_owned()),
            given: self.given.is_some(),
            note: self.note.clone(),
            moved: policy.moved_by_zone_data(now),
        }
    }
}

type Files<'a> = (String, BTreeMap<String, Cow<'a, [u8]>>);

/// The version, and the zones that the policy names; one that isn't there stays the program's.
fn of_folder<'a>(folder: &Path, policy: &Policy) -> Result<Files<'a>, String> {
    let read = |name: &str, most: u64| files::read_capped(&folder.join(name), most);
    let text = |name: &str| {
        let bytes = read(name, MAX_VERSION_FILE).map_err(|error| error.to_string())?;
        Ok::<_, String>(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    };
    let mut version = None;
    for name in ["+VERSION", "version", "tzdata.zi"] {
        version = version.or(text(name)?);
    }
    let missing = || format!("no version in {}: +VERSION, version or tzdata.zi", folder.display());
    let version = version_of(&version.ok_or_else(missing)?);
    let mut zones = BTreeMap::new();
    for name in policy.zone_names() {
        if let Some(bytes) = read(name, MAX_ZONE_BYTES as u64).map_err(|error| error.to_string())? {
            zones.insert(name.to_owned(), Cow::Owned(bytes));
        }
    }
    Ok((version, zones))
}

fn of_config_map<'a>(
    name: &str,
    held: Option<&'a BTreeMap<String, Vec<u8>>>,
    policy: &Policy,
) -> Result<Files<'a>, String> {
    let held = held.ok_or_else(|| format!("ConfigMap {name} isn't there"))?;
    let version = held.get("version").ok_or_else(|| format!("ConfigMap {name} has no key `version`"))?;
    let zone = |zone: &str| {
        let bytes = held.get(&zone.replace('/', "."))?;
        Some((zone.to_owned(), Cow::Borrowed(bytes.as_slice())))
    };
    let zones = policy.zone_names().into_iter().filter_map(zone).collect();
    Ok((version_of(&String::from_utf8_lossy(version)), zones))
}

/// `2027a` of such as `# version 2027a`.
fn version_of(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default();
    line.trim().trim_start_matches("# version").trim().to_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn policy() -> Policy {
        let window = r#"{"windows": [{"name": "sat", "kind": "allow", "cron": "0 22 * * 6", "timeZone": "Europe/Stockholm", "length": "4h"}]}"#;
        serde_json::from_str(window).unwrap()
    }

    /// Rules without a change of clocks: what a government decided, as a compiled zone (RFC 9636).
    fn abolished(abbreviation: &str, rule: &str) -> Vec<u8> {
        let header = |version: u8, types: u32, chars: u32| {
            let mut header = vec![b'T', b'Z', b'i', b'f', version];
            header.extend([0; 15]);
            for count in [0, 0, 0, 0, types, chars] {
                header.extend(count.to_be_bytes());
            }
            header
        };
        let chars = abbreviation.len() as u32 + 1;
        let mut body = 3600_i32.to_be_bytes().to_vec();
        body.extend([0, 0]);
        body.extend(abbreviation.as_bytes());
        body.push(0);
        let mut bytes = header(b'2', 1, chars);
        bytes.extend(&body);
        bytes.extend(header(b'2', 1, chars));
        bytes.extend(&body);
        bytes.extend(format!("\n{rule}\n").as_bytes());
        bytes
    }

    #[test]
    fn a_folder_says_its_version_in_one_of_three_ways() {
        assert_eq!(version_of("# version 2027a\n# more"), "2027a");
        assert_eq!(version_of("2027a\n"), "2027a");
    }

    #[test]
    fn what_is_missing_or_of_another_zone_holds_and_what_is_old_is_told() {
        let given = |entries: &[(&str, &[u8])]| {
            let held = entries.iter().map(|(key, bytes)| ((*key).to_owned(), bytes.to_vec())).collect();
            ZoneFiles::Given("zones".to_owned(), Some(held))
        };
        let problem = |files: ZoneFiles| files.apply(&mut policy()).problem.unwrap_or_default();
        assert!(problem(ZoneFiles::Given("zones".to_owned(), None)).contains("isn't there"));
        assert!(problem(given(&[])).contains("no key `version`"));
        assert!(problem(given(&[("version", b"newest")])).contains("write the IANA release"));
        let zone = abolished("CET", "CET-1");
        let other = given(&[("version", b"2099a"), ("Europe.Stockholm", &zone)]);
        assert!(problem(other).contains("is it another zone's file?"), "no summer time in the past");
        assert!(problem(given(&[("version", b"2099a"), ("Europe.Stockholm", b"TZif")])).contains("TZif"));
        let old = given(&[("version", b"2020a"), ("Europe.Stockholm", b"")]).apply(&mut policy());
        assert!(old.problem.is_none() && old.note.unwrap().contains("these are used"));
        let partly = given(&[("version", b"2099a")]).apply(&mut policy());
        assert_eq!((partly.given.as_deref(), partly.problem), (Some("2099a"), None));
    }
}
