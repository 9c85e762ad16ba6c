//! A PostgreSQL server of a test's own on loopback, which can be killed and started again on its port.

use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result, ensure};

use crate::programs::{Running, forget_environment, free_port};
use crate::wait_for;

/// Debian keeps the programs of each version in a folder of their own.
const VERSIONS: &str = "/usr/lib/postgresql";
/// PostgreSQL refuses to run as root; this is the user that its package makes.
const SYSTEM_USER: &str = "postgres";
/// Its host, and who may log in how: the owner of the one database with a password, the administrator without.
const HOST: &str = "127.0.0.1";
const LOGINS: &str = "host all pdp 127.0.0.1/32 scram-sha-256\nhost all postgres 127.0.0.1/32 trust\n";

/// A PostgreSQL server with a database `pdp`, which belongs to the role `pdp`.
#[derive(Debug)]
pub struct Postgres {
    folder: tempfile::TempDir,
    port: u16,
    running: Mutex<Option<Running>>,
}

impl Postgres {
    /// The owner's password; it has something to encode in an address.
    pub const PASSWORD: &str = "correct horse";

    /// Starts one with an empty database.
    ///
    /// # Errors
    /// When PostgreSQL isn't installed, or doesn't start.
    pub fn start() -> Result<Self> {
        let folder = crate::reaper::folder("pdp-postgres-")?;
        let postgres = Self { folder, port: free_port()?, running: Mutex::default() };
        postgres.prepare()?;
        postgres.restart()?;
        let role = format!("CREATE ROLE pdp LOGIN PASSWORD '{}'", Self::PASSWORD);
        postgres.ask("postgres", &role)?;
        postgres.ask("postgres", "CREATE DATABASE pdp OWNER pdp")?;
        Ok(postgres)
    }

    /// The database's address, with the owner's password.
    pub fn address(&self) -> String {
        self.address_by(self.port)
    }

