//! `publisher doctor`: whether a release could go out now. Nothing is changed anywhere.

use std::path::PathBuf;
use std::sync::Arc;

use pdp_policies::trust::{Freshness, metadata};
use pdp_policies::{At, Digest, KeyList, KeyState};
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format};
use pdp_transport::files;

use super::blocking;
use crate::catalog::offices::offices;
use crate::catalog::{CatalogArgs, Current};
use crate::doctor::{Check, Named, clock, ending, roles, space, verdict};
use crate::keys::{PasswordArgs, SigningKey};
use crate::lock::Helm;
use crate::server::AskedServerArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// A private key file that would sign; it is unlocked. Give it several times.
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,
    #[command(flatten)]
    password: PasswordArgs,
    /// `host/path` where bundles are pushed (default: where the newest release of each line has its own).
    #[arg(long, value_name = "HOST/PATH")]
    repository: Vec<String>,
    /// `host[:port][/prefix]` to push to instead of the hosts that releases name.
    #[arg(long, env = "PUBLISHER_REGISTRY", value_name = "HOST")]
    registry: Option<String>,
    /// The Helm 4 program that renders the charts.
    #[arg(long, env = "PUBLISHER_HELM", value_name = "PROGRAM", default_value = "helm")]
    helm: PathBuf,
    /// The SHA-256 that this program has to have: `sha256:<hex>`.
    #[arg(long, env = "PUBLISHER_HELM_DIGEST", value_name = "DIGEST")]
    helm_digest: Option<Digest>,
    /// Asked whether it answers, and to this token, if it is given.
    #[command(flatten)]
    server: AskedServerArgs,
    #[command(flatten)]
    catalog: CatalogArgs,
}

pub(crate) async fn run(args: Args, format: Format, now: At) -> Result<u8> {
    let args = Arc::new(args);
    let (keys, mut checks) = unlocked(&args);
    let catalog = args.clone();
    let (found, repositories) = blocking(move || Ok(of_catalog(&catalog, &keys, now))).await?;
    checks.extend(found);
    checks.extend(registries(&args, repositories).await);
    checks.extend(server(&args).await);
    checks.extend(helm(&args).await);
    checks.push(space(&std::env::temp_dir().display().to_string(), files::free(&std::env::temp_dir())));
    let code = verdict(&checks);
    let lines: Vec<_> = checks.iter().map(ToString::to_string).chain([ending(&checks)]).collect();
    output::print(format, &checks, &lines.join("\n"))?;
    Ok(code)
}

/// The public halves of the keys that are at hand, and what is wrong with the others.
fn unlocked(args: &Args) -> (Vec<Named>, Vec<Check>) {
    let none = Check::not_looked_at("keys", "no --key was given");
    let (mut here, mut checks) = (Vec::new(), Vec::from_iter(args.keys.is_empty().then_some(none)));
    for file in &args.keys {
        let shown = file.display().to_string();
        match args.password.read().and_then(|password| SigningKey::read(file, &password)) {
            Ok(key) => here.push((shown, key.material)),
            Err(failure) => checks.push(Check::failed(format!("key {shown}"), &failure)),
        }
    }
    (here, checks)
}

/// The catalog, its roles and its Git host, and where its lines have their bundles.
fn of_catalog(args: &Args, keys: &[Named], now: At) -> (Vec<Check>, Vec<String>) {
    let current = match Current::fetch(&args.catalog, now) {
        Ok(current) => current,
        Err(failure) => return (unread(&failure), args.repository.clone()),
    };
    let mut checks = vec![freshness(&current, now)];
    match offices(&current.tree) {
        Ok(offices) => {
            checks.extend(roles(&offices, &current.catalog.expiries(), (keys, &listed(&current)), now))
        }
        Err(failure) => checks.push(Check::failed("roles", &failure)),
    }
    let host = format!("Git host {}", current.remote.shown());
    checks.push(match current.remote.may_push() {
        Ok(()) => Check::good(&host, "this login may push"),
        Err(error) => Check::failed(&host, &error.into()),
    });
    checks.push(clock(&format!("clock of {host}"), current.remote.clock(), now));
    (checks, repositories(args, &current))
}

