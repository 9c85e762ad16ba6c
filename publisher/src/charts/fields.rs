//! Fields of a mapping as Go's JSON reads them into a struct: names in any case, `null` is nothing.

use std::collections::BTreeMap;

use serde_json::Value;

use super::text;
use super::yaml::Table;

/// A mapping whose names are the struct's.
pub(super) struct Fields<'a>(pub(super) &'a Table);

/// The fields with these names. Of a name in several cases the last one counts, in the order of bytes.
pub(super) fn known(table: &Table, names: &[&str]) -> Table {
    let mut sorted: Vec<_> = table.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    let mut known = Table::new();
    for (name, value) in sorted {
        let own = names.iter().find(|own| own.eq_ignore_ascii_case(name));
        // Go leaves a field as it is when `null` comes.
        if let Some(own) = own.filter(|own| !value.is_null() || !known.contains_key(**own)) {
            known.insert((*own).to_owned(), value.clone());
        }
    }
    known
}

/// One file's fields over another's, as Go reads a second document into the same struct: items of a list go over the
/// items that are there.
pub(super) fn over(mut below: Table, above: Table) -> Table {
    for (name, value) in above {
        let value = match (below.remove(&name), value) {
            (Some(Value::Array(below)), Value::Array(above)) => Value::Array(items_over(&below, above)),
            (Some(below @ (Value::String(_) | Value::Bool(_) | Value::Number(_))), Value::Null) => below,
            (_, value) => value,
        };
        below.insert(name, value);
    }
    below
}

fn items_over(below: &[Value], above: Vec<Value>) -> Vec<Value> {
    let item = |(number, value)| match (below.get(number), value) {
        (Some(Value::Object(below)), Value::Object(above)) => Value::Object(over(below.clone(), above)),
        (_, value) => value,
    };
    above.into_iter().enumerate().map(item).collect()
}

/// Without fields that are empty, as Go leaves them out.
pub(super) fn filled(value: Value) -> Value {
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::Bool(yes) => !yes,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(table) => table.is_empty(),
        Value::Number(_) => false,
    };
    match value {
        Value::Object(table) => table.into_iter().filter(|(_, value)| !is_empty(value)).collect(),
        other => other,
    }
}

impl<'a> Fields<'a> {
    /// Text, or what Helm turns into text.
    ///
    /// # Errors
    /// The field, if it is neither.
    pub(super) fn text(&self, name: &str) -> Result<String, String> {
        text::text(self.get(name)).ok_or_else(|| format!("`{name}` is no text"))
    }

    pub(super) fn texts(&self, name: &str) -> Result<Vec<String>, String> {
        self.list(name)?
            .iter()
            .map(|item| text::text(item).ok_or_else(|| format!("`{name}` holds more than text")))
            .collect()
    }

    pub(super) fn text_map(&self, name: &str) -> Result<BTreeMap<&'a String, String>, String> {
        let bad = || format!("`{name}` isn't a mapping of texts");
        match self.get(name) {
            Value::Null => Ok(BTreeMap::new()),
            Value::Object(table) => {
                table.iter().map(|(key, value)| Ok((key, text::text(value).ok_or_else(bad)?))).collect()
            }
            _ => Err(bad()),
        }
    }

    pub(super) fn flag(&self, name: &str) -> Result<bool, String> {
        match self.get(name) {
            Value::Null => Ok(false),
            Value::Bool(yes) => Ok(*yes),
            _ => Err(format!("`{name}` is neither true nor false")),
        }
    }

    pub(super) fn tables(&self, name: &str) -> Result<Vec<&'a Table>, String> {
        let table =
            |item: &'a Value| item.as_object().ok_or_else(|| format!("an item of `{name}` isn't a mapping"));
        self.list(name)?.iter().map(table).collect()
    }

    pub(super) fn list(&self, name: &str) -> Result<&'a [Value], String> {
        match self.get(name) {
            Value::Null => Ok(&[]),
            Value::Array(items) => Ok(items),
            _ => Err(format!("`{name}` isn't a list")),
        }
    }

    fn get(&self, name: &str) -> &'a Value {
        self.0.get(name).unwrap_or(&Value::Null)
    }
}
