//! Whether a data plane's Helm values fit a chart, before anything is written: the chart's `values.schema.json`, judged
//! offline. Values never appear in a message, only their paths: they may be secrets.

use pdp_policies::values::merged;
use pdp_policies::values_schema::{MAX_SCHEMA_BYTES, Violation, violations};
use pdp_policies::yaml::Problem;
use pdp_policies::{helm_yaml, json_pointer};
use pdp_transport::{Error, Kind, archive};
use serde_json::{Map, Value};

mod fixed;

pub(crate) use fixed::Fixed;

/// A chart may not unpack to more (bytes).
const MAX_CHART_BYTES: u64 = 64 * 1024 * 1024;
/// More problems than this aren't listed.
const MAX_PROBLEMS: usize = 20;

/// The release's own values, in messages.
const OWN: &str = "values of the release";

/// Values from one source, parsed.
struct Source<'a> {
    name: &'a str,
    table: Map<String, Value>,
}

/// What a chart says about values.
struct Chart {
    defaults: Map<String, Value>,
    schema: Option<Value>,
    /// The keys of its subcharts; Helm joins their defaults in, so they aren't judged here.
    subcharts: Vec<String>,
}

/// What is wrong with `values` (name of the source, YAML; the last one wins) for the chart in `tgz`, which the release gives
/// `own` values below these: images that are the release's alone, and what the chart's schema refuses.
///
/// # Errors
/// `Garbage`, `TooLarge`, `UnsafePath`: the chart itself can't be read; no values would help.
pub(crate) fn problems(
    tgz: &[u8],
    fixed: &Fixed,
    own: Map<String, Value>,
    values: &[(&str, &str)],
) -> Result<Vec<String>, Error> {
    let chart = Chart::read(tgz)?;
    let defaults = merged(chart.defaults.clone(), [own.clone()]);
    let (mut sources, mut problems) = (Vec::new(), Vec::new());
    for (name, text) in values {
        match helm_yaml::values(text) {
            Ok(table) => sources.push(Source { name, table }),
            Err(problem) => problems.push(format!("{name}: {}", cause(&problem))),
        }
    }
    problems.extend(sources.iter().flat_map(|source| fixed.taken(source, &defaults)));
    sources.insert(0, Source { name: OWN, table: own });
    if let (Some(schema), true) = (&chart.schema, problems.is_empty()) {
        problems = chart.violations(schema, &sources)?;
    }
    Ok(problems)
}

impl Chart {
    fn read(tgz: &[u8]) -> Result<Self, Error> {
        let files = archive::unpack_chart(tgz, MAX_CHART_BYTES)?;
        let top = files
            .iter()
            .find_map(|(path, _)| path.strip_suffix("/Chart.yaml").filter(|top| !top.contains('/')));
        let top = top.ok_or_else(|| garbage("Chart.yaml", "there is none in the top folder"))?;
        let file = |name: &str| -> Result<Option<&str>, Error> {
            let Some((_, bytes)) = files.iter().find(|(path, _)| path.strip_prefix(top) == Some(name)) else {
                return Ok(None);
            };
            std::str::from_utf8(bytes).map(Some).map_err(|_| garbage(name, "it isn't UTF-8"))
        };
        let yaml = |name: &str, read: fn(&str) -> Result<Map<String, Value>, Problem>| {
            read(file(name)?.unwrap_or_default()).map_err(|problem| garbage(name, &cause(&problem)))
        };
        let description = yaml("/Chart.yaml", helm_yaml::chart)?;
        let schema = match file("/values.schema.json")? {
            Some(text) if text.len() > MAX_SCHEMA_BYTES => {
                let cause = format!("more than {MAX_SCHEMA_BYTES} bytes");
                return Err(Error::new(Kind::TooLarge, "values.schema.json of a chart", cause));
            }
            Some(text) => {
                Some(serde_json::from_str(text).map_err(|e| garbage("values.schema.json", &e.to_string()))?)
            }
            None => None,
        };
        Ok(Self {
            defaults: yaml("/values.yaml", helm_yaml::values_file)?,
            schema,
            subcharts: subcharts(&description),
        })
    }

