//! Uploads to registries, and through proxies, as they are.

use std::time::Duration;

use pdp_e2e::{Harm, Registry as Server};
use pdp_policies::Digest;
use pdp_transport::oci::{MANIFEST_TYPE, OciOptions, Patience, Pushed, Registry, Repository};
use pdp_transport::{Exceptions, HttpOptions, Kind, LoginSource};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::oci::{manifest, place, push};

fn noise(bytes: usize) -> Vec<u8> {
    let blocks = (0..bytes.div_ceil(32)).flat_map(|n| *Digest::of(&n.to_be_bytes()).as_bytes());
    blocks.take(bytes).collect()
}

#[tokio::test]
async fn a_server_that_wants_a_length_gets_one() {
    let server = Server::start().unwrap();
    server.habits(|habits| habits.wants_length = true);
    let (registry, repository) = place(&server);
    push(&registry, &repository, b"layer", None).await;
}

#[tokio::test]
async fn a_proxy_with_a_body_limit_gets_pieces_and_the_next_blob_at_once() {
    let server = Server::start().unwrap();
    server.habits(|habits| {
        habits.body_limit = Some(1 << 20);
        habits.upload_state = true;
    });
    let (registry, repository) = place(&server);
    let blob = noise(5 << 19);
    assert_eq!(registry.push_blob(&repository, &blob).await.unwrap(), Pushed::Uploaded);
    let size = blob.len() as u64;
    assert_eq!(registry.blob(&repository, &Digest::of(&blob), size, size).await.unwrap(), blob);
    server.take_exchanges();
    registry.push_blob(&repository, &noise(3 << 19)).await.unwrap();
    assert!(server.take_exchanges().iter().all(|exchange| exchange.status != 413));
    server.habits(|habits| habits.body_limit = Some(1000));
    let error = registry.push_blob(&repository, &noise(70_000)).await.unwrap_err();
    assert!(error.kind == Kind::TooLargeForHost && error.cause.contains("413"), "{error}");
}

#[tokio::test]
async fn an_upload_that_fails_goes_on_or_begins_anew() {
    for (method, harm, times) in [
        ("PUT", Harm::Dropped, 1),
        ("PUT", Harm::Status(500), 2),
        ("PUT", Harm::Status(404), 1),
        ("POST", Harm::Status(503), 2),
        ("PATCH", Harm::Dropped, 1),
        ("PATCH", Harm::Status(416), 1),
        ("PATCH", Harm::Status(502), 2),
    ] {
        let server = Server::start().unwrap();
        let (registry, repository) = place(&server);
        server.habits(|habits| habits.body_limit = Some(100_000).filter(|_| method == "PATCH"));
        server.faults().add(method, "/blobs/uploads/", harm, Some(times));
        let blob = noise(300_000);
        registry.push_blob(&repository, &blob).await.unwrap();
        let size = blob.len() as u64;
        assert_eq!(registry.blob(&repository, &Digest::of(&blob), size, size).await.unwrap(), blob);
    }
}

