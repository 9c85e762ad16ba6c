//! The ground itself: the registry's logins, its memory, and what its owner can do behind its back.

use pdp_e2e::{Login, Registry};
use serde_json::{Value, json};

use crate::forge::sha256;
use crate::ground_faults::{client, registry, url};

const KIND: &str = "application/vnd.oci.image.manifest.v1+json";

fn status(registry: &Registry, tag: &str) -> u16 {
    client().get(url(registry, tag)).send().unwrap().status().as_u16()
}

#[test]
fn basic_login_is_enforced() {
    let registry = registry();
    registry.require(Some(Login::Basic("pdp".into(), "right".into())));
    let with =
        |password| client().get(url(&registry, "one")).basic_auth("pdp", Some(password)).send().unwrap();
    let refused = client().get(url(&registry, "one")).send().unwrap();
    assert_eq!(refused.status(), 401);
    assert!(refused.headers()["www-authenticate"].to_str().unwrap().starts_with("Basic "));
    assert_eq!((with("wrong").status().as_u16(), with("right").status().as_u16()), (401, 200));
    registry.require(None);
    assert_eq!(status(&registry, "one"), 200);
}

#[test]
fn token_login_is_enforced_and_its_address_told() {
    let registry = registry();
    registry.require(Some(Login::Token("pdp".into(), "right".into())));
    let refused = client().get(url(&registry, "one")).send().unwrap();
    let challenges = refused.headers().get_all("www-authenticate");
    let challenge = challenges.iter().next_back().unwrap().to_str().unwrap().to_owned();
    assert_eq!(refused.status(), 401);
    let realm = challenge.split('"').nth(1).unwrap();
    let asked = [("service", "test, with a comma"), ("scope", "repository:pdp:pull")];
    let ask = |password| client().get(realm).query(&asked).basic_auth("pdp", Some(password)).send().unwrap();
    assert_eq!(ask("wrong").status(), 401);
    let token: Value = ask("right").json().unwrap();
    let with = |token: &str| client().get(url(&registry, "one")).bearer_auth(token).send().unwrap().status();
    assert_eq!((with("guessed").as_u16(), with(token["token"].as_str().unwrap()).as_u16()), (401, 200));
    let basic = client().get(url(&registry, "one")).basic_auth("pdp", Some("right")).send().unwrap();
    assert_eq!(basic.status(), 401, "only the token counts");
}

#[test]
fn stopped_it_refuses_connections_and_restarted_it_has_all_it_had() {
    let registry = registry();
    let host = registry.host();
    registry.stop();
    assert!(client().get(url(&registry, "one")).send().unwrap_err().is_connect());
    registry.restart().unwrap();
    assert_eq!((registry.host(), status(&registry, "one")), (host, 200));
}

#[test]
fn its_owner_moves_tags_deletes_and_lies_about_digests() {
    let registry = registry();
    let content = registry.content();
    let other = br#"{"schemaVersion":2,"other":true}"#;
    let digest = content.put("pdp", "two", KIND, other).unwrap();
    assert_eq!(digest, format!("sha256:{}", sha256(other)));
    let one = content.manifest("pdp", "one").unwrap().unwrap();
    content.point("pdp", "one", "two").unwrap();
    assert_eq!(client().get(url(&registry, "one")).send().unwrap().bytes().unwrap(), &other[..]);
    assert_eq!(status(&registry, &one.digest), 200, "untagged, not gone");
    content.put("pdp", &one.digest, KIND, b"{}").unwrap();
    let lie = client().get(url(&registry, &one.digest)).send().unwrap();
    assert_eq!(lie.headers()["docker-content-digest"], *one.digest);
    assert_eq!(lie.bytes().unwrap(), "{}");
    assert_eq!(content.tags("pdp").unwrap(), ["one", "two"]);
    assert!(content.delete("pdp", "two").unwrap());
    assert_eq!((status(&registry, "two"), content.delete("pdp", "two").unwrap()), (404, false));
    assert!(content.point("pdp", "one", "absent").is_err());
}

#[test]
fn without_the_referrers_api_it_neither_answers_nor_promises_it() {
    let registry = registry();
    let one = registry.content().manifest("pdp", "one").unwrap().unwrap();
    let referring = json!({
        "schemaVersion": 2, "mediaType": KIND, "artifactType": "application/x-test", "layers": [],
        "subject": { "mediaType": KIND, "digest": one.digest, "size": one.bytes.len() },
    });
    let push = |tag| {
        let put = client().put(url(&registry, tag)).header("content-type", KIND);
        put.body(referring.to_string()).send().unwrap()
    };
    let referrers = || {
        let url = format!("http://{}/v2/pdp/referrers/{}", registry.host(), one.digest);
        client().get(url).send().unwrap()
    };
    assert_eq!(push("three").headers()["oci-subject"], *one.digest);
    assert_eq!(referrers().json::<Value>().unwrap()["manifests"][0]["artifactType"], "application/x-test");
    registry.without_referrers(true);
    assert!(!push("four").headers().contains_key("oci-subject"));
    assert_eq!(referrers().status(), 404);
}
