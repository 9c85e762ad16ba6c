//! Data goes to stdout, words for people go to stderr; `-o json` says the same to machines.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use pdp_transport::cli::failure::{Result, internal};

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For machines.
    Json,
}

/// Prints a result: `text` for people, `value` for machines.
pub(crate) fn print(format: Format, value: &impl Serialize, text: &str) -> Result<()> {
    let line = match format {
        Format::Text => text.to_owned(),
        Format::Json => serde_json::to_string_pretty(value).map_err(internal)?,
    };
    // A closed pipe (`| head`) is not an error.
    let _ = writeln!(std::io::stdout(), "{line}");
    Ok(())
}

/// A line for people.
pub(crate) fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// Progress of a known number of steps: a bar on a terminal, a line every tenth otherwise.
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    what: &'static str,
    total: u64,
    done: std::sync::atomic::AtomicU64,
}

impl Progress {
    pub(crate) fn new(what: &'static str, total: usize) -> Self {
        let total = total as u64;
        let bar = std::io::stderr().is_terminal().then(|| {
            let style = ProgressStyle::with_template("{msg:12} {wide_bar} {pos}/{len}");
            let bar = ProgressBar::new(total).with_message(what);
            if let Ok(style) = style {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, what, total, done: 0.into() }
    }

    pub(crate) fn step(&self) {
        let done = self.done.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
        match &self.bar {
            Some(bar) => bar.inc(1),
            None if done == self.total || done.is_multiple_of(self.total.div_ceil(4).max(1)) => {
                say(&format!("◎ {} {done}/{}", self.what, self.total));
            }
            None => {}
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
