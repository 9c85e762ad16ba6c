//! A load of many clients on few connections: plain HTTP/1.1 over kept-alive sockets, nothing measured but the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// One answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) tag: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// A request without a body.
pub(crate) fn get(host: &str, path: &str, token: &str, more: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n{more}\r\n").into_bytes()
}

/// A request with a JSON body.
pub(crate) fn post(host: &str, path: &str, token: Option<&str>, body: &[u8]) -> Vec<u8> {
    let login = token.map_or_else(String::new, |token| format!("authorization: Bearer {token}\r\n"));
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\n{login}content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    [head.into_bytes(), body.to_vec()].concat()
}

/// A connection that asks one thing after the other.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) async fn open(host: &str) -> Result<Self> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    pub(crate) async fn ask(&mut self, request: &[u8]) -> Result<Answer> {
        self.0.get_mut().write_all(request).await?;
        let mut line = String::new();
        self.0.read_line(&mut line).await?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no status")?;
        let (mut tag, mut length) = (None, 0);
        loop {
            line.clear();
            self.0.read_line(&mut line).await?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            match name {
                "etag" => tag = Some(value.to_owned()),
                "content-length" => length = value.parse()?,
                _ => {}
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        Ok(Answer { status, tag, body })
    }
}

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
