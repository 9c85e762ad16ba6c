//! Which values a customer may not give: those that name an image.

use std::collections::BTreeSet;

use pdp_policies::image_values::places;
use pdp_policies::json_pointer;
use pdp_policies::release::Component;
use serde_json::{Map, Value};

use super::{MAX_PROBLEMS, Source};

/// Places of values that are the release's alone: they name an image.
#[derive(Debug, Default)]
pub(crate) struct Fixed(BTreeSet<String>);

impl Fixed {
    /// Of a component: where its chart names images, and where the release itself carries some.
    pub(crate) fn of(component: &Component) -> Self {
        let carried = component.image_values.iter().flat_map(|one| places(&one.values));
        Self(component.image_paths.iter().cloned().chain(carried).collect())
    }

    /// What a source says at these places. What stands there without it is no harm: whole files are copied.
    pub(super) fn taken(&self, source: &Source<'_>, defaults: &Map<String, Value>) -> Vec<String> {
        let said = |path: &&String| {
            let said = reached(&source.table, path);
            said.is_some() && said != reached(defaults, path)
        };
        let words = |path: &String| {
            let place = json_pointer::dotted(path);
            format!("{}: {place}: the release says which image this is; take it out", source.name)
        };
        self.0.iter().filter(said).map(words).take(MAX_PROBLEMS).collect()
    }
}

/// The value at a JSON Pointer, or what stands in its way.
fn reached<'a>(table: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut keys = json_pointer::keys(path);
    let mut found = table.get(&keys.next()?)?;
    for key in keys {
        match found {
            Value::Object(inner) => found = inner.get(&key)?,
            other => return Some(other),
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use pdp_transport::archive;

    use super::*;
    use crate::values::problems;

    #[test]
    fn where_the_release_gives_an_image_another_than_the_charts_that_one_is_kept() {
        let fixed = Fixed(["/image/tag".to_owned()].into());
        let file = |path: &str, text: &str| (format!("a/{path}"), text.as_bytes().to_vec());
        let files =
            [file("Chart.yaml", "name: a\nversion: 1.0.0\n"), file("values.yaml", "image: {tag: '1'}\n")];
        let chart = archive::pack(&files).unwrap();
        let own = || serde_json::from_value(serde_json::json!({ "image": { "tag": "2" } })).unwrap();
        for (tag, fine) in [("'2'", true), ("'1'", false), ("'3'", false)] {
            let text = format!("image: {{tag: {tag}}}\n");
            let found = problems(&chart, &fixed, own(), &[("customer", &text)]).unwrap();
            assert_eq!(found.is_empty(), fine, "{tag}: {found:?}");
        }
    }

    #[test]
    fn images_are_the_releases_alone() {
        let fixed = ["/image/repository", "/image/tag", "/solver", "/global/imageRegistry"];
        let fixed = Fixed(fixed.map(str::to_owned).into());
        let file = |path: &str, text: &str| (format!("a/{path}"), text.as_bytes().to_vec());
        let free = archive::pack(&[
            file("Chart.yaml", "name: a\nversion: 1.0.0\n"),
            file("values.yaml", "image: {repository: q.io/a, tag: '1', pullPolicy: Always}\n"),
        ]);
        let free = free.unwrap();
        for (text, wanted) in [
            ("image: {pullPolicy: Never}\nreplicas: 2\n", vec![]),
            ("image: {repository: q.io/a, tag: '1'}\n", vec![]),
            ("image: {repository: evil.example/a}\n", vec!["image.repository"]),
            ("image: {tag: 1}\n", vec!["image.tag"]),
            ("image: evil\n", vec!["image.repository", "image.tag"]),
            ("image:\n", vec!["image.repository", "image.tag"]),
            ("image: {tag: }\n", vec!["image.tag"]),
            ("solver: evil\n", vec!["solver"]),
            ("global: {imageRegistry: evil.example}\n", vec!["global.imageRegistry"]),
        ] {
            let found = problems(&free, &fixed, Map::new(), &[("customer", text)]).unwrap();
            let words = |place: &&str| {
                format!("customer: {place}: the release says which image this is; take it out")
            };
            assert_eq!(found, wanted.iter().map(words).collect::<Vec<_>>(), "{text}");
        }
    }
}
