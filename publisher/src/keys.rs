//! Keys of people and machines: cosign's encrypted key files, one password for all of one call.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pdp_policies::KeyList;
use pdp_policies::trust::{Vouchers, metadata};
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::files;
use serde_json::Value;
use sigstore::crypto::SigningScheme;
use sigstore::crypto::signing_key::{SigStoreKeyPair, SigStoreSigner};

use crate::several::on_all_cores;

/// A key file is small.
const MAX_KEY_BYTES: u64 = 64 * 1024;

/// Which keys sign.
#[derive(Debug, clap::Args)]
pub(crate) struct KeyArgs {
    /// A private key file; give it several times to sign with several keys.
    #[arg(long = "key", value_name = "FILE", required = true)]
    keys: Vec<PathBuf>,
    #[command(flatten)]
    password: PasswordArgs,
}

/// The password of the key files: never a flag's value, so that it doesn't show in process lists.
#[derive(Debug, clap::Args)]
pub(crate) struct PasswordArgs {
    /// A file with the password (default: the environment variable PUBLISHER_PASSWORD).
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl PasswordArgs {
    pub(crate) fn read(&self) -> Result<String> {
        let Some(path) = &self.password_file else {
            return std::env::var("PUBLISHER_PASSWORD").map_err(|_| {
                Failure::new("PasswordMissing", "the key files need a password")
                    .hint("set PUBLISHER_PASSWORD, or use --password-file")
            });
        };
        let bytes = files::read_capped(path, MAX_KEY_BYTES)?;
        let bytes =
            bytes.ok_or_else(|| Failure::new("NotFound", format!("password file {}", path.display())))?;
        Ok(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned())
    }
}

impl KeyArgs {
    pub(crate) fn unlock(&self) -> Result<Vec<SigningKey>> {
        unlock(&self.keys, &self.password)
    }

    /// Further keys of the same call; they have the same password.
    pub(crate) fn unlock_others(&self, keys: &[PathBuf]) -> Result<Vec<SigningKey>> {
        if keys.is_empty() { Ok(Vec::new()) } else { unlock(keys, &self.password) }
    }
}

/// As [`KeyArgs`] for a command that only shows what it would propose with `--show`.
#[derive(Debug, clap::Args)]
pub(crate) struct AskedKeyArgs {
    /// A private key file; give it several times to sign with several keys.
    #[arg(long = "key", value_name = "FILE", required_unless_present = "show")]
    keys: Vec<PathBuf>,
    #[command(flatten)]
    password: PasswordArgs,
}

impl AskedKeyArgs {
    pub(crate) fn unlock(&self) -> Result<Vec<SigningKey>> {
        unlock(&self.keys, &self.password)
    }
}

fn unlock(keys: &[PathBuf], password: &PasswordArgs) -> Result<Vec<SigningKey>> {
    let password = password.read()?;
    // Opening one takes a tenth of a second of processor time, on purpose: a password is worth more then.
    on_all_cores(keys, |path| SigningKey::read(path, &password))
}

/// A key that can sign now.
#[derive(Clone)]
pub(crate) struct SigningKey {
    /// Its TUF id.
    pub(crate) id: String,
    /// The public half, SPKI PEM.
    pub(crate) public_pem: String,
    /// The public half, bare.
    pub(crate) material: Vec<u8>,
    /// Where it came from, for messages.
    pub(crate) file: PathBuf,
    pair: Arc<SigStoreKeyPair>,
    signer: Arc<SigStoreSigner>,
}

impl SigningKey {
    /// Makes a new ECDSA P-256 key.
    pub(crate) fn generate(file: PathBuf) -> Result<Self> {
        Self::generate_as(file, &SigningScheme::ECDSA_P256_SHA256_ASN1)
    }

    /// Makes a new Ed25519 key, for directors and PDPs.
    pub(crate) fn generate_ed25519(file: PathBuf) -> Result<Self> {
        Self::generate_as(file, &SigningScheme::ED25519)
    }

    fn generate_as(file: PathBuf, scheme: &SigningScheme) -> Result<Self> {
        let pair = scheme.create_signer().and_then(|s| s.to_sigstore_keypair()).map_err(internal)?;
        Self::of(file, pair)
    }

