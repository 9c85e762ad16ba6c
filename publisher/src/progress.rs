//! Progress of long work.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use pdp_transport::cli::output::say;

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
