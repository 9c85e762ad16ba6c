//! `--dry-run`: everything up to the last write.

use pdp_transport::cli::output::say;

/// Whether a command that changes something only says what it would write.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct DryRun {
    /// Writes nothing: does all the rest, says what would be written, and ends as it would then.
    #[arg(long)]
    dry_run: bool,
}

impl DryRun {
    /// True if nothing may be written; says what would be.
    pub(crate) fn only_says(self, what: &str) -> bool {
        if self.dry_run {
            say(&format!("◎ dry run: {what}"));
        }
        self.dry_run
    }

    /// True if nothing may be written.
    pub(crate) fn is_on(self) -> bool {
        self.dry_run
    }
}
