use std::collections::BTreeSet;

use serde_json::Value;

use super::{file, quoted, rows, yaml};

const FILES: [&str; 7] = [
    "namespace",
    "own-secrets",
    "named-secrets",
    "any-secret",
    "cluster",
    "stored-versions",
    "list-workloads",
];

/// Resources with their group, the names that they are limited to, verbs.
type Rule = (BTreeSet<String>, BTreeSet<String>, BTreeSet<String>);

fn texts(value: &Value) -> BTreeSet<String> {
    value.as_array().into_iter().flatten().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn granted(path: &str) -> BTreeSet<Rule> {
    let rules = yaml(path);
    let rule = |rule: &Value| {
        let groups = texts(&rule["apiGroups"]);
        assert_eq!(groups.len(), 1, "one group a rule: {rule}");
        let group = groups.first().filter(|group| !group.is_empty());
        let with_group = |name: String| group.map_or(name.clone(), |group| format!("{name}.{group}"));
        let resources = texts(&rule["resources"]).into_iter().map(with_group).collect();
        (resources, texts(&rule["resourceNames"]), texts(&rule["verbs"]))
    };
    rules.as_array().unwrap().iter().map(rule).collect()
}

fn verbs(cell: &str) -> BTreeSet<String> {
    cell.split(", ").map(str::to_owned).collect()
}

fn resources(cell: &str) -> BTreeSet<String> {
    quoted(cell).into_iter().collect()
}

#[test]
fn the_rights_in_its_namespace_are_the_documented_ones() {
    let page = file("docs/least-privilege.md");
    let (_, part) = page.split_once("## In its own namespace").unwrap();
    let (always, rest) = part.split_once("## With `rbac.anySecret`").unwrap();
    let any = rest.split_once("## In the cluster").unwrap().0;
    let both = [(always, &["namespace", "own-secrets", "named-secrets"][..]), (any, &["any-secret"][..])];
    for (tables, files) in both {
        let documented: BTreeSet<Rule> =
            rows(tables).iter().map(|row| (resources(&row[0]), BTreeSet::new(), verbs(&row[1]))).collect();
        let files = files.iter().map(|name| format!("pdp-sync/chart/files/rights/{name}.yaml"));
        assert_eq!(files.flat_map(|path| granted(&path)).collect::<BTreeSet<_>>(), documented);
    }
}

/// Both lists of names are filled in when the chart is rendered; an empty one would mean every Secret.
#[test]
fn secrets_are_named_unless_the_administrator_says_otherwise() {
    for (name, rules) in [("own-secrets", ["OWN", ""].as_slice()), ("named-secrets", &["NAMED"])] {
        let found = yaml(&format!("pdp-sync/chart/files/rights/{name}.yaml"));
        let names =
            found.as_array().unwrap().iter().map(|rule| rule["resourceNames"].as_str().unwrap_or_default());
        assert_eq!(names.collect::<Vec<_>>(), rules, "{name}");
    }
    let role = file("pdp-sync/chart/templates/role.yaml");
    let (before, _) = role.split_once("own-secrets.yaml").unwrap();
    assert!(before.contains("{{- if .Values.rbac.anySecret }}") && before.contains("{{- else }}"));
    assert_eq!(yaml("pdp-sync/chart/values.yaml")["rbac"]["anySecret"], false);
}

#[test]
fn the_rights_in_the_cluster_are_the_documented_ones() {
    let page = file("docs/least-privilege.md");
    let (_, part) = page.split_once("## In the cluster").unwrap();
    let (always, rest) = part.split_once("## With `rbac.storedVersions`").unwrap();
    let (asked_for, rest) = rest.split_once("## With `rbac.listWorkloads`").unwrap();
    let (old_flux, _) = rest.split_once("## What it may not do").unwrap();
    let six: BTreeSet<_> = quoted(always.split_once("The six:").unwrap().1).into_iter().collect();
    assert_eq!(six.len(), 6);
    let names = |cell: &str| match cell {
        "any" => BTreeSet::new(),
        "the six below" | "the six above" => six.clone(),
        name => BTreeSet::from([name.to_owned()]),
    };
    for (name, tables) in [("cluster", always), ("stored-versions", asked_for), ("list-workloads", old_flux)]
    {
        let documented: BTreeSet<Rule> =
            rows(tables).iter().map(|row| (resources(&row[0]), names(&row[1]), verbs(&row[2]))).collect();
        assert_eq!(granted(&format!("pdp-sync/chart/files/rights/{name}.yaml")), documented, "{name}");
    }
}

#[test]
fn nothing_is_granted_by_wildcard_and_no_power_over_other_rights() {
    for name in FILES {
        for (resources, _, verbs) in granted(&format!("pdp-sync/chart/files/rights/{name}.yaml")) {
            assert!(resources.iter().all(|resource| !resource.contains('*')), "{resources:?}");
            let forbidden = ["*", "impersonate", "escalate", "bind", "deletecollection"];
            assert!(verbs.iter().all(|verb| !forbidden.contains(&verb.as_str())), "{resources:?}: {verbs:?}");
            assert!(
                !resources.iter().any(|r| r.contains("rbac.authorization") || r.contains("serviceaccounts"))
            );
        }
    }
    for template in ["role", "cluster-role"] {
        assert!(!file(&format!("pdp-sync/chart/templates/{template}.yaml")).contains('*'));
    }
}

/// A rule that nobody can explain is one too many.
#[test]
fn every_rule_has_its_reason_above_it() {
    for name in FILES {
        let text = file(&format!("pdp-sync/chart/files/rights/{name}.yaml"));
        let lines: Vec<_> = text.lines().collect();
        for (n, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("- ")) {
            assert!(n > 0 && lines[n - 1].starts_with("# "), "{name}.yaml:{}: {line}", n + 1);
        }
    }
}
