//! The same work for several things at once. The first failure ends it.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use pdp_transport::cli::failure::{Result, internal};
use tokio::task::JoinSet;

use crate::progress::Progress;

/// So many at once: registries limit rates, and two cores are enough for eight.
const PARALLEL: usize = 8;
/// So many questions with short answers: on a slow line a level's components are then asked about in one go.
const QUESTIONS: usize = 32;

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

/// As [`each`], for questions with short answers: more of them at once.
///
/// # Errors
/// As [`each`].
pub(crate) async fn ask_each<T, F>(what: &'static str, items: Vec<T>, work: impl Fn(T) -> F) -> Result<()>
where
    F: Future<Output = Result<()>> + Send + 'static,
{
    so_many(QUESTIONS, what, items, work).await.map(|_: Vec<()>| ())
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
    so_many(PARALLEL, what, items, work).await
}

async fn so_many<T, R, F>(
    most: usize,
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
        if running.len() >= most {
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

/// Does something that only needs the processor with each item, on all cores; in the order of the items.
///
/// # Errors
/// The failure of the first item that failed; no further item is begun then.
pub(crate) fn on_all_cores<T: Sync, R: Send>(
    items: &[T],
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        while let Some((number, item)) = taken(items, &next) {
            let result = work(item);
            if result.is_err() {
                next.store(items.len(), Relaxed);
            }
            done.push((number, result));
        }
        done
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get).min(items.len());
    let mut all: Vec<_> = std::thread::scope(|scope| {
        let running: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        let joined = running.into_iter().map(|it| it.join().unwrap_or_else(|e| std::panic::resume_unwind(e)));
        joined.flatten().collect()
    });
    all.sort_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, result)| result).collect()
}

fn taken<'a, T>(items: &'a [T], next: &AtomicUsize) -> Option<(usize, &'a T)> {
    let number = next.fetch_add(1, Relaxed);
    items.get(number).map(|item| (number, item))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        let items: Vec<u64> = (0..100).collect();
        let slow_first = |item: &u64| {
            std::thread::sleep(std::time::Duration::from_micros(100 - item));
            Ok(item * 2)
        };
        let doubled: Vec<_> = items.iter().map(|item| item * 2).collect();
        assert_eq!(on_all_cores(&items, slow_first).unwrap(), doubled);
        assert_eq!(on_all_cores(&[], slow_first).unwrap(), Vec::<u64>::new());
    }

    #[test]
    fn nothing_is_begun_after_a_failure() {
        let begun = AtomicUsize::new(0);
        let items: Vec<usize> = (0..10_000).collect();
        let failing = |_: &usize| -> Result<()> {
            begun.fetch_add(1, Relaxed);
            Err(internal("it failed"))
        };
        assert!(on_all_cores(&items, failing).is_err());
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        assert!(begun.load(Relaxed) <= 2 * cores, "each core begins one, and one more in the same moment");
    }
}
