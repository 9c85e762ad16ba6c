//! What Helm takes for a version, and for the bounds of a range.

use semver::{BuildMetadata, Prerelease, Version};

use super::bound::{Bound, OPERATORS, Operator};

/// Longer texts are no versions to Helm (bytes).
const MAX_VERSION: usize = 256;

/// A version, none if Helm takes the text for none. What follows `+` never counts.
pub fn version(text: &str) -> Option<Version> {
    let written = Written::read(text)?;
    let number = |part: &Option<&str>| part.map_or(Some(0), |digits| digits.parse().ok());
    let [major, minor, patch] = &written.numbers;
    Some(Version {
        major: number(major)?,
        minor: number(minor)?,
        patch: number(patch)?,
        pre: Prerelease::new(written.pre).ok()?,
        build: BuildMetadata::EMPTY,
    })
}

/// A version's text in parts; a number of a range may be `x`, `X` or `*`.
struct Written<'a> {
    numbers: [Option<&'a str>; 3],
    pre: &'a str,
}

impl<'a> Written<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let length = text.len();
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
        let (text, pre) = text.split_once('-').map_or((text, None), |(text, pre)| (text, Some(pre)));
        let words = |text: &str| text.split('.').all(|word| !word.is_empty() && word.bytes().all(is_word));
        let number =
            |text: &&str| is_open(text) || !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let mut parts = text.split('.');
        let numbers = [parts.next(), parts.next(), parts.next()];
        let whole = parts.next().is_none() && numbers.iter().flatten().all(number);
        let good = length <= MAX_VERSION && whole && pre.is_none_or(words) && build.is_none_or(words);
        good.then_some(Self { numbers, pre: pre.unwrap_or_default() })
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

fn is_open(number: &str) -> bool {
    matches!(number, "x" | "X" | "*")
}

/// The bounds of one alternative, with spaces or one comma between them.
pub(super) fn bounds(text: &str, is_first: bool) -> Option<Vec<Bound>> {
    let (mut bounds, mut rest) = (Vec::new(), trimmed(text));
    // Helm takes no `1 - 2` behind a bound and spaces alone, and misreads one right behind `||`.
    let mut takes_dash = is_first || rest.len() < text.len();
    loop {
        let (more, after) = item(rest, takes_dash)?;
        let was_dash = more.len() > 1;
        bounds.extend(more);
        let next = trimmed(after);
        if next.is_empty() {
            return Some(bounds);
        }
        let behind = next.strip_prefix(',');
        takes_dash = was_dash || behind.is_some();
        rest = behind.map_or(next, trimmed);
    }
}

/// One bound, or the two of `1.2 - 1.4`, and what is left of the text.
fn item(text: &str, takes_dash: bool) -> Option<(Vec<Bound>, &str)> {
    let (operator, after) = operator(text);
    let (first, after) = word(trimmed(after));
    match dash(after).filter(|_| operator.is_none()) {
        Some(_) if !takes_dash => None,
        Some(next) => {
            let (second, after) = word(next);
            Some((vec![bound(Operator::AtLeast, first)?, bound(Operator::AtMost, second)?], after))
        }
        None => Some((vec![bound(operator.unwrap_or(Operator::Equal), first)?], after)),
    }
}

/// What stands behind a dash with spaces around it.
fn dash(text: &str) -> Option<&str> {
    let rest = trimmed(text);
    let after = rest.strip_prefix('-').filter(|after| after.starts_with(is_space))?;
    (rest.len() < text.len()).then(|| trimmed(after))
}

fn operator(text: &str) -> (Option<Operator>, &str) {
    let found = OPERATORS.iter().find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?)));
    found.map_or((None, text), |(operator, rest)| (Some(operator), rest))
}

fn word(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| is_space(c) || c == ',').unwrap_or(text.len()))
}

fn trimmed(text: &str) -> &str {
    text.trim_start_matches(is_space)
}

/// Go's `\s`.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\u{c}' | '\r')
}

fn bound(operator: Operator, word: &str) -> Option<Bound> {
    let written = Written::read(word)?;
    let fixed = written.numbers.iter().position(|number| number.is_none_or(is_open)).unwrap_or(3);
    // Helm looks at nothing behind the first open number, but at what stands there.
    let mut numbers = [0; 3];
    for (number, text) in numbers.iter_mut().zip(written.numbers.iter().flatten()).take(fixed) {
        *number = text.parse().ok()?;
    }
    let [major, minor, patch] = numbers;
    let pre = Prerelease::new(written.pre).ok()?;
    let version = Version { major, minor, patch, pre, build: BuildMetadata::EMPTY };
    Some(Bound { operator, version, open: 3 - u8::try_from(fixed).ok()? })
}
