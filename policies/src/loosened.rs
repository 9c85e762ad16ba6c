//! What a changed policy lets pass that the one before held back, field by field. Always recorded, never forbidden.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::policy::{ApprovalRule, MinimumAge, Pin, PinTarget, Policy, SevereAge, Superseded, Touch};

/// No value is told in more characters.
const MOST_CHARS: usize = 300;

/// One field that was loosened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Loosening {
    /// As in the policy: `minimumAge.severe`.
    pub field: String,
    /// What stood there, as JSON, cut after 300 characters; none if nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<String>,
    /// What stands there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<String>,
}

impl fmt::Display for Loosening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
        write!(f, "{}: {} -> {}", self.field, text(&self.was), text(&self.is))
    }
}

/// The fields of `is` that are looser than in `was`.
pub(crate) fn loosened(was: &Policy, is: &Policy) -> Vec<Loosening> {
    // Every field is named: a new one doesn't compile until somebody says what looser means.
    let Policy { pin, hold, windows, freezes, minimum_age, approval, after, overrides, own_images } = was;
    let found = [
        ("pin", pin.as_ref().is_some_and(|was| pin_is_looser(was, is.pin.as_ref()))),
        ("hold", hold.is_some() && is.hold.is_none()),
        // Without any, a start is allowed at any time.
        ("windows", !windows.is_empty() && *windows != is.windows),
        ("freezes", lacks(&is.freezes, freezes)),
        ("after", lacks(&is.after, after)),
        ("overrides", lacks(overrides, &is.overrides)),
        ("ownImages", lacks(own_images, &is.own_images)),
    ];
    let ages = age_fields(minimum_age.as_ref(), is.minimum_age.as_ref());
    let approvals = approval_fields(approval.as_ref(), is.approval.as_ref());
    let fields = found.into_iter().chain(ages).chain(approvals).filter(|(_, looser)| *looser);
    fields.map(|(field, _)| told(field, was, is)).collect()
}

/// True if `all` hasn't everything of `wanted`.
fn lacks<T: PartialEq>(all: &[T], wanted: &[T]) -> bool {
    wanted.iter().any(|one| !all.contains(one))
}

/// Who answers for it, and why, are words.
fn pin_is_looser(was: &Pin, is: Option<&Pin>) -> bool {
    let Pin { to, expires, reason: _, owner: _ } = was;
    let Some(is) = is else { return true };
    let stricter = matches!((to, &is.to), (PinTarget::Level(was), PinTarget::Level(is)) if is <= was);
    is.expires < *expires || is.to != *to && !stricter
}

fn age_fields(was: Option<&MinimumAge>, is: Option<&MinimumAge>) -> Vec<(&'static str, bool)> {
    let Some(MinimumAge { age, severe }) = was else { return Vec::new() };
    let Some(is) = is else { return vec![("minimumAge", true)] };
    vec![
        ("minimumAge.age", is.age < *age),
        (
            "minimumAge.severe",
            is.severe.as_ref().is_some_and(|is| severe_is_looser(severe.as_ref(), is, is_all(*age, is))),
        ),
    ]
}

/// True if the shorter age is none: nothing gets through sooner.
fn is_all(age: crate::time::Span, severe: &SevereAge) -> bool {
    severe.age >= age
}

fn severe_is_looser(was: Option<&SevereAge>, is: &SevereAge, harmless: bool) -> bool {
    match was {
        None => !harmless,
        Some(SevereAge { at_least, age }) => is.at_least < *at_least || is.age < *age,
    }
}

fn approval_fields(was: Option<&ApprovalRule>, is: Option<&ApprovalRule>) -> Vec<(&'static str, bool)> {
    let Some(ApprovalRule { quorum, approvers, groups, requesters, authorities, touch, superseded }) = was
    else {
        return Vec::new();
    };
    let Some(is) = is else { return vec![("approval", true)] };
    vec![
        ("approval.quorum", is.quorum < *quorum),
        // Whoever comes new may say yes, with a key replaced, too; who goes may have been the last of a group to ask.
        ("approval.approvers", lacks(approvers, &is.approvers)),
        ("approval.groups", is.groups != *groups),
        // Without any, whoever approves says who asked.
        (
            "approval.requesters",
            !requesters.is_empty() && (is.requesters.is_empty() || lacks(requesters, &is.requesters)),
        ),
        // A new one may certify anybody.
        ("approval.authorities", is.authorities.iter().any(|key| !authorities.contains(key))),
        ("approval.touch", *touch == Touch::Required && is.touch != *touch),
        ("approval.superseded", *superseded == Superseded::Holds && is.superseded != *superseded),
    ]
}

