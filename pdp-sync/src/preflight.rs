//! Before anything is written: every artifact of the level is there, is the right one, and is signed.

use pdp_policies::decision::DecisionRecord;
use pdp_policies::release::{Artifact, Component, Release};
use pdp_policies::trust::{self, Catalog, SIGSTORE_BUNDLE, Vouchers};
use pdp_policies::{Digest, Refusal, RefusalCode};
use pdp_transport::cli::failure::Result;
use pdp_transport::oci::{MAX_MANIFEST_BYTES, Manifest, OciOptions, Registry, Repository, Which};
use pdp_transport::{Error, Kind, block_on};

use crate::crd::Signatures;
use crate::render;

/// A component's artifact may not be larger (bytes). It is never in memory as a whole.
const MAX_ARTIFACT_BYTES: u64 = 64 * 1024 * 1024;
/// A chart that is looked into may not be larger (bytes): it is in memory then. Helm's own record of a release has to
/// fit 1 MiB.
const MAX_CHART_BYTES: u64 = 16 * 1024 * 1024;
/// More referrers of one artifact than this aren't looked at.
const MAX_REFERRERS: usize = 16;

/// Why a level can't be applied yet.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Something can't be had now: wait.
    Unavailable(Error),
    /// Something is wrong: refuse.
    Refused(Refusal),
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Error> for Trouble {
    /// Other bytes than the digest says are an attack or a broken registry, never "not yet".
    fn from(error: Error) -> Self {
        let code = match error.kind {
            Kind::DigestMismatch | Kind::SizeMismatch => RefusalCode::DigestMismatch,
            Kind::TooLarge => RefusalCode::TooLarge,
            _ => return Self::Unavailable(error),
        };
        Self::Refused(Refusal::new(code, error.what, error.cause))
    }
}

/// Looks into a chart, once its bytes are known to be the right ones.
pub(crate) type Inspect<'a> = dyn FnMut(&Component, &[u8]) -> Result<()> + 'a;

/// Fetches and checks all artifacts of a record's target. Only what `inspect` looks into is held in memory.
pub(crate) fn artifacts(
    endpoint: &OciOptions,
    signatures: Signatures,
    catalog: &Catalog,
    record: &DecisionRecord,
    inspect: Option<&mut Inspect<'_>>,
) -> Result<std::result::Result<(), Trouble>> {
    let (release, inputs) = (record.target(), record.inputs());
    let repository = render::to_fetch_from(release, inputs)?;
    let registry = Registry::new(endpoint)?;
    let components = release.components_for(inputs.platform, &inputs.left_out);
    let keys = &Vouchers::of(catalog);
    let place = Place { registry: &registry, repository: &repository };
    let mut charts = Vec::new();
    let checked = match inspect {
        None => block_on(check(place, release, &components, keys, signatures, None))?,
        Some(inspect) => {
            let mut seen = |component: &Component, chart: &[u8]| charts.push(inspect(component, chart));
            block_on(check(place, release, &components, keys, signatures, Some(&mut seen)))?
        }
    };
    charts.into_iter().collect::<Result<Vec<()>>>()?;
    Ok(checked)
}

/// Where the artifacts lie.
#[derive(Clone, Copy)]
struct Place<'a> {
    registry: &'a Registry,
    repository: &'a Repository,
}

/// Told of each chart.
type Seen<'a> = dyn FnMut(&Component, &[u8]) + 'a;

/// `keys` are those that vouch for artifacts.
async fn check(
    place: Place<'_>,
    release: &Release,
    components: &[&Component],
    keys: &Vouchers,
    signatures: Signatures,
    mut seen: Option<&mut Seen<'_>>,
) -> std::result::Result<(), Trouble> {
    let Place { registry, repository } = place;
    let index = registry.manifest(repository, &release.bundle.digest).await?;
    trust::bundle(&index, release)?;
    let required = signatures == Signatures::Required;
    if required {
        signed(registry, repository, "the bundle", &release.bundle.digest, keys).await?;
    }
    for component in components {
        let digest = component.artifact.digest();
        let bytes = registry.manifest(repository, &digest).await?;
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|e| Refusal::new(RefusalCode::Unreadable, component.name.as_str(), e.to_string()))?;
        let (config, is_chart) = (&manifest.config, matches!(component.artifact, Artifact::Chart { .. }));
        registry.check_blob(repository, &config.digest, config.size, MAX_ARTIFACT_BYTES).await?;
        for layer in &manifest.layers {
            match seen.as_deref_mut().filter(|_| is_chart) {
                Some(seen) => {
                    let chart = registry.blob(repository, &layer.digest, layer.size, MAX_CHART_BYTES).await?;
                    seen(component, &chart);
                }
                None => {
                    registry.check_blob(repository, &layer.digest, layer.size, MAX_ARTIFACT_BYTES).await?;
                }
            }
        }
        if required {
            signed(registry, repository, component.name.as_str(), &digest, keys).await?;
        }
    }
    Ok(())
}

async fn signed(
    registry: &Registry,
    repository: &Repository,
    what: &str,
    digest: &Digest,
    keys: &Vouchers,
) -> std::result::Result<(), Trouble> {
    let which = Which {
        artifact_type: SIGSTORE_BUNDLE,
        limit: MAX_REFERRERS,
        max_bytes: MAX_MANIFEST_BYTES,
        wanted: trust::may_release,
    };
    let bundles = registry.attached(repository, digest, &which).await?;
    trust::signed_artifact(what, digest, &bundles, keys)?;
    Ok(())
}
