//! What another level changes: two releases compared, component by component. Pure.

mod chart;
mod component;
mod objects;
mod objects_text;
mod security;
#[cfg(test)]
mod tests;
mod text;
mod way_back;

use std::collections::BTreeSet;

use pdp_policies::release::{Advisory, Release, ReleaseKind};
use pdp_policies::{ComponentName, Digest, Level, Line};
use pdp_transport::channel_server::InstalledView;
use serde::Serialize;
use serde_json::Value;

pub(crate) use chart::{ChartDiff, chart_text, charts};
pub(crate) use component::{ComponentDiff, What};
pub(crate) use objects::{Applied, FixedField, ObjectsDiff, compare, taken_over};
pub(crate) use text::text;
pub(crate) use way_back::WayBack;

use crate::advisories::Told;

/// A release, and SHA-256 of its descriptor.
pub(crate) type Published = (Release, Digest);

/// All that differs.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Diff {
    pub(crate) line: Line,
    pub(crate) from: Side,
    pub(crate) to: Side,
    /// What `to` fixes, or a level that it is made of, and `from` doesn't.
    pub(crate) fixed: Vec<Told>,
    /// What `from` fixes, or a level that it is made of, and `to` doesn't.
    pub(crate) forgotten: Vec<String>,
    pub(crate) requires: Vec<Change>,
    /// Those that differ, by stage.
    pub(crate) components: Vec<ComponentDiff>,
    /// Those that don't.
    pub(crate) unchanged: Vec<ComponentName>,
    pub(crate) way_back: WayBack,
}

/// One of the two.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Side {
    pub(crate) level: Level,
    pub(crate) version: String,
    pub(crate) kind: ReleaseKind,
    /// On how many data planes it is installed, if somebody was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data_planes: Option<u32>,
}

/// A field with both values; null where there is none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Change {
    /// A JSON Pointer.
    pub(crate) field: String,
    pub(crate) was: Value,
    pub(crate) is: Value,
}

/// Compares two levels of one line. `known` are others of it: a level fixes what those fixed that it is made of.
pub(crate) fn diff(from: &Published, to: &Published, known: &[Published]) -> Diff {
    let all = [&[from.clone(), to.clone()][..], known].concat();
    let (old, new) = (security::fixed(from, &all), security::fixed(to, &all));
    let (from, to) = (&from.0, &to.0);
    let beyond = |these: &[Advisory], those: &[Advisory]| -> Vec<Advisory> {
        these.iter().filter(|it| those.iter().all(|other| other.id != it.id)).cloned().collect()
    };
    let (components, unchanged) = component::all(from, to);
    let mut forgotten: Vec<_> = beyond(&old, &new).into_iter().map(|it| it.id).collect();
    forgotten.sort();
    Diff {
        line: to.line.clone(),
        from: Side::of(from),
        to: Side::of(to),
        fixed: beyond(&new, &old).iter().map(Told::of).collect(),
        forgotten,
        requires: changes(&json(&from.requires), &json(&to.requires)),
        way_back: way_back::of(from, to, &components),
        components,
        unchanged,
    }
}

impl Side {
    fn of(release: &Release) -> Self {
        Self { level: release.level, version: release.version.clone(), kind: release.kind, data_planes: None }
    }
}

impl Diff {
    /// Says on how many data planes either level is. `digests` are those of the two descriptors.
    pub(crate) fn count(&mut self, installed: &[InstalledView], (from, to): (Digest, Digest)) {
        let on = |digest| installed.iter().filter(|it| it.sha256 == digest).map(|it| it.data_planes).sum();
        self.from.data_planes = Some(on(from));
        self.to.data_planes = Some(on(to));
    }
}

/// A document as its fields.
pub(crate) fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// The leaves that differ, by place. Lists are compared whole: their elements have no names.
pub(crate) fn changes(was: &Value, is: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    descend("", was, is, &mut found);
    found
}

fn descend(place: &str, was: &Value, is: &Value, found: &mut Vec<Change>) {
    let empty = serde_json::Map::new();
    let fields = |value: &Value| match value {
        Value::Object(fields) => Some(fields.clone()),
        Value::Null => Some(empty.clone()),
        _ => None,
    };
    match (fields(was), fields(is)) {
        _ if was == is => {}
        (Some(old), Some(new)) => {
            let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
            for name in names {
                let at = |all: &serde_json::Map<String, Value>| all.get(name).cloned().unwrap_or_default();
                let place = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
                descend(&place, &at(&old), &at(&new), found);
            }
        }
        _ => found.push(Change { field: place.to_owned(), was: was.clone(), is: is.clone() }),
    }
}
