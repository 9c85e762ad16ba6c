//! A bundle on its way to the registry: blobs, manifests, signatures, the tag. What is half done is invisible.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pdp_policies::{Digest, KeyList};
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::oci::{
    Descriptor, EMPTY_CONFIG, INDEX_TYPE, Listed, MANIFEST_TYPE, MAX_MANIFEST_BYTES, Manifest, Pushed,
    Registry, Repository,
};

use super::sign::subjects;
use super::signed::readable_signatures;
use super::whole::signed_alike;
use crate::build::{Built, REF_NAME};
use crate::several::{each, gather};
use crate::signature;

/// Pushes what is missing. Signatures of the bundle come after those of its components, and its tag is last: what is whole is
/// told by its end ([`super::whole`]). `new` says that nothing is expected to be there: what is small is sent without a
/// question then.
pub(super) async fn push(
    built: &Arc<Built>,
    registry: &Arc<Registry>,
    repository: &Repository,
    keys: &KeyList,
    new: bool,
) -> Result<()> {
    let to = To { built: built.clone(), registry: registry.clone(), repository: repository.clone() };
    let subjects = subjects(built)?;
    let [bundle, children @ ..] = subjects.as_slice() else { return Err(internal("a bundle without index")) };
    let manifests: Vec<Manifest> = children.iter().map(|child| to.manifest(child)).collect::<Result<_>>()?;
    let sent = to.layers(&manifests).await?;
    let is_fresh = |it: &Manifest| new && it.layers.iter().all(|layer| sent.contains(&layer.digest));
    let components: Vec<_> =
        children.iter().map(|it| it.digest).zip(manifests.iter().map(is_fresh)).collect();
    let fresh = components.iter().filter(|(_, is_fresh)| *is_fresh).map(|(digest, _)| *digest);
    let fresh: BTreeSet<Digest> = fresh.chain(new.then_some(bundle.digest)).collect();
    let signatures = to.unsigned(signature::all(&built.layout)?, &fresh, keys).await?;
    let configs = manifests.into_iter().zip(components).map(|(it, (_, is_fresh))| (it.config, is_fresh));
    to.small(configs.collect(), &signatures, new).await?;
    to.components(children, new).await?;
    let index = built.layout.blob(&bundle.digest, MAX_MANIFEST_BYTES)?;
    registry.push_manifest(repository, None, INDEX_TYPE, &index).await?;
    let (last, first) = signatures.into_iter().partition(|it| is_of(it, &bundle.digest));
    to.attach(first).await?;
    to.attach(last).await?;
    let level = built.release.level.to_string();
    match new {
        true => registry.send_manifest(repository, &level, INDEX_TYPE, &index).await?,
        false => drop(registry.push_manifest(repository, Some(&level), INDEX_TYPE, &index).await?),
    }
    Ok(())
}

/// A signature's manifest, read and as it is.
type Attached = (Manifest, Vec<u8>);

fn is_of((manifest, _): &Attached, digest: &Digest) -> bool {
    manifest.subject.as_ref().is_some_and(|subject| subject.digest == *digest)
}

/// What is pushed, and where to.
#[derive(Clone)]
struct To {
    built: Arc<Built>,
    registry: Arc<Registry>,
    repository: Repository,
}

impl To {
    /// Those whose keys haven't signed the same there. No two signatures by one key are alike: a component that stays the same
    /// would get one more with each level, and readers look at so many. What is `fresh` isn't asked about.
    async fn unsigned(
        &self,
        signatures: Vec<Attached>,
        fresh: &BTreeSet<Digest>,
        keys: &KeyList,
    ) -> Result<Vec<Attached>> {
        let is_fresh = |it: &Attached| fresh.iter().any(|digest| is_of(it, digest));
        let (mut kept, asked): (Vec<_>, Vec<_>) = signatures.into_iter().partition(is_fresh);
        let (to, keys) = (self.clone(), Arc::new(keys.clone()));
        let judged = gather("signatures there", asked, move |it| {
            let (to, keys) = (to.clone(), keys.clone());
            async move { Ok((to.is_signed(&it, &keys).await?, it)) }
        });
        kept.extend(judged.await?.into_iter().filter(|(signed, _)| !signed).map(|(_, it)| it));
        Ok(kept)
    }

