//! The root that a catalog must come from, as a file that an operator names.

use std::path::Path;

use super::failure::{Failure, Result};
use crate::files;

/// Its bytes.
///
/// # Errors
/// `NotFound`, `TooLarge`, `Io`.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let bytes = files::read_capped(path, pdp_policies::MAX_FILE_BYTES)?;
    bytes.ok_or_else(|| {
        Failure::new("NotFound", format!("root {}", path.display()))
            .hint("it is `metadata/1.root.json` of the ceremony")
    })
}
