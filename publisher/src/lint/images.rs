//! The image closure: every image that a component can make the cluster fetch is listed by digest.
//!
//! Found are `image:` fields in manifests and templates and `image: {repository}` maps in values.
//! What only a running program names can't be found: list it with `runtime: true`.

use std::collections::BTreeSet;

use pdp_policies::helm_yaml;
use pdp_policies::values::merged;
use pdp_policies::yaml::Problem;
use serde_json::Value;

use super::{Finding, Linted, Report, seen, unreadable};
use crate::release_file::ComponentEntry;

/// The images of every component whose files could be read.
pub(super) fn check_all(linted: &Linted, findings: &mut Vec<Finding>) {
    let components = linted.file.components.iter().zip(&linted.places).zip(&linted.sources);
    for ((component, place), files) in components.filter(|(_, files)| !files.is_empty()) {
        let mut report = Report { file: place.clone(), findings };
        check(component, &seen::of(component, files), &mut report);
    }
}

fn check(component: &ComponentEntry, files: &[(String, Vec<u8>)], report: &mut Report<'_>) {
    let mut found = BTreeSet::new();
    let mut all_read = true;
    for (path, bytes) in files.iter().filter(|(path, _)| is_yaml(path)) {
        let names = in_file(path, bytes, component.chart.is_some()).unwrap_or_else(|problem| {
            unreadable::report(path, problem, report);
            all_read = false;
            BTreeSet::new()
        });
        listed(component, path, &names, report);
        found.extend(names);
    }
    if all_read {
        let names = in_given(component, files);
        listed(component, "values", &names, report);
        found.extend(names);
    }
    for image in
        component.images.iter().filter(|image| all_read && !image.runtime && !found.contains(&image.name))
    {
        let message = format!("image `{}` of `{}` is listed but not used", image.name, component.name);
        report.add("images", "UnusedImage", message, "take it out, or mark it `runtime: true`");
    }
}

/// A finding for each name without a digest.
fn listed(component: &ComponentEntry, place: &str, names: &BTreeSet<String>, report: &mut Report<'_>) {
    for name in names.iter().filter(|name| !component.images.iter().any(|image| image.name == **name)) {
        let message = format!("image `{name}` of `{}` has no digest", component.name);
        report.add(place, "UndigestedImage", message, "list it under `images:` with its digest");
    }
}

/// Of the release's own values over the chart's.
fn in_given(component: &ComponentEntry, files: &[(String, Vec<u8>)]) -> BTreeSet<String> {
    let text = files.iter().find(|(path, _)| path == "values.yaml").map(|(_, bytes)| unreadable::text(bytes));
    let defaults = text.and_then(Result::ok).map(helm_yaml::values_file).and_then(Result::ok);
    let mut found = BTreeSet::new();
    for values in component.variants().into_iter().filter(|values| !values.is_empty()) {
        let all = merged(defaults.clone().unwrap_or_default(), [values]);
        collect(&Value::Object(all), &mut found);
    }
    found
}

fn is_yaml(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml") || path.ends_with(".tpl")
}

/// The names of all images in a file. Templates aren't YAML, so those are read line by line.
fn in_file(path: &str, bytes: &[u8], of_chart: bool) -> Result<BTreeSet<String>, Problem> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let documents = match (of_chart, name) {
        _ if path.contains("templates/") || path.ends_with(".tpl") => return Ok(literals(bytes)),
        (true, "values.yaml") => vec![Value::Object(helm_yaml::values_file(unreadable::text(bytes)?)?)],
        _ => match unreadable::text(bytes).and_then(helm_yaml::documents) {
            Ok(documents) => documents,
            // What a chart's templates take in (`.Files`, `tpl`) may be a template itself.
            Err(_) if of_chart && !path.starts_with("crds/") => return Ok(literals(bytes)),
            Err(problem) => return Err(problem),
        },
    };
    let mut found = BTreeSet::new();
    documents.iter().for_each(|document| collect(document, &mut found));
    Ok(found)
}

fn literals(bytes: &[u8]) -> BTreeSet<String> {
    String::from_utf8_lossy(bytes).lines().filter_map(literal).collect()
}

/// The image of a template's line such as `image: docker.io/x/y:1`, none if it is computed.
fn literal(line: &str) -> Option<String> {
    let value = line.trim().trim_start_matches("- ").strip_prefix("image:")?;
    let value = value.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
    (!value.contains("{{") && is_one_word(value)).then(|| without_tag(value))
}

