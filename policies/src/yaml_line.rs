//! The line of a place in a YAML text, for those who have to mend it.

use granit_parser::{Event, Parser, Span, StrInput};

use crate::yaml::MAX_YAML_BYTES;

/// Hand-written files stay far below it; each level costs stack.
const MAX_DEPTH: usize = 64;
/// Nodes beyond these aren't looked at.
const MAX_NODES: usize = 100_000;

/// The line of a place such as `components.gateway.version`, first is 1. An element of a list is named by its number, or by
/// its `name`. Where a place isn't there, the line of the innermost part of it that is; none if nothing of it is, or if the
/// text can't be read.
pub fn line_of(text: &str, place: &str) -> Option<usize> {
    let text = text.get(..MAX_YAML_BYTES).unwrap_or(text);
    let root = Reader::new(text).document()?;
    let mut found = None;
    let (mut node, mut rest) = (&root, place);
    while let Some((line, inner, left)) = step(node, rest) {
        found = Some(line);
        (node, rest) = (inner, left);
    }
    found
}

enum Node {
    Scalar(String),
    /// Elements with their lines.
    List(Vec<(usize, Node)>),
    /// Keys with their lines, and values.
    Map(Vec<(String, usize, Node)>),
}

/// The longest name that the place begins with: names may have dots.
fn step<'a, 'b>(node: &'a Node, place: &'b str) -> Option<(usize, &'a Node, &'b str)> {
    let below: Vec<(String, usize, &Node)> = match node {
        Node::Scalar(_) => return None,
        Node::Map(fields) => fields.iter().map(|(key, line, value)| (key.clone(), *line, value)).collect(),
        Node::List(all) => {
            let elements = all.iter().enumerate();
            elements.flat_map(|(at, (line, it))| names(it, at).map(move |name| (name, *line, it))).collect()
        }
    };
    let left = |name: &str| {
        let rest = place.strip_prefix(name)?;
        if rest.is_empty() { Some(rest) } else { rest.strip_prefix('.') }
    };
    // Of names that are alike the first one.
    let fitting = below
        .into_iter()
        .rev()
        .filter_map(|(name, line, inner)| Some((name.len(), line, inner, left(&name)?)));
    fitting
        .filter(|(length, ..)| *length > 0)
        .max_by_key(|(length, ..)| *length)
        .map(|(_, line, inner, rest)| (line, inner, rest))
}

fn names(element: &Node, at: usize) -> impl Iterator<Item = String> {
    let name = match element {
        Node::Map(fields) => fields.iter().find(|(key, ..)| key == "name"),
        _ => None,
    };
    let name = match name {
        Some((_, _, Node::Scalar(name))) => Some(name.clone()),
        _ => None,
    };
    name.into_iter().chain([at.to_string()])
}

struct Reader<'a> {
    parser: Parser<'a, StrInput<'a>>,
    nodes: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        let mut options = granit_parser::options! {
            block_nesting_limit: MAX_DEPTH,
            flow_nesting_limit: MAX_DEPTH,
        };
        options.set_emit_comments(false);
        Self { parser: Parser::new_from_str_with_options(text, options), nodes: 0 }
    }

    fn next(&mut self) -> Option<(Event<'a>, Span)> {
        self.nodes += 1;
        let event = self.parser.next_event()?.ok()?;
        (self.nodes <= MAX_NODES).then_some(event)
    }

    /// The first one, none if it can't be read.
    fn document(&mut self) -> Option<Node> {
        while !matches!(self.next()?, (Event::DocumentStart(..), _)) {}
        let (event, _) = self.next()?;
        self.node(event)
    }

    /// No deeper than the parser goes.
    fn node(&mut self, event: Event<'a>) -> Option<Node> {
        match event {
            Event::Scalar(text, ..) => Some(Node::Scalar(text.into_owned())),
            Event::SequenceStart(..) => self.list(),
            Event::MappingStart(..) => self.map(),
            // An alias is another place.
            _ => Some(Node::Scalar(String::new())),
        }
    }

    fn list(&mut self) -> Option<Node> {
        let mut all = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Some(Node::List(all)),
                (event, span) => all.push((span.start.line(), self.node(event)?)),
            }
        }
    }

    fn map(&mut self) -> Option<Node> {
        let mut fields = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Some(Node::Map(fields));
            }
            let key = self.node(event)?;
            let (event, _) = self.next()?;
            let value = self.node(event)?;
            if let Node::Scalar(key) = key {
                fields.push((key, span.start.line(), value));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# a comment
line: pdp
components:
  - name: alpha
    version: 1
    chart: {name: x,
      path: y}
  - {version: 2, name: alpha.beta, images: [{name: i}, {name: j}]}
  - just text
removed:
- a
- b
\"quoted key\": &anchor
  inner: 1
other: *anchor
";

    #[test]
    fn a_place_has_the_line_of_its_key_or_of_the_innermost_part_that_is_there() {
        for (place, line) in [
            ("line", Some(2)),
            ("components", Some(3)),
            ("components.alpha", Some(4)),
            ("components.0", Some(4)),
            ("components.alpha.version", Some(5)),
            ("components.alpha.chart.path", Some(7)),
            ("components.alpha.namespace", Some(4)),
            ("components.alpha.beta.version", Some(8)),
            ("components.alpha.beta.images.j", Some(8)),
            ("components.2", Some(9)),
            ("components.gamma.version", Some(3)),
            ("removed.1", Some(12)),
            ("quoted key.inner", Some(14)),
            ("other.inner", Some(15)),
            ("base", None),
            ("comp", None),
            ("", None),
        ] {
            assert_eq!(line_of(TEXT, place), line, "{place}");
        }
    }

    #[test]
    fn what_cannot_be_read_or_has_too_much_has_no_lines() {
        let deep = format!("a: {}", "[".repeat(10_000));
        let many = format!("a: 1\nb: [{}]\nc: 2\n", "1, ".repeat(MAX_NODES));
        for (text, line) in
            [("", None), ("a: [\n", None), ("- a\n", None), ("a: \u{1}\n", None), (&deep, None)]
        {
            assert_eq!(line_of(text, "a"), line, "{}", text.len());
        }
        assert_eq!(line_of(&many, "c"), None);
    }
}
