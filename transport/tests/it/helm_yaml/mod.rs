//! YAML of charts and values means to us what it means to the Helm that helm-controller is built with: what reaches a
//! schema, a template or an image is compared for every row, with the real program.

mod rows;

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use pdp_e2e::cluster::Tools;
use pdp_policies::helm_yaml;
use pdp_policies::values::merged;
use serde_json::{Map, Value};

/// Prints a chart's values, and a file that is read as helm-controller reads values from a ConfigMap: `fromYaml` is the
/// same function.
const VALUES: &str = "values: {{ toJson .Values | b64enc }}\n";
const CONFIG_MAP: &str = "values: {{ .Files.Get \"config-map.yaml\" | fromYaml | toJson | b64enc }}\n";
/// Prints each value as a template does.
const PRINTED: &str = "{{- $out := dict }}{{ range $key, $value := .Values }}\
    {{ $out = set $out $key (printf \"%v\" $value) }}{{ end }}values: {{ toJson $out | b64enc }}\n";

/// A chart in a folder of its own.
pub(crate) struct Chart {
    folder: tempfile::TempDir,
    tools: Tools,
}

impl Chart {
    pub(crate) fn new(template: &str) -> Self {
        let chart = Self { folder: tempfile::tempdir().unwrap(), tools: Tools::for_charts().unwrap() };
        std::fs::create_dir(chart.path().join("templates")).unwrap();
        chart.write("Chart.yaml", "apiVersion: v2\nname: rows\nversion: 1.0.0\n");
        chart.write("templates/values.yaml", template);
        chart
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).unwrap();
    }

    /// What Helm prints, none if it refuses.
    pub(crate) fn helm(&self, args: &[&str]) -> Option<String> {
        let mut command = self.tools.command("helm4");
        command.current_dir(self.path()).env("HOME", self.path()).args(args);
        let output = command.output().unwrap();
        output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
    }

    /// The values that the template printed, none if Helm refuses them.
    pub(crate) fn rendered(&self, args: &[&str]) -> Option<Value> {
        let printed = self.helm(&[&["template", "rows", "."], args].concat())?;
        let encoded = printed.lines().find_map(|line| line.strip_prefix("values: ")).unwrap();
        let value: Value = serde_json::from_slice(&BASE64_STANDARD.decode(encoded).unwrap()).unwrap();
        Some(floats(value)).filter(|value| value.get("Error").is_none())
    }
}

/// Numbers are floats to Helm: 1 and 1.0 are the same.
fn floats(value: Value) -> Value {
    match value {
        Value::Number(number) => number.as_f64().unwrap().into(),
        Value::Array(items) => items.into_iter().map(floats).collect(),
        Value::Object(table) => table.into_iter().map(|(key, value)| (key, floats(value))).collect(),
        other => other,
    }
}

/// Enough of a row to know it by.
fn start(text: &str) -> String {
    format!("{:?}", text.chars().take(200).collect::<String>())
}

fn ours(table: Map<String, Value>) -> Value {
    floats(Value::Object(table))
}

#[test]
fn a_charts_values_are_those_that_helm_sees() {
    let chart = Chart::new(VALUES);
    for text in rows::all() {
        chart.write("values.yaml", &text);
        let ours = helm_yaml::values_file(&text).map(|defaults| ours(merged(defaults, [])));
        assert_eq!(ours.as_ref().ok(), chart.rendered(&[]).as_ref(), "{}\n{ours:?}", start(&text));
    }
}

#[test]
fn values_of_a_config_map_are_those_that_helm_controller_sees() {
    let chart = Chart::new(CONFIG_MAP);
    for text in rows::all() {
        chart.write("config-map.yaml", &text);
        let ours = helm_yaml::values(&text).map(ours);
        assert_eq!(ours.as_ref().ok(), chart.rendered(&[]).as_ref(), "{}\n{ours:?}", start(&text));
    }
}

#[test]
fn sources_over_a_chart_make_what_helm_makes_of_them() {
    let chart = Chart::new(VALUES);
    for (defaults, given) in rows::OVER {
        chart.write("values.yaml", defaults);
        chart.write("given.yaml", given);
        let (defaults, given) =
            (helm_yaml::values_file(defaults).unwrap(), helm_yaml::values_file(given).unwrap());
        let ours = ours(merged(defaults, [given.clone()]));
        assert_eq!(Some(ours), chart.rendered(&["--values", "given.yaml"]), "{given:?}");
    }
}

#[test]
fn scalars_become_the_text_that_a_template_prints() {
    let chart = Chart::new(PRINTED);
    let lines = rows::SCALARS.iter().enumerate().map(|(n, scalar)| format!("k{n}: {scalar}\n"));
    let text: String = lines.collect();
    chart.write("values.yaml", &text);
    let values = helm_yaml::values_file(&text).unwrap();
    let ours =
        values.iter().filter_map(|(key, value)| Some((key.clone(), helm_yaml::printed(value)?.into())));
    assert_eq!(Some(Value::Object(ours.collect())), chart.rendered(&[]));
}

#[test]
fn a_charts_description_is_what_helm_shows() {
    let chart = Chart::new(VALUES);
    for text in rows::CHARTS {
        chart.write("Chart.yaml", text);
        let helm = helm_yaml::values(&chart.helm(&["show", "chart", "."]).unwrap()).unwrap();
        assert_eq!(ours(helm_yaml::chart(text).unwrap()), ours(helm), "{text}");
    }
}

/// Where Helm drops the rest of a broken file in silence, or decides by chance, we say so.
#[test]
fn what_helm_takes_only_in_part_is_refused() {
    let chart = Chart::new(CONFIG_MAP);
    for text in rows::STRICTER {
        chart.write("config-map.yaml", text);
        assert!(chart.rendered(&[]).is_some(), "Helm refuses {text:?}: move the row");
        assert!(helm_yaml::values(text).is_err(), "{text:?}");
    }
}
