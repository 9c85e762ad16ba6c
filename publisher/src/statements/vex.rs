//! What VEX documents of one level say together: of a product and a vulnerability one thing, once.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::about::{Named, Scope};
use super::openvex::{Document, Product, Statement, Status};
use super::purl::Purl;

/// Something that is wrong, where, and by which code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Contradiction {
    pub(crate) place: String,
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

/// A part of a product, by its texts; a product as a whole has none.
type Parts = BTreeSet<String>;

/// What was said before: by a name of the vulnerability, the product and its parts; with the place.
#[derive(Debug, Default)]
pub(crate) struct Spoken {
    said: BTreeMap<(String, Named, Parts), (Status, String)>,
}

/// Every name of every vulnerability that a document speaks of.
pub(super) fn vulnerabilities(document: &Value) -> Vec<String> {
    let Ok(document) = Document::read(document) else { return Vec::new() };
    let each = document.statements.into_iter().map(|it| it.vulnerability);
    each.flat_map(|it| it.aliases.into_iter().chain([it.name]).chain(it.id)).collect()
}

/// Adds one document; `file` names it for those that come later. It has to be good by its schema.
pub(crate) fn check(file: &str, document: &Value, scope: &Scope, spoken: &mut Spoken) -> Vec<Contradiction> {
    let Ok(document) = Document::read(document) else { return Vec::new() };
    let mut found = Vec::new();
    for (n, statement) in document.statements.iter().enumerate() {
        for (m, product) in statement.products.iter().enumerate() {
            let place = format!("statements.{n}.products.{m}");
            let named = named(product, scope);
            if named.is_empty() {
                found.push(unknown(&place, product));
            }
            for thing in named {
                found.extend(say(file, &place, statement, (thing, parts(product)), spoken));
            }
        }
    }
    found
}

/// Everything of the level that one product names; all of its texts have to mean the same.
fn named(product: &Product, scope: &Scope) -> BTreeSet<Named> {
    let texts = product.id.iter().chain(product.identifiers.values());
    let mut found: BTreeSet<_> = texts.flat_map(|text| scope.named(text)).collect();
    let hashes = ["sha-256", "sha256"].into_iter().filter_map(|name| product.hashes.get(name));
    let hashes = hashes.filter_map(|hex| pdp_policies::Digest::from_hex(&hex.to_ascii_lowercase()).ok());
    found.extend(hashes.filter_map(|digest| scope.with_digest(&digest)));
    found
}

fn parts(product: &Product) -> Parts {
    let texts = |part: &Product| {
        let hashes = part.hashes.iter().map(|(name, hex)| format!("{name}:{hex}"));
        part.id.iter().chain(part.identifiers.values()).cloned().chain(hashes).collect::<Vec<_>>()
    };
    let normal = |text: String| Purl::parse(&text).map_or(text.clone(), |purl| purl.to_string());
    product.subcomponents.iter().flat_map(texts).map(normal).collect()
}

fn say(
    file: &str,
    place: &str,
    statement: &Statement,
    (thing, parts): (Named, Parts),
    spoken: &mut Spoken,
) -> Option<Contradiction> {
    let here = format!("{file}, {place}");
    let vulnerability = &statement.vulnerability;
    let names = vulnerability.aliases.iter().chain([&vulnerability.name]).chain(&vulnerability.id);
    let names: BTreeSet<_> = names.collect();
    let mut before = None;
    for name in names {
        let key = (name.clone(), thing.clone(), parts.clone());
        match spoken.said.get(&key) {
            Some(known) if before.is_none() => before = Some((name, known.clone())),
            Some(_) => {}
            None => drop(spoken.said.insert(key, (statement.status, here.clone()))),
        }
    }
    let (name, (status, there)) = before?;
    let (code, message) = match status == statement.status {
        true => ("VexProductTwice", format!("of `{name}` the same product is stated twice; first: {there}")),
        false => {
            let (was, is) = (word(status), word(statement.status));
            ("VexContradiction", format!("of `{name}` a product is `{is}` here and `{was}` there: {there}"))
        }
    };
    Some(Contradiction { place: place.to_owned(), code, message })
}

fn unknown(place: &str, product: &Product) -> Contradiction {
    let text = product.id.iter().chain(product.identifiers.values()).next();
    let text = text.map_or("a product without a name", String::as_str);
    let message = format!("`{text}` is nothing of this level");
    Contradiction { place: place.to_owned(), code: "VexProductUnknown", message }
}

fn word(status: Status) -> String {
    serde_json::to_value(status).ok().and_then(|it| it.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests;
