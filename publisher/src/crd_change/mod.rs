//! What a new CustomResourceDefinition takes away from who uses the old one. Pure.

mod narrower;
mod schema;
#[cfg(test)]
mod tests;

use std::fmt;

use pdp_policies::printable;
use serde::Serialize;
use serde_json::Value;

/// One thing that objects, or programs that read and write them, relied on. Fields are named from the object's top:
/// `spec.rules[].name`, `spec.labels.*`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(tag = "break", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum CrdBreak {
    /// A cluster refuses it: a scope never changes.
    ScopeChanged { was: String, is: String },
    /// `field` is `group`, or one of `spec.names`.
    NameChanged { field: &'static str, was: String, is: String },
    /// Objects were stored in it: a cluster refuses the definition as long as one may be.
    StoredVersionDropped { version: String },
    /// It was served, and isn't there any more.
    VersionDropped { version: String },
    /// It is still there, but not served any more.
    NotServed { version: String },
    /// Objects lose what they have there. A name `*` stands for all names that aren't listed.
    FieldRemoved { version: String, field: String },
    /// Objects of the old type are refused. `any` is no type at all.
    TypeChanged { version: String, field: String, was: String, is: String },
    /// Objects without it are refused; it has no default.
    NewlyRequired { version: String, field: String },
    /// Objects are refused that were good: `rule` is a bound, such as `maxLength`, or one of the values that were allowed.
    Narrowed { version: String, field: String, rule: &'static str, was: String, is: String },
}

impl CrdBreak {
    /// True if a cluster refuses the definition itself, or whole objects can't be read or written any more; else some of
    /// their fields are concerned.
    pub(crate) fn is_of_whole_objects(&self) -> bool {
        !matches!(
            self,
            Self::FieldRemoved { .. }
                | Self::TypeChanged { .. }
                | Self::NewlyRequired { .. }
                | Self::Narrowed { .. }
        )
    }

    /// The version that is gone for programs, if it is one that goes.
    pub(crate) fn whole_version(&self) -> Option<&str> {
        match self {
            Self::StoredVersionDropped { version }
            | Self::VersionDropped { version }
            | Self::NotServed { version } => Some(version),
            _ => None,
        }
    }
}

impl fmt::Display for CrdBreak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = match self {
            Self::ScopeChanged { was, is } => format!("scope {was} became {is}"),
            Self::NameChanged { field, was, is } => format!("{field} {was} became {is}"),
            Self::StoredVersionDropped { version } => {
                format!("version {version} is gone, in which objects are stored")
            }
            Self::VersionDropped { version } => format!("version {version} is gone, which was served"),
            Self::NotServed { version } => format!("version {version} is no longer served"),
            Self::FieldRemoved { version, field } => format!("{version}: {field} is gone"),
            Self::TypeChanged { version, field, was, is } => format!("{version}: {field} was {was}, is {is}"),
            Self::NewlyRequired { version, field } => format!("{version}: {field} is now required"),
            Self::Narrowed { version, field, rule, was, is } => {
                format!("{version}: {field}: {rule} was {was}, is {is}")
            }
        };
        f.write_str(&printable(&text))
    }
}

/// Compares two definitions of the same name (`apiextensions.k8s.io/v1`), each once and in order. None of them is checked
/// for what a cluster would refuse by itself.
pub(crate) fn breaks(old: &Value, new: &Value) -> Vec<CrdBreak> {
    let mut found = names(old, new);
    for before in versions(old) {
        let Some(version) = before["name"].as_str() else { continue };
        match versions(new).find(|after| after["name"] == version) {
            None => found.extend(dropped(version, before)),
            Some(after) => {
                if is(&before["served"]) && !is(&after["served"]) {
                    found.push(CrdBreak::NotServed { version: version.to_owned() });
                }
                let (old, new) = (&before["schema"]["openAPIV3Schema"], &after["schema"]["openAPIV3Schema"]);
                found.extend(schema::breaks(version, old, new));
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

fn dropped(name: &str, version: &Value) -> Option<CrdBreak> {
    let (stored, served) = (is(&version["storage"]), is(&version["served"]));
    let version = name.to_owned();
    match (stored, served) {
        (true, _) => Some(CrdBreak::StoredVersionDropped { version }),
        (_, true) => Some(CrdBreak::VersionDropped { version }),
        _ => None,
    }
}

fn names(old: &Value, new: &Value) -> Vec<CrdBreak> {
    let (before, after) = (Names::of(old), Names::of(new));
    let mut found = Vec::new();
    if before.scope != after.scope {
        let (was, is) = (before.scope.clone(), after.scope.clone());
        found.push(CrdBreak::ScopeChanged { was, is });
    }
    for ((field, was), (_, is)) in before.names.into_iter().zip(after.names).filter(|(was, is)| was != is) {
        found.push(CrdBreak::NameChanged { field, was, is });
    }
    found
}

/// With the defaults that a cluster fills in.
struct Names {
    scope: String,
    names: [(&'static str, String); 5],
}

impl Names {
    fn of(crd: &Value) -> Self {
        let (spec, names) = (&crd["spec"], &crd["spec"]["names"]);
        let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        let kind = text(&names["kind"]).unwrap_or_default();
        let list = text(&names["listKind"]).unwrap_or_else(|| format!("{kind}List"));
        let singular = text(&names["singular"]).unwrap_or_else(|| kind.to_lowercase());
        let plural = text(&names["plural"]).unwrap_or_default();
        let group = text(&spec["group"]).unwrap_or_default();
        let names = [
            ("group", group),
            ("kind", kind),
            ("listKind", list),
            ("plural", plural),
            ("singular", singular),
        ];
        Self { scope: text(&spec["scope"]).unwrap_or_default(), names }
    }
}

fn versions(crd: &Value) -> impl Iterator<Item = &Value> {
    crd["spec"]["versions"].as_array().into_iter().flatten()
}

fn is(value: &Value) -> bool {
    value.as_bool() == Some(true)
}
