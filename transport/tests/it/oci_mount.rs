//! What a registry has in another repository isn't sent to it again.

use pdp_e2e::cluster::Olareg;
use pdp_e2e::{Harm, Tools, WebHost};
use pdp_policies::Digest;
use pdp_transport::LoginSource;
use pdp_transport::oci::{OciOptions, Pushed, Registry, Repository};

fn registry() -> Registry {
    Registry::new(&OciOptions { http: crate::http(), login: LoginSource::Nobody }).unwrap()
}

fn repository(host: &str, path: &str) -> Repository {
    format!("{host}/{path}").parse().unwrap()
}

#[tokio::test]
async fn a_layer_that_two_images_share_is_sent_once() {
    let server = Olareg::start(&Tools::for_registries().unwrap(), true).unwrap();
    let (registry, layer) = (registry(), vec![7; 300_000]);
    let [one, other] = ["team/one", "team/other"].map(|path| repository(&server.host(), path));
    assert_eq!(registry.push_blob(&one, &layer).await.unwrap(), Pushed::Uploaded);
    let sent = registry.traffic().bytes_sent;
    assert!(sent >= 300_000);
    assert!(!registry.has_blob(&other, &Digest::of(&layer)).await.unwrap());
    assert_eq!(registry.push_blob(&other, &layer).await.unwrap(), Pushed::AlreadyThere);
    assert_eq!(registry.traffic().bytes_sent, sent);
    assert_eq!(registry.blob(&other, &Digest::of(&layer), 300_000, 300_000).await.unwrap(), layer);
    // Where it isn't, nothing is taken from, and it is sent.
    let [gone, third] = ["team/gone", "team/third"].map(|path| repository(&server.host(), path));
    let unsent = vec![8; 1000];
    registry.saw_blob(&gone, &Digest::of(&unsent)).unwrap();
    assert_eq!(registry.push_blob(&third, &unsent).await.unwrap(), Pushed::Uploaded);
    assert_eq!(registry.blob(&third, &Digest::of(&unsent), 1000, 1000).await.unwrap(), unsent);
}

#[tokio::test]
async fn a_registry_that_doesnt_do_it_or_only_says_so_is_sent_the_blob() {
    for status in [201, 202, 400, 403, 404, 405] {
        let server = WebHost::start().unwrap();
        let (registry, layer) = (registry(), Digest::of(b"layer"));
        let [one, other] = ["team/one", "team/other"].map(|path| repository(&server.host(), path));
        server.put(&format!("/v2/team/one/blobs/{layer}"), b"layer");
        server.faults().add("POST", "/blobs/uploads/", Harm::Status(status), None);
        assert!(registry.provides(&one, &layer).await.unwrap());
        assert!(!registry.provides(&other, &layer).await.unwrap(), "{status}");
        let asked = server.take_exchanges();
        assert!(asked.iter().any(|it| it.method == "POST" && it.status == status), "{asked:?}");
    }
}
