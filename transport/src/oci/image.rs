//! What an image is: an index of further documents, or one image of blobs; OCI's and Docker's have the same fields. Pure.

use pdp_policies::Digest;
use serde::Deserialize;

use super::descriptor::{INDEX_TYPE, MANIFEST_TYPE};

/// No real index names more.
const MAX_PARTS: usize = 64;
const MAX_BLOBS: usize = 256;
const TYPES: [(&str, bool); 4] = [
    (INDEX_TYPE, true),
    ("application/vnd.docker.distribution.manifest.list.v2+json", true),
    (MANIFEST_TYPE, false),
    ("application/vnd.docker.distribution.manifest.v2+json", false),
];

/// An image or an index of images, as a registry holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// One of the four types that images have.
    pub media_type: &'static str,
    /// Further documents, of an index; at most 64.
    pub parts: Vec<Digest>,
    /// Config and layers, of an image; at most 256.
    pub blobs: Vec<Blob>,
}

/// Something that is copied as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Blob {
    /// Of its bytes.
    pub digest: Digest,
    /// In bytes.
    pub size: u64,
    /// Layers that are fetched from elsewhere and lie in no registry.
    #[serde(default)]
    urls: Vec<String>,
}

impl Blob {
    /// One that lies in the registry.
    pub fn new(digest: Digest, size: u64) -> Self {
        Self { digest, size, urls: Vec::new() }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    #[serde(default)]
    media_type: Option<String>,
    #[serde(default)]
    manifests: Option<Vec<Part>>,
    #[serde(default)]
    config: Option<Blob>,
    #[serde(default)]
    layers: Vec<Blob>,
}

#[derive(Deserialize)]
struct Part {
    digest: Digest,
}

impl Document {
    /// Reads one from its bytes.
    ///
    /// # Errors
    /// The cause, in words, for anything that isn't one of the four kinds, or that names too much.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let fields: Fields = serde_json::from_slice(bytes).map_err(|e| e.to_string())?;
        let is_index = fields.manifests.is_some();
        let implied = if is_index { INDEX_TYPE } else { MANIFEST_TYPE };
        let named = fields.media_type.as_deref().unwrap_or(implied);
        let known = TYPES.iter().find(|(name, index)| *name == named && *index == is_index);
        let (media_type, _) = known
            .ok_or_else(|| format!("`{}` with other fields, or unknown", pdp_policies::printable(named)))?;
        let parts: Vec<_> =
            fields.manifests.unwrap_or_default().into_iter().map(|part| part.digest).collect();
        if !is_index && fields.config.is_none() {
            return Err("it has no config".to_owned());
        }
        let blobs: Vec<_> =
            fields.config.into_iter().chain(fields.layers).filter(|blob| blob.urls.is_empty()).collect();
        if parts.len() > MAX_PARTS || blobs.len() > MAX_BLOBS {
            return Err(format!("more than {MAX_PARTS} parts or {MAX_BLOBS} layers"));
        }
        Ok(Self { media_type, parts, blobs })
    }
}

/// True for the type of an image that has no parts.
pub(super) fn is_single(media_type: &str) -> bool {
    TYPES.iter().any(|(name, is_index)| *name == media_type && !is_index)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    fn read(value: &Value) -> Result<Document, String> {
        Document::read(value.to_string().as_bytes())
    }

    #[test]
    fn the_four_kinds_are_read_and_keep_their_type() {
        let blob = |text: &[u8]| json!({ "mediaType": "m", "digest": Digest::of(text), "size": text.len() });
        for (name, is_index) in TYPES {
            let value = match is_index {
                true => {
                    json!({ "schemaVersion": 2, "mediaType": name, "manifests": [blob(b"a"), blob(b"b")] })
                }
                false => {
                    json!({ "schemaVersion": 2, "mediaType": name, "config": blob(b"c"), "layers": [blob(b"a")] })
                }
            };
            let found = read(&value).unwrap();
            assert_eq!(
                (found.media_type, found.parts.len(), found.blobs.len()),
                if is_index { (name, 2, 0) } else { (name, 0, 2) }
            );
        }
        assert_eq!(read(&json!({ "manifests": [] })).unwrap().media_type, INDEX_TYPE);
        assert_eq!(read(&json!({ "config": blob(b"c"), "layers": [] })).unwrap().media_type, MANIFEST_TYPE);
    }

    #[test]
    fn layers_from_elsewhere_are_left_out() {
        let blob = json!({ "digest": Digest::of(b"a"), "size": 1 });
        let foreign = json!({ "digest": Digest::of(b"b"), "size": 1, "urls": ["https://a.example/b"] });
        assert_eq!(read(&json!({ "config": blob, "layers": [blob, foreign] })).unwrap().blobs.len(), 2);
    }

    #[test]
    fn other_documents_and_too_large_ones_are_refused() {
        let blob = json!({ "digest": Digest::of(b"a"), "size": 1 });
        for value in [
            json!({}),
            json!([]),
            json!({ "mediaType": INDEX_TYPE, "config": blob, "layers": [] }),
            json!({ "mediaType": MANIFEST_TYPE, "manifests": [] }),
            json!({ "mediaType": "application/vnd.docker.distribution.manifest.v1+json", "fsLayers": [] }),
            json!({ "manifests": vec![blob.clone(); MAX_PARTS + 1] }),
            json!({ "config": blob, "layers": vec![blob.clone(); MAX_BLOBS + 1] }),
        ] {
            assert!(read(&value).is_err(), "{value}");
        }
    }
}
