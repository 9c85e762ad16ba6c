//! Statements go to the registry: bundles, then the manifests that attach them.

use std::collections::BTreeMap;
use std::sync::Arc;

use pdp_policies::Digest;
use pdp_policies::trust::{MAX_STATEMENT_BUNDLE_BYTES, SIGSTORE_BUNDLE, Vouchers};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::oci::{Descriptor, EMPTY_CONFIG, INDEX_TYPE, Layout, MANIFEST_TYPE, Registry, Repository};
use serde_json::Value;

use super::About;
use super::found::{judged, of_subject};
use super::record::{Record, Recorded, Stored};
use super::said::is_said;
use crate::commands::release::MAX_REFERRERS;
use crate::images::{From, tree};
use crate::several::each;
use crate::signature;

/// Where each statement goes; `bundle` is where the level lies, `place` finds the repository of an image.
///
/// # Errors
/// `StatementUnsigned` for one that the release engineer gave, `StatementNowhere`.
pub(crate) fn check_places(
    record: &Record,
    bundle: &Repository,
    place: impl Fn(&str) -> Result<Repository>,
) -> Result<Vec<(Recorded, Repository)>> {
    let mut found = Vec::new();
    for statement in &record.statements {
        if statement.bundles.is_empty() {
            // What the build writes by itself needs no key that a vendor may not have yet.
            let Some(file) = &statement.file else { continue };
            return Err(Failure::new("StatementUnsigned", format!("{file} isn't signed")).hint(
                "run `publisher release sign DIR --statement-key FILE`, or take it out of release.yaml",
            ));
        }
        let repository = match &statement.about {
            About::Image { repository, .. } => of_image(repository, bundle, &place)?,
            About::Level | About::Component(_) => bundle.clone(),
        };
        found.push((statement.clone(), repository));
    }
    Ok(found)
}

/// Nobody may attach anything in the registry of an image's makers.
fn of_image(
    name: &str,
    bundle: &Repository,
    place: impl Fn(&str) -> Result<Repository>,
) -> Result<Repository> {
    let repository = place(name)?;
    if repository.host == bundle.host {
        return Ok(repository);
    }
    let what = format!("a statement about an image in {repository} can't be attached there");
    Err(Failure::new("StatementNowhere", what)
        .cause(format!("it isn't the level's registry, {}", bundle.host))
        .hint("publish with the images: `--registry HOST --copy-images`; or attach the statement to the component"))
}

/// Pushes all that are signed and that their keys didn't say there before; run again, it uploads nothing twice.
///
/// # Errors
/// `ImageMissing`, `StatementOfAnotherImage`, `ReferrersFull`, and what requests can end with.
pub(crate) async fn push(
    registry: &Arc<Registry>,
    layout: &Layout,
    statements: Vec<(Recorded, Repository)>,
    keys: &Vouchers,
) -> Result<usize> {
    let mut wanted: BTreeMap<(Repository, Digest), Vec<Attached>> = BTreeMap::new();
    for (statement, repository) in statements {
        let subject = subject(registry, &repository, &statement).await?;
        let all = wanted.entry((repository.clone(), statement.subject)).or_default();
        for stored in &statement.bundles {
            let bundle = Descriptor {
                size: stored.size,
                digest: stored.digest,
                ..Descriptor::of(SIGSTORE_BUNDLE, b"")
            };
            let manifest = signature::referrer(&subject, statement.kind.predicate_type(), &bundle)?;
            all.push((repository.clone(), *stored, manifest));
        }
    }
    let mut attached = Vec::new();
    for (place, all) in wanted {
        attached.extend(unsaid(registry, layout, place, all, keys).await?);
    }
    let count = attached.len();
    send(registry, layout, attached).await?;
    Ok(count)
}

async fn subject(registry: &Registry, repository: &Repository, statement: &Recorded) -> Result<Descriptor> {
    if let About::Image { digest, part_of: Some(whole), .. } = &statement.about {
        let documents = tree(&From::Registry(registry, repository.clone()), *whole).await?;
        if !documents.iter().any(|it| it.digest == *digest) {
            let what = format!("{digest} is no part of {repository}@{whole}");
            return Err(Failure::new("StatementOfAnotherImage", what)
                .cause("its index names no such manifest")
                .hint("write `of` with the digest of the level's image, or of one of its platforms")
                .exit(exit::NEGATIVE));
        }
    }
    let bytes = From::Registry(registry, repository.clone()).manifest(&statement.subject).await?;
    let value: Value = serde_json::from_slice(&bytes).map_err(internal)?;
    let guess = if value.get("manifests").is_some() { INDEX_TYPE } else { MANIFEST_TYPE };
    let media_type = value["mediaType"].as_str().unwrap_or(guess);
    Ok(Descriptor::of(media_type, &bytes))
}

type Attached = (Repository, Stored, Vec<u8>);

