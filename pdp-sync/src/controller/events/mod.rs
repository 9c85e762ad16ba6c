//! What people and their alerts are told: once when it happens, never every pass.
//!
//! `news` decides (pure), `kubernetes` writes Events beside the subscription, `notification` tells Flux's
//! notification-controller.

pub(crate) mod kubernetes;
pub(crate) mod news;
pub(crate) mod notification;

use pdp_policies::{ComponentName, Digest, Level};

/// How bad something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Severity {
    /// It went as it should.
    Info,
    /// Somebody should look.
    Error,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct News {
    /// A word that alerts can filter by.
    pub(crate) reason: String,
    /// How bad it is.
    pub(crate) severity: Severity,
    /// For people.
    pub(crate) message: String,
    /// `<level>@sha256:...` of the level that it is about.
    pub(crate) revision: Option<String>,
    /// The component that it is about.
    pub(crate) component: Option<ComponentName>,
}

impl News {
    fn new(reason: &str, severity: Severity, message: impl Into<String>) -> Self {
        Self { reason: reason.to_owned(), severity, message: message.into(), revision: None, component: None }
    }

    fn info(reason: &str, message: impl Into<String>) -> Self {
        Self::new(reason, Severity::Info, message)
    }

    fn error(reason: &str, message: impl Into<String>) -> Self {
        Self::new(reason, Severity::Error, message)
    }

    fn about(mut self, level: Level, digest: Digest) -> Self {
        self.revision = Some(format!("{level}@{digest}"));
        self
    }

    fn of(mut self, component: Option<&ComponentName>) -> Self {
        self.component = component.cloned();
        self
    }

    /// The floors were lost and made anew from the decision record and the catalog.
    pub(crate) fn floors_rebuilt() -> Self {
        let message = "the floors were gone and were rebuilt from the decision record and the catalog; \
                       who deleted the Secret?";
        Self::error("FloorsRebuilt", message)
    }

    /// The ConfigMap with the root isn't what was pinned.
    pub(crate) fn root_changed() -> Self {
        let message = "the ConfigMap holds another root than the one that was pinned; the pinned one is used: \
                       `kubectl pdp trust show`";
        Self::error("RootChanged", message)
    }

    /// Fields of so many Flux objects were put back.
    pub(crate) fn drift_repaired(objects: &[String]) -> Self {
        Self::info("DriftRepaired", format!("put back what somebody else changed: {}", objects.join(", ")))
    }

    /// The subscription was deleted; what it installed stays.
    pub(crate) fn orphaned() -> Self {
        Self::info("Orphaned", "the subscription is deleted; everything that it installed stays as it is")
    }
}

/// The first `max` bytes at most, cut between characters.
fn cut(text: &str, max: usize) -> &str {
    let fits = |end: &usize| *end <= max;
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8());
    &text[..ends.take_while(fits).last().unwrap_or_default()]
}
