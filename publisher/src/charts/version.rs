//! Versions and ranges as Helm reads them (github.com/Masterminds/semver): `v1.2` is a version, `1.x || >=2 <3` a range.

use semver::{BuildMetadata, Prerelease, Version};

/// Longer texts are no versions to Helm (bytes).
const MAX_VERSION: usize = 256;
/// Longer texts are no ranges to Helm (bytes).
const MAX_RANGE: usize = 512;
/// More alternatives are no range to Helm.
const MAX_ALTERNATIVES: usize = 32;

/// A version, none if Helm takes the text for none. What follows `+` never counts.
pub(crate) fn version(text: &str) -> Option<Version> {
    let written = Written::read(text).filter(|_| text.len() <= MAX_VERSION)?;
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
        let text = text.strip_prefix('v').unwrap_or(text);
        let (text, build) = text.split_once('+').map_or((text, None), |(text, build)| (text, Some(build)));
        let (text, pre) = text.split_once('-').map_or((text, None), |(text, pre)| (text, Some(pre)));
        let words = |text: &str| text.split('.').all(|word| !word.is_empty() && word.bytes().all(is_word));
        let mut parts = text.split('.');
        let numbers = [parts.next(), parts.next(), parts.next()];
        let whole = parts.next().is_none() && numbers.iter().flatten().all(|number| !number.is_empty());
        let good = whole && pre.is_none_or(words) && build.is_none_or(words);
        good.then_some(Self { numbers, pre: pre.unwrap_or_default() })
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// A range: alternatives of bounds that all have to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Range(Vec<Vec<Bound>>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Bound {
    operator: Operator,
    version: Version,
    /// How many numbers were left open, from the right.
    open: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    Less,
    AtLeast,
    AtMost,
    Tilde,
    Caret,
}

/// The longer ones first.
const OPERATORS: [(&str, Operator); 11] = [
    ("!=", Operator::NotEqual),
    (">=", Operator::AtLeast),
    ("=>", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("=<", Operator::AtMost),
    ("~>", Operator::Tilde),
    ("=", Operator::Equal),
    (">", Operator::Greater),
    ("<", Operator::Less),
    ("~", Operator::Tilde),
    ("^", Operator::Caret),
];

impl Range {
    /// None if Helm takes the text for none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let alternatives: Vec<_> = text.split("||").collect();
        if text.len() > MAX_RANGE || alternatives.len() > MAX_ALTERNATIVES {
            return None;
        }
        alternatives.into_iter().map(bounds).collect::<Option<_>>().map(Self)
    }

    /// True if the version is in the range. One before a release is only in a range that names one.
    pub(crate) fn takes(&self, version: &Version) -> bool {
        self.0.iter().any(|bounds| {
            let before_releases = bounds.iter().any(|bound| !bound.version.pre.is_empty());
            (version.pre.is_empty() || before_releases) && bounds.iter().all(|bound| bound.takes(version))
        })
    }

    /// The versions that it names.
    pub(crate) fn named(&self) -> impl Iterator<Item = &Version> {
        self.0.iter().flatten().map(|bound| &bound.version)
    }
}

/// Bounds with spaces or one comma between them.
fn bounds(text: &str) -> Option<Vec<Bound>> {
    let (mut bounds, mut rest) = (Vec::new(), text.trim_start());
    loop {
        let (more, after) = item(rest)?;
        bounds.extend(more);
        let next = after.trim_start();
        if next.is_empty() {
            return Some(bounds);
        }
        rest = next.strip_prefix(',').map_or(next, str::trim_start);
    }
}

/// One bound, or the two of `1.2 - 1.4`, and what is left of the text.
fn item(text: &str) -> Option<(Vec<Bound>, &str)> {
    let (operator, after) = operator(text);
    let (first, after) = word(after.trim_start());
    match dash(after).filter(|_| operator.is_none()) {
        Some(next) => {
            let (second, after) = word(next);
            let both = vec![Bound::read(Operator::AtLeast, first)?, Bound::read(Operator::AtMost, second)?];
            Some((both, after))
        }
        None => Some((vec![Bound::read(operator.unwrap_or(Operator::Equal), first)?], after)),
    }
}

/// What stands behind a dash with spaces around it.
fn dash(text: &str) -> Option<&str> {
    let rest = text.trim_start();
    let after = rest.strip_prefix('-').filter(|after| after.starts_with(char::is_whitespace))?;
    (rest.len() < text.len()).then(|| after.trim_start())
}

fn operator(text: &str) -> (Option<Operator>, &str) {
    let found = OPERATORS.iter().find_map(|(sign, operator)| Some((*operator, text.strip_prefix(sign)?)));
    found.map_or((None, text), |(operator, rest)| (Some(operator), rest))
}

