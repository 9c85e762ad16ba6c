//! Texts as Go writes and Helm cleans them.

use serde_json::{Number, Value};

/// A plain value where Helm wants text: `appVersion: 1.10` is the number 1.1 to YAML, and the text `1.1` to Helm.
/// None if it is no text to Helm.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Number(number) => number_text(number),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn number_text(number: &Number) -> Option<String> {
    if number.is_i64() || number.is_u64() {
        return Some(number.to_string());
    }
    number.as_f64().map(float)
}

/// Go's `FormatFloat(value, 'g', -1, 32)`: the shortest digits, with an exponent below 1e-4 and from 1e6 on.
fn float(value: f64) -> String {
    #[expect(clippy::cast_possible_truncation, reason = "Helm writes numbers in single precision")]
    let value = value as f32;
    let scientific = format!("{value:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs())
}

/// What Helm makes of texts for people: any white space is a space, what can't be printed goes.
pub(super) fn cleaned(text: &str) -> String {
    text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| is_printable(*c)).collect()
}

/// Rust escapes in `Debug` what Go takes for unprintable; behind a letter it leaves combining marks alone.
fn is_printable(c: char) -> bool {
    !format!("a{c}").escape_debug().to_string().starts_with("a\\u{")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        for (value, written) in [
            (json!("1.10"), "1.10"),
            (json!(1.10), "1.1"),
            (json!(1.0), "1"),
            (json!(20_240_101), "20240101"),
            (json!(18_446_744_073_709_551_615_u64), "18446744073709551615"),
            (json!(0.5), "0.5"),
            (json!(0.00001), "1e-05"),
            (json!(0.0001), "0.0001"),
            (json!(123_456.5), "123456.5"),
            (json!(1e6), "1e+06"),
            (json!(1e21), "1e+21"),
            (json!(12_345_678.9), "1.2345679e+07"),
            (json!(1_234_567.5), "1.2345675e+06"),
            (json!(16_777_216.0), "1.6777216e+07"),
            (json!(true), "true"),
            (json!(null), ""),
        ] {
            assert_eq!(text(&value).unwrap(), written, "{value}");
        }
        assert_eq!(text(&json!([])), None);
    }

    #[test]
    fn texts_are_cleaned_as_helm_cleans_them() {
        for (text, clean) in [
            ("two\nlines\t", "two lines "),
            ("a\u{7}b\u{200b}c\u{feff}", "abc"),
            ("größe \u{1f4a1} \"'\\", "größe \u{1f4a1} \"'\\"),
            ("e\u{301}", "e\u{301}"),
            ("a\u{a0}b\u{85}", "a b "),
        ] {
            assert_eq!(cleaned(text), clean, "{text:?}");
        }
    }
}
