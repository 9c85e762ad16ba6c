//! lighttpd in front of something: it answers 411 to a POST that says nothing of its length.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;

use super::process::{installed, serve};
use crate::programs::{Running, free_port};

/// A lighttpd on 127.0.0.1. It ends with this value.
#[derive(Debug)]
pub struct Lighttpd {
    port: u16,
    _running: Running,
    _folder: tempfile::TempDir,
}

impl Lighttpd {
    /// Starts one that passes everything to `behind`.
    ///
    /// # Errors
    /// When it doesn't listen in time.
    pub fn start(behind: SocketAddr) -> Result<Self> {
        let (port, folder) = (free_port()?, crate::reaper::folder("pdp-lighttpd-")?);
        let place = folder.path().display();
        let file = folder.path().join("lighttpd.conf");
        let (ip, other) = (behind.ip(), behind.port());
        std::fs::write(
            &file,
            format!(
                "server.document-root = \"{place}\"\nserver.bind = \"127.0.0.1\"\nserver.port = {port}\n\
                 server.modules = (\"mod_proxy\")\nserver.upload-dirs = (\"{place}\")\n\
                 proxy.server = (\"\" => ((\"host\" => \"{ip}\", \"port\" => {other})))\n"
            ),
        )?;
        let mut command = installed("lighttpd");
        command.arg("-D").arg("-f").arg(&file);
        let running = serve(command, folder.path(), Ipv4Addr::LOCALHOST.into(), port)?;
        Ok(Self { port, _running: running, _folder: folder })
    }

    /// `127.0.0.1:port`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}
