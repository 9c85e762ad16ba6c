//! The image itself: two layers, a config, a manifest, in an OCI layout.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use pdp_transport::archive;
use pdp_transport::oci::{Descriptor, Layout, MANIFEST_TYPE, Manifest};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::roots;

const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
/// Nobody in particular, and certainly not root; the number that distroless images use.
const USER: &str = "65532:65532";
/// Without it, glibc asks DNS before the hosts file.
const NAMES: &[u8] = b"hosts: files dns\n";

/// What is packed.
#[derive(Debug, Clone)]
pub struct Program {
    /// Its name: of the image, and of the file in it.
    pub name: String,
    /// Its version, which becomes the image's tag.
    pub version: String,
    /// The commit it was built from.
    pub revision: String,
    /// What it is for, in a sentence.
    pub description: String,
    /// When, in Unix seconds (`SOURCE_DATE_EPOCH`); the same for the same sources.
    pub created: i64,
    /// The program: static, for Linux on amd64.
    pub binary: Vec<u8>,
}

/// Writes the layout into `folder`, in place of what is there, and returns the manifest's digest.
///
/// # Errors
/// When the disk is full or the folder can't be written.
pub fn write(program: &Program, folder: &Path) -> Result<String> {
    if folder.exists() {
        std::fs::remove_dir_all(folder).with_context(|| format!("empty {}", folder.display()))?;
    }
    let layout = Layout::create(folder)?;
    let ground = archive::pack(&[
        ("etc/nsswitch.conf".to_owned(), NAMES.to_vec()),
        ("etc/ssl/certs/ca-certificates.crt".to_owned(), roots::bundle()),
    ])?;
    let own = archive::pack_with_modes(&[(program.name.clone(), 0o755, program.binary.clone())])?;
    let config = config(program, &[&ground, &own])?;
    let manifest = Manifest {
        schema_version: 2,
        media_type: MANIFEST_TYPE.to_owned(),
        artifact_type: None,
        config: Descriptor::of(CONFIG, &config),
        layers: [&ground, &own].iter().map(|layer| Descriptor::of(LAYER, layer)).collect(),
        subject: None,
        annotations: annotations(program)?,
    };
    let bytes = serde_json::to_vec(&manifest)?;
    for blob in [&ground, &own, &config, &bytes] {
        layout.put_blob(blob)?;
    }
    let mut entry = Descriptor::of(MANIFEST_TYPE, &bytes);
    entry.annotations.insert("org.opencontainers.image.ref.name".to_owned(), program.version.clone());
    let digest = entry.digest.to_string();
    layout.put_entries(vec![entry])?;
    Ok(digest)
}

fn config(program: &Program, layers: &[&Vec<u8>]) -> Result<Vec<u8>> {
    let unpacked = layers.iter().map(|layer| diff_id(layer)).collect::<Result<Vec<_>>>()?;
    let created = time(program)?;
    let history = |what: &str| json!({ "created": created, "created_by": what });
    let config = json!({
        "architecture": "amd64",
        "os": "linux",
        "created": created,
        "config": {
            "User": USER,
            "Entrypoint": [format!("/{}", program.name)],
            "WorkingDir": "/",
            "Labels": annotations(program)?,
        },
        "rootfs": { "type": "layers", "diff_ids": unpacked },
        "history": [history("public CAs, order of name resolution"), history(&program.name)],
    });
    Ok(serde_json::to_vec(&config)?)
}

/// Digest of a layer before it was compressed.
fn diff_id(layer: &[u8]) -> Result<String> {
    let mut tar = Vec::new();
    flate2::read::GzDecoder::new(layer).read_to_end(&mut tar)?;
    Ok(format!("sha256:{}", hex::encode(Sha256::digest(&tar))))
}

fn annotations(program: &Program) -> Result<BTreeMap<String, String>> {
    let all = [
        ("created", time(program)?),
        ("title", program.name.clone()),
        ("version", program.version.clone()),
        ("revision", program.revision.clone()),
        ("description", program.description.clone()),
        ("licenses", "Apache-2.0".to_owned()),
        ("vendor", "WSO2".to_owned()),
    ];
    let named = all.into_iter().filter(|(_, value)| !value.is_empty());
    Ok(named.map(|(key, value)| (format!("org.opencontainers.image.{key}"), value)).collect())
}

fn time(program: &Program) -> Result<String> {
    Ok(jiff::Timestamp::from_second(program.created).context("SOURCE_DATE_EPOCH")?.to_string())
}