    fn violations(&self, schema: &Value, sources: &[Source<'_>]) -> Result<Vec<String>, Error> {
        let all = merged(self.defaults.clone(), sources.iter().map(|source| source.table.clone()));
        let found =
            violations(schema, all, &self.subcharts).map_err(|e| garbage("values.schema.json", &e))?;
        let mut found: Vec<_> = found.iter().map(|violation| describe(violation, sources)).collect();
        found.sort();
        if found.len() > MAX_PROBLEMS {
            let more = found.len() - MAX_PROBLEMS;
            found.truncate(MAX_PROBLEMS);
            found.push(format!("and {more} more"));
        }
        Ok(found)
    }
}

/// The keys under which a chart's subcharts find their values.
fn subcharts(description: &Map<String, Value>) -> Vec<String> {
    let dependencies = description.get("dependencies").and_then(Value::as_array).into_iter().flatten();
    let key = |dependency: &Value| {
        dependency.get("alias").or_else(|| dependency.get("name"))?.as_str().map(str::to_owned)
    };
    dependencies.filter_map(key).collect()
}

/// The source that is to blame, the path, and what is wrong there.
fn describe(violation: &Violation, sources: &[Source<'_>]) -> String {
    let has = |source: &&Source<'_>| pointer(&source.table, &violation.blamed).is_some();
    let source = match sources.iter().rev().find(has) {
        Some(source) => source.name,
        None => "values",
    };
    format!("{source}: {violation}")
}

/// Like `Value::pointer`, within a table; the table itself is nobody's fault.
fn pointer<'a>(table: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let rest = path.match_indices('/').nth(1).map_or("", |(second, _)| &path[second..]);
    table.get(&json_pointer::keys(path).next()?)?.pointer(rest)
}

/// Where YAML stops being readable, and why; it quotes no value.
fn cause(problem: &Problem) -> String {
    match problem.place.split_once(':') {
        Some((line, column)) => format!("line {line}, column {column}: {}", problem.message),
        None => problem.message.clone(),
    }
}

fn garbage(file: &str, cause: &str) -> Error {
    Error::new(Kind::Garbage, format!("{} of a chart", file.trim_start_matches('/')), cause)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn chart(files: &[(&str, &str)]) -> Vec<u8> {
        let named = |(path, text): &(&str, &str)| (format!("gateway/{path}"), text.as_bytes().to_vec());
        archive::pack(&files.iter().map(named).collect::<Vec<_>>()).unwrap()
    }

    const CHART: (&str, &str) = ("Chart.yaml", "name: gateway\nversion: 1.0.0\n");

    fn with_schema(schema: &Value) -> Vec<u8> {
        chart(&[
            CHART,
            ("values.yaml", "replicas: 1\nmode: 0644\n"),
            ("values.schema.json", &schema.to_string()),
        ])
    }

    fn schema() -> Value {
        json!({
            "type": "object",
            "required": ["replicas"],
            "additionalProperties": false,
            "properties": {
                "replicas": { "type": "integer", "minimum": 1 },
                "mode": { "type": "integer", "const": 420 },
                "host": { "type": "string", "pattern": "^[a-z.]+$" },
                "tls": { "type": "object", "properties": { "secret": { "type": "string" } } },
            },
        })
    }

    fn judge(values: &[(&str, &str)]) -> Vec<String> {
        problems(&with_schema(&schema()), &Fixed::default(), Map::new(), values).unwrap()
    }

    #[test]
    fn good_values_and_no_values_are_fine() {
        assert_eq!(judge(&[]), Vec::<String>::new());
        assert_eq!(
            judge(&[("platform", "replicas: 3\n"), ("customer", "host: a.b\n"), ("empty", "")]),
            Vec::<String>::new()
        );
    }

    #[test]
    fn names_the_source_and_the_path_but_no_value() {
        let found = judge(&[
            ("pdp-platform-values", "tls: {secret: a}\n"),
            ("pdp-values-gateway", "tls: {secret: 42}\n"),
        ]);
        assert_eq!(found, ["pdp-values-gateway: tls.secret: value is not of type \"string\""]);
        let found = judge(&[("pdp-platform-values", "hots: s3cret\n"), ("pdp-values-gateway", "")]);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("pdp-platform-values: top level: "), "{found:?}");
        assert!(found[0].contains("hots") && !found[0].contains("s3cret"), "{found:?}");
    }

    #[test]
    fn the_releases_own_values_are_judged_with_the_others_and_hold_against_nobody_elses() {
        let own = |value: Value| serde_json::from_value::<Map<String, Value>>(value).unwrap();
        let judge = |of: Value, text: &str| {
            problems(&with_schema(&schema()), &Fixed::default(), own(of), &[("customer", text)]).unwrap()
        };
        assert_eq!(judge(json!({ "replicas": 2 }), "host: a.b\n"), Vec::<String>::new());
        assert_eq!(judge(json!({ "replicas": 0 }), "replicas: 1\n"), Vec::<String>::new(), "theirs win");
        let found = judge(json!({ "replicas": 0 }), "host: a.b\n");
        assert_eq!(found, ["values of the release: replicas: value is less than the minimum of 1"]);
        let found = judge(json!({ "tls": { "secret": "a" } }), "tls: {secret: 1}\n");
        assert_eq!(found, ["customer: tls.secret: value is not of type \"string\""]);
    }

