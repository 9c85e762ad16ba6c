//! `publisher release resign`: one more signature on what lies in the registry, by another key.
//!
//! It vouches for nothing that wasn't vouched for: what no key that counts today has signed is signed by nobody.

use std::collections::BTreeMap;
use std::sync::Arc;

use pdp_policies::trust::{self, Vouchers};
use pdp_policies::{At, BadKeyChange, Digest, KeyList, KeyPurpose, KeyState, Level, Line, Release};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::{self, Format, say};
use pdp_transport::oci::{Descriptor, EMPTY_CONFIG, INDEX_TYPE, MANIFEST_TYPE, Registry, Repository};
use serde_json::json;
use sigstore_types::DerPublicKey;

use super::places::{Nowhere, found, places};
use super::signed::{named, signatures};
use crate::catalog::{CatalogArgs, Current, published};
use crate::commands::blocking;
use crate::dry_run::DryRun;
use crate::keys::{KeyArgs, SigningKey};
use crate::several::{each, gather};
use crate::signature;

/// A document is signed where it lies as a file: in the built folder of its level.
const KEPT: &str = "◎ SBOMs and VEX documents keep the signatures that they have: after a change of the statement key, run `publisher \
                    release sign DIR --statement-key NEW` and `publisher release publish DIR` for the built folder of each level";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The levels; published ones of the catalog.
    #[arg(required_unless_present = "all", conflicts_with = "all", requires = "line")]
    levels: Vec<Level>,
    /// All promoted levels, of one line or of all.
    #[arg(long)]
    all: bool,
    /// The release line.
    #[arg(long)]
    line: Option<Line>,
    /// `host[:port][/prefix]` to sign in instead of the host that each release names, or that it moved to.
    #[arg(long, env = "PUBLISHER_REGISTRY", value_name = "HOST")]
    registry: Option<String>,
    #[command(flatten)]
    catalog: CatalogArgs,
    #[command(flatten)]
    keys: KeyArgs,
    #[command(flatten)]
    dry: DryRun,
}

/// One thing in a registry that is to be signed.
#[derive(Debug, Clone)]
struct Artifact {
    repository: Repository,
    digest: Digest,
    media_type: &'static str,
    /// Its name in messages.
    what: String,
}

pub(crate) async fn run(args: Args, format: Format, now: At) -> Result<u8> {
    let keys = args.keys.unlock()?;
    let catalog = args.catalog;
    let registry = Arc::new(catalog.git.connection.registry()?);
    let current = blocking(move || Current::fetch(&catalog, now)).await?;
    keys.iter().try_for_each(|key| may_vouch(current.catalog.artifact_keys(), key))?;
    let releases = chosen(&current, &args.levels, args.line.as_ref())?;
    let vouchers = Arc::new(Vouchers::of(&current.catalog));
    let mut artifacts = BTreeMap::new();
    for release in &releases {
        let channel = current.catalog.channel(&release.line);
        let places = places(channel, release, args.registry.as_deref(), now)?;
        let found = found(&registry, &places, &release.bundle.digest).await;
        let (repository, index) = found.map_err(|nowhere| nothing_signed(release.level, nowhere))?;
        trust::bundle(&index, release)?;
        // Levels share components that didn't change.
        artifacts.extend(all(release, &repository).map(|it| ((it.repository.to_string(), it.digest), it)));
    }
    // All of them before the first signature: what is refused leaves nothing half signed.
    let checked = check(&registry, artifacts.into_values().collect(), &vouchers, &keys).await?;
    let missing: usize = checked.iter().map(|it| it.missing.len()).sum();
    let dry = args.dry.only_says("nothing was signed");
    if !dry {
        sign(&registry, checked, &keys).await?;
    }
    let levels: Vec<_> = releases.iter().map(|it| it.level).collect();
    let text = match missing {
        0 => format!("✔ {} level(s) had the signature already", levels.len()),
        n if dry => format!("✔ {} level(s): {n} signatures would be added", levels.len()),
        n => format!("✔ {} level(s): {n} signatures added", levels.len()),
    };
    output::print(format, &json!({ "levels": levels, "signatures": missing }), &text)?;
    if !current.catalog.statement_keys().keys.is_empty() {
        say(KEPT);
    }
    Ok(exit::DONE)
}

/// What lies nowhere can't be signed; the other levels can, by their numbers.
fn nothing_signed(level: Level, Nowhere { is_gone, failure }: Nowhere) -> Failure {
    let what = format!("nothing was signed: level {level}: {}", failure.what);
    let failure = Failure { what, ..failure };
    match is_gone {
        true => failure.hint(
            "if it is lost, name the other levels (`release resign 42 43 --line pdp-2026`); if it lies elsewhere, name that \
             with --registry",
        ),
        false => failure,
    }
}

