//! The same work for several things at once, with progress. The first failure ends it.

use pdp_transport::cli::failure::{Result, internal};
use tokio::task::JoinSet;

use crate::progress::Progress;

/// So many at once: registries limit rates, and two cores are enough for eight.
const PARALLEL: usize = 8;

/// Does something with each item.
///
/// # Errors
/// The first failure; what else is under way then is given up.
pub(crate) async fn each<T, F>(what: &'static str, items: Vec<T>, work: impl Fn(T) -> F) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    gather(what, items, work).await.map(|_: Vec<()>| ())
}

/// As [`each`], with what came of it, in the order in which it was done.
pub(crate) async fn gather<T, R, F>(
    what: &'static str,
    items: Vec<T>,
    work: impl Fn(T) -> F,
) -> Result<Vec<R>>
where
    R: Send + 'static,
    F: Future<Output = Result<R>> + Send + 'static,
{
    let progress = Progress::new(what, items.len());
    let (mut running, mut all) = (JoinSet::new(), Vec::new());
    for item in items {
        if running.len() >= PARALLEL {
            finish_one(&mut running, &progress, &mut all).await?;
        }
        running.spawn(work(item));
    }
    while !running.is_empty() {
        finish_one(&mut running, &progress, &mut all).await?;
    }
    Ok(all)
}

async fn finish_one<R: 'static>(
    running: &mut JoinSet<Result<R>>,
    progress: &Progress,
    all: &mut Vec<R>,
) -> Result<()> {
    if let Some(done) = running.join_next().await {
        all.push(done.map_err(internal)??);
        progress.step();
    }
    Ok(())
}
