//! A wire between two programs that can go dead without a word: nothing is closed, nothing arrives.

use std::net::Ipv4Addr;

use anyhow::Result;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

/// A port of 127.0.0.1 that leads to another one.
#[derive(Debug)]
pub struct Forwarder {
    port: u16,
    frozen: watch::Sender<bool>,
    runtime: Option<Runtime>,
}

impl Forwarder {
    /// Starts one that leads to the port `to`.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(to: u16) -> Result<Self> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let (port, frozen) = (listener.local_addr()?.port(), watch::Sender::new(false));
        runtime.spawn(accept(listener, to, frozen.subscribe()));
        Ok(Self { port, frozen, runtime: Some(runtime) })
    }

    /// Where it begins.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// From now on nothing gets through, either way.
    pub fn freeze(&self) {
        self.frozen.send_replace(true);
    }

    /// Everything goes on, late.
    pub fn thaw(&self) {
        self.frozen.send_replace(false);
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn accept(listener: TcpListener, to: u16, frozen: watch::Receiver<bool>) {
    while let Ok((near, _)) = listener.accept().await {
        // Where nobody listens the near side finds its connection closed.
        let Ok(far) = TcpStream::connect((Ipv4Addr::LOCALHOST, to)).await else { continue };
        let _ = (near.set_nodelay(true), far.set_nodelay(true));
        let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
        tokio::spawn(pump(from_near, to_far, frozen.clone()));
        tokio::spawn(pump(from_far, to_near, frozen.clone()));
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut frozen: watch::Receiver<bool>) {
    let mut piece = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut piece).await.unwrap_or(0);
        // What was on its way waits, and so does the news that a side hung up.
        let gone = frozen.wait_for(|frozen| !*frozen).await.is_err();
        if gone || read == 0 || to.write_all(&piece[..read]).await.is_err() {
            return;
        }
    }
}
