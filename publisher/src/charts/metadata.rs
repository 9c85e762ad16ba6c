//! What a chart says about itself: `Chart.yaml` and `requirements.yaml`, with the types that Helm gives them.

use pdp_policies::version_range;
use semver::Version;
use serde_json::{Value, json};

use super::dependency::{Dependency, dependencies};
use super::fields::{self, Fields};
use super::text::cleaned;
use super::trouble::Trouble;
use super::yaml::Table;

/// What Helm knows of a chart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Metadata {
    pub(crate) name: String,
    /// As written.
    pub(crate) version: String,
    pub(crate) parsed_version: Version,
    pub(crate) kube_version: String,
    pub(crate) is_library: bool,
    pub(crate) dependencies: Vec<Dependency>,
    /// Helm's config layer.
    config: Value,
}

const NAMES: [&str; 17] = [
    "annotations",
    "apiVersion",
    "appVersion",
    "condition",
    "dependencies",
    "deprecated",
    "description",
    "home",
    "icon",
    "keywords",
    "kubeVersion",
    "maintainers",
    "name",
    "sources",
    "tags",
    "type",
    "version",
];

impl Metadata {
    /// Reads `Chart.yaml`, and `requirements.yaml` over it, as Helm does for charts of any age.
    ///
    /// # Errors
    /// `BadChart`, `BadChartVersion`: Helm refuses the chart.
    pub(super) fn read(chart: &Table, requirements: Option<&Table>) -> Result<Self, Trouble> {
        let chart = fields::known(chart, &NAMES);
        let whole = match requirements {
            Some(requirements) => fields::over(chart, fields::known(requirements, &NAMES)),
            None => chart,
        };
        Self::typed(&Fields(&whole)).map_err(bad)?.judged()
    }

    fn typed(of: &Fields<'_>) -> Result<Self, String> {
        let clean = |name: &str| of.text(name).map(|text| cleaned(&text));
        let cleans = |name: &str| {
            Ok::<_, String>(of.texts(name)?.iter().map(|text| cleaned(text)).collect::<Vec<_>>())
        };
        let (name, version) = (clean("name")?, of.text("version")?);
        let api =
            Some(of.text("apiVersion")?).filter(|api| !api.is_empty()).unwrap_or_else(|| "v1".to_owned());
        let (kind, kube_version) = (of.text("type")?, clean("kubeVersion")?);
        let dependencies = dependencies(of)?;
        let config = fields::filled(json!({
            "annotations": of.text_map("annotations")?,
            "apiVersion": api,
            "appVersion": clean("appVersion")?,
            "condition": clean("condition")?,
            "dependencies": dependencies.iter().map(Dependency::config).collect::<Vec<_>>(),
            "deprecated": of.flag("deprecated")?,
            "description": clean("description")?,
            "home": clean("home")?,
            "icon": clean("icon")?,
            "keywords": cleans("keywords")?,
            "kubeVersion": kube_version,
            "maintainers": maintainers(of)?,
            "name": name,
            "sources": cleans("sources")?,
            "tags": clean("tags")?,
            "type": kind,
            "version": version,
        }));
        let parsed_version = Version::new(0, 0, 0);
        let is_library = kind == "library";
        Ok(Self { name, version, parsed_version, kube_version, is_library, dependencies, config })
    }

    /// Helm's own rules, in its order.
    fn judged(mut self) -> Result<Self, Trouble> {
        let text = |field: &str| self.config.get(field).and_then(Value::as_str).unwrap_or_default();
        match text("apiVersion") {
            "v1" | "v2" => {}
            other => return Err(bad(format!("`apiVersion: {other}` is neither v1 nor v2"))),
        }
        if matches!(self.name.as_str(), "" | "." | "..") || self.name.contains(['/', '\\']) {
            return Err(bad(format!("`name: {}` is no name of a chart", self.name)));
        }
        if !matches!(text("type"), "" | "application" | "library") {
            return Err(bad("`type` is neither application nor library".to_owned()));
        }
        super::dependency::judge(&self.dependencies).map_err(bad)?;
        self.parsed_version =
            version_range::version(&self.version).ok_or_else(|| bad_version(&self.version))?;
        Ok(self)
    }

