//! `publisher key ceremony`: the whole first trust in one folder, for one line.
//!
//! Small on purpose: all keys are made on one machine. Move each to its holder before the first release.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use pdp_policies::trust::{Floors, Role, metadata};
use pdp_policies::{
    ARTIFACT_KEYS, At, CatalogTree, Channel, DIRECTOR_KEYS, KeyList, Line, RingPlan, document,
};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::{self, Format};
use pdp_transport::files;
use serde_json::{Value, json};

use crate::catalog::{Online, role};
use crate::keys::{PasswordArgs, SigningKey, sign_all};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder to make; must not exist.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The release line.
    #[arg(long)]
    line: Line,
    #[command(flatten)]
    password: PasswordArgs,
}

/// Everyone who holds a key, and as what.
const HOLDERS: [(&str, &[&str], usize); 6] = [
    ("root", &["root-1", "root-2", "root-3"], 2),
    ("targets", &["targets-1", "targets-2"], 2),
    ("releases", &["ci", "release-1", "release-2"], 2),
    ("channels", &["manager-1", "manager-2", "manager-3"], 2),
    ("snapshot", &["snapshot"], 1),
    ("timestamp", &["timestamp", "timestamp-spare"], 1),
];

type Keys = BTreeMap<&'static str, SigningKey>;

pub(crate) fn run(args: &Args, format: Format, now: At) -> Result<u8> {
    if args.out.exists() {
        return Err(Failure::new("Exists", format!("{} exists already", args.out.display()))
            .hint("a ceremony never overwrites keys: name a new folder"));
    }
    let password = args.password.read()?;
    let mut keys = Keys::new();
    for name in HOLDERS.iter().flat_map(|(_, names, _)| names.iter()).chain(&["artifact"]) {
        keys.insert(name, SigningKey::generate(args.out.join("keys").join(format!("{name}.key")))?);
    }
    let director = args.out.join("keys/director.key");
    keys.insert("director", SigningKey::generate_ed25519(director)?);
    let tree = first_catalog(&keys, &args.line, now)?;
    let root = tree.get("metadata/1.root.json").unwrap_or_default().to_vec();
    crate::catalog::judge(tree.clone(), &Floors::new(root), now)?;
    write(&args.out, &keys, &tree, &password)?;
    let text = format!(
        "✔ {} keys in {}/keys and the first catalog in {}/catalog\n  \
         next: move each private key to its holder, then `publisher catalog init {}/catalog`",
        keys.len(),
        args.out.display(),
        args.out.display(),
        args.out.display()
    );
    let ids: BTreeMap<_, _> = keys.iter().map(|(name, key)| (*name, key.id.as_str())).collect();
    output::print(format, &json!({ "folder": args.out, "keys": ids }), &text)?;
    Ok(exit::DONE)
}

/// Root, targets, releases, channels, snapshot and timestamp, all at their first version.
fn first_catalog(keys: &Keys, line: &Line, now: At) -> Result<CatalogTree> {
    let mut tree = CatalogTree::new();
    let mut put = |path: &str, bytes: Vec<u8>| tree.insert(path, bytes).map_err(internal);
    let root = root(keys, now);
    put("metadata/1.root.json", signed(&root, keys, "root")?)?;
    let lists = [
        (DIRECTOR_KEYS.to_owned(), key_list(keys, "director")?),
        (ARTIFACT_KEYS.to_owned(), key_list(keys, "artifact")?),
    ];
    let plan =
        RingPlan::shipped().map_err(|p| internal(p.iter().map(ToString::to_string).collect::<String>()))?;
    let channel = document::write(&Channel::new(line.clone(), plan)).map_err(internal)?;
    let channels = [(Channel::target_name(line), channel)];
    let delegated = json!({ "keys": public(keys, &["releases", "channels"]), "roles": [
        delegation(keys, "releases", "release-*.json"), delegation(keys, "channels", "channel-*.json"),
    ]});
    for (role, files, delegations) in [
        (Role::Targets, &lists[..], Some(delegated)),
        (Role::Releases, &[], None),
        (Role::Channels, &channels[..], None),
    ] {
        let listed = files.iter().map(|(name, bytes)| (name.clone(), metadata::target(bytes))).collect();
        let payload = metadata::targets(1, now.plus(role::life(role)), &listed, delegations);
        put(&format!("metadata/{role}.json"), signed(&payload, keys, role.name())?)?;
        for (name, bytes) in files {
            put(&format!("targets/{name}"), bytes.clone())?;
        }
    }
    Online { snapshot: &keys["snapshot"], timestamp: &keys["timestamp"] }.sign(&mut tree, now)?;
    Ok(tree)
}

fn root(keys: &Keys, now: At) -> Value {
    let top = ["root", "targets", "snapshot", "timestamp"];
    let roles: BTreeMap<_, _> = HOLDERS
        .iter()
        .filter(|(role, _, _)| top.contains(role))
        .map(|(role, names, threshold)| {
            (*role, json!({ "keyids": ids(keys, names), "threshold": threshold }))
        })
        .collect();
    json!({
        "_type": "root", "spec_version": metadata::SPEC_VERSION, "version": 1, "consistent_snapshot": false,
        "expires": now.plus(role::life(Role::Root)).to_string(),
        "keys": public(keys, &top), "roles": roles,
    })
}

fn delegation(keys: &Keys, role: &str, path: &str) -> Value {
    let (names, threshold) = holders(role);
    json!({ "name": role, "keyids": ids(keys, names), "threshold": threshold, "terminating": true, "paths": [path] })
}

fn holders(role: &str) -> (&'static [&'static str], usize) {
    HOLDERS.iter().find(|(name, _, _)| *name == role).map_or((&[], 1), |(_, names, n)| (*names, *n))
}

fn ids(keys: &Keys, names: &[&str]) -> Vec<String> {
    names.iter().filter_map(|name| keys.get(name)).map(|key| key.id.clone()).collect()
}

fn public(keys: &Keys, roles: &[&str]) -> BTreeMap<String, Value> {
    let names = roles.iter().flat_map(|role| holders(role).0);
    names.filter_map(|name| keys.get(name)).map(|key| (key.id.clone(), key.listed.clone())).collect()
}

/// Signed by everyone who holds the role.
fn signed(payload: &Value, keys: &Keys, role: &str) -> Result<Vec<u8>> {
    let signers: Vec<_> = holders(role).0.iter().filter_map(|name| keys.get(name)).collect();
    metadata::envelope(payload, &sign_all(payload, &signers)?).map_err(internal)
}

fn key_list(keys: &Keys, name: &str) -> Result<Vec<u8>> {
    document::write(&KeyList::active([keys[name].public_pem.clone()])).map_err(internal)
}

/// Private keys are readable by their owner alone.
fn write(out: &Path, keys: &Keys, tree: &CatalogTree, password: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let io = |e: std::io::Error| Failure::new("Io", format!("write {}", out.display())).cause(e);
    for folder in ["keys", "catalog/metadata", "catalog/targets"] {
        std::fs::create_dir_all(out.join(folder)).map_err(io)?;
    }
    for (name, key) in keys {
        files::write_atomic(&key.file, key.encrypted(password)?.as_bytes())?;
        std::fs::set_permissions(&key.file, std::fs::Permissions::from_mode(0o600)).map_err(io)?;
        files::write_atomic(&out.join(format!("keys/{name}.pub")), key.public_pem.as_bytes())?;
    }
    for (path, bytes) in tree.iter() {
        files::write_atomic(&out.join("catalog").join(path), bytes)?;
    }
    Ok(())
}
