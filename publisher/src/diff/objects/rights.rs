//! What a role lets do, and who has it, compared.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::printable;
use serde::Serialize;
use serde_json::Value;

use super::identity::Identity;

/// A role that comes to more single rights than this isn't taken apart.
const MOST: usize = 10_000;
/// The kinds' group.
const GROUP: &str = "rbac.authorization.k8s.io/";

/// What differs in one role or binding, in words.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct RightsChange {
    /// `Kind name`.
    pub(crate) object: String,
    /// Such as `get, list secrets`, or `ServiceAccount pdp/agent has ClusterRole view`.
    pub(crate) gained: Vec<String>,
    pub(crate) lost: Vec<String>,
}

/// One verb on one resource; `*` is all.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Right {
    /// `resource.group`, `resource.group/name`, or a path.
    on: (String, String, Option<String>),
    verb: String,
}

/// None of what grants nothing, and where both grant the same.
pub(super) fn change(identity: &Identity, was: Option<&Value>, is: Option<&Value>) -> Option<RightsChange> {
    let kind = identity.group_kind();
    let (gained, lost) = match kind.strip_prefix(GROUP)? {
        "Role" | "ClusterRole" => of_roles(was, is),
        "RoleBinding" | "ClusterRoleBinding" => of_bindings(was, is),
        _ => return None,
    };
    let differs = !(gained.is_empty() && lost.is_empty());
    differs.then(|| RightsChange { object: identity.to_string(), gained, lost })
}

fn of_roles(was: Option<&Value>, is: Option<&Value>) -> (Vec<String>, Vec<String>) {
    let (Some(old), Some(new)) = (rights(was), rights(is)) else {
        let same = was.map(|it| &it["rules"]) == is.map(|it| &it["rules"]);
        return if same {
            (vec![], vec![])
        } else {
            (vec!["more rules than are compared: read them".to_owned()], vec![])
        };
    };
    let beyond = |these: &BTreeSet<Right>, those: &BTreeSet<Right>| {
        words(these.iter().filter(|right| !those.iter().any(|other| other.covers(right))))
    };
    (beyond(&new, &old), beyond(&old, &new))
}

fn of_bindings(was: Option<&Value>, is: Option<&Value>) -> (Vec<String>, Vec<String>) {
    let (old, new) = (holders(was), holders(is));
    (new.difference(&old).cloned().collect(), old.difference(&new).cloned().collect())
}

/// Who has which role.
fn holders(binding: Option<&Value>) -> BTreeSet<String> {
    let Some(binding) = binding else { return BTreeSet::new() };
    let text = |value: &Value| printable(value.as_str().unwrap_or_default()).to_string();
    let role = format!("{} {}", text(&binding["roleRef"]["kind"]), text(&binding["roleRef"]["name"]));
    let subjects = binding["subjects"].as_array().into_iter().flatten();
    let holder = |subject: &Value| {
        let space =
            subject["namespace"].as_str().map(|space| format!("{}/", printable(space))).unwrap_or_default();
        format!("{} {space}{} has {role}", text(&subject["kind"]), text(&subject["name"]))
    };
    subjects.map(holder).collect()
}

/// None if they are too many.
fn rights(role: Option<&Value>) -> Option<BTreeSet<Right>> {
    let rules = role.and_then(|role| role["rules"].as_array()).into_iter().flatten();
    let mut all = BTreeSet::new();
    for rule in rules {
        let texts = |key: &str| -> Vec<String> {
            let list = rule[key].as_array().into_iter().flatten();
            list.filter_map(|it| it.as_str().map(str::to_owned)).collect()
        };
        let (verbs, names) = (texts("verbs"), texts("resourceNames"));
        let names: Vec<_> = if names.is_empty() { vec![None] } else { names.into_iter().map(Some).collect() };
        let (groups, resources, paths) = (texts("apiGroups"), texts("resources"), texts("nonResourceURLs"));
        let single = verbs.len() * (names.len() * groups.len() * resources.len() + paths.len());
        if all.len() + single > MOST {
            return None;
        }
        let mut on: Vec<_> = paths.into_iter().map(|path| (path, String::new(), None)).collect();
        for group in &groups {
            for resource in &resources {
                on.extend(names.iter().map(|name| (resource.clone(), group.clone(), name.clone())));
            }
        }
        let each = |on: &(String, String, Option<String>)| {
            let on = on.clone();
            verbs.iter().map(move |verb| Right { on: on.clone(), verb: verb.clone() }).collect::<Vec<_>>()
        };
        all.extend(on.iter().flat_map(each));
    }
    Some(all)
}

impl Right {
    /// True if whoever has this has the other, too.
    fn covers(&self, other: &Self) -> bool {
        let any = |mine: &str, other: &str| mine == "*" || mine == other;
        let (mine, theirs) = (&self.on, &other.on);
        let path = |on: &(String, String, Option<String>)| on.0.starts_with('/');
        let resource = match mine.0.strip_suffix('*').filter(|_| path(mine) && path(theirs)) {
            Some(start) => theirs.0.starts_with(start),
            // `*` is every resource, and no path.
            None => mine.0 == theirs.0 || mine.0 == "*" && !path(theirs),
        };
        resource
            && any(&mine.1, &theirs.1)
            && any(&self.verb, &other.verb)
            && mine.2.as_ref().is_none_or(|name| Some(name) == theirs.2.as_ref())
    }
}

