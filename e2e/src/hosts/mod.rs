//! Servers, proxies and clients that others wrote, as processes on loopback.

mod certificate;
mod debian;
mod distribution;
mod git_web;
mod gitea;
mod lighttpd;
mod nginx;
mod olareg;
mod peers;
mod process;
mod proxies;
mod site;
mod token_service;

pub use certificate::{Authority, Certificate};
pub use debian::debian_version;
pub use distribution::{Access, Distribution, Edition};
pub use git_web::GitWeb;
pub use gitea::Gitea;
pub use lighttpd::Lighttpd;
pub use nginx::Nginx;
pub use olareg::Olareg;
pub use peers::{TufClient, jgit_version};
pub use process::{tools, version};
pub use proxies::{Squid, Tinyproxy};
pub use site::{Account, PUSHER, READER, htpasswd, logins};
pub use token_service::TokenService;
