//! The releases that people signed, promoted or not.

use pdp_policies::Release;
use pdp_policies::trust::Role;
use pdp_transport::cli::failure::Result;

use super::changes::listed_file;
use super::current::Current;
use super::role::RoleFile;

/// All of them, as the role lists them.
///
/// # Errors
/// `ProposalNotWhole`, and all of [`Release::read`].
pub(crate) fn published(current: &Current) -> Result<Vec<Release>> {
    let role = RoleFile::read(&current.tree, Role::Releases)?;
    let listed = role.signed["targets"].as_object().into_iter().flatten();
    let read = |(name, listed)| {
        let path = format!("targets/{name}");
        Ok(Release::read(&path, listed_file(&current.tree, &current.tree, &path, listed)?)?)
    };
    listed.map(read).collect()
}