/// A signature by a key that doesn't count would help nobody.
fn may_vouch(list: &KeyList, key: &SigningKey) -> Result<()> {
    let der = DerPublicKey::from_pem(&key.public_pem).map_err(internal)?;
    let refused = |why: BadKeyChange| {
        let what = format!("key {} can't vouch for artifacts", key.file.display());
        Err(Failure::new(why.code(), what).cause(why).hint(why.hint()))
    };
    if !KeyPurpose::Artifact.fits(&der) {
        return refused(BadKeyChange::WrongType(KeyPurpose::Artifact));
    }
    if list.statements().state_of(&der).is_some() {
        let what = format!("key {} signs statements", key.file.display());
        return Err(Failure::new("KeyInUse", what)
            .cause("a key has one purpose: whoever steals one must not get two")
            .hint(
                "give the artifact key; statements get another signature by `release sign DIR --statement-key FILE` and \
                 `release publish DIR`",
            ));
    }
    match list.state_of(&der) {
        Some(KeyState::Active) => {}
        Some(state) => return refused(BadKeyChange::Listed(state)),
        None => say(&format!(
            "◎ key {} isn't listed yet: its signatures count once `publisher catalog artifact add` is published",
            key.file.display()
        )),
    }
    Ok(())
}

/// The named levels, or all that are promoted.
fn chosen(current: &Current, levels: &[Level], line: Option<&Line>) -> Result<Vec<Release>> {
    let mut releases = published(current)?;
    releases.retain(|release| line.is_none_or(|line| release.line == *line));
    if let Some(level) = levels.iter().find(|level| releases.iter().all(|it| it.level != **level)) {
        return Err(Failure::new("NotFound", format!("level {level} isn't published"))
            .hint("`publisher release publish` publishes it")
            .exit(exit::NOT_FOUND));
    }
    let promoted = |release: &Release| {
        let channel = current.catalog.channel(&release.line);
        channel.is_some_and(|channel| channel.levels.contains_key(&release.level))
    };
    match levels.is_empty() {
        true => releases.retain(promoted),
        false => releases.retain(|release| levels.contains(&release.level)),
    }
    // What channel and releases role say differently is nobody's word.
    for release in releases.iter().filter(|release| promoted(release)) {
        current.catalog.release(&release.line, release.level)?;
    }
    Ok(releases)
}

/// Bundle and components.
fn all(release: &Release, repository: &Repository) -> impl Iterator<Item = Artifact> {
    named(release).into_iter().map(move |(what, digest)| Artifact {
        repository: repository.clone(),
        digest,
        media_type: if digest == release.bundle.digest { INDEX_TYPE } else { MANIFEST_TYPE },
        what: format!("{what} of level {}", release.level),
    })
}

/// Something that is vouched for, and which of the keys haven't signed it.
#[derive(Debug)]
struct Checked {
    repository: Repository,
    subject: Descriptor,
    missing: Vec<usize>,
}

/// Fetches each by its digest and refuses what no key that counts today has signed.
async fn check(
    registry: &Arc<Registry>,
    artifacts: Vec<Artifact>,
    vouchers: &Arc<Vouchers>,
    keys: &[SigningKey],
) -> Result<Vec<Checked>> {
    let own: Vec<_> = keys.iter().map(SigningKey::vouchers).collect();
    let (registry, vouchers, own) = (registry.clone(), vouchers.clone(), Arc::new(own));
    gather("checks", artifacts, move |artifact| {
        let (registry, vouchers, own) = (registry.clone(), vouchers.clone(), own.clone());
        async move {
            let Artifact { repository, digest, media_type, what } = artifact;
            let bytes = registry.manifest(&repository, &digest).await?;
            let attached = signatures(&registry, &repository, &digest).await?;
            trust::signed_artifact(&what, &digest, &attached, &vouchers)?;
            let lacks = |own: &Vouchers| trust::signed_artifact(&what, &digest, &attached, own).is_err();
            let missing: Vec<_> =
                own.iter().enumerate().filter(|(_, own)| lacks(own)).map(|it| it.0).collect();
            let subject = Descriptor::of(media_type, &bytes);
            Ok(Checked { repository, subject, missing })
        }
    })
    .await
}

/// The bundles after their components, as `release publish` does it: a bundle's signature tells that all of it is signed.
async fn sign(registry: &Arc<Registry>, checked: Vec<Checked>, keys: &[SigningKey]) -> Result<()> {
    let (bundles, components) = checked.into_iter().partition(|it| it.subject.media_type == INDEX_TYPE);
    attach(registry, components, keys).await?;
    attach(registry, bundles, keys).await
}

/// Attaches what is missing, then looks whether all of it is listed: a slower writer may have lost some.
async fn attach(registry: &Arc<Registry>, checked: Vec<Checked>, keys: &[SigningKey]) -> Result<()> {
    let mut made = Vec::new();
    for Checked { repository, subject, missing } in checked {
        for key in missing.into_iter().filter_map(|place| keys.get(place)) {
            made.push((repository.clone(), signature::detached(&subject, key)?));
        }
    }
    let (r, attached) = (registry.clone(), made.clone());
    each("signatures", made, move |(repository, signature)| {
        let registry = r.clone();
        async move {
            registry.push_blob(&repository, EMPTY_CONFIG).await?;
            registry.push_blob(&repository, &signature.bundle).await?;
            registry.push_referrer(&repository, &signature.manifest).await?;
            Ok(())
        }
    })
    .await?;
    let r = registry.clone();
    each("lists", attached, move |(repository, signature)| {
        let registry = r.clone();
        async move { Ok(registry.confirm_referrer(&repository, &signature.manifest).await?) }
    })
    .await
}
