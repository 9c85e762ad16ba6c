//! Plain HTTP/1.1 over one kept-alive socket: next to nothing between a simulated client and the server.

use anyhow::{Context, Result};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// One answer.
#[derive(Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// `ETag`, none without one.
    pub tag: Option<String>,
    /// The body.
    pub body: Vec<u8>,
}

/// A request without a body.
pub fn get(host: &str, path: &str, token: &str, more: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n{more}\r\n").into_bytes()
}

/// A request with a JSON body.
pub fn post(host: &str, path: &str, token: Option<&str>, body: &[u8]) -> Vec<u8> {
    let login = token.map_or_else(String::new, |token| format!("authorization: Bearer {token}\r\n"));
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}\r\n{login}content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    [head.into_bytes(), body.to_vec()].concat()
}

/// A connection that asks one thing after the other.
#[derive(Debug)]
pub struct Connection(BufReader<TcpStream>);

impl Connection {
    /// Connects to `host:port`.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn open(host: &str) -> Result<Self> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends a request and reads its answer.
    ///
    /// # Errors
    /// When the connection breaks, or what comes isn't HTTP.
    pub async fn ask(&mut self, request: &[u8]) -> Result<Answer> {
        self.0.get_mut().write_all(request).await?;
        let mut line = String::new();
        self.0.read_line(&mut line).await?;
        let status = line.split(' ').nth(1).and_then(|code| code.parse().ok()).context("no status")?;
        let (mut tag, mut length) = (None, 0);
        loop {
            line.clear();
            self.0.read_line(&mut line).await?;
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').context("no header")?;
            let value = value.trim_start();
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
