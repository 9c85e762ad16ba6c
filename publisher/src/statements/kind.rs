//! What a statement is, by its content: names of files say nothing.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The kinds that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// CycloneDX 1.4 to 1.6.
    CycloneDx,
    /// SPDX 2.3.
    Spdx,
    /// OpenVEX 0.2.0.
    OpenVex,
}

/// OpenVEX 0.2.0, by its `@context`.
pub(super) const OPENVEX_CONTEXT: &str = "https://openvex.dev/ns/v0.2.0";

impl Kind {
    /// # Errors
    /// Why it is none of them.
    pub(crate) fn of(document: &Value) -> Result<Self, String> {
        let text = |key: &str| document.get(key).and_then(Value::as_str);
        let version = |is: bool, kind: Self, what: &str, taken: &str| match is {
            true => Ok(kind),
            false => Err(format!("{what} of a version that isn't taken: {taken}")),
        };
        match (text("bomFormat"), text("spdxVersion"), text("@context")) {
            (Some("CycloneDX"), None, None) => {
                let taken = matches!(text("specVersion"), Some("1.4" | "1.5" | "1.6"));
                version(taken, Self::CycloneDx, "CycloneDX", "1.4, 1.5 and 1.6 are")
            }
            (None, Some(spdx), None) => version(spdx == "SPDX-2.3", Self::Spdx, "SPDX", "2.3 is"),
            (None, None, Some(context)) if context.starts_with("https://openvex.dev/ns") => {
                version(context == OPENVEX_CONTEXT, Self::OpenVex, "OpenVEX", "0.2.0 is")
            }
            _ => Err("it is neither CycloneDX nor SPDX nor OpenVEX in JSON".to_owned()),
        }
    }

    /// As `cosign verify-attestation --type` has it.
    pub(crate) fn predicate_type(self) -> &'static str {
        match self {
            Self::CycloneDx => "https://cyclonedx.org/bom",
            Self::Spdx => "https://spdx.dev/Document",
            Self::OpenVex => "https://openvex.dev/ns",
        }
    }

    /// The word for one with this predicate; none for what isn't made here.
    pub(crate) fn named(predicate_type: &str) -> Option<Self> {
        let all = [Self::CycloneDx, Self::Spdx, Self::OpenVex];
        all.into_iter().find(|kind| kind.predicate_type() == predicate_type)
    }

    /// The word for it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::CycloneDx => "CycloneDX",
            Self::Spdx => "SPDX",
            Self::OpenVex => "OpenVEX",
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn the_content_says_what_it_is() {
        for (document, wanted) in [
            (json!({ "bomFormat": "CycloneDX", "specVersion": "1.4" }), Ok(Kind::CycloneDx)),
            (json!({ "bomFormat": "CycloneDX", "specVersion": "1.6" }), Ok(Kind::CycloneDx)),
            (json!({ "bomFormat": "CycloneDX", "specVersion": "1.3" }), Err("CycloneDX of a version")),
            (json!({ "bomFormat": "CycloneDX" }), Err("CycloneDX of a version")),
            (json!({ "spdxVersion": "SPDX-2.3" }), Ok(Kind::Spdx)),
            (json!({ "spdxVersion": "SPDX-2.2" }), Err("SPDX of a version")),
            (json!({ "@context": OPENVEX_CONTEXT }), Ok(Kind::OpenVex)),
            (json!({ "@context": "https://openvex.dev/ns" }), Err("OpenVEX of a version")),
            (json!({ "@context": "https://openvex.example" }), Err("it is neither")),
            // Two at once: readers would see different things.
            (
                json!({ "bomFormat": "CycloneDX", "specVersion": "1.4", "spdxVersion": "SPDX-2.3" }),
                Err("it is neither"),
            ),
            (json!([]), Err("it is neither")),
        ] {
            match (Kind::of(&document), wanted) {
                (found, Ok(kind)) => assert_eq!(found, Ok(kind), "{document}"),
                (found, Err(cause)) => assert!(found.unwrap_err().starts_with(cause), "{document}"),
            }
        }
    }
}
