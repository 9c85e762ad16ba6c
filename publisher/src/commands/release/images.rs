//! The images of a release: copied where they are pulled from, or looked for there.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use pdp_policies::Digest;
use pdp_policies::release::{Image, Release};
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::oci::{Layout, Registry, Repository};

use super::publish::target;
use crate::images::{From, copy};
use crate::several::{each, gather};

/// Where images come from.
#[derive(Debug, Clone)]
pub(super) enum Source {
    /// An OCI layout.
    Layout(Arc<Layout>),
    /// The registries that they are pulled from.
    Registries,
}

impl Source {
    pub(super) fn layout(folder: &Path) -> Result<Self> {
        Ok(Self::Layout(Arc::new(Layout::open(folder)?)))
    }

    /// True if the image can be copied from here to there.
    fn has(&self, held: &BTreeSet<Digest>, image: &Image) -> bool {
        matches!(self, Self::Registries) || held.contains(&image.digest)
    }
}

/// Pushes every image that the source has; what neither it nor the registry has is missing.
///
/// # Errors
/// `ImageMissing` with all of them, `BadImage`, `Garbage`, and what requests can end with.
pub(super) async fn push(
    source: Source,
    release: &Release,
    registry: &Arc<Registry>,
    elsewhere: Option<&str>,
) -> Result<()> {
    let held: BTreeSet<_> = match &source {
        Source::Layout(layout) => layout.entries()?.into_iter().map(|entry| entry.digest).collect(),
        Source::Registries => BTreeSet::new(),
    };
    let (here, not_here): (Vec<_>, Vec<_>) =
        all(release).into_iter().partition(|image| source.has(&held, image));
    let (to, there) = (registry.clone(), elsewhere.map(str::to_owned));
    each("images", here, move |image| {
        let (source, registry, elsewhere) = (source.clone(), to.clone(), there.clone());
        async move { one(&source, &registry, &image, elsewhere.as_deref()).await }
    })
    .await?;
    look(registry, not_here, elsewhere).await
}

/// Looks for every image of a release, with every part.
///
/// # Errors
/// As [`push`].
pub(super) async fn present(
    release: &Release,
    registry: &Arc<Registry>,
    elsewhere: Option<&str>,
) -> Result<usize> {
    let images = all(release);
    let count = images.len();
    look(registry, images.into_iter().collect(), elsewhere).await.map(|()| count)
}

fn all(release: &Release) -> BTreeSet<Image> {
    release.images().cloned().collect()
}

async fn one(source: &Source, registry: &Registry, image: &Image, elsewhere: Option<&str>) -> Result<()> {
    let repository = target(image.pull_name(), elsewhere)?;
    let from = match source {
        Source::Layout(layout) => From::Layout(layout),
        Source::Registries => From::Registry(registry, image.pull_name().parse::<Repository>()?),
    };
    if registry.missing(&repository, image.digest).await?.is_empty() {
        return Ok(());
    }
    copy(&from, registry, &repository, image.digest).await
}

async fn look(registry: &Arc<Registry>, images: Vec<Image>, elsewhere: Option<&str>) -> Result<()> {
    let (to, there) = (registry.clone(), elsewhere.map(str::to_owned));
    let lacking = gather("images", images, move |image| {
        let (registry, elsewhere) = (to.clone(), there.clone());
        async move {
            let repository = target(image.pull_name(), elsewhere.as_deref())?;
            let lines = registry.missing(&repository, image.digest).await?;
            let line = |digest: &Digest| match *digest == image.digest {
                true => format!("{repository}@{digest}"),
                false => format!("{repository}@{digest}, a part of {}", image.digest),
            };
            Ok(lines.iter().map(line).collect::<Vec<_>>())
        }
    });
    let lacking: BTreeSet<_> = lacking.await?.into_iter().flatten().collect();
    if lacking.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = lacking.iter().map(String::as_str).collect();
    Err(Failure::new("ImageMissing", format!("{} image(s) can't be pulled", lacking.len()))
        .cause(lines.join("\n"))
        .hint("push them first: an index with all its parts (`--images`, or `skopeo copy --all`)"))
}
