//! A descriptor tells nothing that is under embargo, whatever its versions, names and values are.

use pdp_policies::disclosure::Disclosed;
use pdp_transport::cli::failure::{Failure, Result};

use crate::advisories::secret_in;

/// # Errors
/// `EmbargoTold`.
pub(super) fn keeps(stated: &[Disclosed], descriptor: &[u8]) -> Result<()> {
    match secret_in(stated, descriptor) {
        None => Ok(()),
        Some(secret) => Err(Failure::new("EmbargoTold", format!("the descriptor would say `{secret}`"))
            .cause("it is under embargo, and stands in a version, a name or a value of release.yaml")
            .hint("take it out there: everybody can read a descriptor")),
    }
}
