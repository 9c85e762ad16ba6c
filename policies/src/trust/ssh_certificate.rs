//! SSH certificates: keys that a certificate authority vouches for, under a person's name and for a time.
//!
//! The library reads a signature's key as a plain one. Where it is a certificate, it is taken out here, and the plain key put in
//! its place: the signature covers the document and its namespace, not the key that stands beside it.

use base64::{Engine, engine::general_purpose::STANDARD};
use ssh_key::certificate::CertType;
use ssh_key::public::KeyData;
use ssh_key::{Certificate, Fingerprint, HashAlg, PublicKey, SshSig};

use crate::approval_rule::countable;
use crate::time::At;

const BEGIN: &str = "-----BEGIN SSH SIGNATURE-----";
const END: &str = "-----END SSH SIGNATURE-----";
/// What a signature begins with, and its version (OpenSSH, PROTOCOL.sshsig).
const MAGIC: &[u8] = b"SSHSIG\x00\x00\x00\x01";
/// How the names of certificates end (OpenSSH, PROTOCOL.certkeys).
const CERTIFIED: &[u8] = b"-cert-v01@openssh.com";

/// A signature, and the certificate of its key if it has one.
pub(super) fn read(signature: &[u8]) -> Option<(SshSig, Option<Certificate>)> {
    if let Some((certificate, plain)) = taken_out(signature) {
        return Some((SshSig::from_pem(plain).ok()?, Some(certificate)));
    }
    Some((SshSig::from_pem(signature).ok()?, None))
}

/// The certificate, and the signature with its plain key (PEM). None if the key is a plain one.
fn taken_out(signature: &[u8]) -> Option<(Certificate, String)> {
    let text = std::str::from_utf8(signature).ok()?;
    let body = text.trim().strip_prefix(BEGIN)?.strip_suffix(END)?;
    let body: String = body.split_ascii_whitespace().collect();
    let blob = STANDARD.decode(body).ok()?;
    let (key, rest) = string(blob.strip_prefix(MAGIC)?)?;
    string(key).filter(|(name, _)| name.ends_with(CERTIFIED))?;
    let certificate = Certificate::from_bytes(key).ok()?;
    let plain = PublicKey::from(certificate.public_key().clone()).to_bytes().ok()?;
    let length = u32::try_from(plain.len()).ok()?.to_be_bytes();
    let blob = [MAGIC, &length, &plain, rest].concat();
    Some((certificate, format!("{BEGIN}\n{}\n{END}\n", lines(&STANDARD.encode(blob)))))
}

/// The first string, and what comes after it.
fn string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_at_checked(4)?;
    let length = u32::from_be_bytes(length.try_into().ok()?);
    rest.split_at_checked(usize::try_from(length).ok()?)
}

/// So many characters a line, as PEM readers want them.
fn lines(text: &str) -> String {
    let lines: Vec<_> = text.as_bytes().chunks(70).map(String::from_utf8_lossy).collect();
    lines.join("\n")
}

/// The names that a certificate vouches for at a time; else why it doesn't count.
pub(super) fn principals(
    certificate: &Certificate,
    authorities: &[KeyData],
    at: At,
) -> Result<Vec<String>, String> {
    let refuse = |why: &str| Err(format!("signed with a certificate {why}"));
    let authority = certificate.signature_key();
    let shown = authority.fingerprint(HashAlg::Sha256);
    if !authorities.contains(authority) {
        return refuse(&format!("of the authority {shown}, which the policy doesn't name"));
    }
    countable(authority).map_err(|what| format!("signed with a certificate of {what}"))?;
    if certificate.cert_type() != CertType::User {
        return refuse("of a host, not of a person");
    }
    if let Some((option, _)) = certificate.critical_options().iter().next() {
        return refuse(&format!("that is bound by the option `{}`", crate::printable(option)));
    }
    let unix = u64::try_from(at.unix()).unwrap_or_default();
    if !(certificate.valid_after()..certificate.valid_before()).contains(&unix) {
        return refuse(&format!("that isn't valid at {at}"));
    }
    let known: Vec<Fingerprint> = vec![shown];
    match certificate.validate_at(unix, &known) {
        Ok(()) => Ok(certificate.valid_principals().to_vec()),
        Err(_) => refuse(&format!("that the authority {shown} didn't sign")),
    }
}