fn word(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| c.is_whitespace() || c == ',').unwrap_or(text.len()))
}

impl Bound {
    fn read(operator: Operator, word: &str) -> Option<Self> {
        let written = Written::read(word)?;
        let is_open = |number: &Option<&str>| number.is_none_or(|number| matches!(number, "x" | "X" | "*"));
        let fixed = written.numbers.iter().position(is_open).unwrap_or(3);
        let mut numbers = [0; 3];
        for (number, text) in numbers.iter_mut().zip(written.numbers.iter().flatten()).take(fixed) {
            *number = text.parse().ok()?;
        }
        // Helm looks at nothing behind the first open number, but at what stands there.
        let known = |text: &&str| is_open(&Some(text)) || text.bytes().all(|b| b.is_ascii_digit());
        written.numbers.iter().flatten().all(known).then_some(())?;
        let [major, minor, patch] = numbers;
        let pre = Prerelease::new(written.pre).ok()?;
        let version = Version { major, minor, patch, pre, build: BuildMetadata::EMPTY };
        Some(Self { operator, version, open: 3 - u8::try_from(fixed).ok()? })
    }

    fn takes(&self, version: &Version) -> bool {
        match self.operator {
            Operator::Equal if self.open > 0 => self.near(version),
            Operator::Equal => *version == self.version,
            Operator::NotEqual => !self.is_named(version),
            Operator::Greater => self.is_below(version),
            Operator::Less => *version < self.version,
            Operator::AtLeast => *version >= self.version,
            Operator::AtMost => self.is_at_least(version),
            Operator::Tilde => self.near(version),
            Operator::Caret => self.compatible(version),
        }
    }

    fn near(&self, version: &Version) -> bool {
        let bound = &self.version;
        let anything = (bound.major, bound.minor, bound.patch) == (0, 0, 0) && matches!(self.open, 0 | 3);
        let same_minor = self.open == 2 || version.minor == bound.minor;
        version >= bound && (anything || version.major == bound.major && same_minor)
    }

    fn is_named(&self, version: &Version) -> bool {
        let bound = &self.version;
        let (major, minor) = (version.major == bound.major, version.minor == bound.minor);
        match self.open {
            1 => major && minor && version.pre == bound.pre,
            2 => major,
            _ => version == bound,
        }
    }

    fn is_below(&self, version: &Version) -> bool {
        let bound = &self.version;
        match self.open {
            0 | 3 => version > bound,
            1 => (version.major, version.minor) > (bound.major, bound.minor),
            _ => version.major > bound.major,
        }
    }

    fn is_at_least(&self, version: &Version) -> bool {
        let bound = &self.version;
        match self.open {
            0 => version <= bound,
            2 => version.major <= bound.major,
            _ => (version.major, version.minor) <= (bound.major, bound.minor),
        }
    }

    fn compatible(&self, version: &Version) -> bool {
        let bound = &self.version;
        let same_major = version.major == bound.major;
        let same_minor = version.minor == bound.minor;
        version >= bound
            && match (bound.major, bound.minor, self.open) {
                (1.., _, _) | (_, _, 2) => same_major,
                (0, 1.., _) | (0, _, 1) => same_major && same_minor,
                _ => same_major && same_minor && version.patch == bound.patch,
            }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const ASKED: [&str; 20] = [
        "0.0.0",
        "0.0.3",
        "0.0.4",
        "0.2.3",
        "0.2.4",
        "0.3.0",
        "1.0.0",
        "1.2.2",
        "1.2.3",
        "1.2.3-rc.1",
        "1.2.3-rc.2",
        "1.2.4",
        "1.3.0",
        "1.4.0",
        "1.4.9",
        "1.5.0",
        "2.0.0",
        "2.1.0",
        "3.0.0",
        "1.30.4",
    ];

    fn taken(range: &str) -> Option<String> {
        let range = Range::parse(range)?;
        let taken = ASKED.iter().filter(|asked| range.takes(&version(asked).unwrap()));
        Some(taken.copied().collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn versions_and_ranges_are_what_helm_takes_them_for() {
        let mut compared = 0;
        for line in include_str!("vectors/versions.tsv").lines().filter(|line| !line.starts_with('#')) {
            let (kind, rest) = line.split_once('\t').unwrap();
            let (text, said) = rest.split_once('\t').unwrap();
            let found = match kind {
                "version" => version(text).map(|version| version.to_string()),
                _ => taken(text),
            };
            assert_eq!(found.as_deref().unwrap_or("-"), said, "{kind} {text:?}");
            compared += 1;
        }
        assert!(compared > 70, "{compared}");
    }
}
