//! A file of a chart or of manifests as text that was read, or a finding that says why not and where.

use pdp_policies::yaml::Problem;

use super::Report;

pub(super) fn text(bytes: &[u8]) -> Result<&str, Problem> {
    std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        Problem { place: line.to_string(), message: "not UTF-8".to_owned() }
    })
}

pub(super) fn report(path: &str, problem: Problem, report: &mut Report<'_>) {
    let place = match problem.place.as_str() {
        "file" => path.to_owned(),
        within => format!("{path}:{within}"),
    };
    report.add(
        place,
        "UnreadableYaml",
        problem.message,
        "fix the file: Helm and Flux don't read it as meant either",
    );
}
