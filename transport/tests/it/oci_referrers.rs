//! Referrers as registries list them: in pages, without types, by tag, or lost again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pdp_e2e::{Harm, Registry as Server};
use pdp_policies::Digest;
use pdp_transport::Kind;
use pdp_transport::oci::{
    Descriptor, EMPTY_CONFIG, EMPTY_TYPE, INDEX_TYPE, Index, MANIFEST_TYPE, Manifest, Which,
};

use crate::oci::{SIGNATURE, place, push};

/// A subject with `count` signatures.
async fn signed(server: &Server, count: u8) -> Descriptor {
    let (registry, repository) = place(server);
    let subject = Descriptor::of(MANIFEST_TYPE, &push(&registry, &repository, b"layer", None).await);
    for n in 0..count {
        push(&registry, &repository, &[n, 1], Some(subject.clone())).await;
    }
    subject
}

#[tokio::test]
async fn all_pages_are_read_on_the_same_host_alone() {
    let server = Server::start().unwrap();
    let subject = signed(&server, 5).await;
    let (registry, repository) = place(&server);
    server.habits(|habits| habits.referrers_page = Some(2));
    let found = registry.referrers(&repository, &subject.digest, SIGNATURE, 100).await.unwrap();
    assert_eq!(found.len(), 5);
    let elsewhere = Server::start().unwrap();
    server.habits(|habits| habits.pages_at = Some(format!("http://{}", elsewhere.host())));
    let error = registry.referrers(&repository, &subject.digest, SIGNATURE, 100).await.unwrap_err();
    assert_eq!(error.kind, Kind::Garbage, "{error}");
    assert!(elsewhere.take_exchanges().is_empty());
}

#[tokio::test]
async fn pages_without_end_are_refused() {
    let server = Server::start().unwrap();
    let subject = signed(&server, 2).await;
    let (registry, repository) = place(&server);
    server.habits(|habits| habits.referrers_page = Some(0));
    let error = registry.referrers(&repository, &subject.digest, SIGNATURE, 100).await.unwrap_err();
    assert_eq!(error.kind, Kind::TooLarge, "{error}");
}

#[tokio::test]
async fn an_entry_without_a_type_is_opened() {
    let server = Server::start().unwrap();
    let subject = signed(&server, 2).await;
    let (registry, repository) = place(&server);
    server.habits(|habits| habits.drops_types = true);
    let count =
        async |kind: &str| registry.referrers(&repository, &subject.digest, kind, 9).await.unwrap().len();
    assert_eq!((count(SIGNATURE).await, count("other/type").await), (2, 0));
}

#[tokio::test]
async fn the_tag_is_read_whatever_the_api_says() {
    let server = Server::start().unwrap();
    server.without_referrers(true);
    let subject = signed(&server, 1).await;
    server.without_referrers(false);
    let (registry, repository) = place(&server);
    server.habits(|habits| habits.forgets_referrers = true);
    let found = || registry.referrers(&repository, &subject.digest, SIGNATURE, 9);
    assert_eq!(found().await.unwrap().len(), 1, "an empty list");
    for harm in [400, 401, 403, 404, 405, 406, 429].map(Harm::Status).into_iter().chain([Harm::Page]) {
        server.faults().add("GET", "/referrers/", harm, None);
        assert_eq!(found().await.unwrap().len(), 1, "{harm:?}");
        server.faults().clear();
    }
    server.faults().add("GET", "/referrers/", Harm::Status(500), None);
    assert_eq!(found().await.unwrap_err().kind, Kind::ServerFailed);
}

#[tokio::test]
async fn without_a_tag_a_list_that_is_withheld_is_an_error() {
    let server = Server::start().unwrap();
    let (registry, repository) = place(&server);
    let digest = Digest::of(b"subject");
    for (harm, kind) in [
        (Harm::Status(401), Some(Kind::LoginNeeded)),
        (Harm::Status(403), Some(Kind::LoginNeeded)),
        (Harm::Status(429), Some(Kind::RateLimited)),
        (Harm::Page, Some(Kind::Garbage)),
        (Harm::Status(400), None),
        (Harm::Status(405), None),
    ] {
        server.faults().add("GET", "/referrers/", harm, None);
        let found = registry.referrers(&repository, &digest, SIGNATURE, 9).await;
        assert_eq!(found.map(|_| ()).map_err(|error| error.kind).err(), kind, "{harm:?}");
        server.faults().clear();
    }
}

