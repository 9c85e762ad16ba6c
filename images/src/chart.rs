//! A chart as it is released: with the digest of its image.

use std::path::Path;

use anyhow::{Context, Result, ensure};

/// The line of `values.yaml` that a release fills in.
const EMPTY: &str = "\n  digest: \"\"\n";

/// Copies the chart in `from` to `to`, in place of what is there, with the image's digest in its values.
///
/// # Errors
/// When the values don't have exactly one place for it, or a file can't be read or written.
pub fn with_digest(from: &Path, to: &Path, digest: &str) -> Result<()> {
    if to.exists() {
        std::fs::remove_dir_all(to).with_context(|| format!("empty {}", to.display()))?;
    }
    copy(from, to)?;
    let path = to.join("values.yaml");
    let values = std::fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    ensure!(values.matches(EMPTY).count() == 1, "{} must hold `digest: \"\"` exactly once", path.display());
    let values = values.replace(EMPTY, &format!("\n  digest: {digest}\n"));
    std::fs::write(&path, values).with_context(|| format!("write {}", path.display()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to).with_context(|| format!("make {}", to.display()))?;
    for entry in std::fs::read_dir(from).with_context(|| format!("read {}", from.display()))? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy(&from, &to)?;
        } else {
            std::fs::copy(&from, &to).with_context(|| format!("copy {}", from.display()))?;
        }
    }
    Ok(())
}
