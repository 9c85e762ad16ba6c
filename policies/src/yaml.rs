//! Files that people write: YAML, read strictly, so that a typing error is an error.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;

/// The largest file a person may hand in (bytes).
pub const MAX_YAML_BYTES: usize = 1024 * 1024;

/// One thing wrong with a hand-written file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Where: `line:column`, or the path of the field.
    pub place: String,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}

/// Reads a hand-written YAML document of type `T`.
///
/// Unknown fields, duplicate keys and YAML's surprising scalars (`yes`, `010`) are refused.
///
/// # Errors
/// All unknown fields at once; of syntax and type errors the first, as reading ends there.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Vec<Problem>> {
    if text.len() > MAX_YAML_BYTES {
        let message = format!("{} bytes; at most {MAX_YAML_BYTES} are read", text.len());
        return Err(vec![Problem { place: "file".into(), message }]);
    }
    // Comments aren't kept, so their number has no limit; what aliases add up to has one, their number hasn't.
    let budget = serde_saphyr::budget! { enforce_alias_anchor_ratio: false };
    let options = serde_saphyr::options! { strict_booleans: true, emit_comments: false, budget: budget };
    let mut unknown = BTreeSet::new();
    let value = serde_saphyr::with_deserializer_from_str_with_options(text, options, |de| {
        serde_ignored::deserialize(de, |path| {
            unknown.insert(path.to_string());
        })
    })
    .map_err(|error| vec![problem(&error)])?;
    if unknown.is_empty() {
        return Ok(value);
    }
    let message = "unknown field; check its spelling and indentation".to_owned();
    Err(unknown.into_iter().map(|place| Problem { place, message: message.clone() }).collect())
}

fn problem(error: &serde_saphyr::Error) -> Problem {
    let place = match error.location() {
        Some(at) => format!("{}:{}", at.line(), at.column()),
        None => "file".to_owned(),
    };
    let text = error.without_snippet().to_string();
    let message = text.lines().next().unwrap_or_default().to_owned();
    Problem { place, message }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[allow(dead_code)]
    struct Sample {
        name: String,
        #[serde(default)]
        list: Vec<Inner>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[allow(dead_code)]
    struct Inner {
        a: crate::time::Span,
    }

    #[test]
    fn names_every_unknown_field_with_its_path() {
        let text = "name: x\nnmae: y\nlist:\n  - a: 1s\n    b: 2\n";
        let problems = read::<Sample>(text).unwrap_err();
        let places: Vec<_> = problems.iter().map(|p| p.place.as_str()).collect();
        assert_eq!(places, ["list.0.b", "nmae"]);
    }

    #[test]
    fn comments_and_uses_of_an_anchor_have_no_limit_but_what_aliases_blow_up_ends_early() {
        let comments = format!("name: x\nlist:\n{}  - a: 1s\n", "  # why\n".repeat(5000));
        assert_eq!(read::<Sample>(&comments).unwrap().list.len(), 1);
        let uses = format!("name: x\nlist:\n  - &a {{a: 1s}}\n{}", "  - *a\n".repeat(1000));
        assert_eq!(read::<Sample>(&uses).unwrap().list.len(), 1001);
        let mut bomb = "name: x\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for n in 1..12 {
            bomb += &format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 10].join(", "));
        }
        assert!(read::<serde_json::Value>(&bomb).is_err());
    }

    #[test]
    fn refuses_duplicate_keys_and_wrong_units_with_their_line() {
        assert!(read::<Sample>("name: x\nname: y\n").unwrap_err()[0].place.starts_with('2'));
        let wrong_unit = read::<Sample>("name: x\nlist:\n  - a: 10\n").unwrap_err();
        assert!(wrong_unit[0].message.contains("10"), "{wrong_unit:?}");
    }
}
