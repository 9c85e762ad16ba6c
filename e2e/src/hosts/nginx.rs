//! nginx in front of something.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use anyhow::Result;

use super::certificate::Certificate;
use super::process::{installed, serve};
use crate::programs::{Running, free_port};

/// An nginx on loopback. It ends with this value.
#[derive(Debug)]
pub struct Nginx {
    address: SocketAddr,
    _running: Running,
    folder: tempfile::TempDir,
}

impl Nginx {
    /// Starts one whose only server has these directives.
    ///
    /// # Errors
    /// When it doesn't listen in time.
    pub fn start(directives: &str, tls: Option<&Certificate>) -> Result<Self> {
        Self::start_at((Ipv4Addr::LOCALHOST, free_port()?).into(), directives, tls)
    }

    /// As above, at an address of this machine.
    ///
    /// # Errors
    /// When it doesn't listen in time.
    pub fn start_at(address: SocketAddr, directives: &str, tls: Option<&Certificate>) -> Result<Self> {
        let folder = crate::reaper::folder("pdp-nginx-")?;
        let tls = tls.map_or_else(
            || ";".to_owned(),
            |files| {
                let [certificate, key] =
                    [&files.certificate, &files.key].map(|file| file.display().to_string());
                format!(" ssl; ssl_certificate {certificate}; ssl_certificate_key {key};")
            },
        );
        let server = format!("listen {address}{tls}\n{directives}");
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, configuration(folder.path(), &server))?;
        let mut command = installed("nginx");
        command.arg("-p").arg(folder.path()).arg("-e").arg(folder.path().join("error.log"));
        command.arg("-c").arg(&file);
        let running = serve(command, folder.path(), address.ip(), address.port())?;
        Ok(Self { address, _running: running, folder })
    }

    /// `address:port`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The requests so far, a line each: method, path, status.
    pub fn requests(&self) -> Vec<String> {
        let log = std::fs::read_to_string(self.folder.path().join("access.log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }
}

/// One process: workers would outlive a master that is killed, and hide from the reaper.
fn configuration(folder: &Path, server: &str) -> String {
    let folder = folder.display();
    let places = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|name| format!("{name}_temp_path {folder}/{name};"))
        .join("\n");
    format!(
        "daemon off;\nmaster_process off;\npid {folder}/nginx.pid;\nevents {{}}\nhttp {{\n{places}\n\
         log_format short '$request_method $request_uri $status';\naccess_log {folder}/access.log short;\n\
         proxy_http_version 1.1;\nproxy_set_header Host $http_host;\nproxy_set_header X-Forwarded-Proto $scheme;\n\
         proxy_request_buffering off;\nserver {{\n{server}\n}}\n}}\n"
    )
}
