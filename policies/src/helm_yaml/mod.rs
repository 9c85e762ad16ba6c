//! YAML of charts and values, read as Helm 4 and helm-controller read it: `sigs.k8s.io/yaml` over go-yaml v2, which
//! is YAML 1.1 with rules of its own. `yes` is a boolean, `0644` is octal, the last of two equal keys wins, and so does
//! a merge key (`<<`) below an explicit key.
//!
//! Our own files are read strictly: [`crate::yaml`]. Messages never quote what a file says: values may be secrets.

mod budget;
mod chart;
mod decode;
mod nodes;
mod number;
mod reader;
mod scalar;
mod syntax;
mod timestamp;

use serde_json::{Map, Value};

use crate::yaml::{MAX_YAML_BYTES, Problem};

/// The largest file with manifests (bytes): the definitions of an operator take half of it.
pub const MAX_MANIFESTS_BYTES: usize = 8 * 1024 * 1024;

pub use chart::chart;

type Table = Map<String, Value>;
type Result<T> = std::result::Result<T, Problem>;

/// The first document; `null` if there is none.
///
/// # Errors
/// What can't be read, and where. What follows the first document isn't looked at.
pub fn first(text: &str) -> Result<Value> {
    reader::first(checked(text, MAX_YAML_BYTES)?)?
        .map_or(Ok(Value::Null), |document| decode::value(&document))
}

/// The first document, as helm-controller reads values from a ConfigMap.
///
/// # Errors
/// As above, and when it isn't a mapping.
pub fn values(text: &str) -> Result<Table> {
    match first(text)? {
        Value::Null => Ok(Table::new()),
        Value::Object(table) => Ok(table),
        _ => Err(problem("file", "not a mapping of names to values")),
    }
}

/// All documents put together, as Helm reads a chart's `values.yaml` and files given with `--values`. The last one wins.
///
/// # Errors
/// As above, for each of the documents.
pub fn values_file(text: &str) -> Result<Table> {
    let mut all = Table::new();
    for (line, document) in separated(checked(text, MAX_YAML_BYTES)?)? {
        all = crate::values::over(all, values(&document).map_err(|problem| below(problem, line))?);
    }
    Ok(all)
}

/// Every document of a file with manifests.
///
/// # Errors
/// As above, for each of the documents.
pub fn documents(text: &str) -> Result<Vec<Value>> {
    reader::all(checked(text, MAX_MANIFESTS_BYTES)?)?.iter().map(decode::value).collect()
}

/// A scalar as a template prints it, none for a list or a mapping.
pub fn printed(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => number.as_f64().map(number::printed),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Only what go-yaml takes at all.
fn checked(text: &str, limit: usize) -> Result<&str> {
    if text.len() > limit {
        return Err(problem("file", &format!("{} bytes; at most {limit} are read", text.len())));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some((at, c)) = text.char_indices().find(|(_, c)| !is_allowed(*c)) {
        return Err(problem(&place(text, at), refused(c)));
    }
    // To Helm it is a part of the key that follows.
    if let Some(at) = text.find("\n\u{feff}").or_else(|| text.find("\r\u{feff}")) {
        return Err(problem(&place(text, at + 1), "a byte-order mark begins a line: take it out"));
    }
    Ok(text)
}

fn is_allowed(c: char) -> bool {
    let printable = matches!(c, '\t' | '\n' | '\r' | ' '..='~' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..);
    printable && !matches!(c, '\u{2028}' | '\u{2029}')
}

fn refused(c: char) -> &'static str {
    match c {
        // To Helm they end a line, to YAML 1.2 they don't: one would see a key where the other sees a comment.
        '\u{85}' | '\u{2028}' | '\u{2029}' => {
            "U+0085, U+2028 and U+2029 end a line for Helm: write a line feed"
        }
        _ => "control characters are not allowed",
    }
}

/// The documents between `---` lines, each with the number of lines before it. Helm cuts the text before it reads YAML:
/// each line ends in a line feed, and nothing but a comment may follow the dashes.
fn separated(text: &str) -> Result<Vec<(usize, String)>> {
    let mut documents = vec![(0, String::new())];
    for (line, content) in text.lines().enumerate() {
        let rest = content.strip_prefix("---").map(str::trim);
        if rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('#')) {
            let message = "nothing but a comment may follow `---` where Helm reads values";
            return Err(problem(&format!("{}:1", line + 1), message));
        }
        match documents.last_mut() {
            Some((_, last)) if rest.is_none() || last.is_empty() => {
                last.push_str(content);
                last.push('\n');
            }
            _ => documents.push((line + 1, String::new())),
        }
    }
    Ok(documents)
}

fn problem(place: &str, message: &str) -> Problem {
    Problem { place: place.to_owned(), message: message.to_owned() }
}

/// `line:column` of a byte.
fn place(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{line}:{column}")
}

/// The same problem, in a document that begins below `lines` others.
fn below(problem: Problem, lines: usize) -> Problem {
    let place = match problem.place.split_once(':').map(|(line, column)| (line.parse::<usize>(), column)) {
        Some((Ok(line), column)) => format!("{}:{column}", line + lines),
        _ => problem.place,
    };
    Problem { place, ..problem }
}

#[cfg(test)]
mod tests;
