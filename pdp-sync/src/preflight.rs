//! Before anything is written: every artifact of the level is there, is the right one, and is signed.

use pdp_policies::decision::DecisionRecord;
use pdp_policies::release::{Component, Release};
use pdp_policies::trust::{self, Catalog, SIGSTORE_BUNDLE};
use pdp_policies::{Digest, KeyList, Refusal, RefusalCode};
use pdp_transport::cli::failure::Result;
use pdp_transport::oci::{Manifest, OciOptions, Registry, Repository};
use pdp_transport::{Error, Kind, block_on};

use crate::crd::Signatures;

/// A component's artifact may not be larger (bytes).
const MAX_ARTIFACT_BYTES: u64 = 64 * 1024 * 1024;
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

/// Looks at a component's only layer, once its bytes are known to be the right ones.
pub(crate) type Inspect<'a> = dyn FnMut(&Component, &[u8]) -> Result<()> + 'a;

/// Fetches and checks all artifacts of a record's target.
pub(crate) fn artifacts(
    endpoint: &OciOptions,
    signatures: Signatures,
    catalog: &Catalog,
    record: &DecisionRecord,
    inspect: &mut Inspect<'_>,
) -> Result<std::result::Result<(), Trouble>> {
    let (release, inputs) = (record.target(), record.inputs());
    let named: Repository = release.bundle.repository.parse()?;
    let repository = match &inputs.mirror {
        Some(mirror) => named.mirrored(mirror)?,
        None => named,
    };
    let registry = Registry::new(endpoint)?;
    let components = release.components_for(inputs.platform, &inputs.left_out);
    let keys = catalog.artifact_keys();
    let mut layers = Vec::new();
    let mut seen = |component: &Component, layer: &[u8]| layers.push(inspect(component, layer));
    let checking = check(&registry, &repository, release, &components, keys, signatures, &mut seen);
    let checked = block_on(checking)?;
    layers.into_iter().collect::<Result<Vec<()>>>()?;
    Ok(checked)
}

/// `keys` are those that vouch for artifacts.
async fn check(
    registry: &Registry,
    repository: &Repository,
    release: &Release,
    components: &[&Component],
    keys: &KeyList,
    signatures: Signatures,
    seen: &mut dyn FnMut(&Component, &[u8]),
) -> std::result::Result<(), Trouble> {
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
        registry.blob(repository, &manifest.config.digest, manifest.config.size, MAX_ARTIFACT_BYTES).await?;
        for layer in &manifest.layers {
            seen(component, &registry.blob(repository, &layer.digest, layer.size, MAX_ARTIFACT_BYTES).await?);
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
    keys: &KeyList,
) -> std::result::Result<(), Trouble> {
    let bundles = registry.attached(repository, digest, SIGSTORE_BUNDLE, MAX_REFERRERS).await?;
    trust::signed_artifact(what, digest, &bundles, keys)?;
    Ok(())
}
