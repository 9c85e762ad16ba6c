//! What readers of before made of a range: Rust's requirements (`semver::VersionReq`). They are read nowhere else.

use semver::VersionReq;

/// True if a reader of before takes the text, and for the same releases: `1.30` was `^1.30` to it, `||` was nothing.
pub(super) fn is_as_before(text: &str) -> bool {
    let packed = |text: &str| text.replace(' ', "");
    VersionReq::parse(text).is_ok_and(|before| packed(&before.to_string()) == packed(text))
}
