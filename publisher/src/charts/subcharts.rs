//! What lies in `charts/`, and what the chart asks for.

use pdp_policies::VersionRange;

use super::chart::Chart;
use super::dependency::Dependency;
use super::trouble::Trouble;
use crate::lint::Source;

/// Without what Helm passes over in `charts/`: names that begin with a dot or an underscore.
pub(super) fn kept(files: Source) -> Source {
    files.into_iter().filter(|(path, _)| !is_passed_over(path)).collect()
}

fn is_passed_over(path: &str) -> bool {
    let Some(rest) = path.strip_prefix("charts/") else { return false };
    rest.starts_with(['.', '_']) && !rest.ends_with(".prov")
        || rest.split_once('/').is_some_and(|(_, rest)| is_passed_over(rest))
}

/// Every dependency that Helm wouldn't find, or not under its alias.
pub(crate) fn check(chart: &Chart) -> Vec<Trouble> {
    chart.metadata.dependencies.iter().filter_map(|wanted| missing(wanted, &chart.subcharts).err()).collect()
}

fn missing(wanted: &Dependency, subcharts: &[Chart]) -> Result<(), Trouble> {
    let name = &wanted.name;
    let named: Vec<_> =
        subcharts.iter().map(|chart| &chart.metadata).filter(|chart| chart.name == *name).collect();
    let [first, ..] = named.as_slice() else {
        let message = format!("the subchart `{name}` would be fetched from elsewhere: it isn't in charts/");
        return Err(wrong("UnvendoredSubchart", message));
    };
    if wanted.version.is_empty() && wanted.alias.is_empty() {
        return Ok(());
    }
    let Ok(range) = wanted.version.parse::<VersionRange>() else {
        let message = format!("`{}` is no range of versions for the subchart `{name}`", wanted.version);
        return Err(wrong("WrongSubchart", message));
    };
    if named.iter().any(|chart| range.takes(&chart.parsed_version)) {
        return Ok(());
    }
    let message =
        format!("the subchart `{name}` is {}, Chart.yaml asks for {}", first.version, wanted.version);
    Err(wrong("WrongSubchart", message))
}

fn wrong(code: &'static str, message: String) -> Trouble {
    Trouble::new("Chart.yaml", code, message, "run `helm dependency build` and keep charts/")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn chart(dependencies: &str, subcharts: &[(&str, &str, &str)]) -> Chart {
        let yaml = format!("{{apiVersion: v2, name: a, version: 1.0.0, dependencies: [{dependencies}]}}");
        let mut files = vec![("Chart.yaml".to_owned(), yaml.into_bytes())];
        for (folder, name, version) in subcharts {
            let yaml = format!("{{apiVersion: v2, name: {name}, version: {version}}}");
            files.push((format!("charts/{folder}/Chart.yaml"), yaml.into_bytes()));
        }
        Chart::read(&files).unwrap()
    }

    #[test]
    fn a_subchart_is_found_by_its_own_name_and_version() {
        let redis = "{name: redis, version: ^1.2, repository: r}";
        let two = "{name: redis, version: 1.x, alias: old}, {name: redis, version: 2.x, alias: new}";
        for (wanted, subcharts, codes) in [
            (redis, &[("redis", "redis", "1.3.0")][..], &[][..]),
            (redis, &[("any-folder", "redis", "1.3.0")], &[]),
            (redis, &[("redis", "redis-ha", "1.3.0")], &["UnvendoredSubchart"]),
            (redis, &[("redis-ha", "redis-ha", "1.3.0")], &["UnvendoredSubchart"]),
            (redis, &[], &["UnvendoredSubchart"]),
            (redis, &[("redis", "redis", "2.0.0")], &["WrongSubchart"]),
            (redis, &[("redis", "redis", "1.3.0-rc.1")], &["WrongSubchart"]),
            (two, &[("a", "redis", "1.9.0"), ("b", "redis", "2.1.0")], &[]),
            (two, &[("a", "redis", "1.9.0")], &["WrongSubchart"]),
            ("{name: redis, repository: r}", &[("redis", "redis", "1.0.0")], &[]),
            ("{name: redis, alias: cache}", &[("redis", "redis", "1.0.0")], &["WrongSubchart"]),
            ("{name: redis, version: newest}", &[("redis", "redis", "1.0.0")], &["WrongSubchart"]),
            // Helm renders what nobody asks for, too.
            ("", &[("redis", "redis", "1.0.0")], &[]),
        ] {
            let found = check(&chart(wanted, subcharts));
            let found: Vec<_> = found.iter().map(|trouble| trouble.code).collect();
            assert_eq!(found, codes, "{wanted} {subcharts:?}");
        }
    }

    #[test]
    fn what_helm_passes_over_is_not_shipped() {
        let paths = [
            "Chart.yaml",
            "charts/.keep",
            "charts/_old/Chart.yaml",
            "charts/a/Chart.yaml",
            "charts/a/_x",
            "charts/a/charts/_b/x",
            "charts/.a.tgz.prov",
            "templates/charts/.x",
        ];
        let kept = kept(paths.iter().map(|path| ((*path).to_owned(), Vec::new())).collect());
        let kept: Vec<_> = kept.iter().map(|(path, _)| path.as_str()).collect();
        let stay =
            ["Chart.yaml", "charts/a/Chart.yaml", "charts/a/_x", "charts/.a.tgz.prov", "templates/charts/.x"];
        assert_eq!(kept, stay);
    }
}
