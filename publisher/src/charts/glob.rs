//! Go's `filepath.Match`, by which Helm reads `.helmignore`.

/// A pattern that Go refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BadPattern;

/// One step of a pattern between two stars: it takes one character.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Char(char),
    Any,
    Class { negated: bool, ranges: Vec<(char, char)> },
}

/// A pattern, read once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob {
    /// Each with whether a star stands before it.
    chunks: Vec<(bool, Vec<Step>)>,
}

impl Glob {
    /// # Errors
    /// [`BadPattern`] for an open or empty class, a reversed escape, a stray `-` in a class.
    pub(super) fn parse(pattern: &str) -> Result<Self, BadPattern> {
        let (mut chunks, mut rest) = (Vec::new(), pattern.chars());
        let (mut star, mut steps) = (false, Vec::new());
        while let Some(c) = rest.next() {
            match c {
                '*' => chunks.push((std::mem::replace(&mut star, true), std::mem::take(&mut steps))),
                '?' => steps.push(Step::Any),
                '[' => steps.push(class(&mut rest)?),
                '\\' => steps.push(Step::Char(rest.next().ok_or(BadPattern)?)),
                c => steps.push(Step::Char(c)),
            }
        }
        chunks.push((star, steps));
        Ok(Self { chunks })
    }

    /// True if the pattern takes all of the name. A star and `?` take no `/`.
    pub(super) fn takes(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let mut at = 0;
        for (number, (star, steps)) in self.chunks.iter().enumerate() {
            let last = number + 1 == self.chunks.len();
            let rest = &name[at..];
            let reach = if *star { rest.iter().take_while(|c| **c != '/').count() } else { 0 };
            // The first place counts, as in Go; only the last piece has to end with the name.
            let fits = |from: &usize| {
                rest.get(*from..*from + steps.len()).is_some_and(|part| steps.iter().zip(part).all(takes))
                    && (!last || from + steps.len() == rest.len())
            };
            match (0..=reach).find(fits) {
                Some(from) => at += from + steps.len(),
                None => return false,
            }
        }
        at == name.len()
    }
}

/// A class, after its `[`.
fn class(rest: &mut std::str::Chars<'_>) -> Result<Step, BadPattern> {
    let negated = rest.as_str().starts_with('^') && rest.next().is_some();
    let mut ranges = Vec::new();
    while ranges.is_empty() || !rest.as_str().starts_with(']') {
        let low = member(rest)?;
        let ranged = rest.as_str().starts_with('-') && rest.next().is_some();
        ranges.push((low, if ranged { member(rest)? } else { low }));
    }
    rest.next();
    Ok(Step::Class { negated, ranges })
}

/// A character of a class; another one or `]` has to follow it.
fn member(rest: &mut std::str::Chars<'_>) -> Result<char, BadPattern> {
    let c = match rest.next() {
        None | Some('-' | ']') => return Err(BadPattern),
        Some('\\') => rest.next().ok_or(BadPattern)?,
        Some(c) => c,
    };
    if rest.as_str().is_empty() { Err(BadPattern) } else { Ok(c) }
}

fn takes((step, c): (&Step, &char)) -> bool {
    match step {
        Step::Char(own) => own == c,
        Step::Any => *c != '/',
        Step::Class { negated, ranges } => {
            ranges.iter().any(|(low, high)| (low..=high).contains(&c)) != *negated
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Go's own table (path/filepath/match_test.go), and a few more.
    #[test]
    fn takes_what_go_takes() {
        for (pattern, name, taken) in [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*", "a", true),
            ("a*", "abc", true),
            ("a*", "ab/c", false),
            ("a*/b", "abc/b", true),
            ("a*/b", "a/c/b", false),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", true),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/f", true),
            ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", false),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("ab[c]", "abc", true),
            ("ab[b-d]", "abc", true),
            ("ab[e-g]", "abc", false),
            ("ab[^c]", "abc", false),
            ("ab[^b-d]", "abc", false),
            ("ab[^e-g]", "abc", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "ab", false),
            ("a?b", "a☺b", true),
            ("a[^a]b", "a☺b", true),
            ("a???b", "a☺b", false),
            ("a[^a][^a][^a]b", "a☺b", false),
            ("[a-ζ]*", "α", true),
            ("*[a-ζ]", "A", false),
            ("a?b", "a/b", false),
            ("a*b", "a/b", false),
            ("[\\]a]", "]", true),
            ("[\\-]", "-", true),
            ("[x\\-]", "x", true),
            ("[x\\-]", "z", false),
            ("[\\-x]", "-", true),
            ("*x", "xxx", true),
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("**", "a", true),
            ("a**c", "abc", true),
            ("*a*", "bab", true),
            ("*.txt", "größe 1.txt", true),
            ("x*", "axb", false),
            ("a*?", "ab", true),
            ("a*?", "a", false),
            ("[^a]", "/", true),
        ] {
            assert_eq!(Glob::parse(pattern).unwrap().takes(name), taken, "{pattern} {name}");
        }
        for bad in ["[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "[", "[^", "[^bc", "a[", "a[b", "a\\", "[\\"] {
            assert_eq!(Glob::parse(bad), Err(BadPattern), "{bad}");
        }
    }
}