/// What a catalog that can't be read leaves unknown.
fn unread(failure: &Failure) -> Vec<Check> {
    let unseen = ["roles", "rights at the Git host", "clock of the Git host"];
    let unseen = unseen.map(|subject| Check::not_looked_at(subject, "the catalog can't be read"));
    [Check::failed("catalog", failure)].into_iter().chain(unseen).collect()
}

/// The keys that sign artifacts, instructions and statements now.
fn listed(current: &Current) -> Vec<Named> {
    let lists = [
        ("artifact", current.catalog.artifact_keys()),
        ("director", current.catalog.director_keys()),
        ("statement", current.catalog.statement_keys()),
    ];
    let material = |pem: &str| metadata::material(&metadata::key(pem).ok()?.1);
    let of = |(name, list): (&str, &KeyList)| -> Vec<Named> {
        let keys = list.keys.iter().filter(|key| key.state == KeyState::Active);
        keys.filter_map(|key| Some((name.to_owned(), material(&key.public_key)?))).collect()
    };
    lists.into_iter().flat_map(of).collect()
}

fn freshness(current: &Current, now: At) -> Check {
    let refresh = "run `publisher catalog refresh`, and find out why nothing does";
    match current.catalog.freshness(now) {
        Freshness::Fresh => Check::good("catalog", "fresh"),
        Freshness::Stale(age) => Check::bad("catalog", format!("signed {} h ago", age / 3600), refresh),
        Freshness::Expired(role) => {
            Check::bad("catalog", format!("role `{role}` is past its expiry"), refresh)
        }
    }
}

/// Of the newest release of each line, unless others were named.
fn repositories(args: &Args, current: &Current) -> Vec<String> {
    if !args.repository.is_empty() {
        return args.repository.clone();
    }
    let newest = |channel: &pdp_policies::Channel| {
        let (level, _) = channel.levels.last_key_value()?;
        Some(current.catalog.release(&channel.line, *level).ok()?.release.bundle.repository.clone())
    };
    current.catalog.channels().filter_map(newest).collect()
}

async fn registries(args: &Args, repositories: Vec<String>) -> Vec<Check> {
    let none = "no --repository was given, and no promoted release names one";
    let none = repositories.is_empty().then(|| Check::not_looked_at("registry", none));
    let mut checks = Vec::from_iter(none);
    for name in repositories {
        let subject = format!("registry {name}");
        let asked = async {
            let registry = args.catalog.git.connection.registry()?;
            let repository = super::release::target(&name, args.registry.as_deref())?;
            Ok::<_, Failure>(registry.may_push(&repository).await?)
        };
        checks.push(match asked.await {
            Ok(()) => Check::good(subject, "this login may push"),
            Err(failure) => Check::failed(subject, &failure),
        });
    }
    checks
}

/// A release engineer's token may ask for this; none is no fault where nobody named a server.
async fn server(args: &Args) -> Vec<Check> {
    let subject = "channel server";
    let opened = args.catalog.git.connection.http().and_then(|http| args.server.open(&http));
    let asked = async {
        match opened? {
            Some(desk) => Ok(Some(desk.installed().await?)),
            None => Ok::<_, Failure>(None),
        }
    };
    match asked.await {
        Ok(None) => vec![Check::not_looked_at(subject, "no --server was given")],
        Ok(Some(levels)) => {
            let planes: u32 = levels.iter().map(|level| level.data_planes).sum();
            vec![Check::good(subject, format!("it answers; {planes} data planes report")), orders()]
        }
        Err(failure) => vec![Check::failed(subject, &failure)],
    }
}

/// Only an order would tell, and nothing is changed here.
fn orders() -> Check {
    let why =
        "the server doesn't say which role a token has; an auditor's reads the same as a release engineer's";
    Check::not_looked_at("orders with this token", why)
}

async fn helm(args: &Args) -> Vec<Check> {
    let digest = Check::not_looked_at("digest of helm", "no --helm-digest was given");
    let digest = args.helm_digest.is_none().then_some(digest);
    match Helm::open(&args.helm, args.helm_digest.as_ref()).await {
        Ok(helm) => [Check::good("helm", helm.version)].into_iter().chain(digest).collect(),
        Err(failure) => vec![Check::failed("helm", &failure)],
    }
}
