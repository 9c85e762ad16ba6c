//! Refusals judge documents: what is refused is not looked at any further.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a document was refused. The order of the variants is the order of judging.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum RefusalCode {
    /// A file, or all of them together, is larger than its limit.
    TooLarge,
    /// The bytes are not the document that they should be, or a file is missing.
    Unreadable,
    /// The document names a feature as critical that this program doesn't know: update it first.
    UnknownCriticalFeature,
    /// A role's threshold is lower than the least that is accepted for it.
    ThresholdTooLow,
    /// One public key is listed twice under two ids, so one person could count as two.
    DuplicateKey,
    /// Too few valid signatures by keys that hold the role.
    SignatureThreshold,
    /// The root chain forks or has a gap: not the continuation of the pinned root.
    RootChain,
    /// Older than what this data plane has already seen (rollback).
    VersionFloor,
    /// Metadata files that don't belong together (mix-and-match).
    MixAndMatch,
    /// A role lists a target that was not delegated to it.
    DelegationPath,
    /// Length or SHA-256 of a target differs from what was signed.
    HashMismatch,
    /// The same level with another content than before.
    LevelRewritten,
    /// Meant for another organization or data plane.
    OtherDataPlane,
    /// Older than an instruction that was already followed.
    OlderThanLast,
    /// Dated later than the local clock allows, or lives longer than its role may.
    ClockSkew,
    /// An instruction or approval that is past its expiry.
    Expired,
    /// The instruction names a level that the channel didn't promote, or with another hash.
    CeilingNotInChannel,
    /// The customer's approval is not validly signed, or by nobody entitled.
    ApprovalInvalid,
    /// An artifact's digest differs from the one in the release.
    DigestMismatch,
    /// The bundle doesn't hold exactly the components of the release.
    BundleMismatch,
    /// An artifact has no signature at all.
    Unsigned,
    /// An artifact is signed, but by no key that vouches for releases (or by a revoked one).
    UnknownSigner,
    /// A valid signature, but over something else than "this is released" (wrong predicate or payload type).
    WrongPredicate,
    /// A valid signature over another digest.
    WrongSubject,
}

impl RefusalCode {
    /// The code as it appears in status, reports and exit messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "TooLarge",
            Self::Unreadable => "Unreadable",
            Self::UnknownCriticalFeature => "UnknownCriticalFeature",
            Self::ThresholdTooLow => "ThresholdTooLow",
            Self::DuplicateKey => "DuplicateKey",
            Self::SignatureThreshold => "SignatureThreshold",
            Self::RootChain => "RootChain",
            Self::VersionFloor => "VersionFloor",
            Self::MixAndMatch => "MixAndMatch",
            Self::DelegationPath => "DelegationPath",
            Self::HashMismatch => "HashMismatch",
            Self::LevelRewritten => "LevelRewritten",
            Self::OtherDataPlane => "OtherDataPlane",
            Self::OlderThanLast => "OlderThanLast",
            Self::ClockSkew => "ClockSkew",
            Self::Expired => "Expired",
            Self::CeilingNotInChannel => "CeilingNotInChannel",
            Self::ApprovalInvalid => "ApprovalInvalid",
            Self::DigestMismatch => "DigestMismatch",
            Self::BundleMismatch => "BundleMismatch",
            Self::Unsigned => "Unsigned",
            Self::UnknownSigner => "UnknownSigner",
            Self::WrongPredicate => "WrongPredicate",
            Self::WrongSubject => "WrongSubject",
        }
    }

    /// What usually brings it about.
    pub fn cause(self) -> &'static str {
        match self {
            Self::TooLarge => "another file lies at that place, or a mirror answers with a page",
            Self::Unreadable => "a copy was cut short, or another file lies at that place",
            Self::UnknownCriticalFeature => {
                "the vendor uses something that came after this program's version"
            }
            Self::ThresholdTooLow => {
                "the document wasn't made by `publisher`, or by somebody who wants to sign alone"
            }
            Self::DuplicateKey => {
                "the document wasn't made by `publisher`, or by somebody who wants to count twice"
            }
            Self::SignatureThreshold => {
                "the document was changed after it was signed, or signed by keys that don't hold the role"
            }
            Self::RootChain => {
                "another vendor's catalog, a catalog that was made anew, or a copy that lacks a root in between"
            }
            Self::VersionFloor => "a mirror or cache that lags behind; an old copy that was put back",
            Self::MixAndMatch => {
                "a copy that was made while the catalog was written, or files from two versions of it"
            }
            Self::DelegationPath => "somebody with the key of one role writes into another one's documents",
            Self::HashMismatch => "a copy was cut short, converted (line endings), or changed",
            Self::LevelRewritten => "a level was built and published twice with different content",
            Self::OtherDataPlane => {
                "an instruction that was meant for another one was copied, or the server mixes them up"
            }
            Self::OlderThanLast => {
                "an old instruction was sent again, or the server was restored from a backup"
            }
            Self::ClockSkew => "the clock of this machine, or of whoever signed, is wrong",
            Self::Expired => {
                "nothing newer came in time: the server or its source of instructions isn't reached"
            }
            Self::CeilingNotInChannel => {
                "the server follows another catalog than this data plane, or a newer one"
            }
            Self::ApprovalInvalid => {
                "it was signed by a key that the policy doesn't name, or changed afterwards"
            }
            Self::DigestMismatch => "a copy was cut short or changed on its way or in the registry",
            Self::BundleMismatch => {
                "a component was left out when the bundle was copied, or somebody put another one in"
            }
            Self::Unsigned => "the bundle was copied without its referrers, or nobody signed it",
            Self::UnknownSigner => {
                "it was signed by a key that isn't in the catalog's list, or was taken out of it"
            }
            Self::WrongPredicate => "a signature that was made for another purpose was attached",
            Self::WrongSubject => "a signature of another artifact was attached",
        }
    }

    /// What the reader of this refusal can do next.
    pub fn hint(self) -> &'static str {
        match self {
            Self::UnknownCriticalFeature => "update this program; it is too old for the document",
            Self::ClockSkew => {
                "check the clock of this machine (NTP); if it is right, tell the vendor: an online key may be stolen"
            }
            Self::VersionFloor => "the source serves old data: check mirrors and caches; nothing was changed",
            Self::TooLarge | Self::Unreadable => {
                "the source is broken or hostile: compare it with the vendor's"
            }
            Self::OtherDataPlane | Self::OlderThanLast | Self::CeilingNotInChannel => {
                "ask the vendor why the server sends this; nothing was changed"
            }
            Self::Expired => "wait for a newer one; an approval has to be signed again",
            Self::ApprovalInvalid => "sign the approval again with a key that the policy names",
            Self::Unsigned => {
                "was the bundle copied without its signatures? copy referrers too, or set `signatures: catalog`"
            }
            _ => "nothing was changed; keep the source as evidence and tell the vendor's security team",
        }
    }
}

impl std::fmt::Display for RefusalCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A refused document: which, why, and in words for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, thiserror::Error)]
#[error("{code}: {subject}: {detail}")]
pub struct Refusal {
    /// The stable code.
    pub code: RefusalCode,
    /// The document or file that is refused.
    pub subject: String,
    /// The cause, for people; never parsed.
    pub detail: String,
}

impl Refusal {
    /// A refusal of `subject` for `code`.
    pub fn new(code: RefusalCode, subject: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code, subject: subject.into(), detail: detail.into() }
    }
}
