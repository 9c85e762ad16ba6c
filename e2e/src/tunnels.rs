//! A proxy that counts: every name leads, over TLS, to a server on loopback.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use anyhow::{Context, Result};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio_rustls::TlsAcceptor;

use crate::hosts::Authority;

/// No request for a tunnel is longer (bytes).
const MAX_CONNECT: usize = 8 * 1024;

/// The proxy. It ends with this value.
#[derive(Debug)]
pub struct Tunnels {
    address: SocketAddr,
    counts: Arc<Counts>,
    runtime: Option<Runtime>,
}

/// What went through so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Connections that were made.
    pub connections: u64,
    /// Bytes in both directions, as they are on the wire.
    pub bytes: u64,
}

#[derive(Debug, Default)]
struct Counts {
    connections: AtomicU64,
    bytes: AtomicU64,
}

impl Tunnels {
    /// Starts one that leads from names to ports of 127.0.0.1. Certificates are of `authority`.
    ///
    /// # Errors
    /// When no port is free, or a certificate can't be made.
    pub fn start(authority: &Authority, places: &[(&str, u16)]) -> Result<Self> {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let mut ends = BTreeMap::new();
        for (name, port) in places {
            let certificate = authority.certificate_for(name, &[name])?;
            let acceptor = acceptor(&certificate.certificate, &certificate.key)?;
            let end = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
            ends.insert((*name).to_owned(), end.local_addr()?);
            runtime.spawn(end_tls(end, acceptor, *port));
        }
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))?;
        let (address, counts) = (listener.local_addr()?, Arc::<Counts>::default());
        runtime.spawn(accept(listener, Arc::new(ends), Arc::clone(&counts)));
        Ok(Self { address, counts, runtime: Some(runtime) })
    }

    /// For `HTTPS_PROXY`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What went through so far.
    pub fn traffic(&self) -> Traffic {
        let Counts { connections, bytes } = &*self.counts;
        Traffic { connections: connections.load(Relaxed), bytes: bytes.load(Relaxed) }
    }
}

impl Drop for Tunnels {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor> {
    let chain = CertificateDer::pem_file_iter(certificate)?.collect::<std::result::Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(key)?;
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Ends TLS and goes on in plain to `port`.
async fn end_tls(listener: TcpListener, acceptor: TlsAcceptor, port: u16) {
    while let Ok((near, _)) = listener.accept().await {
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            let (Ok(mut near), Ok(mut far)) =
                (acceptor.accept(near).await, TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await)
            else {
                return;
            };
            let _ = far.set_nodelay(true);
            let _ = copy_bidirectional(&mut near, &mut far).await;
        });
    }
}

async fn accept(listener: TcpListener, ends: Arc<BTreeMap<String, SocketAddr>>, counts: Arc<Counts>) {
    while let Ok((near, _)) = listener.accept().await {
        let (ends, counts) = (Arc::clone(&ends), Arc::clone(&counts));
        tokio::spawn(async move { tunnel(near, &ends, counts).await.ok() });
    }
}

async fn tunnel(mut near: TcpStream, ends: &BTreeMap<String, SocketAddr>, counts: Arc<Counts>) -> Result<()> {
    let name = asked_for(&mut near).await?;
    let end = ends.get(&name).with_context(|| format!("nobody is `{name}` here"))?;
    let far = TcpStream::connect(end).await?;
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    near.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    counts.connections.fetch_add(1, Relaxed);
    let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
    tokio::spawn(pump(from_near, to_far, Arc::clone(&counts)));
    tokio::spawn(pump(from_far, to_near, counts));
    Ok(())
}

/// The host of a CONNECT.
async fn asked_for(near: &mut TcpStream) -> Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        anyhow::ensure!(head.len() < MAX_CONNECT, "a request without an end");
        head.push(near.read_u8().await?);
    }
    let head = String::from_utf8(head)?;
    let place = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
    let place = place.context("not CONNECT")?;
    Ok(place.rsplit_once(':').map_or(place, |(host, _)| host).to_owned())
}

async fn pump(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, counts: Arc<Counts>) {
    let mut piece = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut piece).await {
        counts.bytes.fetch_add(read as u64, Relaxed);
        if to.write_all(&piece[..read]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