#[tokio::test]
async fn a_blob_goes_from_a_file_and_into_a_file() {
    let server = Server::start().unwrap();
    let (registry, repository) = place(&server);
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    let (blob, other) = (noise(1_000_000), noise(999_999));
    let (digest, size) = (Digest::of(&blob), blob.len() as u64);
    std::fs::write(&from, &blob).unwrap();
    for (path, claimed, size, kind) in [
        (&from, Digest::of(&other), size, Kind::DigestMismatch),
        (&from, digest, size - 1, Kind::SizeMismatch),
        (&to, digest, size, Kind::NotFound),
    ] {
        let error = registry.push_blob_file(&repository, path, &claimed, size).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
    }
    assert_eq!(registry.push_blob_file(&repository, &from, &digest, size).await.unwrap(), Pushed::Uploaded);
    assert_eq!(
        registry.push_blob_file(&repository, &from, &digest, size).await.unwrap(),
        Pushed::AlreadyThere
    );
    registry.blob_to_file(&repository, &digest, size, size, &to).await.unwrap();
    assert_eq!(std::fs::read(&to).unwrap(), blob);
    registry.check_blob(&repository, &digest, size, size).await.unwrap();
    for (harm, kind) in [
        (Harm::Swapped, Kind::DigestMismatch),
        (Harm::Shortened, Kind::SizeMismatch),
        (Harm::Endless, Kind::TooLarge),
    ] {
        server.faults().clear();
        server.faults().add("GET", "/blobs/", harm, None);
        std::fs::remove_file(&to).unwrap_or_default();
        let error = registry.blob_to_file(&repository, &digest, size, size, &to).await.unwrap_err();
        assert_eq!((error.kind, to.exists()), (kind, false), "{harm:?}");
        assert_eq!(registry.check_blob(&repository, &digest, size, size).await.unwrap_err().kind, kind);
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing half is left");
}

/// Carries bytes to a server no faster than `rate` a second.
async fn slow_link(server: &Server, rate: usize) -> String {
    let to = server.host();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(16 * 1024).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(16).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = tokio::net::TcpStream::connect(&to).await.unwrap();
            let ((mut from, mut back), (mut answers, mut on)) = (near.into_split(), far.into_split());
            tokio::spawn(async move { tokio::io::copy(&mut answers, &mut back).await });
            tokio::spawn(async move {
                let mut piece = vec![0; rate / 20];
                while let Ok(read @ 1..) = from.read(&mut piece).await {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    if on.write_all(&piece[..read]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn an_upload_takes_longer_than_the_limit_for_silence() {
    let server = Server::start().unwrap();
    let link = slow_link(&server, 2 << 20).await;
    let http = HttpOptions {
        silence: Duration::from_secs(2),
        ..HttpOptions::new(Vec::new(), Exceptions::default())
    };
    let registry = Registry::new(&OciOptions { http, login: LoginSource::Nobody }).unwrap();
    let repository: Repository = format!("{link}/a/b").parse().unwrap();
    let started = std::time::Instant::now();
    registry.push_blob(&repository, &noise(12 << 20)).await.unwrap();
    assert!(started.elapsed() > Duration::from_secs(4), "the link was slow");
    let puts = server.take_exchanges().iter().filter(|exchange| exchange.method == "PUT").count();
    assert_eq!(puts, 1, "in one go");
}

#[tokio::test]
async fn a_server_that_falls_silent_is_given_up() {
    let server = Server::start().unwrap();
    server.faults().add("POST", "", Harm::Silent, None);
    let http = HttpOptions {
        silence: Duration::from_millis(300),
        ..HttpOptions::new(Vec::new(), Exceptions::default())
    };
    let registry = Registry::new(&OciOptions { http, login: LoginSource::Nobody }).unwrap();
    let repository: Repository = format!("{}/a/b", server.host()).parse().unwrap();
    assert!(registry.push_blob(&repository, b"x").await.is_err());
}

#[tokio::test]
async fn a_tag_that_isnt_moved_is_fine_if_it_names_the_same() {
    let server = Server::start().unwrap();
    let (registry, repository) = place(&server);
    let one = push(&registry, &repository, b"one", None).await;
    registry.push_blob(&repository, b"two").await.unwrap();
    let two = manifest(b"two", None);
    server.habits(|habits| habits.immutable_tags = true);
    registry.push_manifest(&repository, Some("v1"), MANIFEST_TYPE, &one).await.unwrap();
    let error = registry.push_manifest(&repository, Some("v1"), MANIFEST_TYPE, &two).await.unwrap_err();
    let named =
        [Digest::of(&one), Digest::of(&two)].iter().all(|digest| error.cause.contains(&digest.to_string()));
    assert!(error.kind == Kind::TagTaken && named, "{error}");
    registry.push_manifest(&repository, Some("v2"), MANIFEST_TYPE, &two).await.unwrap();
}

#[tokio::test]
async fn a_registry_with_a_rate_is_waited_for_and_asked_more_slowly() {
    static WAITS: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let server = Server::start().unwrap();
    let (registry, repository) = place(&server);
    let registry = registry.patient(Patience::PUBLISH, |host, wait| {
        assert!(host.starts_with("127.0.0.1") && !wait.is_zero());
        WAITS.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    });
    server.habits(|habits| habits.rate = Some(20));
    let blobs: Vec<_> = (0..30u8).map(|n| vec![n; 100]).collect();
    let pushes = blobs.iter().map(|blob| registry.push_blob(&repository, blob));
    for pushed in futures_util::future::join_all(pushes).await {
        assert_eq!(pushed.unwrap(), Pushed::Uploaded);
    }
    assert!(WAITS.load(std::sync::atomic::Ordering::Relaxed) > 0 && server.limited() > 0);
}
