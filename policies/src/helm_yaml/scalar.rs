//! What a scalar is: go-yaml v2's rules, which are YAML 1.1 without its numbers of base 60.

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, PAD};
use serde_json::Value;

use super::nodes::Scalar;
use super::number;
use super::timestamp::is_timestamp;

type Result<T> = std::result::Result<T, &'static str>;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Resolved {
    Null,
    Bool(bool),
    Int(i64),
    /// Larger than an `Int`.
    Uint(u64),
    Float(f64),
    Text(String),
}

impl Resolved {
    /// Helm reads all numbers as floats.
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn into_json(self) -> Result<Value> {
        match self {
            Self::Null => Ok(Value::Null),
            Self::Bool(value) => Ok(value.into()),
            Self::Int(value) => number::json(value as f64),
            Self::Uint(value) => number::json(value as f64),
            Self::Float(value) => number::json(value),
            Self::Text(text) => Ok(text.into()),
        }
    }

    /// The key in JSON, and its type in YAML.
    pub(super) fn into_key(self) -> Result<(String, &'static str)> {
        match self {
            Self::Text(text) => Ok((text, "text")),
            Self::Bool(value) => Ok((value.to_string(), "boolean")),
            Self::Int(value) => Ok((value.to_string(), "integer")),
            Self::Float(value) => Ok((number::short(value), "float")),
            Self::Uint(_) => Err("a number as a key is smaller than 2^63"),
            Self::Null => Err("a key is text, a number or a boolean, and this one is empty"),
        }
    }
}

/// What a scalar is, by its tag or else its text.
pub(super) fn resolve(scalar: &Scalar) -> Result<Resolved> {
    let text = &scalar.text;
    let tag = match scalar.tag.strip_prefix("tag:yaml.org,2002:") {
        Some(tag) => tag,
        None if scalar.tag.is_empty() && scalar.plain => return Ok(plain(text)),
        None => "str",
    };
    match (tag, plain(text)) {
        ("bool", it @ Resolved::Bool(_))
        | ("int", it @ (Resolved::Int(_) | Resolved::Uint(_)))
        | ("float", it @ Resolved::Float(_))
        | ("null", it @ Resolved::Null) => Ok(it),
        #[allow(clippy::cast_precision_loss)]
        ("float", Resolved::Int(value)) => Ok(Resolved::Float(value as f64)),
        ("timestamp", Resolved::Text(text)) if is_timestamp(&text) => Ok(Resolved::Text(text)),
        ("bool" | "int" | "float" | "null" | "timestamp", _) => Err("the value isn't what its tag says"),
        ("binary", _) => binary(text).map(Resolved::Text),
        _ => Ok(Resolved::Text(text.clone())),
    }
}

/// What unquoted text is.
pub(super) fn plain(text: &str) -> Resolved {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Resolved::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Resolved::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Resolved::Bool(false)
        }
        _ => number::parse(text).unwrap_or_else(|| Resolved::Text(text.to_owned())),
    }
}

/// Go's base64, then JSON's text: what isn't UTF-8 is replaced, byte by byte.
fn binary(text: &str) -> Result<String> {
    let config = PAD.with_decode_allow_trailing_bits(true);
    let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = GeneralPurpose::new(&base64::alphabet::STANDARD, config).decode(text);
    let bytes = bytes.map_err(|_| "the value isn't base64, as its tag says")?;
    let mut rest = bytes.as_slice();
    let mut all = String::new();
    while !rest.is_empty() {
        let valid = match std::str::from_utf8(rest) {
            Ok(text) => return Ok(all + text),
            Err(error) => error.valid_up_to(),
        };
        all.push_str(&String::from_utf8_lossy(&rest[..valid]));
        all.push(char::REPLACEMENT_CHARACTER);
        rest = &rest[valid + 1..];
    }
    Ok(all)
}
