//! Blobs, manifests and referrers; with and without the referrers API.

use pdp_e2e::{Harm, Registry as Server};
use pdp_policies::Digest;
use pdp_transport::oci::{
    Descriptor, EMPTY_CONFIG, EMPTY_TYPE, MANIFEST_TYPE, Manifest, OciOptions, Pushed, Registry, Repository,
};
use pdp_transport::{Kind, LoginSource};

pub(crate) const SIGNATURE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

pub(crate) fn place(server: &Server) -> (Registry, Repository) {
    let registry = Registry::new(&OciOptions { http: crate::http(), login: LoginSource::Nobody }).unwrap();
    (registry, format!("{}/a/b", server.host()).parse().unwrap())
}

pub(crate) fn manifest(layer: &[u8], subject: Option<Descriptor>) -> Vec<u8> {
    let manifest = Manifest {
        schema_version: 2,
        media_type: MANIFEST_TYPE.into(),
        artifact_type: subject.is_some().then(|| SIGNATURE.into()),
        config: Descriptor::of(EMPTY_TYPE, EMPTY_CONFIG),
        layers: vec![Descriptor::of("application/octet-stream", layer)],
        subject,
        annotations: Default::default(),
    };
    serde_json::to_vec(&manifest).unwrap()
}

pub(crate) async fn push(
    registry: &Registry,
    repository: &Repository,
    layer: &[u8],
    subject: Option<Descriptor>,
) -> Vec<u8> {
    registry.push_blob(repository, EMPTY_CONFIG).await.unwrap();
    registry.push_blob(repository, layer).await.unwrap();
    let bytes = manifest(layer, subject.clone());
    match subject {
        Some(_) => {
            registry.push_referrer(repository, &bytes).await.unwrap();
        }
        None => {
            registry.push_manifest(repository, Some("v1"), MANIFEST_TYPE, &bytes).await.unwrap();
        }
    }
    bytes
}

#[tokio::test]
async fn exact_bytes_come_back_and_nothing_is_sent_twice() {
    let server = Server::start().unwrap();
    let (registry, repository) = place(&server);
    let bytes = push(&registry, &repository, b"layer", None).await;
    assert_eq!(registry.manifest(&repository, &Digest::of(&bytes)).await.unwrap(), bytes);
    assert_eq!(registry.resolve_tag(&repository, "v1").await.unwrap(), Some((Digest::of(&bytes), bytes)));
    assert_eq!(registry.resolve_tag(&repository, "v2").await.unwrap(), None);
    let uploaded = registry.traffic().blobs_uploaded;
    assert_eq!(registry.push_blob(&repository, b"layer").await.unwrap(), Pushed::AlreadyThere);
    assert_eq!(registry.push_blob(&repository, b"another").await.unwrap(), Pushed::Uploaded);
    assert_eq!(registry.blob(&repository, &Digest::of(b"layer"), 5, 10).await.unwrap(), b"layer");
    assert_eq!(registry.traffic().blobs_uploaded, uploaded + 1);
}

#[tokio::test]
async fn a_descriptors_size_is_a_claim() {
    let server = Server::start().unwrap();
    let (registry, repository) = place(&server);
    push(&registry, &repository, b"layer", None).await;
    let digest = Digest::of(b"layer");
    for (size, max, kind) in
        [(4, 10, Kind::TooLarge), (6, 10, Kind::SizeMismatch), (20_000_000, 10, Kind::TooLarge)]
    {
        assert_eq!(registry.blob(&repository, &digest, size, max).await.unwrap_err().kind, kind, "{size}");
    }
}

#[tokio::test]
async fn many_writers_of_one_fallback_tag_lose_nothing() {
    let server = Server::start().unwrap();
    let (registry, repository) = place(&server);
    let subject = push(&registry, &repository, b"layer", None).await;
    for without in [false, true] {
        server.without_referrers(without);
        let described = Descriptor::of(MANIFEST_TYPE, &subject);
        let writers: Vec<_> = (0..4u8).map(|n| vec![u8::from(without), n]).collect();
        let pushes = writers.iter().map(|layer| push(&registry, &repository, layer, Some(described.clone())));
        futures_util::future::join_all(pushes).await;
        let found = registry.referrers(&repository, &described.digest, SIGNATURE, 100).await.unwrap();
        assert!(found.len() >= 4, "without the API: {without}: {}", found.len());
        assert!(
            registry.referrers(&repository, &described.digest, "other/type", 100).await.unwrap().is_empty()
        );
    }
}

#[tokio::test]
async fn a_broken_registry_never_looks_like_no_referrers() {
    let server = Server::start().unwrap();
    let (registry, repository) = place(&server);
    let digest = Digest::of(b"subject");
    assert!(registry.referrers(&repository, &digest, SIGNATURE, 9).await.unwrap().is_empty());
    for (path, harm, kind) in [
        ("/referrers/", Harm::Status(500), Kind::ServerFailed),
        ("/referrers/", Harm::Status(403), Kind::LoginNeeded),
        ("/referrers/", Harm::Garbage, Kind::Garbage),
        ("/referrers/", Harm::Endless, Kind::TooLarge),
    ] {
        server.faults().add("GET", path, harm, None);
        assert_eq!(
            registry.referrers(&repository, &digest, SIGNATURE, 9).await.unwrap_err().kind,
            kind,
            "{harm:?}"
        );
        server.faults().clear();
    }
    server.without_referrers(true);
    server.faults().add("GET", "/manifests/sha256-", Harm::Status(500), None);
    assert_eq!(
        registry.referrers(&repository, &digest, SIGNATURE, 9).await.unwrap_err().kind,
        Kind::ServerFailed
    );
}
