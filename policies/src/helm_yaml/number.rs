//! Numbers as Go reads and writes them.

use serde_json::Value;

use super::scalar::Resolved;

/// A number, none if the text isn't one.
pub(super) fn parse(text: &str) -> Option<Resolved> {
    match text {
        ".nan" | ".NaN" | ".NAN" => return Some(Resolved::Float(f64::NAN)),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => {
            return Some(Resolved::Float(f64::INFINITY));
        }
        "-.inf" | "-.Inf" | "-.INF" => return Some(Resolved::Float(f64::NEG_INFINITY)),
        _ => {}
    }
    match text.chars().next()? {
        '.' if underscores_separate_digits(text) => float(&text.replace('_', "")),
        '0'..='9' | '+' | '-' => {
            let plain = text.replace('_', "");
            integer(&plain).or_else(|| float(&plain))
        }
        _ => None,
    }
}

/// Go's `ParseInt` and `ParseUint` with base 0: `0x`, `0o`, `0b`, or a bare zero for octal.
fn integer(text: &str) -> Option<Resolved> {
    let (sign, digits) = match text.strip_prefix(['+', '-']) {
        Some(digits) => (&text[..1], digits),
        None => ("", text),
    };
    let (base, digits) = match digits.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some(_) if digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    if !digits.starts_with(|c: char| c.is_digit(base)) {
        return None;
    }
    match i64::from_str_radix(&format!("{sign}{digits}"), base) {
        Ok(value) => Some(Resolved::Int(value)),
        // Go takes no sign where the number is too large for an `int`.
        Err(_) if sign.is_empty() => u64::from_str_radix(digits, base).ok().map(Resolved::Uint),
        Err(_) => None,
    }
}

/// Go's rule on underscores. It holds only where a number begins with a dot; elsewhere they are just dropped.
fn underscores_separate_digits(text: &str) -> bool {
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    (0..bytes.len())
        .all(|at| bytes[at] != b'_' || at > 0 && digit(bytes.get(at - 1)) && digit(bytes.get(at + 1)))
}

/// `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`
fn float(text: &str) -> Option<Resolved> {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let has_exponent = exponent.is_none_or(|exponent| !exponent.is_empty() && digits(exponent));
    if !has_exponent || !digits(whole) || !digits(fraction) || whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // Go calls what is too large an error, so it stays text.
    text.parse().ok().filter(|value: &f64| value.is_finite()).map(Resolved::Float)
}

/// A number in JSON as Go writes it: without a fraction if it has none.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
pub(super) fn json(value: f64) -> Result<Value, &'static str> {
    const INT: f64 = 9_223_372_036_854_775_808.0;
    if value.fract() == 0.0 && (-INT..INT).contains(&value) {
        return Ok(Value::from(value as i64));
    }
    if value.fract() == 0.0 && (INT..2.0 * INT).contains(&value) {
        return Ok(Value::from(value as u64));
    }
    serde_json::Number::from_f64(value).map(Value::Number).ok_or("JSON has no such number")
}

/// Go's shortest text of a float of 32 bits (`%g`), as keys get it.
#[allow(clippy::cast_possible_truncation)]
pub(super) fn short(value: f64) -> String {
    let value = value as f32;
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    general(&format!("{value:e}"), format!("{value}"))
}

/// A float of 64 bits as a template prints it.
pub(super) fn printed(value: f64) -> String {
    general(&format!("{value:e}"), format!("{value}"))
}

/// Go's `%g`: with an exponent where that is below -4 or above 5.
fn general(scientific: &str, plain: String) -> String {
    let (digits, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    match exponent.parse::<i32>().unwrap_or_default() {
        -4..6 => plain,
        exponent => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
    }
}
