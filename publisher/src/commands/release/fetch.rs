//! How charts are fetched that aren't in the line's folder.

use std::path::PathBuf;

use crate::charts::Fetch;
use crate::connection::ConnectionArgs;

#[derive(Debug, clap::Args)]
pub(super) struct FetchArgs {
    /// Keeps fetched charts there, by their digests.
    #[arg(long, env = "PUBLISHER_CHART_CACHE", value_name = "DIR")]
    chart_cache: Option<PathBuf>,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

impl FetchArgs {
    pub(super) fn open(&self) -> Fetch<'_> {
        Fetch::new(&self.connection, self.chart_cache.as_deref())
    }
}
