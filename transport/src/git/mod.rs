//! Git over HTTP(S) and local paths: fetch one branch, sign a commit, push by compare-and-swap.
//!
//! All of it blocks: call it from a blocking thread. Git is transport and history; trust comes from elsewhere.

mod commit;
mod remote;
mod smart_http;

pub use commit::{Author, Change, SshSigner, signer_of};
pub use remote::{CommitId, GitOptions, Remote};
