//! Tags in the mirror are the vendor's. One that names something else is somebody's: it is never moved.

use pdp_policies::Digest;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::oci::Registry;

use super::inventory::Tag;
use crate::images::From;

/// The tags that have to be set, in the same order.
///
/// # Errors
/// `TagTaken` with every tag that names something else, and what requests can end with.
pub(crate) async fn untagged(registry: &Registry, tags: impl IntoIterator<Item = &Tag>) -> Result<Vec<Tag>> {
    let (mut unset, mut taken) = (Vec::new(), Vec::new());
    for tag in tags {
        match registry.resolve_tag(&tag.to, &tag.name).await?.map(|(found, _)| found) {
            None => unset.push(tag.clone()),
            Some(found) if found == tag.digest => {}
            Some(found) => taken.push((tag, found)),
        }
    }
    if taken.is_empty() { Ok(unset) } else { Err(refused(&taken)) }
}

fn refused(taken: &[(&Tag, Digest)]) -> Failure {
    let line = |(tag, found): &(&Tag, Digest)| format!("{tag} names {found}, and not {}", tag.digest);
    let lines: Vec<_> = taken.iter().map(line).collect();
    Failure::new("TagTaken", format!("{} tag(s) of the mirror name something else", taken.len()))
        .cause(lines.join("\n"))
        .hint("find out who set them; delete them, or mirror to another prefix: a level has one content for ever")
        .exit(exit::NEGATIVE)
}

/// Sets a tag, unless somebody set it meanwhile.
///
/// # Errors
/// As [`untagged`].
pub(crate) async fn tag(registry: &Registry, tag: &Tag) -> Result<()> {
    if untagged(registry, [tag]).await?.is_empty() {
        return Ok(());
    }
    let bytes = From::Registry(registry, tag.from.clone()).manifest(&tag.digest).await?;
    registry.push_manifest(&tag.to, Some(&tag.name), tag.media_type, &bytes).await?;
    Ok(())
}
