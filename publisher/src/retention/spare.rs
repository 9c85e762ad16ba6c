//! Which tags of a repository nobody needs. Pure.

use std::collections::{BTreeMap, BTreeSet};

use pdp_policies::{Digest, Level};
use serde::Serialize;

/// A tag, what it names, and every document of that.
#[derive(Debug, Clone)]
pub(crate) struct Tagged {
    pub(crate) name: String,
    pub(crate) digest: Digest,
    pub(crate) documents: BTreeSet<Digest>,
}

/// What the catalog doesn't need.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Spare {
    pub(crate) tags: BTreeMap<String, Digest>,
    /// What they name, with all parts, as far as nothing that stays has them too.
    pub(crate) manifests: BTreeSet<Digest>,
}

/// Everything but what is needed, what lists signatures of that, and levels above `newest`: they are being published.
pub(crate) fn spare(tagged: Vec<Tagged>, needed: &BTreeSet<Digest>, newest: Option<Level>) -> Spare {
    let mut kept = needed.clone();
    let (stay, rest): (Vec<_>, Vec<_>) =
        tagged.into_iter().partition(|tag| needed.contains(&tag.digest) || is_newer(&tag.name, newest));
    kept.extend(stay.into_iter().flat_map(|tag| tag.documents));
    let (lists, gone): (Vec<_>, Vec<_>) =
        rest.into_iter().partition(|tag| subject(&tag.name).is_some_and(|subject| kept.contains(&subject)));
    kept.extend(lists.into_iter().flat_map(|tag| tag.documents));
    let manifests = gone.iter().flat_map(|tag| &tag.documents).filter(|it| !kept.contains(it)).copied();
    Spare {
        manifests: manifests.collect(),
        tags: gone.iter().map(|it| (it.name.clone(), it.digest)).collect(),
    }
}

/// A tag of a level, or of a component of it, that the catalog doesn't know yet.
fn is_newer(tag: &str, newest: Option<Level>) -> bool {
    let level = tag.split('-').next().unwrap_or_default().parse::<Level>().ok();
    level.zip(newest).is_some_and(|(level, newest)| level > newest)
}

/// What `sha256-<hex>` lists the referrers of; older tools add an ending (`.sig`).
fn subject(tag: &str) -> Option<Digest> {
    let hex = tag.strip_prefix("sha256-")?.split('.').next()?;
    format!("sha256:{hex}").parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn digest(name: &str) -> Digest {
        Digest::of(name.as_bytes())
    }

    fn tag(name: &str, names: &str, parts: &[&str]) -> Tagged {
        let documents = parts.iter().chain([&names]).map(|name| digest(name)).collect();
        Tagged { name: name.to_owned(), digest: digest(names), documents }
    }

    #[test]
    fn what_is_needed_or_newer_stays_with_its_parts_and_its_signatures() {
        let needed = BTreeSet::from([digest("40"), digest("shared")]);
        let newest = Some("41".parse().unwrap());
        let fallback = |name: &str, ending: &str| format!("sha256-{}{ending}", digest(name).hex());
        let tagged = vec![
            tag("40", "40", &["shared"]),
            tag("latest", "40", &["shared"]),
            tag(&fallback("40", ""), "list", &["signature"]),
            tag(&fallback("40", ".sig"), "old signature", &[]),
            tag("42", "42", &["new"]),
            tag("42-cilium", "new", &[]),
            tag(&fallback("42", ""), "list of 42", &[]),
            tag("12", "12", &["shared", "new", "signature", "old"]),
            tag("12-cilium", "old", &[]),
            tag(&fallback("12", ""), "list of 12", &["signature of 12"]),
            tag("sha256-short", "short", &[]),
        ];
        let found = spare(tagged, &needed, newest);
        let gone = ["12", "12-cilium", &fallback("12", ""), "sha256-short"];
        assert_eq!(found.tags.keys().map(String::as_str).collect::<BTreeSet<_>>(), gone.into());
        let manifests = ["12", "old", "list of 12", "signature of 12", "short"];
        assert_eq!(found.manifests, manifests.into_iter().map(digest).collect());
    }

    #[test]
    fn where_no_levels_lie_a_number_is_a_tag_like_others() {
        let found = spare(vec![tag("42", "image", &[])], &BTreeSet::new(), None);
        assert_eq!(found.tags.len(), 1);
    }
}
