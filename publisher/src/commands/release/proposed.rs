//! A level that isn't published yet, as open proposals of `releases` list it.

use pdp_policies::trust::Role;
use pdp_policies::{CatalogTree, Level, Line, Release};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};

use crate::catalog::role::RoleFile;

/// What one proposal lists.
pub(super) struct Listed<'a> {
    pub(super) branch: &'a str,
    pub(super) bytes: &'a [u8],
    /// Somebody who holds `releases` has signed that.
    pub(super) signed: bool,
}

/// A level's descriptor in a tree. Files beside the signed roles are anybody's: only what the role lists counts.
pub(super) fn listed<'a>(tree: &'a CatalogTree, line: &Line, level: Level) -> Option<&'a [u8]> {
    let name = Release::target_name(line, level);
    let bytes = tree.get(&format!("targets/{name}"))?;
    RoleFile::read(tree, Role::Releases).ok()?.lists(&name, bytes).then_some(bytes)
}

/// The one descriptor that signed proposals list: whoever may push a branch can list another one without a signature.
///
/// # Errors
/// `NotFound`, `ReleaseUnsigned`, `Ambiguous`.
pub(super) fn signed<'a>(listed: &[Listed<'a>], line: &Line, level: Level) -> Result<&'a [u8]> {
    let mut signed: Vec<_> = listed.iter().filter(|it| it.signed).collect();
    signed.dedup_by_key(|it| it.bytes);
    match (signed.as_slice(), listed) {
        ([one], _) => Ok(one.bytes),
        ([one, other, ..], _) => {
            let what = format!(
                "level {level} of `{line}` isn't the same on `{}` and `{}`",
                one.branch, other.branch
            );
            Err(Failure::new("Ambiguous", what)
                .cause("both are signed by somebody who holds `releases`")
                .hint("publish the one that is meant, or drop the other one (`publisher catalog proposals show`)"))
        }
        ([], [unsigned, ..]) => {
            let what = format!("level {level} of `{line}` is only on `{}`", unsigned.branch);
            Err(Failure::new("ReleaseUnsigned", what)
                .cause("nobody who holds `releases` has signed that proposal: anybody who may push can lay one there")
                .hint("have it signed (`publisher catalog sign`), or drop it and run `publisher release publish`"))
        }
        ([], []) => Err(Failure::new(
            "NotFound",
            format!("level {level} of `{line}` is neither published nor proposed"),
        )
        .hint("run `publisher release publish` first")
        .exit(exit::NOT_FOUND)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn found(listed: &[(&'static [u8], bool)]) -> std::result::Result<&'static [u8], String> {
        let of = |(bytes, signed): &(&'static [u8], bool)| Listed {
            branch: "proposals/releases-7",
            bytes,
            signed: *signed,
        };
        let listed: Vec<_> = listed.iter().map(of).collect();
        signed(&listed, &"pdp-2026".parse().unwrap(), "41".parse().unwrap()).map_err(|failure| failure.code)
    }

    #[test]
    fn a_level_is_taken_from_a_signed_proposal_alone_and_only_if_all_of_them_agree() {
        let (own, evil) = (b"own".as_slice(), b"evil".as_slice());
        for (listed, expected) in [
            (&[][..], Err("NotFound")),
            (&[(evil, false)], Err("ReleaseUnsigned")),
            (&[(evil, false), (own, true)], Ok(own)),
            (&[(own, true), (evil, false)], Ok(own)),
            (&[(own, true), (own, true)], Ok(own)),
            (&[(own, true), (evil, false), (own, true)], Ok(own)),
            (&[(own, true), (evil, true)], Err("Ambiguous")),
            (&[(own, true), (evil, true), (own, true)], Err("Ambiguous")),
        ] {
            assert_eq!(found(listed), expected.map_err(str::to_owned), "{listed:?}");
        }
    }
}
