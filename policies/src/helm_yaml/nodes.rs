//! A document as nodes: what YAML's syntax says, before anything is made of it.

use super::problem;
use crate::yaml::Problem;

/// Real charts stay below 30; each level costs stack.
pub(super) const MAX_DEPTH: usize = 200;
/// `line:column`.
pub(super) type Place = (usize, usize);

/// A node's number in its document.
pub(super) type NodeId = usize;

#[derive(Debug)]
pub(super) struct Node {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Scalar(Scalar),
    Sequence(Vec<NodeId>),
    Mapping(Vec<(NodeId, NodeId)>),
    Alias(NodeId),
}

#[derive(Debug)]
pub(super) struct Scalar {
    pub(super) text: String,
    /// The whole tag such as `tag:yaml.org,2002:int`; empty if there is none.
    pub(super) tag: String,
    /// Neither quoted nor tagged with more than `!`.
    pub(super) plain: bool,
}

/// A document; the first node is its root.
#[derive(Debug, Default)]
pub(super) struct Document {
    nodes: Vec<Node>,
}

impl Document {
    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    pub(super) fn add(&mut self, place: Place, kind: Kind) -> NodeId {
        self.nodes.push(Node { place, kind });
        self.nodes.len() - 1
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn fill(&mut self, id: NodeId, kind: Kind) {
        self.nodes[id].kind = kind;
    }
}

pub(super) fn at((line, column): Place, message: &str) -> Problem {
    problem(&format!("{line}:{column}"), message)
}

pub(super) fn too_deep(place: Place) -> Problem {
    at(place, &format!("nested more than {MAX_DEPTH} deep"))
}