#[tokio::test]
async fn a_registry_that_forgets_what_it_promised_to_list_gets_a_tag() {
    let server = Server::start().unwrap();
    server.habits(|habits| habits.forgets_referrers = true);
    let subject = signed(&server, 1).await;
    let (registry, repository) = place(&server);
    assert_eq!(registry.referrers(&repository, &subject.digest, SIGNATURE, 9).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_another_writer_lost_is_added_again() {
    let server = Arc::new(Server::start().unwrap());
    server.without_referrers(true);
    let subject = signed(&server, 0).await;
    let tag = format!("sha256-{}", subject.digest.hex());
    let (registry, repository) = place(&server);
    let manifest = push(&registry, &repository, b"theirs", None).await;
    let theirs =
        Descriptor { artifact_type: Some("theirs".into()), ..Descriptor::of(MANIFEST_TYPE, &manifest) };
    let (rivals, stop) = (server.clone(), Arc::new(AtomicBool::new(false)));
    let (at, end) = (tag.clone(), stop.clone());
    // A client that read the tag before us, and writes it after us, twice.
    let rival = std::thread::spawn(move || {
        let index = serde_json::to_vec(&Index::new(None, vec![theirs])).unwrap();
        let mut lost = 0;
        while lost < 2 && !end.load(Ordering::Relaxed) {
            let answered = rivals.take_exchanges();
            if answered.iter().any(|put| put.method == "PUT" && put.path.ends_with(&at)) {
                lost += 1;
                rivals.content().put("a/b", &at, INDEX_TYPE, &index).unwrap();
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        lost
    });
    let bytes = push(&registry, &repository, b"ours", Some(subject.clone())).await;
    for _ in 0..3 {
        registry.confirm_referrer(&repository, &bytes).await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    assert!(rival.join().unwrap() > 0);
    registry.confirm_referrer(&repository, &bytes).await.unwrap();
    let found =
        async |kind: &str| registry.referrers(&repository, &subject.digest, kind, 9).await.unwrap().len();
    assert_eq!((found(SIGNATURE).await, found("theirs").await), (1, 1), "both are there in the end");
}

/// A referrer whose annotation says what it states.
async fn stating(server: &Server, subject: &Descriptor, layer: &[u8], stated: &str) {
    let (registry, repository) = place(server);
    registry.push_blob(&repository, layer).await.unwrap();
    naming(server, subject, Descriptor::of(SIGNATURE, layer), stated).await;
}

/// The same, whatever its manifest says of the layer.
async fn naming(server: &Server, subject: &Descriptor, layer: Descriptor, stated: &str) {
    let (registry, repository) = place(server);
    registry.push_blob(&repository, EMPTY_CONFIG).await.unwrap();
    let manifest = Manifest {
        schema_version: 2,
        media_type: MANIFEST_TYPE.to_owned(),
        artifact_type: Some(SIGNATURE.to_owned()),
        config: Descriptor::of(EMPTY_TYPE, EMPTY_CONFIG),
        layers: vec![layer],
        subject: Some(subject.clone()),
        annotations: [("states".to_owned(), stated.to_owned())].into(),
    };
    registry.push_referrer(&repository, &serde_json::to_vec(&manifest).unwrap()).await.unwrap();
}

#[tokio::test]
async fn what_is_not_wanted_is_neither_counted_nor_fetched_and_what_is_too_large_is_passed_over() {
    let server = Server::start().unwrap();
    let subject = signed(&server, 0).await;
    let (registry, repository) = place(&server);
    let which = Which {
        artifact_type: SIGNATURE,
        limit: 2,
        max_bytes: 100,
        wanted: |annotations| annotations.get("states").is_none_or(|it| it == "released"),
    };
    let found = async || registry.attached(&repository, &subject.digest, &which).await;
    for n in 0..9 {
        stating(&server, &subject, &[n; 40], "an SBOM").await;
    }
    assert_eq!(found().await.unwrap(), Vec::<Vec<u8>>::new());
    stating(&server, &subject, &[10; 101], "released").await;
    assert_eq!(found().await.unwrap_err().kind, Kind::TooLarge, "nothing else is there");
    stating(&server, &subject, b"good", "released").await;
    assert_eq!(found().await.unwrap(), [b"good"]);
    // A list without annotations: the manifests have them, and as before all of them count.
    server.habits(|habits| habits.drops_annotations = true);
    let which = Which { limit: 11, ..which };
    assert_eq!(registry.attached(&repository, &subject.digest, &which).await.unwrap(), [b"good"]);
    let exchanges = server.take_exchanges();
    let fetched = |layer: &[u8]| {
        exchanges.iter().any(|it| it.path.contains(Digest::of(layer).hex().as_str()) && it.method == "GET")
    };
    assert!(fetched(b"good") && (0..9).all(|n| !fetched(&[n; 40])));
}

#[tokio::test]
async fn a_stranger_who_names_a_layer_with_another_size_hides_no_signature() {
    let server = Server::start().unwrap();
    let subject = signed(&server, 0).await;
    let (registry, repository) = place(&server);
    let which = Which { artifact_type: SIGNATURE, limit: 9, max_bytes: 100, wanted: |_| true };
    let found = async || registry.attached(&repository, &subject.digest, &which).await;
    registry.push_blob(&repository, b"good").await.unwrap();
    for size in [3, 5] {
        naming(&server, &subject, Descriptor { size, ..Descriptor::of(SIGNATURE, b"good") }, "a").await;
        let kind = found().await.unwrap_err().kind;
        assert!(matches!(kind, Kind::TooLarge | Kind::SizeMismatch), "nothing else is there: {kind:?}");
    }
    stating(&server, &subject, b"good", "a").await;
    assert_eq!(found().await.unwrap(), [b"good"]);
    // A registry that can't answer is no stranger.
    server.faults().add("GET", "/blobs/", Harm::Status(403), None);
    assert_eq!(found().await.unwrap_err().kind, Kind::LoginNeeded);
}
