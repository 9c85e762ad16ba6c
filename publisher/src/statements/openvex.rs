//! OpenVEX 0.2.0 as a type: a document that doesn't read so is none.

use std::collections::BTreeMap;

use pdp_policies::At;
use pdp_policies::disclosure::Justification;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::schema::Problem;

/// A document.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    #[serde(rename = "@context")]
    pub(super) context: String,
    #[serde(rename = "@id")]
    pub(super) id: String,
    pub(super) author: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<String>,
    pub(super) timestamp: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_updated: Option<Time>,
    pub(super) version: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tooling: Option<String>,
    pub(super) statements: Vec<Statement>,
}

/// What is said of products and one vulnerability.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Statement {
    #[serde(default, rename = "@id", skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) timestamp: Option<Time>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) last_updated: Option<Time>,
    pub(super) vulnerability: Vulnerability,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) products: Vec<Product>,
    pub(super) status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) supplier: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status_notes: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) justification: Option<Justification>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) impact_statement: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) action_statement: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) action_statement_timestamp: Option<Time>,
}

/// A vulnerability, under all its names.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Vulnerability {
    #[serde(default, rename = "@id", skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) aliases: Vec<String>,
}

/// A product, or a part of one, which has no parts of its own.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Product {
    #[serde(default, rename = "@id", skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) identifiers: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) hashes: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) subcomponents: Vec<Product>,
}

/// How a product stands to a vulnerability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Status {
    NotAffected,
    Affected,
    Fixed,
    UnderInvestigation,
}

/// A time of RFC 3339, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Time(String);

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let read = text.parse::<jiff::Timestamp>();
        read.map(|_| Self(text)).map_err(|_| "a time isn't of RFC 3339".to_owned())
    }
}

impl From<At> for Time {
    fn from(at: At) -> Self {
        Self(at.to_string())
    }
}

impl Document {
    /// # Errors
    /// Why it is none, without any value of it.
    pub(super) fn read(document: &Value) -> Result<Self, Problem> {
        serde_json::from_value(document.clone())
            .map_err(|error| Problem { place: String::new(), message: error.to_string() })
    }
}

/// What is wrong with a document.
pub(super) fn problems(document: &Value) -> Vec<Problem> {
    let read = match Document::read(document) {
        Ok(read) => read,
        Err(problem) => return vec![problem],
    };
    let empty = read.statements.is_empty();
    let nothing = Problem { place: "statements".to_owned(), message: "nothing is stated".to_owned() };
    let each = read.statements.iter().enumerate().filter_map(|(n, it)| {
        wrong(it).map(|message| Problem { place: format!("statements.{n}"), message: message.to_owned() })
    });
    empty.then_some(nothing).into_iter().chain(each).collect()
}

/// What the standard asks for beyond the form.
fn wrong(statement: &Statement) -> Option<&'static str> {
    let given = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    let parts = statement.products.iter().flat_map(|product| &product.subcomponents);
    let why = statement.justification.is_some() || given(&statement.impact_statement);
    match statement.status {
        _ if statement.vulnerability.name.is_empty() => Some("the vulnerability has no name"),
        _ if statement.products.is_empty() => Some("it names no product"),
        _ if parts.clone().any(|part| !part.subcomponents.is_empty()) => {
            Some("a part of a product has parts of its own")
        }
        Status::NotAffected if !why => {
            Some("`not_affected` needs a `justification` or an `impact_statement`")
        }
        Status::Affected if !given(&statement.action_statement) => {
            Some("`affected` needs an `action_statement`")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_judged_by_the_standard() {
        let statement = json!({
            "vulnerability": { "name": "CVE-2026-1" }, "products": [{ "@id": "pkg:oci/a" }], "status": "fixed",
        });
        let with = |key: &str, value: Value| {
            let mut statement = statement.clone();
            statement[key] = value;
            json!([statement])
        };
        let because = |status: &str, key: &str, value: &str| {
            let mut statement = statement.clone();
            statement["status"] = json!(status);
            statement[key] = json!(value);
            json!([statement])
        };
        for (statements, wrong) in [
            (json!([statement]), None),
            (json!([]), Some("nothing is stated")),
            (with("colour", json!(1)), Some("unknown field `colour`")),
            (with("status", json!("mended")), Some("unknown variant `mended`")),
            (with("timestamp", json!("yesterday")), Some("a time isn't of RFC 3339")),
            (with("products", json!([])), Some("it names no product")),
            (with("vulnerability", json!({ "name": "" })), Some("the vulnerability has no name")),
            (with("status", json!("affected")), Some("`affected` needs")),
            (because("affected", "action_statement", "update"), None),
            (with("status", json!("not_affected")), Some("`not_affected` needs")),
            (because("not_affected", "justification", "component_not_present"), None),
            (because("not_affected", "impact_statement", "not reachable"), None),
            (because("not_affected", "justification", "because"), Some("unknown variant `because`")),
            (with("status", json!("under_investigation")), None),
        ] {
            let document = json!({
                "@context": super::super::kind::OPENVEX_CONTEXT, "@id": "https://a.example/vex", "author": "a",
                "timestamp": "2026-11-01T00:00:00Z", "version": 1, "statements": statements,
            });
            let found = problems(&document);
            match wrong {
                None => assert_eq!(found, [], "{document}"),
                Some(wrong) => assert!(found[0].message.starts_with(wrong), "{document}: {found:?}"),
            }
        }
    }
}
