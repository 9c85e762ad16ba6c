//! What a namespace trusts, whatever its subscription is called: one namespace is one data plane.
//!
//! It stands in a Secret beside the subscription's own, so that whoever may delete a subscription and make another one
//! can't begin anew with a root of theirs.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::Secret;
use pdp_transport::cli::failure::{Failure, Result};

use crate::crd::TRUST_SECRET;

const ROOT: &str = "root.json";
const HOLDER: &str = "subscription";

/// Content of the Secret `pdp-trust`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pin {
    /// The root, whole.
    pub(crate) root: Vec<u8>,
    /// The subscription whose state has the floors.
    pub(crate) holder: String,
}

impl Pin {
    /// Reads the Secret.
    ///
    /// # Errors
    /// `Unreadable` when a key is missing: without it nobody knows whom to believe.
    pub(crate) fn of(secret: &Secret) -> Result<Self> {
        let key = |name: &str| secret.data.as_ref()?.get(name).map(|bytes| bytes.0.clone());
        let holder = key(HOLDER).and_then(|bytes| String::from_utf8(bytes).ok());
        let (Some(root), Some(holder)) = (key(ROOT), holder) else {
            return Err(Failure::new("Unreadable", format!("Secret {TRUST_SECRET}"))
                .cause(format!("it needs the keys {ROOT} and {HOLDER}"))
                .hint("`kubectl pdp trust reset` starts again from a root file"));
        };
        Ok(Self { root, holder })
    }

    /// Content of the Secret.
    pub(crate) fn data(&self) -> BTreeMap<String, ByteString> {
        BTreeMap::from([
            (ROOT.to_owned(), ByteString(self.root.clone())),
            (HOLDER.to_owned(), ByteString(self.holder.clone().into_bytes())),
        ])
    }
}

/// What one subscription's state says of trust.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Trust {
    /// `floors.json`, none before the first catalog.
    pub(crate) floors: Option<Vec<u8>>,
    /// `root.json`, only after a person's reset.
    pub(crate) root: Option<Vec<u8>>,
}

impl Trust {
    pub(crate) fn is_nothing(&self) -> bool {
        self.floors.is_none() && self.root.is_none()
    }

    /// What a subscription of another name goes on with. Floors name their root themselves; without them there is the
    /// root of the last reset, or the pinned one.
    pub(crate) fn inherited(self, pin: &Pin) -> Self {
        if self.floors.is_some() {
            return self;
        }
        Self { floors: None, root: Some(self.root.unwrap_or_else(|| pin.root.clone())) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn pin() -> Pin {
        Pin { root: b"pinned".to_vec(), holder: "pdp".to_owned() }
    }

    #[test]
    fn what_is_written_is_read_and_a_part_of_it_is_nothing() {
        let secret = Secret { data: Some(pin().data()), ..Secret::default() };
        assert_eq!(Pin::of(&secret).unwrap(), pin());
        for key in [ROOT, HOLDER] {
            let mut part = secret.clone();
            part.data.as_mut().unwrap().remove(key);
            assert_eq!(Pin::of(&part).unwrap_err().code, "Unreadable");
        }
    }

    #[test]
    fn floors_go_before_a_reset_and_a_reset_before_the_pin() {
        let some = |text: &str| Some(text.as_bytes().to_vec());
        for (theirs, expected) in [
            (Trust { floors: some("f"), root: some("r") }, Trust { floors: some("f"), root: some("r") }),
            (Trust { floors: some("f"), root: None }, Trust { floors: some("f"), root: None }),
            (Trust { floors: None, root: some("r") }, Trust { floors: None, root: some("r") }),
            (Trust::default(), Trust { floors: None, root: some("pinned") }),
        ] {
            assert_eq!(theirs.inherited(&pin()), expected);
        }
    }
}
