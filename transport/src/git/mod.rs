//! Git over HTTP(S) and local paths: fetch one branch, sign a commit, push by compare-and-swap.
//!
//! All of it blocks: call it from a blocking thread. Git is transport and history; trust comes from elsewhere.

mod advertisement;
mod cache;
mod commit;
mod failure;
mod folder;
mod host;
mod limits;
mod logins;
mod pack_check;
mod pkt_line;
mod push;
mod remote;
mod smart_http;
mod upload_pack;
mod walk;
mod words;

pub use commit::{Author, Change, SshSigner, signer_of};
pub use limits::Limits;
pub use remote::{CommitId, GitOptions, Remote};
