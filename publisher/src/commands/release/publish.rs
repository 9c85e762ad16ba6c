//! `publisher release publish`: push what is missing, then propose. Safe to kill and run again at any moment.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use pdp_policies::release::Release;
use pdp_policies::trust::{Role, Vouchers};
use pdp_policies::{At, Level};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format, say};
use pdp_transport::oci::{Descriptor, Manifest, Registry, Repository};
use serde_json::json;

use super::images;
use super::proposed;
use super::push::push;
use super::sign::subjects;
use super::whole::{There, there};
use crate::build::{self, Built};
use crate::catalog::{ChangeArgs, Current, Holders, Other, laid_next, propose};
use crate::commands::blocking;
use crate::dry_run::DryRun;
use crate::keys::KeyArgs;
use crate::signature;
use crate::statements::{self, Record, Recorded, check_places};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The signed layout folder.
    folder: PathBuf,
    /// `host[:port][/prefix]` to push to instead of the host that the release names.
    #[arg(long, env = "PUBLISHER_REGISTRY", value_name = "HOST")]
    registry: Option<String>,
    /// An OCI layout with the images of the closure; pushed beside the bundle.
    #[arg(long, value_name = "DIR")]
    images: Option<PathBuf>,
    /// Copies the images of the closure from where they are pulled to `--registry`.
    #[arg(long, requires = "registry", conflicts_with = "images")]
    copy_images: bool,
    /// Looks for every part of a level, also where the registry has the level already, and sends what it lost.
    #[arg(long)]
    mend: bool,
    #[command(flatten)]
    catalog: ChangeArgs,
    #[command(flatten)]
    keys: KeyArgs,
}

pub(crate) async fn run(args: Args, format: Format, now: At) -> Result<u8> {
    let built = Arc::new(build::open(&args.folder)?);
    let keys = args.keys.unlock()?;
    let catalog = args.catalog;
    let judged = built.clone();
    let (current, known, catalog) = blocking(move || {
        let current = Current::fetch(&catalog, now)?;
        let known = known(&current, &judged)?;
        Ok((current, known, catalog))
    })
    .await?;
    // Before anything is pushed: a wrong key must not be found out at the end.
    Holders::of(&current.tree, Role::Releases)?.check(&keys)?;

    let registry = Arc::new(catalog.git.connection.registry()?);
    let repository = target(&built.release.bundle.repository, args.registry.as_deref())?;
    let images = args.images.as_deref().map(images::Source::layout).transpose()?.or(copied(args.copy_images));
    let elsewhere = args.registry.as_deref();
    let stated = check_places(&Record::read(&built.layout)?, &repository, |name| target(name, elsewhere))?;
    let statement_keys = Vouchers::of_statements(&current.catalog);
    known_signers(&current, &built, &stated, &statement_keys)?;
    let dry = catalog.dry;
    if dry.is_on() {
        would_push(&built, &registry, &repository, images.is_some(), dry).await?;
        if !stated.is_empty() {
            dry.only_says(&format!("{} statement(s) would be attached", stated.len()));
        }
    } else {
        let subjects = subjects(&built)?;
        check_signed(&subjects, &signature::all(&built.layout)?, &built)?;
        let artifact_keys = current.catalog.artifact_keys();
        let there = there(&registry, &repository, &built, artifact_keys).await?;
        if args.mend || there != There::Whole {
            push(&built, &registry, &repository, artifact_keys, there == There::Nothing).await?;
        }
        if let Some(source) = images {
            images::push(source, &built.release, &registry, args.registry.as_deref()).await?;
        }
    }

    let (level, digest) = (built.release.level, built.release.bundle.digest);
    let place = format!("{repository}@{digest}");
    let text = if known {
        format!("✔ level {level} is already published\n  {place}")
    } else {
        let name = Release::target_name(&built.release.line, level);
        let targets = BTreeMap::from([(name, Some(built.descriptor.clone()))]);
        let proposed =
            blocking(move || propose(&current, &catalog, Role::Releases, &targets, Other::Stays, &keys, now))
                .await?;
        let verb = if dry.is_on() { "would be" } else { "is" };
        format!("✔ level {level} {verb} in the registry; {proposed}\n  {place}")
    };
    // After the proposal: what is said about a fix must not hold the fix back.
    let attached = match dry.is_on() {
        true => Ok(0),
        false => statements::push(&registry, &built.layout, stated, &statement_keys).await,
    };
    let traffic = registry.traffic();
    let value = json!({ "level": level, "digest": digest, "repository": repository.to_string(), "alreadyPublished": known, "traffic": traffic });
    output::print(format, &value, &text)?;
    attached.map(|_| exit::DONE).map_err(|failure| unattached(level, known, failure))
}

/// The level goes its way; only what is said about it is missing.
fn unattached(level: Level, known: bool, failure: Failure) -> Failure {
    let state = if known { "published" } else { "proposed" };
    let what = format!("level {level} is {state}, and its statements aren't all attached: {}", failure.what);
    let hint = failure.hint.as_ref().map(|hint| format!("{hint}; ")).unwrap_or_default();
    Failure { what, ..failure }
        .hint(format!("{hint}run `release publish` again: it attaches what is missing"))
        .exit(exit::UNATTACHED)
}

