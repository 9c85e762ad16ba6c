//! Nodes as JSON: go-yaml's decoding into untyped values, then `sigs.k8s.io/yaml`'s way to JSON.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::budget::Budget;
use super::nodes::{Document, Kind, MAX_DEPTH, Node, NodeId, at, too_deep};
use super::scalar::{Resolved, resolve};
use super::{Result, Table};

/// What a document says.
pub(super) fn value(document: &Document) -> Result<Value> {
    Decoder { document, budget: Budget::new(), open: HashSet::new(), depth: 0 }.value(0)
}

struct Decoder<'a> {
    document: &'a Document,
    budget: Budget,
    /// The aliases that are being followed.
    open: HashSet<NodeId>,
    depth: usize,
}

/// A mapping in the making. Go's keys have types: `1` and `"1"` are two.
#[derive(Default)]
struct Mapping {
    table: Table,
    types: HashMap<String, &'static str>,
}

impl<'a> Decoder<'a> {
    fn value(&mut self, id: NodeId) -> Result<Value> {
        let node = self.enter(id)?;
        let value = match &node.kind {
            Kind::Alias(target) => self.followed(id, node, |decoder| decoder.value(*target)),
            Kind::Scalar(scalar) => {
                resolve(scalar).and_then(Resolved::into_json).map_err(|m| at(node.place, m))
            }
            Kind::Sequence(items) => {
                items.iter().map(|item| self.value(*item)).collect::<Result<_>>().map(Value::Array)
            }
            Kind::Mapping(entries) => {
                let mut mapping = Mapping::default();
                self.entries(entries, &mut mapping)?;
                Ok(Value::Object(mapping.table))
            }
        };
        self.depth -= 1;
        value
    }

    /// Counts a node.
    fn enter(&mut self, id: NodeId) -> Result<&'a Node> {
        let node = self.document.node(id);
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(too_deep(node.place));
        }
        self.budget.count(node, !self.open.is_empty())?;
        Ok(node)
    }

    /// Does `work` as part of an alias.
    fn followed<T>(
        &mut self,
        id: NodeId,
        alias: &Node,
        work: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        if !self.open.insert(id) {
            return Err(at(alias.place, "the anchor's value contains itself"));
        }
        let done = work(self)?;
        self.open.remove(&id);
        Ok(done)
    }

    fn entries(&mut self, entries: &[(NodeId, NodeId)], into: &mut Mapping) -> Result<()> {
        for (key, value) in entries {
            if is_merge(self.document.node(*key)) {
                self.merge(*value, into)?;
            } else {
                let (name, kind) = self.key(*key)?;
                let value = self.value(*value)?;
                self.insert(*key, name, kind, value, into)?;
            }
        }
        Ok(())
    }

    fn insert(
        &self,
        key: NodeId,
        name: String,
        kind: &'static str,
        value: Value,
        into: &mut Mapping,
    ) -> Result<()> {
        // Helm keeps either, by chance.
        if into.types.insert(name.clone(), kind).is_some_and(|before| before != kind) {
            return Err(at(self.document.node(key).place, "the same key as another with other quotes"));
        }
        into.table.insert(name, value);
        Ok(())
    }

    /// A merge key: what it brings goes over what stands above it.
    fn merge(&mut self, id: NodeId, into: &mut Mapping) -> Result<()> {
        match &self.document.node(id).kind {
            Kind::Sequence(items) => items.iter().rev().try_for_each(|item| self.merge_one(*item, into)),
            _ => self.merge_one(id, into),
        }
    }

    fn merge_one(&mut self, id: NodeId, into: &mut Mapping) -> Result<()> {
        let node = self.enter(id)?;
        let done = match &node.kind {
            Kind::Mapping(entries) => self.entries(entries, into),
            Kind::Alias(target) if matches!(self.document.node(*target).kind, Kind::Mapping(_)) => {
                self.followed(id, node, |decoder| decoder.merge_one(*target, into))
            }
            _ => Err(at(node.place, "`<<` takes a mapping, or a list of mappings")),
        };
        self.depth -= 1;
        done
    }

    /// A key as text, and its type.
    fn key(&mut self, id: NodeId) -> Result<(String, &'static str)> {
        let node = self.enter(id)?;
        let key = match &node.kind {
            Kind::Alias(target) => self.followed(id, node, |decoder| decoder.key(*target)),
            Kind::Scalar(scalar) => {
                resolve(scalar).and_then(Resolved::into_key).map_err(|m| at(node.place, m))
            }
            Kind::Sequence(_) | Kind::Mapping(_) => {
                Err(at(node.place, "a key is text, a number or a boolean"))
            }
        };
        self.depth -= 1;
        key
    }
}

fn is_merge(node: &Node) -> bool {
    match &node.kind {
        Kind::Scalar(scalar) => {
            scalar.text == "<<" && (scalar.plain || scalar.tag == "tag:yaml.org,2002:merge")
        }
        _ => false,
    }
}
