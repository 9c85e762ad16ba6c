//! Making commits in the cache: changes on a parent, SSH-signed if asked.

use std::path::Path;

use git2::{FileMode, Oid, Signature, Time};
use ssh_key::{HashAlg, LineEnding, PrivateKey, PublicKey, SshSig};

use super::failure::failed;
use super::remote::{CommitId, Remote};
use crate::error::{Error, Kind, Result};

/// The SSHSIG namespace that git and Flux use.
const NAMESPACE: &str = "git";

/// One change to a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Path from the root of the repository.
    pub path: String,
    /// The new content, none to delete the file.
    pub content: Option<Vec<u8>>,
}

/// Who commits.
#[derive(Debug, Clone)]
pub struct Author {
    /// Name.
    pub name: String,
    /// Mail address.
    pub email: String,
}

/// A key that signs commits.
pub struct SshSigner(PrivateKey);

impl std::fmt::Debug for SshSigner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SshSigner({})", self.0.fingerprint(HashAlg::Sha256))
    }
}

impl SshSigner {
    /// Reads an OpenSSH private key; `password` opens an encrypted one.
    ///
    /// # Errors
    /// `BadCredentials`.
    pub fn read(openssh: &str, password: Option<&str>) -> Result<Self> {
        let bad = |e: ssh_key::Error| Error::new(Kind::BadCredentials, "read the commit key", e.to_string());
        let key = PrivateKey::from_openssh(openssh).map_err(bad)?;
        match password {
            Some(password) if key.is_encrypted() => Ok(Self(key.decrypt(password).map_err(bad)?)),
            None if key.is_encrypted() => Err(Error::new(
                Kind::BadCredentials,
                "read the commit key",
                "it is encrypted, and no password is given",
            )),
            _ => Ok(Self(key)),
        }
    }

    fn sign(&self, bytes: &[u8]) -> Result<String> {
        let signed = self.0.sign(NAMESPACE, HashAlg::Sha512, bytes).and_then(|s| s.to_pem(LineEnding::LF));
        signed.map_err(|e| Error::new(Kind::BadCredentials, "sign a commit", e.to_string()))
    }
}

impl Remote {
    /// Makes a commit in the cache; nothing leaves the machine before [`Remote::push`].
    ///
    /// `unix` is the time of the commit (seconds since 1970, UTC).
    ///
    /// # Errors
    /// `GitRefused`, `BadCredentials` when signing fails.
    pub fn commit(
        &self,
        parent: Option<CommitId>,
        changes: &[Change],
        message: &str,
        author: &Author,
        unix: i64,
        signer: Option<&SshSigner>,
    ) -> Result<CommitId> {
        let refused = |e: git2::Error| failed(Kind::GitRefused, "make a commit", &e);
        let parent = parent.map(|id| self.cache.repository.find_commit(id.0)).transpose().map_err(refused)?;
        let base = parent.as_ref().map(git2::Commit::tree).transpose().map_err(refused)?;
        let tree = self.changed(base, changes).map_err(refused)?;
        let tree = self.cache.repository.find_tree(tree).map_err(refused)?;
        let who = Signature::new(&author.name, &author.email, &Time::new(unix, 0)).map_err(refused)?;
        let parents: Vec<_> = parent.iter().collect();
        let buffer = self
            .cache
            .repository
            .commit_create_buffer(&who, &who, message, &tree, &parents)
            .map_err(refused)?;
        let oid = match signer {
            Some(signer) => {
                let text = std::str::from_utf8(&buffer)
                    .map_err(|e| refused(git2::Error::from_str(&e.to_string())))?;
                self.cache
                    .repository
                    .commit_signed(text, &signer.sign(&buffer)?, Some("gpgsig"))
                    .map_err(refused)?
            }
            None => {
                let odb = self.cache.repository.odb().map_err(refused)?;
                odb.write(git2::ObjectType::Commit, &buffer).map_err(refused)?
            }
        };
        Ok(CommitId(oid))
    }

    fn changed(
        &self,
        base: Option<git2::Tree<'_>>,
        changes: &[Change],
    ) -> std::result::Result<Oid, git2::Error> {
        let base = match base {
            Some(tree) => tree,
            None => self.cache.repository.find_tree(self.cache.repository.treebuilder(None)?.write()?)?,
        };
        let mut update = git2::build::TreeUpdateBuilder::new();
        for change in changes {
            match &change.content {
                Some(content) => {
                    let blob = self.cache.repository.blob(content)?;
                    update.upsert(&*change.path, blob, FileMode::Blob);
                }
                None if base.get_path(Path::new(&change.path)).is_ok() => {
                    update.remove(&*change.path);
                }
                None => {}
            }
        }
        update.create_updated(&self.cache.repository, &base)
    }
}

/// Which of the allowed keys signed a commit, none if none of them did.
///
/// # Errors
/// `GitRefused` when the commit isn't in the cache, `BadCredentials` for an unreadable key.
pub fn signer_of(remote: &Remote, commit: CommitId, allowed: &[String]) -> Result<Option<String>> {
    let keys: std::result::Result<Vec<_>, _> =
        allowed.iter().map(|key| PublicKey::from_openssh(key)).collect();
    let keys = keys.map_err(|e| Error::new(Kind::BadCredentials, "read an allowed key", e.to_string()))?;
    let Ok((signature, signed)) = remote.cache.repository.extract_signature(&commit.0, None) else {
        return Ok(None);
    };
    let Ok(signature) = SshSig::from_pem(&*signature) else { return Ok(None) };
    let signer = keys.iter().find(|key| key.verify(NAMESPACE, &signed, &signature).is_ok());
    Ok(signer.map(|key| key.fingerprint(HashAlg::Sha256).to_string()))
}
