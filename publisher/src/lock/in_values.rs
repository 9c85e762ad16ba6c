//! Images that a chart's values name, also those of options that are switched off. Pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::reference::Reference;
use super::rendered::{from_parts, is_image_name};

/// The images of one values file; `app_version` is the tag where the values leave it to the chart. That is a guess, and
/// needless for names that are `rendered`.
///
/// What is a template, empty or prose is none: rendering shows what becomes of it.
pub(crate) fn images(
    values: &Value,
    app_version: Option<&str>,
    rendered: &BTreeSet<String>,
) -> BTreeSet<Reference> {
    let mut found = BTreeSet::new();
    walk("", values, &mut |image| {
        let untagged = image.tag.is_none() && image.digest.is_none();
        if !untagged {
            found.insert(image);
        } else if !rendered.contains(&image.full_name()) {
            found.insert(Reference { tag: app_version.map(str::to_owned), ..image });
        }
    });
    found
}

fn walk(key: &str, value: &Value, found: &mut impl FnMut(Reference)) {
    match value {
        Value::Object(map) => {
            if let Some(image) = parts(key, map) {
                found(image);
            }
            for (key, inner) in map {
                walk(key, inner, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|inner| walk(key, inner, found)),
        Value::String(text) if is_image_name(key) => {
            // `image: busybox` may be a name to put together with others.
            if let Some(image) =
                Reference::parse(text).filter(|image| image.tag.is_some() || image.digest.is_some())
            {
                found(image);
            }
        }
        _ => {}
    }
}

/// A map is an image if it is called one, or if it has `repository` and `tag`.
fn parts(key: &str, map: &Map<String, Value>) -> Option<Reference> {
    let called = is_image_name(key) || map.contains_key("repository") && map.contains_key("tag");
    from_parts(map).filter(|_| called)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn images_of_options_that_are_off_are_found_and_prose_is_not() {
        let values = json!({
            "image": { "registry": "docker.io", "repository": "a/b", "tag": "1" },
            "proxy": { "enabled": false, "image": "h.example:5/c:2" },
            "init": [{ "image": "q.example/d:2" }],
            "test": { "repository": "e/f", "tag": "" },
            "known": { "repository": "g/h", "tag": "" },
            "empty": { "image": "" , "baseImage": { "repository": "" } },
            "templated": { "image": "{{ .Values.registry }}/x:1" },
            "part": { "image": "operator" },
            "words": { "image": "see the docs", "imagePullPolicy": "Always" },
        });
        let rendered = BTreeSet::from(["docker.io/g/h".to_owned()]);
        let found: Vec<_> = images(&values, Some("9.1"), &rendered).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["docker.io/a/b:1", "e/f:9.1", "h.example:5/c:2", "q.example/d:2"]);
    }
}
