//! The public CAs as a PEM bundle. They come with `Cargo.lock`, not from the machine that builds.

use pem::{EncodeConfig, LineEnding, Pem};

pub(crate) fn bundle() -> Vec<u8> {
    let mut all: Vec<_> = webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .map(|der| Pem::new("CERTIFICATE", der.to_vec()))
        .collect();
    all.sort_by(|a, b| a.contents().cmp(b.contents()));
    pem::encode_many_config(&all, EncodeConfig::new().set_line_ending(LineEnding::LF)).into_bytes()
}
