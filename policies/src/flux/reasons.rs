//! What Flux's reasons for `Ready=False` mean, as data. Read in helm-controller 1.6, kustomize-controller 1.9 and
//! source-controller 1.9; a reason that isn't listed is waited for, so that no release is called bad without proof.

use super::Kind;
use Class::{Failed, FailedIfItLasts as Lasting, Waiting};
use Kind::{HelmRelease as Helm, Kustomization as Kustomize, OciRepository as Oci};

/// What a reason says about the release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Flux can't go on now; it says nothing about the release.
    Waiting,
    /// The release is bad.
    Failed,
    /// Flux tries again by itself, and a restart of the API server looks the same: bad once the component's timeout
    /// has passed.
    FailedIfItLasts,
}

impl Class {
    /// The class in documentation.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Failed => "failed",
            Self::FailedIfItLasts => "failed if it lasts",
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Meaning {
    /// The kind whose `Ready` condition has the reason.
    pub kind: Kind,
    /// The reason.
    pub reason: &'static str,
    /// What it says about the release.
    pub class: Class,
    /// Why, in words.
    pub why: &'static str,
}

const fn row(kind: Kind, reason: &'static str, class: Class, why: &'static str) -> Meaning {
    Meaning { kind, reason, class, why }
}

/// All reasons that are known.
pub const REASONS: &[Meaning] = &[
    row(Helm, "AccessDenied", Waiting, "this Flux may not read the source; its operator must allow it"),
    row(Helm, "ArtifactFailed", Waiting, "the source is missing, or its file can't be fetched or read now"),
    row(Helm, "ChartMutateError", Waiting, "chart version and source revision can't be joined: nothing ran"),
    row(Helm, "ConfigFactoryErr", Waiting, "helm-controller can't reach the cluster for an uninstall"),
    row(Helm, "DependencyNotReady", Waiting, "another HelmRelease isn't ready yet"),
    row(Helm, "FactoryError", Waiting, "helm-controller can't set up Helm's storage now"),
    row(Helm, "FeatureGateDisabled", Waiting, "this Flux was started without a feature that is asked for"),
    row(Helm, "GetLastReleaseFailed", Waiting, "Helm's storage can't be read now"),
    row(Helm, "HealthCheckCanceled", Waiting, "a newer request cut the wait; the workload may be healthy"),
    row(Helm, "InitFailed", Waiting, "helm-controller can't set up Helm now"),
    row(Helm, "InstallFailed", Failed, "Helm's install failed, or its workloads didn't get ready in time"),
    row(Helm, "InvalidCELExpression", Waiting, "an expression in the object is wrong; nothing ran"),
    row(Helm, "PendingRelease", Waiting, "an interrupted release is being unlocked"),
    row(Helm, "Progressing", Waiting, "work is under way"),
    row(Helm, "ProgressingWithRetry", Waiting, "work is tried again"),
    row(Helm, "RESTClientError", Waiting, "helm-controller can't reach the cluster"),
    row(Helm, "ReconcileError", Waiting, "an action ended with an error that isn't the release's own"),
    row(Helm, "ReconciliationFailed", Waiting, "no reason of its own; older Flux"),
    row(Helm, "ResourceManagerError", Waiting, "helm-controller can't watch the cluster now"),
    row(Helm, "RollbackFailed", Failed, "the release failed, and Flux's rollback as well"),
    row(Helm, "RollbackSucceeded", Failed, "the release failed, and Flux rolled it back"),
    row(Helm, "SourceNotReady", Waiting, "the source has no artifact now, as after a restart"),
    row(Helm, "StateError", Waiting, "the release's state can't be read now"),
    row(Helm, "Suspended", Waiting, "a person suspended it"),
    row(Helm, "TestFailed", Failed, "the chart's own tests failed"),
    row(Helm, "UninstallFailed", Failed, "the release failed, and Flux's uninstall as well"),
    row(Helm, "UninstallSucceeded", Failed, "the release failed, and Flux uninstalled it"),
    row(Helm, "UpgradeFailed", Failed, "Helm's upgrade failed, or its workloads didn't get ready in time"),
    row(Helm, "ValuesError", Waiting, "the customer's values can't be read or joined"),
    row(Kustomize, "AccessDenied", Waiting, "this Flux may not read the source; its operator must allow it"),
    row(Kustomize, "ArtifactFailed", Waiting, "the source has no artifact now, or it can't be fetched"),
    row(Kustomize, "BuildFailed", Lasting, "the manifests can't be built; so too without disk space"),
    row(Kustomize, "DependencyNotReady", Waiting, "another Kustomization isn't ready yet"),
    row(Kustomize, "DirectoryCreationFailed", Waiting, "kustomize-controller has no disk space"),
    row(
        Kustomize,
        "FeatureGateDisabled",
        Waiting,
        "this Flux was started without a feature that is asked for",
    ),
    row(
        Kustomize,
        "HealthCheckCanceled",
        Waiting,
        "a newer request cut the wait; the workload may be healthy",
    ),
    row(Kustomize, "HealthCheckFailed", Failed, "what was applied didn't get ready in time"),
    row(Kustomize, "InvalidCELExpression", Waiting, "an expression in the object is wrong; nothing ran"),
    row(Kustomize, "Progressing", Waiting, "work is under way"),
    row(Kustomize, "ProgressingWithRetry", Waiting, "work is tried again"),
    row(Kustomize, "PruneFailed", Lasting, "objects that went away can't be deleted"),
    row(Kustomize, "ReconciliationFailed", Lasting, "the API server refused an object, or was away"),
    row(Kustomize, "Suspended", Waiting, "a person suspended it"),
    row(Oci, "ArchiveOperationFailed", Waiting, "source-controller can't write its storage"),
    row(Oci, "AuthenticationFailed", Waiting, "the registry's login is missing or wrong"),
    row(Oci, "DirectoryCreationFailed", Waiting, "source-controller has no disk space"),
    row(Oci, "Failed", Waiting, "no reason of its own"),
    row(Oci, "FeatureGateDisabled", Waiting, "this Flux was started without a feature that is asked for"),
    row(Oci, "FetchFailed", Waiting, "the registry can't be reached"),
    row(Oci, "InvalidPath", Waiting, "source-controller can't write its storage"),
    row(Oci, "InvalidProviderConfiguration", Waiting, "the login's provider is set up wrongly"),
    row(Oci, "OCIArtifactLayerOperationFailed", Waiting, "the layer can't be read; nothing was changed"),
    row(Oci, "OCIArtifactPullFailed", Waiting, "the registry can't be reached, or lacks the digest"),
    row(Oci, "PatchOperationFailed", Waiting, "source-controller can't write the object's status"),
    row(Oci, "Progressing", Waiting, "work is under way"),
    row(Oci, "ProgressingWithRetry", Waiting, "work is tried again"),
    row(Oci, "ReadOperationFailed", Waiting, "source-controller can't read its storage"),
    row(Oci, "StatOperationFailed", Waiting, "source-controller can't read its storage"),
    row(Oci, "Suspended", Waiting, "a person suspended it"),
    row(Oci, "SymlinkUpdateFailed", Waiting, "source-controller can't write its storage"),
    row(Oci, "URLInvalid", Waiting, "the address can't be read; nothing was changed"),
    row(Oci, "VerificationError", Waiting, "Flux finds no signature that it trusts; nothing was changed"),
];

/// What `reason` says, if it is known.
pub fn class(kind: Kind, reason: &str) -> Option<Class> {
    REASONS.iter().find(|row| row.kind == kind && row.reason == reason).map(|row| row.class)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_sorted_and_names_each_reason_once() {
        assert!(REASONS.is_sorted_by(|a, b| (a.kind, a.reason) < (b.kind, b.reason)));
    }

    #[test]
    fn a_source_never_says_that_a_release_is_bad() {
        assert!(REASONS.iter().all(|row| row.kind != Oci || row.class == Waiting));
    }

    #[test]
    fn what_can_not_be_fetched_or_verified_is_waited_for() {
        for reason in ["SourceNotReady", "ArtifactFailed", "DependencyNotReady", "HealthCheckCanceled"] {
            assert_eq!(class(Helm, reason), Some(Waiting), "{reason}");
        }
        for reason in ["FetchFailed", "AuthenticationFailed", "VerificationError", "OCIArtifactPullFailed"] {
            assert_eq!(class(Oci, reason), Some(Waiting), "{reason}");
        }
        assert_eq!(class(Helm, "upgradefailed"), None);
    }
}
