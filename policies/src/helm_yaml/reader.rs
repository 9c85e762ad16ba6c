//! From text to nodes.

use std::collections::HashMap;
use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, StructureStyle, Tag};

use super::nodes::{Document, Kind, MAX_DEPTH, NodeId, Place, Scalar, at, too_deep};
use super::{Result, budget, problem, syntax};
use crate::yaml::Problem;

/// More documents aren't read.
const MAX_DOCUMENTS: usize = 10_000;

/// The first document, none if there is none.
pub(super) fn first(text: &str) -> Result<Option<Document>> {
    Reader::new(text).document()
}

/// All documents.
pub(super) fn all(text: &str) -> Result<Vec<Document>> {
    let mut reader = Reader::new(text);
    let mut documents = Vec::new();
    while let Some(document) = reader.document()? {
        if documents.len() == MAX_DOCUMENTS {
            return Err(problem("file", &format!("more than {MAX_DOCUMENTS} documents")));
        }
        documents.push(document);
    }
    Ok(documents)
}

struct Reader<'a> {
    text: &'a str,
    parser: Parser<'a, StrInput<'a>>,
    document: Document,
    /// The nodes by the parser's numbers of their anchors.
    anchors: HashMap<usize, NodeId>,
    /// Where scalars and flow collections are, in their order.
    free: Vec<Range<usize>>,
    /// Where the last event ends.
    end: usize,
    /// How far tabs were looked for.
    checked: usize,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        let mut options = granit_parser::options! {
            block_scalar_eof_without_line_feed: true,
            bom_inside_document_as_content: true,
            emit_anchor_events: true,
            flow_nesting_limit: MAX_DEPTH,
            block_nesting_limit: MAX_DEPTH,
        };
        // Comments are read past, not kept: their number has no limit.
        options.set_emit_comments(false);
        let parser = Parser::new_from_str_with_options(text, options);
        Self {
            text,
            parser,
            document: Document::default(),
            anchors: HashMap::new(),
            free: Vec::new(),
            end: 0,
            checked: 0,
        }
    }

    /// The next document, none at the end.
    fn document(&mut self) -> Result<Option<Document>> {
        loop {
            match self.next()? {
                (Event::DocumentStart(..), _) => break,
                (Event::StreamEnd, _) => return self.check_tabs(self.text.len()).map(|()| None),
                _ => {}
            }
        }
        let start = self.next()?;
        self.node(start, 0)?;
        self.next()?;
        self.check_tabs(self.end)?;
        self.anchors.clear();
        Ok(Some(std::mem::take(&mut self.document)))
    }

    fn next(&mut self) -> Result<(Event<'a>, Span)> {
        loop {
            let (event, span) = match self.parser.next_event() {
                Some(event) => event.map_err(|error| unreadable(&error))?,
                None => return Ok((Event::StreamEnd, Span::default())),
            };
            self.check(&event, &span)?;
            self.end = span.end.byte_offset().unwrap_or(self.end);
            if !matches!(event, Event::Anchor(..)) {
                return Ok((event, span));
            }
        }
    }

    /// What the parser takes and Helm doesn't.
    fn check(&mut self, event: &Event<'a>, span: &Span) -> Result<()> {
        let source = span.slice(self.text).unwrap_or_default();
        let message = match event {
            Event::Anchor(_, name) if !syntax::is_anchor(name) => {
                "an anchor's name is letters, digits, `-` and `_`"
            }
            Event::Alias(_) if !syntax::is_anchor(source.trim_start_matches('*')) => {
                "an anchor's name is letters, digits, `-` and `_`"
            }
            Event::Scalar(_, ScalarStyle::DoubleQuoted, ..) if syntax::has_escape_of_json(source) => {
                "an escape of JSON: Helm takes `/`, and `\\U0001F600` instead of two halves"
            }
            Event::DocumentStart(_, Some(version)) if (version.major, version.minor) != (1, 1) => {
                "Helm reads YAML 1.1 only: take the directive out"
            }
            _ => return Ok(()),
        };
        Err(at((span.start.line(), span.start.col() + 1), message))
    }

    /// Looks at the lines up to `end`. The last one may go on, so it is looked at again.
    fn check_tabs(&mut self, end: usize) -> Result<()> {
        syntax::tabs(self.text, self.checked..end, &self.free)?;
        self.checked = self.text.get(..end).and_then(|text| text.rfind('\n')).map_or(0, |at| at + 1);
        self.free.drain(..self.free.len().saturating_sub(1));
        Ok(())
    }

    /// Notes a part of the text that has its own rules on blanks; it takes in what is in it.
    fn free(&mut self, start: usize) {
        while self.free.last().is_some_and(|last| last.start >= start) {
            self.free.pop();
        }
        self.free.push(start..self.end);
    }

    /// The node that an event begins, with all that is in it.
    fn node(&mut self, (event, span): (Event<'a>, Span), depth: usize) -> Result<NodeId> {
        let place = (span.start.line(), span.start.col() + 1);
        if depth > MAX_DEPTH {
            return Err(too_deep(place));
        }
        budget::within(self.document.len(), place)?;
        // Its number comes before its content: that may name it.
        let id = self.document.add(place, Kind::Sequence(Vec::new()));
        if let Some(anchor) = event.anchor_id() {
            self.anchors.insert(anchor, id);
        }
        let has_own_blanks = !matches!(
            event,
            Event::SequenceStart(StructureStyle::Block, ..) | Event::MappingStart(StructureStyle::Block, ..)
        );
        let kind = self.kind(event, place, depth)?;
        self.document.fill(id, kind);
        if let (true, Some(start)) = (has_own_blanks, span.start.byte_offset()) {
            self.free(start);
        }
        Ok(id)
    }

    fn kind(&mut self, event: Event<'a>, place: Place, depth: usize) -> Result<Kind> {
        match event {
            Event::Scalar(text, style, _, tag) => {
                Ok(Kind::Scalar(scalar(text.into(), style, tag.as_deref())))
            }
            Event::SequenceStart(..) => Ok(Kind::Sequence(self.sequence(depth)?)),
            Event::MappingStart(..) => Ok(Kind::Mapping(self.mapping(depth)?)),
            Event::Alias(anchor) => self
                .anchors
                .get(&anchor)
                .map(|id| Kind::Alias(*id))
                .ok_or_else(|| at(place, "unknown anchor")),
            _ => Err(at(place, "not valid YAML")),
        }
    }

    fn sequence(&mut self, depth: usize) -> Result<Vec<NodeId>> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                start => items.push(self.node(start, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Vec<(NodeId, NodeId)>> {
        let mut entries = Vec::new();
        loop {
            match self.next()? {
                (Event::MappingEnd, _) => return Ok(entries),
                start => {
                    let key = self.node(start, depth + 1)?;
                    let value = self.next()?;
                    entries.push((key, self.node(value, depth + 1)?));
                }
            }
        }
    }
}

fn scalar(text: String, style: ScalarStyle, tag: Option<&Tag>) -> Scalar {
    let tag = tag.map(|tag| format!("{}{}", tag.handle(), tag.suffix())).unwrap_or_default();
    // `!` alone makes text of it, but `<<` stays a merge key.
    let plain = tag == "!" || tag.is_empty() && style == ScalarStyle::Plain;
    Scalar { text, tag, plain }
}

fn unreadable(error: &ScanError) -> Problem {
    let place = (error.marker().line(), error.marker().col() + 1);
    at(place, &format!("not valid YAML: {}", error.kind()))
}