    /// As above, for a way to it that begins at another port.
    pub fn address_by(&self, port: u16) -> String {
        format!("postgres://pdp:{}@{HOST}:{port}/pdp", Self::PASSWORD.replace(' ', "%20"))
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `kill -9`.
    pub fn kill(&self) {
        if let Some(mut running) = self.lock().take() {
            running.kill();
        }
    }

    /// Starts it again on its port, with all it held.
    ///
    /// # Errors
    /// When it takes no connections in time; says its last words.
    pub fn restart(&self) -> Result<()> {
        let mut failed = None;
        let up = || match self.is_up() {
            Ok(up) => up,
            Err(error) => {
                failed = Some(error);
                true
            }
        };
        wait_for("PostgreSQL to take connections", up).with_context(|| self.words())?;
        failed.map_or(Ok(()), Err)
    }

    /// From now on the owner comes in by TLS only, where the server shows a certificate for `name`. The file with that
    /// certificate, which nobody vouches for but itself.
    ///
    /// # Errors
    /// When PostgreSQL refuses.
    pub fn require_tls(&self, name: &str) -> Result<PathBuf> {
        let made = rcgen::generate_simple_self_signed([name.to_owned()])?;
        let [certificate, key] = ["server.crt", "server.key"].map(|file| self.data().join(file));
        std::fs::write(&certificate, made.cert.pem()).context("write the certificate")?;
        std::fs::write(&key, made.signing_key.serialize_pem()).context("write its key")?;
        std::fs::set_permissions(&key, Permissions::from_mode(0o600))?;
        [&certificate, &key].into_iter().try_for_each(|file| give(file))?;
        std::fs::write(self.data().join("pg_hba.conf"), LOGINS.replacen("host ", "hostssl ", 1))?;
        // Two statements: the first is refused within a transaction of several.
        self.ask("postgres", "ALTER SYSTEM SET ssl = on")?;
        let read = || self.ask("postgres", "SELECT pg_conf_load_time()");
        let before = read()?;
        self.ask("postgres", "SELECT pg_reload_conf()")?;
        wait_for("PostgreSQL to read its settings again", || read().is_ok_and(|at| at != before))?;
        Ok(certificate)
    }

    /// What its administrator sees and does in the database: rows by line, columns parted by `|`.
    ///
    /// # Errors
    /// When a statement is refused; says why.
    pub fn sql(&self, text: &str) -> Result<String> {
        self.ask("pdp", text)
    }

    /// Takes in what `pg_dump` wrote as plain SQL.
    ///
    /// # Errors
    /// When a statement is refused; says why.
    pub fn restore(&self, dump: &Path) -> Result<()> {
        let mut psql = self.psql("pdp")?;
        // By its handle: the user that psql runs as may not be able to open the file.
        psql.stdin(std::fs::File::open(dump).with_context(|| format!("open {}", dump.display()))?);
        let output = psql.output().context("run psql")?;
        ensure!(output.status.success(), "psql < {}: {}", dump.display(), stderr(&output));
        Ok(())
    }

    fn ask(&self, database: &str, text: &str) -> Result<String> {
        let output = self.psql(database)?.args(["-c", text]).output().context("run psql")?;
        ensure!(output.status.success(), "psql: {text}: {}", stderr(&output));
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }

    fn psql(&self, database: &str) -> Result<Command> {
        let port = self.port.to_string();
        let mut psql = self.command("psql")?;
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1"]);
        psql.args(["-h", HOST, "-p", &port, "-U", "postgres", "-d", database]);
        Ok(psql)
    }

    /// Makes its data folder.
    fn prepare(&self) -> Result<()> {
        give(self.folder.path())?;
        let mut initdb = self.command("initdb")?;
        // What it makes need not survive a power cut; what is written later is synced all the same.
        initdb.args(["--auth=trust", "--username=postgres", "--locale=C", "--encoding=UTF8", "--no-sync"]);
        let made = initdb.arg("--pgdata").arg(self.data()).output().context("run initdb")?;
        ensure!(made.status.success(), "initdb: {}", stderr(&made));
        std::fs::write(self.data().join("pg_hba.conf"), LOGINS).context("write pg_hba.conf")
    }

    /// True once it answers. After a `kill -9` it refuses to start while a process of the one before is left, so
    /// that it is started as often as need be.
    fn is_up(&self) -> Result<bool> {
        let mut running = self.lock();
        if running.as_mut().is_none_or(|process| process.end().is_some()) {
            *running = Some(self.launch()?);
        }
        drop(running);
        Ok(self.ask("postgres", "SELECT 1").is_ok())
    }

    fn launch(&self) -> Result<Running> {
        let mut server = self.command("postgres")?;
        server.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
        server.args(["-c", &format!("listen_addresses={HOST}"), "-c", "unix_socket_directories="]);
        Running::start(server, self.folder.path().join("postgres.log"))
    }

    /// A program of the newest version that is installed, as a user that it accepts.
    fn command(&self, program: &str) -> Result<Command> {
        let path = newest()?.join(program);
        let mut command = if is_root()? {
            let (user, group) = (format!("--reuid={SYSTEM_USER}"), format!("--regid={SYSTEM_USER}"));
            // It becomes the program, so that a signal reaches that one.
            let mut command = Command::new("setpriv");
            command.args([&user, &group, "--init-groups"]).arg(path);
            command
        } else {
            Command::new(path)
        };
        forget_environment(&mut command);
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        Ok(command)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn words(&self) -> String {
        self.lock().as_ref().map(Running::stderr).unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // A killed one would leave a piece of shared memory behind.
        if let Some(mut running) = self.lock().take() {
            let _ = running.stop("QUIT");
        }
    }
}

/// The folder with the programs of the newest version.
fn newest() -> Result<PathBuf> {
    let versions = std::fs::read_dir(VERSIONS).into_iter().flatten().flatten();
    let versions = versions.filter_map(|folder| {
        let version: u32 = folder.file_name().to_str()?.parse().ok()?;
        let programs = folder.path().join("bin");
        programs.join("initdb").exists().then_some((version, programs))
    });
    let newest = versions.max().map(|(_, programs)| programs);
    newest.with_context(|| format!("no PostgreSQL in {VERSIONS}: tools/setup installs it"))
}

/// Gives a file to the user as whom PostgreSQL runs.
fn give(path: &Path) -> Result<()> {
    give_to(SYSTEM_USER, path)
}

/// Root gives a file, or a folder with all in it, to a user; nobody else has to.
pub(crate) fn give_to(user: &str, path: &Path) -> Result<()> {
    if is_root()? {
        let owner = format!("{user}:");
        let given = Command::new("chown").arg("-R").arg(&owner).arg(path).output()?;
        ensure!(given.status.success(), "chown {owner}: {}", stderr(&given));
    }
    Ok(())
}

/// True if this process belongs to root.
fn is_root() -> Result<bool> {
    Ok(std::fs::metadata("/proc/self")?.uid() == 0)
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).trim().to_owned()
}