/// A name has no spaces; what has is prose of a comment.
fn is_one_word(text: &str) -> bool {
    text.split_whitespace().count() == 1
}

fn collect(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                match (inner, helm_yaml::printed(inner)) {
                    (_, Some(image)) if key == "image" && is_one_word(&image) => {
                        found.insert(without_tag(&image));
                    }
                    (Value::Object(parts), _) if key.to_lowercase().ends_with("image") => {
                        found.extend(from_parts(parts))
                    }
                    _ => collect(inner, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        _ => {}
    }
}

/// `{registry, repository, tag}` as charts' values write it.
fn from_parts(parts: &serde_json::Map<String, Value>) -> Option<String> {
    let repository = helm_yaml::printed(parts.get("repository")?).filter(|it| is_one_word(it))?;
    match parts.get("registry").and_then(helm_yaml::printed).filter(|it| is_one_word(it)) {
        Some(registry) if !registry.is_empty() => Some(format!("{registry}/{repository}")),
        _ => Some(repository),
    }
}

/// The name without `:tag` and `@digest`; a port's colon stays.
fn without_tag(image: &str) -> String {
    let name = image.split('@').next().unwrap_or(image);
    match name.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name.to_owned(),
        _ => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn finds_images_in_values_manifests_and_templates() {
        let values = "image: {registry: docker.io, repository: a/b, tag: '1'}\nproxyImage:\n  repository: h.example:5/c\ninit: [{image: 'q.example/d:2@sha256:00'}]\n";
        let found = |path: &str, text: &str| {
            in_file(path, text.as_bytes(), true).unwrap().into_iter().collect::<Vec<_>>()
        };
        assert_eq!(found("values.yaml", values), ["docker.io/a/b", "h.example:5/c", "q.example/d"]);
        let template = "  - image: \"docker.io/x/y:1\"\n    image: {{ .Values.i }}\n";
        assert_eq!(found("templates/a.yaml", template), ["docker.io/x/y"]);
        assert_eq!(found("files/a.yaml", template), ["docker.io/x/y"]);
    }

    #[test]
    fn prose_and_empty_names_are_no_images() {
        let found = |path: &str, text: &str| {
            in_file(path, text.as_bytes(), true).unwrap().into_iter().collect::<Vec<_>>()
        };
        let helper = "{{/*\n  - image: The image block (repository, tag)\n*/}}\nimage:\nimage: \"\"\nimage: a/b:1 # {{ why }}\n";
        assert_eq!(found("templates/_helpers.tpl", helper), ["a/b"]);
        assert_eq!(
            found(
                "values.yaml",
                "image: ''\na: {image: the one to run}\nb: {image: ' '}\nc: {image: {registry: '', repository: ''}}\nd: {image: {repository: <YOUR REPOSITORY>}}\n"
            ),
            [""; 0]
        );
    }

    #[test]
    fn finds_images_where_a_reader_of_yaml_1_2_sees_others_or_none() {
        let found = |text: &str| {
            in_file("values.yaml", text.as_bytes(), true).unwrap().into_iter().collect::<Vec<_>>()
        };
        let comments = format!("image:\n{}  repository: a\n", "  # c\n".repeat(5000));
        assert_eq!(found(&comments), ["a"]);
        let uses = format!("x: &x {{image: a}}\nlist:\n{}", "- *x\n".repeat(5000));
        assert_eq!(found(&uses), ["a"]);
        assert_eq!(found("x: &x {image: a}\ny:\n  image: b\n  <<: *x\n"), ["a"]);
        assert_eq!(found("image: a\n---\nimage: b\n---\n"), ["b"]);
        assert_eq!(found("image: 0644\n"), ["420"]);
        assert_eq!(found("image: {registry: yes, repository: 1000000}\n"), ["true/1e+06"]);
    }

    #[test]
    fn says_what_it_could_not_read_and_where() {
        let place = |path: &str, of_chart: bool| {
            in_file(path, b"a: 1\nb: [\n", of_chart).map_err(|problem| problem.place)
        };
        assert_eq!(place("values.yaml", true).unwrap_err(), "2:4");
        assert_eq!(place("charts/db/values.yaml", true).unwrap_err(), "2:4");
        assert_eq!(place("crds/a.yaml", true).unwrap_err(), "2:4");
        assert_eq!(place("deployment.yaml", false).unwrap_err(), "2:4");
        assert_eq!(in_file("d.yaml", b"a: \xff\n", false).unwrap_err().message, "not UTF-8");
    }
}