fn told(field: &str, was: &Policy, is: &Policy) -> Loosening {
    Loosening { field: field.to_owned(), was: text(field, was), is: text(field, is) }
}

/// What stands at a field, as JSON.
fn text(field: &str, policy: &Policy) -> Option<String> {
    let whole = serde_json::to_value(policy).ok()?;
    let pointer = format!("/{}", field.replace('.', "/"));
    let found = whole.pointer(&pointer).filter(|value| **value != Value::Null)?;
    let found = crate::printable(&found.to_string());
    let more = found.chars().count() > MOST_CHARS;
    Some(found.chars().take(MOST_CHARS).chain(more.then_some('…')).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn policy(text: &str) -> Policy {
        crate::yaml::read(text).unwrap()
    }

    const FULL: &str = "
pin: {to: {level: 41}, reason: close, owner: ann, expires: '2027-01-05T00:00:00Z'}
hold: {reason: audit}
windows: [{name: w, kind: allow, cron: '0 2 * * *', timeZone: UTC, length: 2h}]
freezes: [{reason: close, from: '2026-12-20T00:00:00Z', until: '2027-01-04T00:00:00Z'}]
minimumAge: {age: 7d, severe: {atLeast: critical, age: 2d}}
approval:
  quorum: 2
  approvers: [key-a, {name: ann, keys: [key-b]}]
  groups: [{name: security, quorum: 1, approvers: [key-d]}]
  requesters: [{name: eve, keys: [key-e]}]
  authorities: [key-f]
  superseded: holds
after: [{dataPlane: staging, fingerprint: 'sha256:0000000000000000000000000000000000000000000000000000000000000000', healthyFor: 24h}]
overrides: [{atLeast: critical, knownExploited: true, pass: [window]}]
ownImages: [bank.example/sidecar]
";

    /// Each field, an edit of it, and which fields are looser then.
    const EDITS: &[(&str, &str, &[&str])] = &[
        ("/pin", "null", &["pin"]),
        ("/pin/to", "{level: 42}", &["pin"]),
        ("/pin/to", "{level: 40}", &[]),
        ("/pin/to", "{securityOnly: {}}", &["pin"]),
        ("/pin/reason", "other", &[]),
        ("/pin/owner", "bob", &[]),
        ("/pin/expires", "'2027-01-04T23:59:59Z'", &["pin"]),
        ("/pin/expires", "'2027-01-06T00:00:00Z'", &[]),
        ("/hold", "null", &["hold"]),
        ("/hold/reason", "other", &[]),
        ("/windows", "[]", &["windows"]),
        ("/windows/0/name", "other", &["windows"]),
        ("/windows/0/kind", "deny", &["windows"]),
        ("/windows/0/cron", "'0 3 * * *'", &["windows"]),
        ("/windows/0/timeZone", "Europe/Berlin", &["windows"]),
        ("/windows/0/length", "3h", &["windows"]),
        ("/freezes", "[]", &["freezes"]),
        ("/freezes/0/reason", "other", &["freezes"]),
        ("/freezes/0/from", "'2026-12-21T00:00:00Z'", &["freezes"]),
        ("/freezes/0/until", "'2027-01-03T00:00:00Z'", &["freezes"]),
        ("/minimumAge", "null", &["minimumAge"]),
        ("/minimumAge/age", "6d", &["minimumAge.age"]),
        ("/minimumAge/age", "8d", &[]),
        ("/minimumAge/severe", "null", &[]),
        ("/minimumAge/severe/atLeast", "low", &["minimumAge.severe"]),
        ("/minimumAge/severe/age", "0s", &["minimumAge.severe"]),
        ("/minimumAge/severe/age", "3d", &[]),
        ("/approval", "null", &["approval"]),
        ("/approval/quorum", "1", &["approval.quorum"]),
        ("/approval/quorum", "3", &[]),
        ("/approval/approvers/0", "key-c", &["approval.approvers"]),
        ("/approval/approvers/1/name", "bob", &["approval.approvers"]),
        ("/approval/approvers/1/keys", "[key-b, key-c]", &["approval.approvers"]),
        ("/approval/approvers", "[key-a]", &[]),
        ("/approval/groups/0/name", "operations", &["approval.groups"]),
        ("/approval/groups/0/quorum", "2", &["approval.groups"]),
        ("/approval/groups/0/approvers", "[key-a]", &["approval.groups"]),
        ("/approval/requesters", "[]", &["approval.requesters"]),
        ("/approval/authorities", "[]", &[]),
        ("/approval/authorities/0", "key-g", &["approval.authorities"]),
        ("/approval/requesters/0/name", "fay", &["approval.requesters"]),
        ("/approval/requesters/0/keys", "[key-f]", &["approval.requesters"]),
        ("/approval/superseded", "mayStart", &["approval.superseded"]),
        ("/after", "[]", &["after"]),
        ("/after/0/dataPlane", "dev", &["after"]),
        (
            "/after/0/fingerprint",
            "'sha256:1111111111111111111111111111111111111111111111111111111111111111'",
            &["after"],
        ),
        ("/after/0/healthyFor", "1h", &["after"]),
        ("/overrides", "[]", &[]),
        ("/overrides/0/atLeast", "low", &["overrides"]),
        ("/overrides/0/knownExploited", "false", &["overrides"]),
        ("/overrides/0/pass", "[window, freeze]", &["overrides"]),
        ("/ownImages", "[bank.example/sidecar, proxy]", &["ownImages"]),
        ("/ownImages", "[]", &[]),
    ];

    #[test]
    fn each_field_is_compared_and_told_with_what_was_and_is() {
        let full = policy(FULL);
        assert_eq!(loosened(&full, &full), []);
        for (place, value, wanted) in EDITS {
            let mut edited = serde_json::to_value(&full).unwrap();
            *edited.pointer_mut(place).unwrap() = serde_saphyr::from_str(value).unwrap();
            let edited: Policy = serde_json::from_value(edited).unwrap();
            let found = loosened(&full, &edited);
            let fields: Vec<_> = found.iter().map(|it| it.field.as_str()).collect();
            assert_eq!(fields, *wanted, "{place}: {value}");
        }
        let cut = policy(&FULL.replace("age: 2d", "age: 0s"));
        let told = loosened(&full, &cut)[0].to_string();
        assert_eq!(
            told,
            r#"minimumAge.severe: {"age":"2d","atLeast":"critical"} -> {"age":"0s","atLeast":"critical"}"#
        );
    }

    #[test]
    fn what_comes_new_into_a_policy_without_it_is_looser_only_if_it_lets_pass() {
        let none = Policy::default();
        let fields =
            |policy: &Policy| loosened(&none, policy).into_iter().map(|it| it.field).collect::<Vec<_>>();
        assert_eq!(fields(&policy(FULL)), ["overrides", "ownImages"]);
        for (severe, looser) in
            [("{atLeast: critical, age: 7d}", false), ("{atLeast: critical, age: 6d}", true)]
        {
            let (was, is) = (
                policy("minimumAge: {age: 7d}"),
                policy(&format!("minimumAge: {{age: 7d, severe: {severe}}}")),
            );
            assert_eq!(!loosened(&was, &is).is_empty(), looser, "{severe}");
        }
    }

    /// Every field that a policy may have stands in the table.
    #[test]
    fn no_field_is_forgotten() {
        let full = serde_json::to_value(policy(FULL)).unwrap();
        let mut all = Vec::new();
        leaves("", &full, &mut all);
        let edited = |leaf: &String| EDITS.iter().any(|(place, ..)| leaf.starts_with(place));
        let forgotten: Vec<_> = all.iter().filter(|leaf| !edited(leaf)).collect();
        assert!(forgotten.is_empty(), "{forgotten:?}");
        let schema = serde_json::to_value(schemars::schema_for!(Policy)).unwrap();
        let properties = schema["properties"].as_object().unwrap();
        assert!(properties.keys().all(|name| full.get(name).is_some()), "{properties:?}");
    }

    fn leaves(place: &str, value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => {
                map.iter().for_each(|(key, inner)| leaves(&format!("{place}/{key}"), inner, found))
            }
            Value::Array(list) => {
                list.iter().enumerate().for_each(|(n, inner)| leaves(&format!("{place}/{n}"), inner, found));
            }
            _ => found.push(place.to_owned()),
        }
    }
}
