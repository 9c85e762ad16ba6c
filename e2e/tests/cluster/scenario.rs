//! Each scenario notes its seconds; `tools/scenarios` prints them after the run.

use std::path::Path;
use std::time::Instant;

/// One scenario, from here to the end of the test.
pub(crate) struct Scenario {
    name: &'static str,
    started: Instant,
}

impl Scenario {
    /// Begins it; `name` is a line for readers. Time spent on waiting for the cluster counts if it comes first.
    pub(crate) fn begin(name: &'static str) -> Self {
        Self { name, started: Instant::now() }
    }
}

impl Drop for Scenario {
    fn drop(&mut self) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("scenarios");
        let outcome = if std::thread::panicking() { "FAILED" } else { "ok" };
        let line = format!("{:<78} {:>6.1} {outcome}\n", self.name, self.started.elapsed().as_secs_f64());
        let file = self.name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        // A record that can't be written must not turn a good test into an abort.
        let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(folder.join(file), line));
        if let Err(error) = written {
            eprintln!("no record in {}: {error}", folder.display());
        }
    }
}
