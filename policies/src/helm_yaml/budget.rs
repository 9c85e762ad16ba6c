//! How much one document may hold, aliases followed.

use super::Result;
use super::nodes::{Kind, Node, Place, at};

/// A mebibyte of real values has 60 000, the largest manifests have 200 000.
pub(super) const MAX_NODES: usize = 250_000;
/// Text of all scalars together (bytes): a release of Helm holds less.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// What was read so far.
#[derive(Debug)]
pub(super) struct Budget {
    nodes: usize,
    by_alias: usize,
    bytes: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        // go-yaml counts the document, too.
        Self { nodes: 1, by_alias: 0, bytes: 0 }
    }

    pub(super) fn count(&mut self, node: &Node, by_alias: bool) -> Result<()> {
        self.nodes += 1;
        self.by_alias += usize::from(by_alias);
        if let Kind::Scalar(scalar) = &node.kind {
            self.bytes += scalar.text.len();
        }
        within(self.nodes, node.place)?;
        if self.is_mostly_aliases() || self.bytes > MAX_BYTES {
            return Err(at(node.place, "aliases make too much of the file"));
        }
        Ok(())
    }

    /// go-yaml's own rule: a file ends here where it ends there.
    fn is_mostly_aliases(&self) -> bool {
        self.by_alias > 100 && self.nodes > 1000 && self.by_alias * 100 > self.nodes * 99
    }
}

pub(super) fn within(nodes: usize, place: Place) -> Result<()> {
    match nodes > MAX_NODES {
        true => Err(at(place, &format!("more than {MAX_NODES} values, aliases followed"))),
        false => Ok(()),
    }
}
