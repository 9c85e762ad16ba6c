//! Where the values stand that are changed (byte ranges).

use std::ops::Range;

use serde::Deserialize;
use serde_saphyr::Spanned;

/// In one file.
#[derive(Debug)]
pub(super) struct Places {
    pub(super) level: Range<usize>,
    pub(super) base: Option<Range<usize>>,
    pub(super) version: Range<usize>,
    pub(super) kind: Range<usize>,
    pub(super) components: Vec<Component>,
}

#[derive(Debug)]
pub(super) struct Component {
    pub(super) name: String,
    pub(super) version: Range<usize>,
    pub(super) chart: Option<Written>,
}

/// Of a chart.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) name: Range<usize>,
    pub(super) digest: Option<Range<usize>>,
}

type Text = Spanned<serde_json::Value>;

#[derive(Deserialize)]
struct File {
    level: Text,
    base: Option<Text>,
    version: Text,
    kind: Text,
    components: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    version: Text,
    chart: Option<Chart>,
}

#[derive(Deserialize)]
struct Chart {
    name: Text,
    digest: Option<Text>,
}

impl Places {
    /// # Errors
    /// In words, if it isn't read, or a value stands elsewhere than it is used (an alias).
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let file: File = serde_saphyr::from_str(text).map_err(|error| error.without_snippet().to_string())?;
        let components = file.components.into_iter().map(|entry| Component::of(text, entry));
        Ok(Self {
            level: range(text, &file.level)?,
            base: file.base.map(|it| range(text, &it)).transpose()?,
            version: range(text, &file.version)?,
            kind: range(text, &file.kind)?,
            components: components.collect::<Result<_, String>>()?,
        })
    }
}

impl Component {
    fn of(text: &str, entry: Entry) -> Result<Self, String> {
        let chart = |chart: Chart| {
            let digest = chart.digest.map(|it| range(text, &it)).transpose()?;
            Ok::<_, String>(Written { name: range(text, &chart.name)?, digest })
        };
        let version = range(text, &entry.version)?;
        Ok(Self { name: entry.name, version, chart: entry.chart.map(chart).transpose()? })
    }
}

fn range(text: &str, value: &Text) -> Result<Range<usize>, String> {
    let elsewhere =
        || format!("line {}: it is written elsewhere (an alias): change it by hand", value.referenced.line());
    if value.referenced != value.defined {
        return Err(elsewhere());
    }
    let span = value.defined.span();
    let bytes = span.byte_offset().zip(span.byte_len());
    let found = bytes.and_then(|(at, len)| Some(at.try_into().ok()?..(at + len).try_into().ok()?));
    found
        .filter(|range: &Range<usize>| text.get(range.clone()).is_some_and(|it| !it.contains('\n')))
        .ok_or_else(elsewhere)
}
