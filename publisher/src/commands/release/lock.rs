//! `publisher release lock`: render, find, ask the registries, write.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pdp_policies::{At, Digest};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format, say};
use serde_json::json;

use super::fetch::FetchArgs;
use super::publish::skipped;
use crate::dry_run::DryRun;
use crate::lint::{self, Linted, brought, unknown_fields};
use crate::lock::{self, Found, Helm, Locked, LockedComponent, Reference, Resolved, Search};
use crate::progress::Progress;
use crate::several::gather;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The release.yaml.
    file: PathBuf,
    /// The Helm 4 program that renders the charts.
    #[arg(long, env = "PUBLISHER_HELM", value_name = "PROGRAM", default_value = "helm")]
    helm: PathBuf,
    /// The SHA-256 that this program has to have: `sha256:<hex>`; another one isn't run.
    #[arg(long, env = "PUBLISHER_HELM_DIGEST", value_name = "DIGEST")]
    helm_digest: Option<Digest>,
    /// Asks the registries for every tag again; without it an image that is locked keeps its digest.
    #[arg(long)]
    refresh: bool,
    /// A registry that has all images under their paths, asked in place of every other: `host[:port][/prefix]`.
    #[arg(long, env = "PUBLISHER_LOCK_VIA", value_name = "HOST")]
    via: Option<String>,
    /// Writes nothing: exit code 1 if the lock would change.
    #[arg(long)]
    check: bool,
    #[command(flatten)]
    dry: DryRun,
    #[command(flatten)]
    fetch: FetchArgs,
}

pub(crate) async fn run(args: Args, format: Format, now: At) -> Result<u8> {
    let linted = match lint::unlocked(&args.file, &args.fetch.open(), now).await? {
        Ok(linted) => linted,
        Err(findings) => {
            super::lint::report(&findings, format)?;
            return Ok(exit::NEGATIVE);
        }
    };
    let path = lock::beside(&args.file);
    let before = Locked::read(&path)?.and_then(std::result::Result::ok);
    let helm = Helm::open(&args.helm, args.helm_digest.as_ref()).await?;
    let kept = before.as_ref().filter(|_| !args.refresh);
    let digests = carried(&args, &linted, kept.map(Locked::image_values).unwrap_or_default()).await?;
    let found = search(&helm, &linted, &digests).await?;
    let known = kept.map(Locked::known).unwrap_or_default();
    let resolved = ask(&args, &found, known).await?;
    let after = assemble(&helm, &linted, found, &resolved);
    let changes = lock::changes(before.as_ref(), &after);
    if !args.check && !args.dry.only_says(&format!("{} would be written", path.display())) {
        after.write(&path)?;
    }
    report(&path, &after, &changes, format)?;
    Ok(if args.check && before.as_ref() != Some(&after) { exit::NEGATIVE } else { exit::DONE })
}

/// Renders one component after the other: Helm itself takes all processors.
async fn search(helm: &Helm, linted: &Linted, digests: &BTreeMap<String, Digest>) -> Result<Vec<Found>> {
    let components = &linted.file.components;
    let judges_fields = unknown_fields::is_for(linted.file.requires.kubernetes.as_ref());
    let progress = Progress::new("components", components.len());
    let mut all = Vec::new();
    for ((component, source), samples) in components.iter().zip(&linted.sources).zip(&linted.samples) {
        let rendered = &linted.file.rendered;
        let search = Search { component, source, samples, rendered, digests, judges_fields };
        let found = lock::find(helm, search).await;
        let found = found.map_err(|failure| failure.within(&format!("component `{}`", component.name)))?;
        if let Some(words) = &found.needs_values {
            skipped(&format!(
                "`{}` can't do without values: {}",
                component.name,
                words.lines().next().unwrap_or_default()
            ));
        }
        all.push(found);
        progress.step();
    }
    definitions(&all)?;
    Ok(all)
}

/// Helm and Flux write whatever comes last: nobody would know which one a cluster has.
fn definitions(found: &[Found]) -> Result<()> {
    let all: Vec<_> = found.iter().flat_map(|found| found.brought.iter().cloned()).collect();
    let unlike = brought::unlike(&all).into_iter();
    let lines: Vec<_> =
        unlike.map(|(id, [one, other])| format!("{id} of `{other}` isn't that of `{one}`")).collect();
    if lines.is_empty() {
        return Ok(());
    }
    Err(Failure::new("DefinitionTwice", "two components bring one definition, and not the same")
        .cause(lines.join("\n"))
        .hint("switch it off in `values` of one of them, or make both the same"))
}

