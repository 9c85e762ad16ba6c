//! A private CA, and certificates for servers on loopback.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// A CA that nobody knows.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: PathBuf,
    folder: PathBuf,
}

/// The files of one server's certificate.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate, PEM.
    pub certificate: PathBuf,
    /// Its private key, PKCS#8 PEM.
    pub key: PathBuf,
}

impl Authority {
    /// Makes one; its files lie in `folder`.
    ///
    /// # Errors
    /// When a file can't be written.
    pub fn new(folder: &Path) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "a private CA");
        let key = KeyPair::generate()?;
        let file = folder.join("ca.pem");
        std::fs::write(&file, params.self_signed(&key)?.pem()).context("write the CA")?;
        Ok(Self { issuer: Issuer::new(params, key), file, folder: folder.to_owned() })
    }

    /// The CA's certificate, PEM.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// A certificate for this machine.
    ///
    /// # Errors
    /// When a file can't be written.
    pub fn certificate(&self, name: &str) -> Result<Certificate> {
        self.certificate_for(name, &["127.0.0.1", "::1", "localhost"])
    }

    /// A certificate for these names; `name` is its files'.
    ///
    /// # Errors
    /// When a file can't be written.
    pub fn certificate_for(&self, name: &str, names: &[&str]) -> Result<Certificate> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate()?;
        let made = params.signed_by(&key, &self.issuer)?;
        let [certificate, file] = ["crt", "key"].map(|end| self.folder.join(format!("{name}.{end}")));
        std::fs::write(&certificate, made.pem())?;
        std::fs::write(&file, key.serialize_pem())?;
        Ok(Certificate { certificate, key: file })
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Authority({})", self.file.display())
    }
}
