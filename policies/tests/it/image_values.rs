//! A release whose values carry images, as a reader takes it.

use pdp_policies::image_values::{CarriedImage, IMAGE_VALUES, IMAGE_VALUES_OTHERS, ImageValues};
use pdp_policies::release::Artifact;
use pdp_policies::{Digest, Release, document};
use serde_json::json;

use crate::vendor::release;

/// A release with values that carry an image, read back.
fn read(edit: impl FnOnce(&mut Release)) -> Result<Release, String> {
    let mut of = release(42);
    of.critical = vec![IMAGE_VALUES.to_owned()];
    let values = serde_json::from_value(json!({ "tool": "{name}:1@{digest}" })).unwrap();
    let carried = ImageValues {
        image: "quay.io/acme/tool".into(),
        digest: Digest::of(b"tool"),
        others: Default::default(),
        values,
    };
    of.components[0].image_values = vec![carried];
    edit(&mut of);
    Release::read("release", &document::write(&of).unwrap()).map_err(|refusal| refusal.to_string())
}

#[test]
fn values_that_carry_images_are_read_whole_and_refused_by_whom_they_mean_nothing() {
    let good = read(|_| ()).unwrap();
    assert_eq!(good.components[0].image_values[0].image, "quay.io/acme/tool");
    let unmarked = read(|of| of.critical.clear()).unwrap_err();
    assert!(unmarked.contains("`critical` doesn't name `imageValues`"), "{unmarked}");
}

#[test]
fn an_entry_with_several_images_is_refused_by_whom_the_further_ones_mean_nothing() {
    let several = |of: &mut Release| {
        let other = CarriedImage { image: "quay.io/acme/other".into(), digest: Digest::of(b"other") };
        let entry = &mut of.components[0].image_values[0];
        entry.others.insert("other".into(), other);
        entry.values.insert("args".into(), json!(["{name:other}@{digest:other}"]));
    };
    let unmarked = read(several).unwrap_err();
    assert!(unmarked.contains("`critical` doesn't name `imageValuesOthers`"), "{unmarked}");
    let marked = |of: &mut Release| {
        several(of);
        of.critical.push(IMAGE_VALUES_OTHERS.to_owned());
    };
    let images = read(marked).unwrap().components[0].image_values[0].clone();
    assert_eq!(
        images.images().map(|(name, _)| name).collect::<Vec<_>>(),
        ["quay.io/acme/tool", "quay.io/acme/other"]
    );
}

#[test]
fn values_that_carry_no_image_or_one_place_twice_are_refused() {
    let twice = |of: &mut Release| {
        let again = of.components[0].image_values[0].clone();
        of.components[0].image_values.push(again);
    };
    let manifests = |of: &mut Release| {
        of.components[0].artifact = Artifact::Manifests { digest: Digest::of(b"m"), size: 1 };
    };
    let short = |of: &mut Release| of.components[0].image_values[0].image = "tool".into();
    for (refused, words) in [
        (read(twice), "two images are carried by the value /tool"),
        (read(manifests), "manifests have no values"),
        (read(short), "`tool` is no `host/path`"),
    ] {
        let refused = refused.unwrap_err();
        assert!(refused.contains(words), "{refused}");
    }
}
