//! A release whose components have values, as a reader takes it.

use std::collections::BTreeMap;

use pdp_policies::release::Artifact;
use pdp_policies::release_values::RELEASE_VALUES;
use pdp_policies::{Digest, Platform, Release, document};
use serde_json::json;

use crate::vendor::release;

/// A release with values for all and for Azure, read back.
fn read(edit: impl FnOnce(&mut Release)) -> Result<Release, String> {
    let mut of = release(42);
    of.critical = vec![RELEASE_VALUES.to_owned()];
    let component = &mut of.components[0];
    component.values = serde_json::from_value(json!({ "replicas": 2, "mode": "0644" })).unwrap();
    let azure = serde_json::from_value(json!({ "replicas": 3 })).unwrap();
    component.platform_values = BTreeMap::from([(Platform::Azure, azure)]);
    edit(&mut of);
    Release::read("release", &document::write(&of).unwrap()).map_err(|refusal| refusal.to_string())
}

#[test]
fn values_are_read_whole_and_refused_by_whom_they_mean_nothing() {
    let good = read(|_| ()).unwrap();
    let on = |platform| serde_json::Value::Object(good.components[0].values_on(platform));
    assert_eq!(on(Platform::Azure), json!({ "replicas": 3, "mode": "0644" }));
    assert_eq!(on(Platform::Aws), json!({ "replicas": 2, "mode": "0644" }));
    let all = |of: &mut Release| of.components[0].platform_values.clear();
    let one = |of: &mut Release| of.components[0].values.clear();
    for edit in [all, one] {
        let unmarked = read(|of| {
            edit(of);
            of.critical.clear();
        });
        let words = unmarked.unwrap_err();
        assert!(words.contains("`critical` doesn't name `releaseValues`"), "{words}");
    }
}

#[test]
fn values_that_could_not_be_given_to_helm_are_refused() {
    let manifests = |of: &mut Release| {
        of.components[0].artifact = Artifact::Manifests { digest: Digest::of(b"m"), size: 1 };
    };
    let elsewhere = |of: &mut Release| of.components[0].platforms = vec![Platform::Aws];
    let large = |of: &mut Release| drop(of.components[0].values.insert("a".into(), "x".repeat(65536).into()));
    for (refused, words) in [
        (read(manifests), "manifests have no values"),
        (read(elsewhere), "values for azure, where it doesn't run"),
        (read(large), "bytes of values; at most 65536"),
    ] {
        let refused = refused.unwrap_err();
        assert!(refused.contains(words), "{refused}");
    }
}
