//! What may be said of a level's advisories now, and whether it is what the level signed. Pure.

use pdp_policies::disclosure::{Disclosed, Disclosure};
use pdp_policies::release::Advisory;
use pdp_policies::{API_VERSION, At, Digest, Release, printable};
use pdp_transport::cli::failure::{Failure, Result};

use crate::diff::{changes, json};

/// The disclosure of a signed level, by what its release.yaml says; `only` of these if any are named.
///
/// # Errors
/// `NotFound`, `EmbargoNotOver`, `DisclosureDiffers`.
pub(crate) fn disclosed(
    stated: &[Disclosed],
    (release, sha256): &(Release, Digest),
    only: &[String],
    now: At,
) -> Result<Disclosure> {
    if let Some(id) = only.iter().find(|id| release.advisories.iter().all(|it| it.id != **id)) {
        let what = format!("level {} names no advisory `{}`", release.level, printable(id));
        return Err(Failure::new("NotFound", what).hint("`publisher release show` lists those that it names"));
    }
    let wanted = |id: &str| only.is_empty() || only.iter().any(|it| it == id);
    let wanted: Vec<_> = release.advisories.iter().filter(|it| wanted(&it.id)).collect();
    is_over(&wanted, now)?;
    if only.is_empty() {
        nothing_more(stated, release)?;
    }
    let agreed = wanted.into_iter().map(|signed| agreed(stated, signed)).collect::<Result<_>>()?;
    Ok(Disclosure {
        api_version: API_VERSION.to_owned(),
        critical: Vec::new(),
        line: release.line.clone(),
        level: release.level,
        sha256: *sha256,
        advisories: agreed,
    })
}

/// The signed time counts, whatever release.yaml says by now.
fn is_over(wanted: &[&Advisory], now: At) -> Result<()> {
    let running = |it: &&&Advisory| it.embargoed_until.is_some_and(|until| until > now);
    let Some(it) = wanted.iter().filter(running).max_by_key(|it| it.embargoed_until) else { return Ok(()) };
    let until = it.embargoed_until.unwrap_or(now);
    Err(Failure::new("EmbargoNotOver", format!("`{}` is under embargo until {until}", printable(&it.id)))
        .cause("the level says so, and a level never changes")
        .hint("wait until then; with `--advisory ID` those that are over are written. One that ended early is told by the next level"))
}

fn nothing_more(stated: &[Disclosed], release: &Release) -> Result<()> {
    let signed = |id: &str| release.advisories.iter().any(|it| it.id == id);
    match stated.iter().find(|it| !signed(&it.advisory.id)) {
        Some(it) => Err(differs(&it.advisory.id, "the level doesn't name it")),
        None => Ok(()),
    }
}

fn agreed(stated: &[Disclosed], signed: &Advisory) -> Result<Disclosed> {
    let found = stated.iter().find(|it| it.advisory.id == signed.id);
    let found = found.ok_or_else(|| differs(&signed.id, "release.yaml doesn't name it"))?;
    let changes = changes(&json(signed), &json(&found.advisory.as_signed()));
    let words: Vec<_> = changes
        .iter()
        .map(|it| format!("{} is {} in release.yaml, and {} was signed", &it.field[1..], it.is, it.was))
        .collect();
    if words.is_empty() { Ok(found.clone()) } else { Err(differs(&signed.id, &words.join("; "))) }
}