    /// True if a key that made this signature signed the same in the registry.
    async fn is_signed(&self, (manifest, _): &Attached, keys: &KeyList) -> Result<bool> {
        let (Some(subject), Some(layer)) = (&manifest.subject, manifest.layers.first()) else {
            return Ok(false);
        };
        let own = self.built.layout.blob(&layer.digest, MAX_MANIFEST_BYTES)?;
        let there = readable_signatures(&self.registry, &self.repository, &subject.digest).await?;
        Ok(signed_alike(&subject.digest, &own, &there, keys))
    }

    /// What is small: the configuration of a component whose layers had to be sent isn't there either.
    async fn small(
        &self,
        configs: Vec<(Descriptor, bool)>,
        signatures: &[Attached],
        new: bool,
    ) -> Result<()> {
        let mut small = BTreeMap::new();
        let mut add =
            |blob: Descriptor, ask: bool| small.entry(blob.digest).or_insert((blob, false)).1 |= ask;
        signatures.iter().flat_map(|(it, _)| it.layers.clone()).for_each(|blob| add(blob, !new));
        let all_fresh = configs.iter().all(|(_, fresh)| *fresh);
        configs.into_iter().for_each(|(config, fresh)| add(config, !fresh));
        // Every signature before has this one; where all is fresh, there was none.
        add(Descriptor::of("", EMPTY_CONFIG), !(new && all_fresh));
        let to = self.clone();
        each("blobs", small.into_values().collect(), move |(blob, ask)| {
            let to = to.clone();
            async move { to.blob(&blob, ask).await.map(|_| ()) }
        })
        .await
    }

    /// Sends the layers that are missing, and tells which.
    async fn layers(&self, manifests: &[Manifest]) -> Result<BTreeSet<Digest>> {
        let layers = manifests.iter().flat_map(|it| &it.layers);
        let layers: BTreeMap<_, _> = layers.map(|it| (it.digest, it.clone())).collect();
        let to = self.clone();
        let sent = gather("layers", layers.into_values().collect(), move |layer| {
            let to = to.clone();
            async move { Ok((to.blob(&layer, true).await?, layer.digest)) }
        });
        let sent = sent.await?.into_iter().filter(|(pushed, _)| *pushed == Pushed::Uploaded);
        Ok(sent.map(|(_, digest)| digest).collect())
    }

    fn manifest(&self, of: &Descriptor) -> Result<Manifest> {
        serde_json::from_slice(&self.built.layout.blob(&of.digest, MAX_MANIFEST_BYTES)?).map_err(internal)
    }

    async fn blob(&self, blob: &Descriptor, ask: bool) -> Result<Pushed> {
        let file = self.built.layout.blob_path(&blob.digest);
        Ok(match ask {
            true => self.registry.push_blob_file(&self.repository, &file, &blob.digest, blob.size).await?,
            false => self.registry.send_blob_file(&self.repository, &file, &blob.digest, blob.size).await?,
        })
    }

    async fn components(&self, children: &[Descriptor], new: bool) -> Result<()> {
        let to = self.clone();
        each("components", children.to_vec(), move |child| {
            let to = to.clone();
            async move {
                let bytes = to.built.layout.blob(&child.digest, MAX_MANIFEST_BYTES)?;
                match child.annotations.get(REF_NAME).filter(|_| new) {
                    Some(tag) => {
                        to.registry.send_manifest(&to.repository, tag, MANIFEST_TYPE, &bytes).await?
                    }
                    None => {
                        let tag = child.annotations.get(REF_NAME).map(String::as_str);
                        to.registry.push_manifest(&to.repository, tag, MANIFEST_TYPE, &bytes).await?;
                    }
                }
                Ok(())
            }
        })
        .await
    }

    async fn attach(&self, signatures: Vec<Attached>) -> Result<()> {
        let to = self.clone();
        let attached = gather("signatures", signatures, move |(_, bytes)| {
            let to = to.clone();
            async move { Ok((to.registry.push_referrer(&to.repository, &bytes).await?, bytes)) }
        });
        // Who wrote the same tags meanwhile, and more slowly, may have lost ours.
        let in_tags = attached.await?.into_iter().filter(|(listed, _)| *listed == Listed::ByTag);
        let to = self.clone();
        each("lists", in_tags.collect(), move |(_, bytes)| {
            let to = to.clone();
            async move { Ok(to.registry.confirm_referrer(&to.repository, &bytes).await?) }
        })
        .await
    }
}
