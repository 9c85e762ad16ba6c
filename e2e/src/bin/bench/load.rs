//! A load of many clients on few connections: nothing measured but the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use anyhow::{Result, ensure};
use pdp_e2e::connection::Connection;

/// Sends `times` requests over `connections`, the n-th is `requests[n % len]`; all must be answered `expected`.
pub(crate) async fn run(
    host: &str,
    requests: Arc<Vec<Vec<u8>>>,
    times: usize,
    connections: usize,
    expected: u16,
) -> Result<()> {
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = Vec::new();
    for _ in 0..connections {
        let (host, requests, next) = (host.to_owned(), requests.clone(), next.clone());
        tasks.push(tokio::spawn(async move {
            let mut connection = Connection::open(&host).await?;
            loop {
                let n = next.fetch_add(1, Relaxed);
                if n >= times {
                    return anyhow::Ok(());
                }
                let answer = connection.ask(&requests[n % requests.len()]).await?;
                ensure!(
                    answer.status == expected,
                    "{} {}",
                    answer.status,
                    String::from_utf8_lossy(&answer.body)
                );
            }
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}