    /// The bytes of Helm's config layer.
    pub(crate) fn config(&self) -> Vec<u8> {
        self.config.to_string().into_bytes()
    }
}

fn maintainers(of: &Fields<'_>) -> Result<Vec<Value>, String> {
    let one = |item: &Table| {
        let item = fields::known(item, &["email", "name", "url"]);
        let clean = |name: &str| Fields(&item).text(name).map(|text| cleaned(&text));
        Ok(fields::filled(json!({ "email": clean("email")?, "name": clean("name")?, "url": clean("url")? })))
    };
    of.tables("maintainers")?.into_iter().map(one).collect()
}

fn bad(message: impl Into<String>) -> Trouble {
    Trouble::new("Chart.yaml", "BadChart", message, "Helm refuses such a chart: correct it")
}

fn bad_version(version: &str) -> Trouble {
    let message = format!("`version: {version}` is no semantic version");
    Trouble::new(
        "Chart.yaml",
        "BadChartVersion",
        message,
        "write such as 1.4.2 (semver.org); Helm takes no other",
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::charts::yaml;

    fn read(chart: &str, requirements: Option<&str>) -> Result<Value, &'static str> {
        let table = |text: &str| yaml::table(text.as_bytes()).unwrap();
        let requirements = requirements.map(table);
        let read = Metadata::read(&table(chart), requirements.as_ref()).map_err(|trouble| trouble.code)?;
        Ok(serde_json::from_slice(&read.config()).unwrap())
    }

    #[test]
    fn numbers_become_text_and_what_is_empty_or_unknown_goes() {
        let chart = "{name: a, version: 1.20, appVersion: 1.10, deprecated: false, icon: null, keywords: [1, x], \
                     annotations: {n: 2.0, b: true}, madeUp: 1, home: ''}";
        let config = json!({
            "apiVersion": "v1", "name": "a", "version": "1.2", "appVersion": "1.1", "keywords": ["1", "x"],
            "annotations": {"false": "2", "b": "true"},
        });
        assert_eq!(read(chart, None).unwrap(), config);
    }

    #[test]
    fn names_of_fields_are_read_in_any_case_as_go_does() {
        let config = read("{Name: a, VERSION: 1.0.0, appversion: 2}", None).unwrap();
        assert_eq!(config, json!({"apiVersion": "v1", "name": "a", "version": "1.0.0", "appVersion": "2"}));
    }

    #[test]
    fn requirements_go_over_the_chart() {
        let requirements = "dependencies: [{name: b, version: 1, repository: r}]";
        let config = read("{name: a, version: 1.0.0}", Some(requirements)).unwrap();
        let expected = json!([{"name": "b", "version": "1", "repository": "r"}]);
        assert_eq!(config["dependencies"], expected);
    }

    #[test]
    fn what_helm_refuses_is_refused() {
        for (chart, code) in [
            ("{version: 1.0.0}", "BadChart"),
            ("{name: a/b, version: 1.0.0}", "BadChart"),
            ("{name: .., version: 1.0.0}", "BadChart"),
            ("{name: a}", "BadChartVersion"),
            ("{name: a, version: latest}", "BadChartVersion"),
            ("{name: a, version: 1.2.3.4}", "BadChartVersion"),
            ("{name: a, version: 1.0.0, apiVersion: v3}", "BadChart"),
            ("{name: a, version: 1.0.0, type: plugin}", "BadChart"),
            ("{name: [a], version: 1.0.0}", "BadChart"),
            ("{name: a, version: 1.0.0, deprecated: 'true'}", "BadChart"),
            ("{name: a, version: 1.0.0, maintainers: [null]}", "BadChart"),
            ("{name: a, version: 1.0.0, dependencies: [null]}", "BadChart"),
            ("{name: a, version: 1.0.0, dependencies: [{name: b, alias: 'b.c'}]}", "BadChart"),
            ("{name: a, version: 1.0.0, dependencies: [{name: b}, {name: c, alias: b}]}", "BadChart"),
        ] {
            assert_eq!(read(chart, None), Err(code), "{chart}");
        }
    }
}