/// Those that aren't said there, and those that are there themselves: they are mended if a part of them was lost. A component
/// that stays the same is in many levels: each of them would attach its SBOM once more.
async fn unsaid(
    registry: &Registry,
    layout: &Layout,
    (repository, subject): (Repository, Digest),
    all: Vec<Attached>,
    keys: &Vouchers,
) -> Result<Vec<Attached>> {
    let listed = registry.referrers(&repository, &subject, SIGSTORE_BUNDLE, MAX_REFERRERS + 1).await?;
    let is_there = |(.., manifest): &Attached| listed.iter().any(|it| it.digest == Digest::of(manifest));
    let (mut kept, new): (Vec<_>, Vec<_>) = all.into_iter().partition(is_there);
    let found = match new.is_empty() || listed.is_empty() || keys.is_empty() {
        true => Vec::new(),
        false => of_subject(registry, &repository, ("", subject), keys).await?,
    };
    let mut added = 0;
    for it in new {
        let bundle = layout.blob(&it.1.digest, MAX_STATEMENT_BUNDLE_BYTES)?;
        let judged = judged(&subject, &bundle, keys);
        if judged.is_none_or(|it| !is_said(&it.said, &it.key, &found)) {
            added += 1;
            kept.push(it);
        }
    }
    room(&format!("{repository}@{subject}"), listed.len(), added)?;
    Ok(kept)
}

/// Data planes look at so many attachments, whichever come first: signatures have to be among them.
fn room(place: &str, listed: usize, added: usize) -> Result<()> {
    let count = listed + added;
    if added == 0 || count <= MAX_REFERRERS {
        return Ok(());
    }
    Err(Failure::new("ReferrersFull", format!("{place} would have {count} signatures and statements"))
        .cause(format!("data planes look at {MAX_REFERRERS}, and might miss the signature that counts"))
        .hint("delete attachments that nobody needs from the registry, or sign with fewer statement keys"))
}

async fn send(registry: &Arc<Registry>, layout: &Layout, attached: Vec<Attached>) -> Result<()> {
    let (r, layout, all) = (registry.clone(), layout.clone(), attached.clone());
    each("statements", attached, move |(repository, stored, manifest)| {
        let (registry, layout) = (r.clone(), layout.clone());
        async move {
            registry.push_blob(&repository, EMPTY_CONFIG).await?;
            let file = layout.blob_path(&stored.digest);
            registry.push_blob_file(&repository, &file, &stored.digest, stored.size).await?;
            registry.push_referrer(&repository, &manifest).await?;
            Ok(())
        }
    })
    .await?;
    let r = registry.clone();
    each("lists", all, move |(repository, _, manifest)| {
        let registry = r.clone();
        async move { Ok(registry.confirm_referrer(&repository, &manifest).await?) }
    })
    .await
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::statements::Kind;

    #[test]
    fn a_statement_about_an_image_needs_the_image_in_our_own_registry() {
        let digest = Digest::of(b"x");
        let stored = Stored { digest, size: 1 };
        let repository = "quay.io/x/y".to_owned();
        let statement = |about: About, file: Option<&str>, signed: bool| Record {
            statements: vec![Recorded {
                kind: Kind::CycloneDx,
                about,
                subject: digest,
                file: file.map(str::to_owned),
                document: stored,
                bundles: signed.then_some(stored).into_iter().collect(),
            }],
        };
        let image = || About::Image { repository: repository.clone(), digest, part_of: None };
        let bundle: Repository = "registry.example/pdp".parse().unwrap();
        let away = |name: &str| Ok(name.parse::<Repository>()?);
        let here = |_: &str| Ok("registry.example/x/y".parse::<Repository>()?);
        let code = |record: &Record, is_here: bool| {
            let found = if is_here {
                check_places(record, &bundle, here)
            } else {
                check_places(record, &bundle, away)
            };
            found
                .map(|all| all.iter().map(|(_, place)| place.to_string()).collect::<Vec<_>>())
                .map_err(|it| it.code)
        };
        let at = |place: &str| Ok(vec![place.to_owned()]);
        for (record, is_here, wanted) in [
            (statement(image(), Some("a.json"), true), false, Err("StatementNowhere".into())),
            (statement(image(), Some("a.json"), true), true, at("registry.example/x/y")),
            (statement(About::Level, Some("a.json"), true), false, at("registry.example/pdp")),
            (statement(About::Level, Some("a.json"), false), false, Err("StatementUnsigned".into())),
            // What the build wrote by itself.
            (statement(About::Level, None, false), false, Ok(vec![])),
        ] {
            assert_eq!(code(&record, is_here), wanted, "{record:?}");
        }
    }

    #[test]
    fn nothing_is_refused_where_nothing_is_added() {
        for (listed, added, good) in [(15, 1, true), (16, 1, false), (15, 2, false), (17, 0, true)] {
            assert_eq!(room("it", listed, added).is_ok(), good, "{listed} {added}");
        }
    }
}
