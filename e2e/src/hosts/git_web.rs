//! Git over HTTP by other people's web servers: repositories in a folder.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::Result;

use super::certificate::Certificate;
use super::nginx::Nginx;
use super::process::{installed, must, serve};
use super::site::htpasswd;
use crate::git_host::command;
use crate::outside::GitSite;
use crate::programs::{Running, free_port};

/// A Git host with bare repositories in a folder. It ends with the last handle on it.
#[derive(Debug, Clone)]
pub struct GitWeb(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    base: String,
    repositories: PathBuf,
    _servers: (Option<Nginx>, Running),
    _folder: tempfile::TempDir,
}

impl GitWeb {
    /// `git http-backend` by FastCGI behind nginx; with logins, it asks for a password.
    ///
    /// # Errors
    /// When a server doesn't start.
    pub fn nginx(ip: std::net::IpAddr, login: bool, tls: Option<&Certificate>) -> Result<Self> {
        let folder = crate::reaper::folder("pdp-git-web-")?;
        let repositories = folder.path().join("git");
        std::fs::create_dir_all(&repositories)?;
        let cgi = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut fcgiwrap = installed("fcgiwrap");
        fcgiwrap.args(["-c", "4", "-s", &format!("tcp:{cgi}")]);
        // Repositories belong to whoever runs the tests, and so does the server.
        fcgiwrap.env("GIT_CONFIG_NOSYSTEM", "1").env("HOME", folder.path());
        let backend = serve(fcgiwrap, folder.path(), cgi.ip(), cgi.port())?;
        let passwords = folder.path().join("htpasswd");
        std::fs::write(&passwords, htpasswd())?;
        let login = match login {
            true => format!("auth_basic git; auth_basic_user_file {};", passwords.display()),
            false => String::new(),
        };
        let nginx = Nginx::start_at(
            SocketAddr::new(ip, free_port()?),
            &format!("{login}\n{}", to_backend(&repositories, cgi)?),
            tls,
        )?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let base = format!("{scheme}://{}", nginx.host());
        let _servers = (Some(nginx), backend);
        Ok(Self(Arc::new(Inner { base, repositories, _servers, _folder: folder })))
    }

    /// JGit's HTTP server in Jetty.
    ///
    /// # Errors
    /// When it doesn't start.
    pub fn jgit() -> Result<Self> {
        let folder = crate::reaper::folder("pdp-git-web-")?;
        let repositories = folder.path().join("git");
        std::fs::create_dir_all(&repositories)?;
        let port = free_port()?;
        let mut java = installed("java");
        java.args(["-cp", &super::peers::jgit()?, "JGitHost", &port.to_string()]).arg(&repositories);
        let server = serve(java, folder.path(), Ipv4Addr::LOCALHOST.into(), port)?;
        let base = format!("http://127.0.0.1:{port}");
        Ok(Self(Arc::new(Inner { base, repositories, _servers: (None, server), _folder: folder })))
    }

    /// The same repositories at the host's address, `http(s)://address:port`.
    pub fn base(&self) -> &str {
        &self.0.base
    }

    /// Runs git within a repository, as whoever owns the host could.
    ///
    /// # Errors
    /// When git fails.
    pub fn git(&self, name: &str, args: &[&str]) -> Result<String> {
        git(&self.0.repositories.join(name), args)
    }
}

impl GitSite for GitWeb {
    fn create(&self, name: &str) -> Result<()> {
        let path = self.0.repositories.join(name);
        git(&self.0.repositories, &["init", "-q", "--bare", "-b", "main", &path.to_string_lossy()])?;
        git(&path, &["config", "http.receivepack", "true"]).map(|_| ())
    }

    fn url(&self, name: &str) -> String {
        format!("{}/{name}", self.0.base)
    }
}

fn git(folder: &Path, args: &[&str]) -> Result<String> {
    let mut command: Command = command(folder);
    command.args(args);
    must(command)
}

/// What the manual of `git http-backend` says for nginx-like servers.
fn to_backend(repositories: &Path, cgi: SocketAddr) -> Result<String> {
    let mut exec = command(repositories);
    exec.arg("--exec-path");
    let exec = must(exec)?;
    let (exec, repositories) = (exec.trim(), repositories.display());
    Ok(format!(
        "client_max_body_size 0;\nlocation / {{\ninclude /etc/nginx/fastcgi_params;\nfastcgi_pass {cgi};\n\
         fastcgi_request_buffering off;\nfastcgi_param SCRIPT_FILENAME {exec}/git-http-backend;\n\
         fastcgi_param GIT_HTTP_EXPORT_ALL 1;\nfastcgi_param GIT_PROJECT_ROOT {repositories};\n\
         fastcgi_param PATH_INFO $uri;\nfastcgi_param REMOTE_USER $remote_user;\n\
         fastcgi_param HTTP_CONTENT_ENCODING $http_content_encoding;\n}}\n"
    ))
}