    #[test]
    fn a_missing_value_is_nobodys_source() {
        let found = judge(&[("customer", "replicas: null\n")]);
        assert_eq!(found, ["values: top level: \"replicas\" is a required property"]);
    }

    #[test]
    fn yaml_is_read_as_kubernetes_reads_it() {
        assert_eq!(judge(&[("customer", "mode: 0644\nreplicas: 1\nreplicas: 2\n")]), Vec::<String>::new());
        assert_eq!(judge(&[("customer", "mode: 644\n")]).len(), 1);
    }

    #[test]
    fn unreadable_values_are_the_customers_problem_and_quote_nothing() {
        let found =
            judge(&[("a", "x: [s3cret\n"), ("b", "- list\n"), ("c", &"#".repeat(MAX_SCHEMA_BYTES + 1))]);
        assert_eq!(found.len(), 3);
        assert!(found[0].starts_with("a: line ") && !found[0].contains("s3cret"), "{found:?}");
        assert_eq!(found[1], "b: not a mapping of names to values");
        assert!(found[2].starts_with("c: ") && found[2].contains("bytes"), "{found:?}");
    }

    #[test]
    fn an_unreadable_chart_is_not_the_customers_problem() {
        let kind = |tgz: &[u8]| problems(tgz, &Fixed::default(), Map::new(), &[]).unwrap_err().kind;
        assert_eq!(kind(b"no archive"), Kind::Garbage);
        assert_eq!(kind(&chart(&[("values.yaml", "a: 1")])), Kind::Garbage);
        assert_eq!(kind(&chart(&[CHART, ("values.yaml", "- a")])), Kind::Garbage);
        assert_eq!(kind(&chart(&[CHART, ("values.schema.json", "{")])), Kind::Garbage);
        assert_eq!(kind(&with_schema(&json!({ "type": "no such type" }))), Kind::Garbage);
        let large = format!("\"{}\"", "x".repeat(MAX_SCHEMA_BYTES));
        assert_eq!(kind(&chart(&[CHART, ("values.schema.json", &large)])), Kind::TooLarge);
    }

    #[test]
    fn a_chart_without_a_schema_takes_everything() {
        let free = chart(&[CHART, ("values.yaml", "a: 1\n")]);
        assert_eq!(
            problems(&free, &Fixed::default(), Map::new(), &[("customer", "b: [1]\n")]).unwrap(),
            Vec::<String>::new()
        );
    }

    #[test]
    fn nothing_is_fetched_for_a_schema() {
        let remote = json!({ "properties": {
            "a": { "$ref": "https://example.com/a.json" },
            "b": { "$ref": "file:///etc/passwd" },
            "replicas": { "maximum": 2 },
        } });
        let found = problems(
            &with_schema(&remote),
            &Fixed::default(),
            Map::new(),
            &[("customer", "a: 1\nb: 1\nreplicas: 3\n")],
        )
        .unwrap();
        assert_eq!(found, ["customer: replicas: value is greater than the maximum of 2"]);
    }

    #[test]
    fn subcharts_are_left_to_helm() {
        let description = "name: gateway\ndependencies: [{name: redis, alias: cache}, {name: db}]\n";
        let schema = json!({ "required": ["cache", "db"], "properties": { "db": { "required": ["user"] } } });
        let tgz = chart(&[("Chart.yaml", description), ("values.schema.json", &schema.to_string())]);
        assert_eq!(problems(&tgz, &Fixed::default(), Map::new(), &[]).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn an_endless_pattern_ends() {
        let schema = json!({ "properties": { "host": { "pattern": "^(?=(a+)+$)(a|aa)+b\\1$" } } });
        let text = format!("host: {}\n", "a".repeat(40));
        assert_eq!(
            problems(&with_schema(&schema), &Fixed::default(), Map::new(), &[("customer", &text)])
                .unwrap()
                .len(),
            1
        );
    }

    #[test]
    fn long_lists_of_problems_are_cut() {
        let schema = json!({ "additionalProperties": { "type": "string" } });
        let many: String = (0..30).map(|n| format!("k{n:02}: {n}\n")).collect();
        let found = problems(
            &chart(&[CHART, ("values.schema.json", &schema.to_string())]),
            &Fixed::default(),
            Map::new(),
            &[("customer", &many)],
        );
        let found = found.unwrap();
        assert_eq!((found.len(), found[20].as_str()), (21, "and 10 more"));
    }
}
