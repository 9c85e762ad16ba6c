//! The ground itself: each fault does what it says, as often as it says, and is on record.

use std::io::Read;
use std::time::Duration;

use pdp_e2e::{Harm, Registry};
use reqwest::blocking::{Client, Response};

const KIND: &str = "application/vnd.oci.image.manifest.v1+json";
const BYTES: &[u8] = br#"{"schemaVersion":2}"#;

/// A registry with one manifest.
pub(crate) fn registry() -> Registry {
    let registry = Registry::start().unwrap();
    registry.content().put("pdp", "one", KIND, BYTES).unwrap();
    registry
}

pub(crate) fn client() -> Client {
    Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap()
}

pub(crate) fn url(registry: &Registry, tag: &str) -> String {
    format!("http://{}/v2/pdp/manifests/{tag}", registry.host())
}

fn get(registry: &Registry) -> reqwest::Result<Response> {
    client().get(url(registry, "one")).send()
}

/// Gets the manifest under this harm alone.
fn harmed(registry: &Registry, harm: Harm) -> Response {
    registry.faults().clear();
    registry.faults().add("GET", "/manifests/", harm, None);
    get(registry).unwrap()
}

#[test]
fn without_a_fault_the_exact_bytes_come() {
    let answer = get(&registry()).unwrap();
    assert_eq!(answer.headers()["content-type"], KIND);
    assert_eq!(answer.bytes().unwrap(), BYTES);
}

#[test]
fn a_status_replaces_the_answer() {
    let registry = registry();
    for status in [401, 404, 500] {
        let answer = harmed(&registry, Harm::Status(status));
        assert_eq!((answer.status().as_u16(), answer.bytes().unwrap().len()), (status, 0));
    }
    let limited = harmed(&registry, Harm::RateLimited);
    assert_eq!((limited.status().as_u16(), &limited.headers()["retry-after"]), (429, &"0".parse().unwrap()));
}

#[test]
fn bodies_are_garbage_swapped_or_cut() {
    let registry = registry();
    let garbage = harmed(&registry, Harm::Garbage);
    assert!(garbage.status().is_success() && garbage.text().unwrap().starts_with("<html>"));
    let swapped = harmed(&registry, Harm::Swapped).bytes().unwrap();
    assert!(swapped.len() == BYTES.len() && swapped != BYTES);
    let half = &BYTES[..BYTES.len() / 2];
    assert_eq!(harmed(&registry, Harm::Shortened).bytes().unwrap(), half, "looks whole");
    let mut got = Vec::new();
    assert!(harmed(&registry, Harm::Truncated).read_to_end(&mut got).is_err(), "breaks off");
    assert_eq!(got, half);
}

#[test]
fn endless_bodies_go_on_and_a_huge_one_says_so() {
    let registry = registry();
    for (harm, announced) in [(Harm::Endless, None), (Harm::Huge, Some(1 << 40))] {
        let answer = harmed(&registry, harm);
        assert_eq!(answer.content_length(), announced, "{harm:?}");
        let read = std::io::copy(&mut answer.take(8 << 20), &mut std::io::sink()).unwrap();
        assert_eq!(read, 8 << 20, "{harm:?}");
    }
}

#[test]
fn a_silent_server_sends_nothing_and_a_trickling_one_all_in_the_end() {
    let registry = registry();
    registry.faults().add("GET", "", Harm::Silent, None);
    let impatient = Client::builder().no_proxy().timeout(Duration::from_millis(300)).build().unwrap();
    let answer = impatient.get(url(&registry, "one")).send().and_then(Response::bytes);
    assert!(answer.unwrap_err().is_timeout());
    registry.faults().clear();
    registry.faults().add("GET", "", Harm::Trickling, None);
    let mut answer = get(&registry).unwrap();
    let mut first = [0; 8];
    assert_eq!(answer.read(&mut first).unwrap(), 1, "byte by byte");
    let mut rest = Vec::new();
    answer.read_to_end(&mut rest).unwrap();
    assert_eq!([&first[..1], &rest[..]].concat(), BYTES);
}

#[test]
fn a_dropped_connection_gives_no_answer_at_all() {
    let registry = registry();
    registry.faults().add("GET", "/manifests/", Harm::Dropped, None);
    assert!(get(&registry).unwrap_err().is_request(), "no status line");
    assert!(registry.take_exchanges().iter().all(|exchange| exchange.status == 0));
    registry.faults().clear();
    assert!(get(&registry).unwrap().status().is_success(), "the server itself lives");
}

#[test]
fn a_fault_meets_its_method_and_path_only_and_so_often() {
    let registry = registry();
    registry.faults().add("HEAD", "", Harm::Status(500), None);
    registry.faults().add("", "/blobs/", Harm::Status(500), None);
    registry.faults().add("GET", "/manifests/one", Harm::Status(503), Some(2));
    let statuses: Vec<u16> = (0..4).map(|_| get(&registry).unwrap().status().as_u16()).collect();
    assert_eq!(statuses, [503, 503, 200, 200]);
    assert_eq!(client().head(url(&registry, "one")).send().unwrap().status(), 500);
}

#[test]
fn every_exchange_is_on_record_with_its_bytes() {
    let registry = registry();
    get(&registry).unwrap();
    client().put(url(&registry, "two")).header("content-type", KIND).body(BYTES).send().unwrap();
    let record = registry.take_exchanges();
    let short: Vec<_> = record.iter().map(|e| (&*e.method, &*e.path, e.status, e.received, e.sent)).collect();
    let size = BYTES.len() as u64;
    assert_eq!(short[0], ("GET", "/v2/pdp/manifests/one", 200, 0, Some(size)));
    assert_eq!(short[1], ("PUT", "/v2/pdp/manifests/two", 201, size, Some(0)));
    assert!(registry.take_exchanges().is_empty(), "taken is taken");
}
