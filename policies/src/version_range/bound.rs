//! One bound of a range: an operator and a version whose last numbers may be open.

use semver::{Prerelease, Version};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) operator: Operator,
    pub(super) version: Version,
    /// How many numbers were left open, from the right.
    pub(super) open: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
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
pub(super) const OPERATORS: [(&str, Operator); 11] = [
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

impl Bound {
    /// True if it names a version before a release.
    pub(super) fn names_suffix(&self) -> bool {
        !self.version.pre.is_empty()
    }

    /// What Helm says, by the order of versions alone.
    pub(super) fn takes(&self, version: &Version) -> bool {
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

    /// The same for what is here: `<1.36` and `!=1.36` leave out what comes before 1.36.0, too.
    pub(super) fn lets_in(&self, version: &Version) -> bool {
        let with_release =
            || self.names_suffix() || self.takes(&Version { pre: Prerelease::EMPTY, ..version.clone() });
        self.takes(version) && with_release() && !self.is_wider_than_before(version)
    }

    /// To Helm `~0.0.0` is every version; releases that were signed before meant 0.0.x.
    fn is_wider_than_before(&self, version: &Version) -> bool {
        self.operator == Operator::Tilde
            && self.is_zero()
            && self.open == 0
            && (version.major, version.minor) != (0, 0)
    }

    fn is_zero(&self) -> bool {
        (self.version.major, self.version.minor, self.version.patch) == (0, 0, 0)
    }

    fn near(&self, version: &Version) -> bool {
        let bound = &self.version;
        let anything = self.is_zero() && matches!(self.open, 0 | 3);
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
