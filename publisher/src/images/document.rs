//! Images as the publisher reads them: what isn't one is a `BadImage`.

use pdp_transport::cli::failure::{Failure, Result};
pub(crate) use pdp_transport::oci::{Blob, Document};

/// # Errors
/// `BadImage`.
pub(crate) fn read(what: &str, bytes: &[u8]) -> Result<Document> {
    Document::read(bytes).map_err(|cause| {
        Failure::new("BadImage", format!("{what} isn't an image"))
            .cause(cause)
            .hint("copy it again from where it comes from")
    })
}