    /// Reads and unlocks a key file.
    pub(crate) fn read(path: &Path, password: &str) -> Result<Self> {
        let bad = |cause: String| {
            Failure::new("BadCredentials", format!("key file {}", path.display()))
                .cause(cause)
                .hint("is it the right file, and is PUBLISHER_PASSWORD its password?")
                .exit(pdp_transport::cli::exit::LOGIN)
        };
        let bytes = files::read_capped(path, MAX_KEY_BYTES)?;
        let bytes = bytes.ok_or_else(|| bad("there is no such file".into()))?;
        let pair = SigStoreKeyPair::from_encrypted_pem(&bytes, password.as_bytes());
        Self::of(path.to_owned(), pair.map_err(|e| bad(unopened(&bytes, &e.to_string())))?)
    }

    fn of(file: PathBuf, pair: SigStoreKeyPair) -> Result<Self> {
        let public_pem = pair.public_key_to_pem().map_err(internal)?;
        let scheme = match &pair {
            SigStoreKeyPair::ED25519(_) => SigningScheme::ED25519,
            _ => SigningScheme::ECDSA_P256_SHA256_ASN1,
        };
        let signer = pair.to_sigstore_signer(&scheme).map_err(internal)?;
        let (id, listed) = metadata::key(&public_pem).map_err(internal)?;
        let material = metadata::material(&listed).ok_or_else(|| internal("a key that verifies nothing"))?;
        Ok(Self { id, public_pem, material, file, pair: Arc::new(pair), signer: Arc::new(signer) })
    }

    /// Writes the private half, encrypted and for its owner alone, and beside it the public half (`.pub`).
    pub(crate) fn write(&self, password: &str) -> Result<()> {
        use std::os::unix::fs::PermissionsExt;
        let io = |e: std::io::Error| Failure::new("Io", format!("write {}", self.file.display())).cause(e);
        files::write_atomic(&self.file, self.encrypted(password)?.as_bytes())?;
        std::fs::set_permissions(&self.file, std::fs::Permissions::from_mode(0o600)).map_err(io)?;
        Ok(files::write_atomic(&self.file.with_extension("pub"), self.public_pem.as_bytes())?)
    }

    /// What it alone vouches for.
    pub(crate) fn vouchers(&self) -> Vouchers {
        Vouchers::in_use(&KeyList::active([self.public_pem.clone()]))
    }

    /// The private half, encrypted, as a cosign key file.
    pub(crate) fn encrypted(&self, password: &str) -> Result<String> {
        let pem = self.pair.private_key_to_encrypted_pem(password.as_bytes()).map_err(internal)?;
        Ok(pem.to_string())
    }

    /// The private half without a password, PKCS#8 PEM.
    pub(crate) fn plain(&self) -> Result<String> {
        Ok(self.pair.private_key_to_pem().map_err(internal)?.to_string())
    }

    /// Signs bytes; ECDSA over SHA-256 in DER, or Ed25519.
    pub(crate) fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>> {
        self.signer.sign(bytes).map_err(internal)
    }
}

/// The bytes of a key file.
///
/// # Errors
/// `NotFound`, `TooLarge`, `Io`.
pub(crate) fn key_file(path: &Path) -> Result<Vec<u8>> {
    let missing = || Failure::new("NotFound", format!("key file {}", path.display()));
    files::read_capped(path, MAX_KEY_BYTES)?.ok_or_else(missing)
}

/// A public key file as TUF lists it, under its id.
///
/// # Errors
/// `BadCredentials`.
pub(crate) fn public_key(file: &str, bytes: &[u8]) -> Result<(String, Value)> {
    metadata::key(&String::from_utf8_lossy(bytes)).map_err(|cause| {
        Failure::new("BadCredentials", format!("key file {file}"))
            .cause(cause)
            .hint("give the public half, which ends in .pub")
    })
}

/// The signatures of several keys over a TUF payload, by key id.
pub(crate) fn sign_all(signed: &Value, keys: &[&SigningKey]) -> Result<BTreeMap<String, Vec<u8>>> {
    let bytes = metadata::signing_bytes(signed).map_err(internal)?;
    keys.iter().map(|key| Ok((key.id.clone(), key.sign(&bytes)?))).collect()
}

/// Why a key file isn't opened. The library tries one kind of key after the other, and says of a wrong password that none fits.
fn unopened(file: &[u8], said: &str) -> String {
    let text = String::from_utf8_lossy(file);
    let encrypted = ["ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY"].iter();
    match encrypted.into_iter().any(|label| text.contains(label)) {
        true => "the password doesn't open it".to_owned(),
        false => said.to_owned(),
    }
}
