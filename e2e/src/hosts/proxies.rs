//! Forward proxies: tinyproxy and squid.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use anyhow::Result;

use super::process::{installed, serve};
use super::site::{PUSHER, htpasswd};
use crate::programs::{Running, free_port};

/// The place of Debian's helper by which squid reads an htpasswd file.
const HELPER: &str = "/usr/lib/squid/basic_ncsa_auth";

/// A tinyproxy on 127.0.0.1. It ends with this value.
#[derive(Debug)]
pub struct Tinyproxy {
    port: u16,
    log: PathBuf,
    _running: Running,
    _folder: tempfile::TempDir,
}

/// As root, squid runs as the user that its package makes.
const SYSTEM_USER: &str = "proxy";

/// A squid on 127.0.0.1. It ends with this value.
#[derive(Debug)]
pub struct Squid {
    port: u16,
    log: PathBuf,
    running: Running,
    _folder: tempfile::TempDir,
}

impl Tinyproxy {
    /// Starts one; with `login` it asks for [`PUSHER`]'s.
    ///
    /// # Errors
    /// When it doesn't listen in time.
    pub fn start(login: bool) -> Result<Self> {
        let (port, folder) = (free_port()?, crate::reaper::folder("pdp-tinyproxy-")?);
        let log = folder.path().join("tinyproxy.log");
        let login = match login {
            true => format!("BasicAuth {} {}\n", PUSHER.user, PUSHER.password),
            false => String::new(),
        };
        let file = folder.path().join("tinyproxy.conf");
        std::fs::write(
            &file,
            format!(
                "Port {port}\nListen 127.0.0.1\nTimeout 600\nLogFile \"{}\"\nLogLevel Connect\n\
                 MaxClients 100\nAllow 127.0.0.1\n{login}",
                log.display()
            ),
        )?;
        let mut command = installed("tinyproxy");
        command.arg("-d").arg("-c").arg(&file);
        let running = serve(command, folder.path(), Ipv4Addr::LOCALHOST.into(), port)?;
        Ok(Self { port, log, _running: running, _folder: folder })
    }

    /// `127.0.0.1:port`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// How many requests it has taken.
    pub fn requests(&self) -> usize {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        log.lines().filter(|line| line.contains("Request (file descriptor")).count()
    }
}

impl Squid {
    /// Starts one; with `login` it asks for a password.
    ///
    /// # Errors
    /// When it doesn't listen in time.
    pub fn start(login: bool) -> Result<Self> {
        let (port, folder) = (free_port()?, crate::reaper::folder("pdp-squid-")?);
        let place = folder.path().display();
        let (log, file) = (folder.path().join("access.log"), folder.path().join("squid.conf"));
        std::fs::write(folder.path().join("htpasswd"), htpasswd())?;
        let rule = match login {
            true => format!(
                "auth_param basic program {HELPER} {place}/htpasswd\nacl known proxy_auth REQUIRED\n\
                 http_access allow known\n"
            ),
            false => "http_access allow all\n".to_owned(),
        };
        std::fs::write(
            &file,
            format!(
                "http_port 127.0.0.1:{port}\npid_filename {place}/squid.pid\ncache deny all\n\
                 cache_log {place}/cache.log\naccess_log stdio:{place}/access.log\nlogfile_rotate 0\n\
                 coredump_dir {place}\nshutdown_lifetime 0 seconds\npinger_enable off\n\
                 cache_effective_user {SYSTEM_USER}\nmemory_cache_shared off\n{rule}http_access deny all\n"
            ),
        )?;
        crate::postgres::give_to(SYSTEM_USER, folder.path())?;
        let mut command = installed("squid");
        // Its shared memory is named like the service.
        command.arg("-n").arg(format!("pdp{port}")).arg("-N").arg("-f").arg(&file);
        let running = serve(command, folder.path(), Ipv4Addr::LOCALHOST.into(), port)?;
        Ok(Self { port, log, running, _folder: folder })
    }

    /// `127.0.0.1:port`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// How many requests it has answered.
    pub fn requests(&self) -> usize {
        std::fs::read_to_string(&self.log).unwrap_or_default().lines().count()
    }
}

/// In order: it leaves shared memory behind otherwise.
impl Drop for Squid {
    fn drop(&mut self) {
        let _ = self.running.terminate();
    }
}
