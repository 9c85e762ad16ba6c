//! How charts are fetched that aren't in the line's folder.

use std::path::PathBuf;

use crate::charts::Fetch;
use crate::connection::ConnectionArgs;

/// Where fetched charts are kept.
#[derive(Debug, clap::Args)]
pub(super) struct CacheArgs {
    /// Keeps fetched charts there, by their digests.
    #[arg(long, env = "PUBLISHER_CHART_CACHE", value_name = "DIR")]
    chart_cache: Option<PathBuf>,
}

impl CacheArgs {
    pub(super) fn open<'a>(&self, connection: &'a ConnectionArgs) -> Fetch<'a> {
        Fetch::new(connection, self.chart_cache.as_deref())
    }
}

#[derive(Debug, clap::Args)]
pub(super) struct FetchArgs {
    #[command(flatten)]
    cache: CacheArgs,
    #[command(flatten)]
    pub(super) connection: ConnectionArgs,
}

impl FetchArgs {
    pub(super) fn open(&self) -> Fetch<'_> {
        self.cache.open(&self.connection)
    }
}
