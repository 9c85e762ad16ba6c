//! A second, independent OCI registry: olareg, as a process, with or without the referrers API.

use anyhow::Result;

use crate::programs::{Running, free_port};
use crate::tools::Tools;
use crate::wait_for;

/// An olareg on 127.0.0.1, in memory. It ends with this value.
#[derive(Debug)]
pub struct Olareg {
    port: u16,
    _running: Running,
    _folder: tempfile::TempDir,
}

impl Olareg {
    /// Starts an empty registry.
    ///
    /// # Errors
    /// When it doesn't answer.
    pub fn start(tools: &Tools, referrers: bool) -> Result<Self> {
        let (port, folder) = (free_port()?, crate::reaper::folder("pdp-olareg-")?);
        let mut command = tools.command("olareg");
        command.args(["serve", "--addr", "127.0.0.1", "--port", &port.to_string(), "--store-type", "mem"]);
        command.args(["--api-delete", &format!("--api-referrer={referrers}")]);
        let running = Running::start(command, folder.path().join("olareg.log"))?;
        let registry = Self { port, _running: running, _folder: folder };
        wait_for("olareg", || std::net::TcpStream::connect(registry.host()).is_ok())?;
        Ok(registry)
    }

    /// `127.0.0.1:port`.
    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}