/// The digests of the images that values carry: what is rendered names them.
async fn carried(
    args: &Args,
    linted: &Linted,
    mut known: BTreeMap<String, Digest>,
) -> Result<BTreeMap<String, Digest>> {
    let all = linted.file.components.iter().flat_map(lock::named);
    let asked = all.map(|image| (image.to_string(), image)).filter(|(text, _)| !known.contains_key(text));
    let mut missing = Vec::new();
    for (text, answer) in answers(args, asked.collect()).await? {
        match answer {
            Ok(resolved) => drop(known.insert(text, resolved.digest)),
            Err(failure) => missing.push(failure),
        }
    }
    none_missing(missing).map(|()| known)
}

/// The digest of every image that isn't known; values may name what doesn't exist, manifests may not.
async fn ask(
    args: &Args,
    found: &[Found],
    mut known: BTreeMap<String, Resolved>,
) -> Result<BTreeMap<String, Resolved>> {
    let needed: BTreeSet<_> = found.iter().flat_map(Found::rendered).map(ToString::to_string).collect();
    let all: BTreeMap<_, _> =
        found.iter().flat_map(Found::images).map(|image| (image.to_string(), image.clone())).collect();
    let asked = all.into_iter().filter(|(text, _)| !known.contains_key(text)).collect();
    let mut missing = Vec::new();
    for (text, answer) in answers(args, asked).await? {
        match answer {
            Ok(resolved) => drop(known.insert(text, resolved)),
            Err(failure) => match absent(&failure).filter(|_| !needed.contains(&text)) {
                Some(words) => skipped(&format!("values name `{text}`, {words}: not locked")),
                None => missing.push(failure),
            },
        }
    }
    none_missing(missing).map(|()| known)
}

/// What a registry says of an image that isn't there, in words; none if it says something else.
fn absent(failure: &Failure) -> Option<&'static str> {
    match failure.code.as_ref() {
        "ImageMissing" => Some("which its registry doesn't have"),
        // Docker Hub, ghcr.io and quay.io tell nobody which repositories don't exist.
        "LoginNeeded" => {
            Some("which its registry keeps to itself, or doesn't have (log in and lock again to know)")
        }
        _ => None,
    }
}

/// What the registries say to each, by its text.
async fn answers(
    args: &Args,
    asked: BTreeMap<String, Reference>,
) -> Result<BTreeMap<String, Result<Resolved>>> {
    let (registry, via) = (Arc::new(args.fetch.connection.registry()?), args.via.clone());
    let answers = gather("images", asked.into_iter().collect(), move |(text, image)| {
        let (registry, via) = (registry.clone(), via.clone());
        async move { Ok((text, lock::resolve(&registry, &image, via.as_deref()).await)) }
    });
    Ok(answers.await?.into_iter().collect())
}

fn none_missing(mut missing: Vec<Failure>) -> Result<()> {
    match missing.len() {
        0 | 1 => missing.pop().map_or(Ok(()), Err),
        count => {
            let words: Vec<_> = missing.iter().map(|failure| failure.what.clone()).collect();
            Err(Failure::new(&missing[0].code, format!("{count} images can't be had"))
                .cause(words.join("\n")))
        }
    }
}

fn assemble(
    helm: &Helm,
    linted: &Linted,
    found: Vec<Found>,
    resolved: &BTreeMap<String, Resolved>,
) -> Locked {
    let file = &linted.file;
    let kubernetes = lock::kubernetes(&file.rendered);
    let mut lock = Locked::of(file.line.clone(), file.level, helm.version.clone(), kubernetes);
    lock.components = found.into_iter().map(|found| LockedComponent::of(found, resolved)).collect();
    lock
}

fn report(path: &Path, lock: &Locked, changes: &[String], format: Format) -> Result<()> {
    for change in changes {
        say(change);
    }
    let images = lock.components.iter().map(|component| component.images.len()).sum::<usize>();
    let text = format!(
        "✔ {images} images of {} components, {} changes: {}",
        lock.components.len(),
        changes.len(),
        path.display()
    );
    output::print(format, &json!({ "images": images, "changes": changes, "lock": path }), &text)
}
