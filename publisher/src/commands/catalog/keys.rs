//! `publisher catalog keys`: who holds what, what each key is good for, and until when.

use std::collections::BTreeSet;

use pdp_policies::trust::Role;
use pdp_policies::{At, KeyList};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};
use serde_json::{Value, json};

use crate::catalog::offices::{Office, offices};
use crate::catalog::role::RoleFile;
use crate::catalog::{CatalogArgs, Current};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    catalog: CatalogArgs,
}

pub(crate) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    let current = Current::fetch(&args.catalog, now)?;
    let mut roles = Vec::new();
    for office in offices(&current.tree)? {
        roles.push(row(&current, &office, now)?);
    }
    let lists = [
        ("director", current.catalog.director_keys()),
        ("artifact", current.catalog.artifact_keys()),
        ("statement", current.catalog.statement_keys()),
    ];
    let lists: Vec<_> = lists.iter().flat_map(|(name, list)| listed(name, list)).collect();
    let lines: Vec<_> = roles.iter().flat_map(role_lines).chain(lists.iter().map(list_line)).collect();
    let ids = roles.iter().flat_map(|role| role["keys"].as_array()).flatten().chain(&lists);
    let ids: BTreeSet<_> = ids.map(|key| text(&key["id"])).collect();
    output::list(format, &json!({ "roles": roles, "lists": lists }), ids, &lines.join("\n"))?;
    Ok(exit::DONE)
}

fn row(current: &Current, office: &Office, now: At) -> Result<Value> {
    let file = RoleFile::read(&current.tree, office.role)?;
    let expires = current.catalog.expiries().into_iter().find(|(role, _)| *role == office.role);
    let keys: Vec<_> = office
        .keys
        .iter()
        .map(|key| {
            json!({
                "id": key.id, "holder": key.holder, "scheme": key.scheme,
                "signed": file.signatures.contains_key(&key.id),
            })
        })
        .collect();
    Ok(json!({
        "role": office.role.name(), "threshold": office.threshold, "version": file.version(), "keys": keys,
        "expires": expires.map(|(_, at)| at),
        "days": expires.map(|(_, at)| at.seconds_since(now).div_euclid(86_400)),
        "heldThrough": office.role.parent().name(),
    }))
}

fn listed(name: &str, list: &KeyList) -> Vec<Value> {
    let id = |pem: &str| pdp_policies::trust::metadata::key(pem).map(|(id, _)| id).unwrap_or_default();
    let row = |key: &pdp_policies::ListedKey| {
        json!({
            "list": name, "id": id(&key.public_key), "state": key.state, "retiredAt": key.retired_at,
            "heldThrough": Role::Targets.name(),
        })
    };
    list.keys.iter().map(row).collect()
}

fn role_lines(role: &Value) -> Vec<String> {
    let keys = role["keys"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut lines = vec![format!(
        "{}: {} of {} sign; version {}, ends {} ({} days)",
        text(&role["role"]),
        role["threshold"],
        keys.len(),
        role["version"],
        text(&role["expires"]),
        role["days"]
    )];
    lines.extend(keys.iter().map(|key| {
        let signed = if key["signed"] == true { "signed this version" } else { "" };
        let line = format!(
            "  {:16} {:.16}  {:20} {signed}",
            text(&key["holder"]),
            text(&key["id"]),
            text(&key["scheme"])
        );
        line.trim_end().to_owned()
    }));
    lines
}

fn list_line(key: &Value) -> String {
    let since = key["retiredAt"].as_str().map(|at| format!(" since {at}")).unwrap_or_default();
    format!("{} key {:.16}: {}{since}", text(&key["list"]), text(&key["id"]), text(&key["state"]))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("?")
}
