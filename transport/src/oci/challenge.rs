//! What a 401 asks for: challenges by their grammar (RFC 9110, 11.6.1), several of them in one header or in many.

use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

/// More challenges than this are read by nobody.
const MOST: usize = 16;
/// Longer headers are cut off there, at the last challenge that is whole (bytes).
const LONGEST: usize = 16 * 1024;

/// One challenge: a scheme with its parameters. Names of both are in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Challenge {
    pub(super) scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// The first parameter of this name.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// All challenges of an answer, in its order. What follows a mistake in a header is passed over.
pub(super) fn of(headers: &HeaderMap) -> Vec<Challenge> {
    let values = headers.get_all(WWW_AUTHENTICATE).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(parse).take(MOST).collect()
}

/// The challenges of one header up to its end, or to the first mistake.
fn parse(text: &str) -> Vec<Challenge> {
    let mut rest = Rest(text.get(..LONGEST).unwrap_or(text));
    let mut found: Vec<Challenge> = Vec::new();
    while found.len() <= MOST {
        rest.commas();
        if let Some(parameter) = rest.parameter() {
            // Before the first scheme it belongs to nobody.
            let Some(challenge) = found.last_mut() else { break };
            challenge.parameters.push(parameter);
        } else if let Some(scheme) = rest.token() {
            // What stands behind a scheme without a comma: its first parameter, a value of its own, or nothing.
            let first = if rest.spaces() { rest.parameter() } else { None };
            if first.is_none() {
                rest.token68();
            }
            let parameters = first.into_iter().collect();
            found.push(Challenge { scheme: scheme.to_ascii_lowercase(), parameters });
        }
        if rest.0.is_empty() || !rest.ends_an_element() {
            break;
        }
    }
    found
}

/// What is left to read.
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn take(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !wanted(c)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    fn spaces(&mut self) -> bool {
        !self.take(|c| c == ' ' || c == '\t').is_empty()
    }

    fn commas(&mut self) {
        self.take(|c| matches!(c, ' ' | '\t' | ','));
    }

    fn token(&mut self) -> Option<&'a str> {
        Some(self.take(is_tchar)).filter(|token| !token.is_empty())
    }

    fn ends_an_element(&mut self) -> bool {
        self.spaces();
        self.0.is_empty() || self.0.starts_with(',')
    }

    /// `name = token` or `name = "quoted string"`; none, and nothing is read, if something else follows.
    fn parameter(&mut self) -> Option<(String, String)> {
        let before = self.0;
        let found = self.token().and_then(|name| Some((name.to_ascii_lowercase(), self.value()?)));
        if found.is_none() {
            self.0 = before;
        }
        found
    }

    fn value(&mut self) -> Option<String> {
        self.spaces();
        self.0 = self.0.strip_prefix('=')?;
        self.spaces();
        if self.0.starts_with('"') { self.quoted() } else { self.token().map(str::to_owned) }
    }

    fn quoted(&mut self) -> Option<String> {
        let (mut value, mut escaped) = (String::new(), false);
        for (at, c) in self.0.char_indices().skip(1) {
            match c {
                _ if escaped => {
                    value.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' => {
                    self.0 = &self.0[at + 1..];
                    return Some(value);
                }
                _ => value.push(c),
            }
        }
        None
    }

    /// Passes over a `token68`, such as Negotiate's: a value that stands alone. None of the schemes here has one.
    fn token68(&mut self) {
        let before = self.0;
        self.take(|c| c.is_ascii_alphanumeric() || "-._~+/".contains(c));
        self.take(|c| c == '=');
        if !self.ends_an_element() {
            self.0 = before;
        }
    }
}

fn is_tchar(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let one = |c: Challenge| {
            let parameters: Vec<_> = c.parameters.iter().map(|(k, v)| format!(" {k}={v}")).collect();
            format!("{}{}", c.scheme, parameters.concat())
        };
        parse(text).into_iter().map(one).collect()
    }

    #[test]
    fn challenges_are_read_by_their_grammar() {
        for (text, found) in [
            (
                r#"Bearer realm="https://a/t",service="s",scope="repository:x:pull,push""#,
                vec!["bearer realm=https://a/t service=s scope=repository:x:pull,push"],
            ),
            (r#"BEARER  Scope="a,b" , REALM = "r""#, vec!["bearer scope=a,b realm=r"]),
            (
                r#"Basic realm="a, Bearer realm=b", Bearer realm=c"#,
                vec!["basic realm=a, Bearer realm=b", "bearer realm=c"],
            ),
            (r#"Bearer realm="say \"hi\" \\ there""#, vec![r#"bearer realm=say "hi" \ there"#]),
            (r#"Negotiate, NTLM, Basic realm="x""#, vec!["negotiate", "ntlm", "basic realm=x"]),
            (r#"Negotiate YII+a/b==, Bearer realm="r""#, vec!["negotiate", "bearer realm=r"]),
            (r#"Negotiate YII=, Basic realm=x"#, vec!["negotiate", "basic realm=x"]),
            (r#", ,Basic realm="x",,charset="UTF-8","#, vec!["basic realm=x charset=UTF-8"]),
            (r#"Basic realm="""#, vec!["basic realm="]),
            ("Basic", vec!["basic"]),
            ("", vec![]),
            (r#"realm="x""#, vec![]),
            (r#"Basic realm="x", Bearer realm="no end, x=y"#, vec!["basic realm=x", "bearer"]),
            ("Basic realm=\"x\" Bearer realm=\"y\"", vec!["basic realm=x"]),
        ] {
            assert_eq!(shown(text), found, "{text}");
        }
    }

    #[test]
    fn several_headers_are_one_list() {
        let mut headers = HeaderMap::new();
        for text in ["Negotiate", "Bearer realm=\"r\"", "basic realm=\"b\""] {
            headers.append(WWW_AUTHENTICATE, text.parse().unwrap());
        }
        let schemes: Vec<_> = of(&headers).into_iter().map(|c| c.scheme).collect();
        assert_eq!(schemes, ["negotiate", "bearer", "basic"]);
    }

    fn quoted(value: &str) -> String {
        format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            written in prop::collection::vec(
                ("[A-Za-z][A-Za-z0-9-]{0,8}", prop::collection::vec(("[a-z]{1,8}", "[ -~]{0,20}"), 0..4)), 0..5),
            gap in "[ \t]{0,3},[ \t]{0,3}",
        ) {
            let texts: Vec<_> = written.iter().map(|(scheme, parameters)| {
                let all: Vec<_> = parameters.iter().map(|(k, v)| format!("{k}={}", quoted(v))).collect();
                if all.is_empty() { scheme.clone() } else { format!("{scheme} {}", all.join(&gap)) }
            }).collect();
            let expected: Vec<_> = written.iter().map(|(scheme, parameters)| Challenge {
                scheme: scheme.to_ascii_lowercase(), parameters: parameters.clone(),
            }).collect();
            prop_assert_eq!(parse(&texts.join(&gap)), expected);
        }

        #[test]
        fn no_text_breaks_it(text in "\\PC{0,200}") {
            let _ = parse(&text);
        }
    }
}
