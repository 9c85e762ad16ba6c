//! A volume that is really full: a tmpfs of a given size in a mount namespace of its own. Needs no root, but a kernel
//! that lets everybody make user namespaces.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::programs::Running;
use crate::wait_for;

const MOUNT: &str = r#"mount -t tmpfs -o "$2" volume "$1" && echo mounted && exec sleep infinity"#;

/// A mounted volume; it goes with the value. Only commands inside see it at its folder.
#[derive(Debug)]
pub struct Volume {
    holder: Running,
    folder: PathBuf,
}

impl Volume {
    /// Mounts a volume at `folder`. Options are those of tmpfs: `size=1m`, `nr_inodes=20`.
    ///
    /// # Errors
    /// When this machine lets nobody make user namespaces.
    pub fn mount(folder: &Path, options: &str) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", MOUNT, "volume"]);
        command.arg(folder).arg(options).stdin(Stdio::null());
        let mut holder = Running::start(command, folder.with_extension("volume.log"))?;
        let mut ended = None;
        wait_for("a volume", || {
            ended = holder.end();
            ended.is_some() || holder.stdout().contains("mounted")
        })?;
        let needed =
            "user namespaces are needed (sysctl kernel.unprivileged_userns_clone, user.max_user_namespaces)";
        ensure!(ended.is_none(), "no volume can be mounted: {}\n{needed}", holder.stderr());
        Ok(Self { holder, folder: folder.to_owned() })
    }

    /// Gives it another size; what lies in it stays.
    ///
    /// # Errors
    /// When that is less than lies in it.
    pub fn resize(&self, options: &str) -> Result<()> {
        let mut command = Command::new("mount");
        command.args(["-o", &format!("remount,{options}")]).arg(&self.folder);
        let output = self.inside(command).output()?;
        ensure!(output.status.success(), "{options}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    /// The same command where the volume is seen.
    pub fn inside(&self, command: Command) -> Command {
        let mut inside = Command::new("nsenter");
        inside.args(["--user", "--mount", "--target", &self.holder.id().to_string(), "--"]);
        inside.arg(command.get_program()).args(command.get_args()).stdin(Stdio::null());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => inside.env(name, value),
                None => inside.env_remove(name),
            };
        }
        inside
    }

    /// A path in the volume as it is seen from outside.
    pub fn path(&self, name: &str) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.holder.id()));
        let below = self.folder.strip_prefix("/").unwrap_or(&self.folder);
        root.join(below).join(name)
    }

    /// Fills it up to the last byte.
    ///
    /// # Errors
    /// When nothing can be written at all.
    pub fn fill(&self) -> Result<()> {
        let mut file = std::fs::File::create(self.path(FILLED)).context("fill a volume")?;
        let full = std::io::copy(&mut std::io::repeat(0), &mut file);
        ensure!(full.is_err_and(|e| e.kind() == std::io::ErrorKind::StorageFull), "a volume without an end");
        Ok(())
    }

    /// Takes out what filled it.
    ///
    /// # Errors
    /// When it wasn't filled.
    pub fn free(&self) -> Result<()> {
        Ok(std::fs::remove_file(self.path(FILLED))?)
    }
}

const FILLED: &str = "filled";