fn differs(id: &str, cause: &str) -> Failure {
    Failure::new("DisclosureDiffers", format!("`{}` isn't what the level signed", printable(id)))
        .cause(printable(cause))
        .hint("correct release.yaml: who, what and when are as they were signed; only what was under embargo may be new")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::{Value, json};

    use super::*;

    const UNTIL: &str = "2026-12-20T08:00:00Z";

    fn stated(id: &str, more: &Value) -> Disclosed {
        let mut value = json!({
            "id": id, "cves": [format!("CVE-2026-{id}")], "severity": "critical", "components": ["agent"],
            "confirmedAt": "2026-11-20T08:00:00Z", "publishedAt": "2026-11-22T08:00:00Z",
        });
        more.as_object().unwrap().iter().for_each(|(key, it)| value[key] = it.clone());
        serde_json::from_value(value).unwrap()
    }

    fn signed(all: &[Disclosed]) -> (Release, Digest) {
        let advisories: Vec<_> = all.iter().map(|it| it.advisory.as_signed()).collect();
        let digest = Digest::of(b"42");
        let value = json!({
            "apiVersion": API_VERSION, "line": "pdp-2026", "level": 42, "version": "1", "kind": "security", "components": [],
            "bundle": { "repository": "r.example/a", "digest": digest, "size": 1 }, "advisories": advisories,
        });
        (serde_json::from_value(value).unwrap(), digest)
    }

    fn at(text: &str) -> At {
        text.parse().unwrap()
    }

    #[test]
    fn nothing_is_told_before_its_time() {
        let later = json!({ "embargoedUntil": "2026-12-24T08:00:00Z" });
        let all = [
            stated("1000", &json!({})),
            stated("2000", &json!({ "embargoedUntil": UNTIL })),
            stated("3000", &later),
        ];
        let level = signed(&all);
        let run = |only: &[&str], now: &str| {
            let only: Vec<_> = only.iter().map(|it| (*it).to_owned()).collect();
            match disclosed(&all, &level, &only, at(now)) {
                Ok(found) => {
                    found.advisories.iter().map(|it| it.advisory.id.clone()).collect::<Vec<_>>().join(" ")
                }
                Err(failure) => format!("{} {}", failure.code, failure.what),
            }
        };
        for (only, now, wanted) in [
            (&[][..], UNTIL, "EmbargoNotOver `3000` is under embargo until 2026-12-24T08:00:00Z"),
            (
                &["2000"],
                "2026-12-20T07:59:59Z",
                "EmbargoNotOver `2000` is under embargo until 2026-12-20T08:00:00Z",
            ),
            (&["2000"], UNTIL, "2000"),
            (&["1000"], "2026-11-23T08:00:00Z", "1000"),
            (&["2000", "1000"], UNTIL, "1000 2000"),
            (&[], "2026-12-24T08:00:00Z", "1000 2000 3000"),
            (&["4000"], UNTIL, "NotFound level 42 names no advisory `4000`"),
        ] {
            assert_eq!(run(only, now), wanted, "{only:?} {now}");
        }
    }

    #[test]
    fn what_the_level_did_not_sign_is_not_told() {
        let embargo = json!({ "embargoedUntil": UNTIL });
        let level = signed(&[stated("1000", &embargo)]);
        let now = at(UNTIL);
        for (field, value, words) in [
            ("severity", json!("low"), r#"severity is "low" in release.yaml, and "critical" was signed"#),
            ("knownExploited", json!(true), "knownExploited is true"),
            ("confirmedAt", json!("2026-11-19T08:00:00Z"), "confirmedAt"),
            ("publishedAt", json!("2026-11-19T08:00:00Z"), "publishedAt"),
            ("embargoedUntil", json!("2026-12-01T08:00:00Z"), "embargoedUntil"),
            ("embargoedUntil", json!(null), "embargoedUntil"),
            ("id", json!("2000"), "the level doesn't name it"),
        ] {
            let mut more = embargo.clone();
            more[field] = value;
            let refused = disclosed(&[stated("1000", &more)], &level, &[], now).unwrap_err();
            assert_eq!(refused.code, "DisclosureDiffers", "{field}");
            assert!(refused.cause.unwrap().contains(words), "{field}");
        }
        let missing = disclosed(&[], &level, &[], now).unwrap_err();
        assert!(missing.cause.unwrap().contains("release.yaml doesn't name it"));
        // A date that was moved doesn't end the embargo.
        let early = stated("1000", &json!({ "embargoedUntil": "2026-11-21T08:00:00Z" }));
        let refused = disclosed(&[early], &level, &[], at("2026-11-23T08:00:00Z")).unwrap_err();
        assert_eq!(refused.code, "EmbargoNotOver");
    }
}