/// Nobody is helped by a statement of a key that the catalog doesn't list: it is told, and goes out. One by an artifact key
/// would be a release signature to cosign and Flux.
fn known_signers(
    current: &Current,
    built: &Built,
    stated: &[(Recorded, Repository)],
    keys: &Vouchers,
) -> Result<()> {
    let by = |keys: &Vouchers| statements::signed_by(&built.layout, stated, keys);
    if by(&Vouchers::of(&current.catalog))? > 0 {
        return Err(Failure::new("KeyInUse", "a statement is signed by a key that signs releases")
            .cause("to cosign and Flux a statement by the artifact key is a release signature")
            .hint("build the level again, and sign its statements by a statement key"));
    }
    let strangers = stated.len() - by(keys)?;
    if strangers > 0 {
        say(&format!(
            "⚠ {strangers} statement(s) are signed by no statement key of the catalog: `release verify` and `release mirror` pass \
             them over; list the key with `publisher catalog statement add`"
        ));
    }
    Ok(())
}

fn copied(yes: bool) -> Option<images::Source> {
    yes.then_some(images::Source::Registries)
}

/// True if the catalog lists exactly this release; a level is never rewritten.
fn known(current: &Current, built: &Built) -> Result<bool> {
    let name = Release::target_name(&built.release.line, built.release.level);
    match current.tree.get(&format!("targets/{name}")) {
        None => {
            is_free(current, built)?;
            not_proposed_otherwise(current, built)?;
            Ok(false)
        }
        Some(bytes) if bytes == built.descriptor => Ok(true),
        Some(_) => {
            let what = format!("level {} was published with another content", built.release.level);
            Err(Failure::new("LevelRewritten", what)
                .hint("a level has one content for ever: use the next level"))
        }
    }
}

/// Data planes remember the content of pruned levels, and refuse the whole catalog if one comes back with another one.
fn is_free(current: &Current, built: &Built) -> Result<()> {
    let (line, level) = (&built.release.line, built.release.level);
    let through = current.catalog.channel(line).and_then(|channel| channel.pruned_through);
    match through.filter(|through| level <= *through) {
        None => Ok(()),
        Some(through) => Err(Failure::new(
            "LevelPruned",
            format!("level {level} may have been pruned: levels up to {through} were"),
        )
        .hint("a level has one content for ever: use the next level")),
    }
}

/// A colleague's proposal of the same level would lose its tag to this one.
fn not_proposed_otherwise(current: &Current, built: &Built) -> Result<()> {
    let (line, level) = (&built.release.line, built.release.level);
    let open = laid_next(current, Role::Releases)?;
    let other = open.iter().filter(|it| it.is_signed(current)).find(|it| {
        let listed = it.tree().and_then(|tree| proposed::listed(tree, line, level));
        listed.is_some_and(|bytes| bytes != built.descriptor)
    });
    match other {
        None => Ok(()),
        Some(other) => {
            let what = format!("`{}` proposes level {level} with another content", other.branch);
            Err(Failure::new("LevelRewritten", what)
                .hint("publish that one, or drop it first (`publisher catalog proposals drop`), or use the next level"))
        }
    }
}

/// Where to push: the vendor's repository, or the same path elsewhere.
pub(in crate::commands) fn target(repository: &str, elsewhere: Option<&str>) -> Result<Repository> {
    let named: Repository = repository.parse()?;
    Ok(match elsewhere {
        Some(host) => named.mirrored(host)?,
        None => named,
    })
}

/// What a dry run says instead of pushing. Whether the registry takes it is only known once it is asked to.
async fn would_push(
    built: &Built,
    registry: &Registry,
    repository: &Repository,
    with_images: bool,
    dry: DryRun,
) -> Result<()> {
    check_signed(&subjects(built)?, &signature::all(&built.layout)?, built)?;
    let missing = registry.missing(repository, built.release.bundle.digest).await?;
    match missing.is_empty() {
        true => dry
            .only_says(&format!("{repository} has the bundle already; its tag and signatures would be set")),
        false => dry.only_says(&format!("the bundle would be pushed to {repository}, then its tag")),
    };
    if with_images {
        dry.only_says(&format!(
            "{} image(s) would be pushed where they are missing",
            built.release.images().count()
        ));
    }
    Ok(())
}

/// A bundle goes out whole: index and every component signed.
fn check_signed(subjects: &[Descriptor], signatures: &[(Manifest, Vec<u8>)], built: &Built) -> Result<()> {
    let signed =
        |digest| signatures.iter().any(|(m, _)| m.subject.as_ref().is_some_and(|s| s.digest == digest));
    match subjects.iter().find(|subject| !signed(subject.digest)) {
        None => Ok(()),
        Some(subject) => Err(Failure::new(
            "Unsigned",
            format!("{} of level {} isn't signed", subject.digest, built.release.level),
        )
        .hint("run `publisher release sign` first")),
    }
}

/// Said where something is skipped on purpose.
pub(super) fn skipped(what: &str) {
    say(&format!("◎ {what}"));
}