/// By what they are on: `get, list secrets`.
fn words<'a>(rights: impl Iterator<Item = &'a Right>) -> Vec<String> {
    let mut verbs: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for right in rights {
        verbs.entry(&right.on).or_default().push(printable(&right.verb).to_string());
    }
    let named = |(on, verbs): (&(String, String, Option<String>), Vec<String>)| {
        let (resource, group, name) = (printable(&on.0), printable(&on.1), on.2.as_deref());
        let group = if on.1.is_empty() { String::new() } else { format!(".{group}") };
        let name = name.map(|name| format!("/{}", printable(name))).unwrap_or_default();
        format!("{} {resource}{group}{name}", verbs.join(", "))
    };
    verbs.into_iter().map(named).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn rule(groups: &[&str], resources: &[&str], verbs: &[&str]) -> Value {
        json!({ "apiGroups": groups, "resources": resources, "verbs": verbs })
    }

    fn between(kind: &str, was: Option<Value>, is: Option<Value>) -> (Vec<String>, Vec<String>) {
        let of = json!({ "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind, "metadata": { "name": "a" } });
        let identity = Identity::of(&of, &"pdp".parse().unwrap()).unwrap();
        let found = change(&identity, was.as_ref(), is.as_ref());
        found.map_or_else(Default::default, |it| (it.gained, it.lost))
    }

    #[test]
    fn rights_that_a_role_gains_and_loses_are_named() {
        let secrets = |verbs: &[&str]| rule(&[""], &["secrets"], verbs);
        let named =
            json!({ "apiGroups": [""], "resources": ["secrets"], "resourceNames": ["x"], "verbs": ["get"] });
        let paths = |path: &str| json!({ "nonResourceURLs": [path], "verbs": ["get"] });
        let all = rule(&["*"], &["*"], &["*"]);
        for (was, is, gained, lost) in [
            (vec![secrets(&["get"])], vec![secrets(&["list", "get"])], &["list secrets"][..], &[][..]),
            (vec![secrets(&["get", "list"])], vec![secrets(&["get"])], &[], &["list secrets"]),
            (vec![secrets(&["get"])], vec![named.clone()], &[], &["get secrets"]),
            (vec![named.clone()], vec![secrets(&["get"])], &["get secrets"], &[]),
            (vec![all.clone()], vec![secrets(&["get"])], &[], &["* *.*"]),
            (vec![secrets(&["get"])], vec![all.clone()], &["* *.*"], &[]),
            (vec![rule(&[""], &["*"], &["get"])], vec![secrets(&["get"])], &[], &["get *"]),
            (vec![paths("/metrics")], vec![paths("/metrics/*")], &["get /metrics/*"], &["get /metrics"]),
            (vec![paths("/*")], vec![paths("/metrics")], &[], &["get /*"]),
            (vec![all.clone()], vec![all.clone(), paths("/metrics")], &["get /metrics"], &[]),
            (
                vec![rule(&["", "apps"], &["a", "b"], &["get"])],
                vec![rule(&["apps", ""], &["b", "a"], &["get"])],
                &[],
                &[],
            ),
        ] {
            let role = |rules: &Vec<Value>| Some(json!({ "rules": rules }));
            assert_eq!(between("Role", role(&was), role(&is)), owned(gained, lost), "{was:?} {is:?}");
        }
        let new = between("ClusterRole", None, Some(json!({ "rules": [secrets(&["get"])] })));
        assert_eq!(new, owned(&["get secrets"], &[]));
        let many: Vec<_> = (0..101).map(|n| n.to_string()).collect();
        let huge = json!({ "rules": [{ "apiGroups": many, "resources": many, "verbs": ["get"] }] });
        assert_eq!(between("Role", Some(huge.clone()), Some(huge.clone())), owned(&[], &[]));
        assert_eq!(between("Role", None, Some(huge)).0, ["more rules than are compared: read them"]);
    }

    fn owned(gained: &[&str], lost: &[&str]) -> (Vec<String>, Vec<String>) {
        let all = |texts: &[&str]| texts.iter().map(|it| (*it).to_owned()).collect();
        (all(gained), all(lost))
    }

    #[test]
    fn whoever_gets_a_role_is_named() {
        let binding = |role: &str, account: &str| {
            Some(json!({
                "roleRef": { "kind": "ClusterRole", "name": role },
                "subjects": [{ "kind": "ServiceAccount", "name": account, "namespace": "pdp" }],
            }))
        };
        let view = "ServiceAccount pdp/a has ClusterRole view";
        let edit = "ServiceAccount pdp/a has ClusterRole edit";
        assert_eq!(between("RoleBinding", None, binding("view", "a")), owned(&[view], &[]));
        assert_eq!(between("RoleBinding", binding("view", "a"), None), owned(&[], &[view]));
        assert_eq!(
            between("ClusterRoleBinding", binding("view", "a"), binding("edit", "a")),
            owned(&[edit], &[view])
        );
        assert_eq!(between("ConfigMap", None, binding("view", "a")), owned(&[], &[]));
    }
}
