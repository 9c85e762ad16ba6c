//! Reads a catalog in a folder with tough, as a client that knows the pinned root alone.
//!
//! `read-with-tough ROOT CATALOG`: a line `<sha256> <target>` each; exit code 1 when something is refused.

use std::error::Error;

use sha2::{Digest, Sha256};
use tough::{FilesystemTransport, IntoVec, RepositoryLoader};
use url::Url;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let [root, catalog] = std::env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "ROOT CATALOG")?;
    let catalog = std::fs::canonicalize(catalog)?;
    let place = |name: &str| Url::from_directory_path(catalog.join(name)).map_err(|()| "not a folder");
    let root = std::fs::read(root)?;
    let loader = RepositoryLoader::new(&root, place("metadata")?, place("targets")?);
    let repository = loader.transport(FilesystemTransport).load().await?;
    let mut names: Vec<_> = repository.all_targets().map(|(name, _)| name.clone()).collect();
    names.sort_by(|a, b| a.raw().cmp(b.raw()));
    for name in names {
        let stream = repository.read_target(&name).await?.ok_or("a target that nobody serves")?;
        let bytes: Vec<u8> = stream.into_vec().await?;
        println!("{} {}", hex::encode(Sha256::digest(&bytes)), name.raw());
    }
    Ok(())
}
