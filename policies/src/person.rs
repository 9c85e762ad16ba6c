//! Who is the same person: one rule for approvers, requesters, rollout commands and tokens.

/// A person's name as names are compared: how it is written makes nobody a second person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonName(String);

impl PersonName {
    /// Without case and blanks.
    pub fn of(name: &str) -> Self {
        Self(name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect())
    }
}

/// True if two names are one person's.
pub fn is_same_person(one: &str, other: &str) -> bool {
    PersonName::of(one) == PersonName::of(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_blanks_make_nobody_a_second_person() {
        for (one, other, same) in [
            ("a.lind", "A.LIND", true),
            ("Ann Lind", " ann\tlind ", true),
            ("Åsa Öberg", "åsa öberg", true),
            ("a.lind", "a.lund", false),
            ("a.lind", "alind", false),
            ("a.lind", "", false),
        ] {
            assert_eq!(is_same_person(one, other), same, "{one} {other}");
        }
    }
}
