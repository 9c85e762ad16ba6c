//! A role of people as a file: payload, signatures so far, and who may sign it.

use std::collections::BTreeMap;

use pdp_policies::trust::{Role, metadata};
use pdp_policies::{At, CLOCK_TOLERANCE, CatalogTree, Digest, Span};
use pdp_transport::cli::failure::{Failure, Result, internal};
use serde_json::Value;

use super::holders::Holders;
use crate::keys::SigningKey;

/// The targets of a role that change, by name; none for one that is listed no more.
pub(crate) type Targets = BTreeMap<String, Option<Vec<u8>>>;

/// How long a role of people lives once signed.
pub(crate) fn life(role: Role) -> Span {
    const DAY: u32 = 86_400;
    Span::from_seconds(match role {
        Role::Root | Role::Releases => 365 * DAY,
        Role::Targets => 180 * DAY,
        Role::Channels => 45 * DAY,
        Role::Snapshot | Role::Timestamp => 7 * DAY,
    })
}

/// So long (seconds) a proposal may lie open and still be joined by proposing the same: its role ends as much earlier.
pub(crate) const OPEN_FOR: i64 = 7 * 86_400;

/// A role's file, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct RoleFile {
    pub(crate) role: Role,
    pub(crate) signed: Value,
    pub(crate) signatures: BTreeMap<String, Vec<u8>>,
}

impl RoleFile {
    /// Where it lies. Every root stays there, so that whoever knows an old one finds the way to the newest.
    pub(crate) fn path(&self) -> String {
        match self.role {
            Role::Root => format!("metadata/{}.root.json", self.version()),
            role => format!("metadata/{role}.json"),
        }
    }

    /// Reads a role from a tree of files; of roots the newest.
    pub(crate) fn read(tree: &CatalogTree, role: Role) -> Result<Self> {
        let found = match role {
            Role::Root => newest_root(tree),
            role => tree.get(&format!("metadata/{role}.json")),
        };
        let missing = || Failure::new("Unreadable", format!("the catalog has no {role}"));
        Self::parse(role, found.ok_or_else(missing)?)
    }

    pub(crate) fn parse(role: Role, bytes: &[u8]) -> Result<Self> {
        let bad = |cause: &str| Failure::new("Unreadable", format!("role `{role}`")).cause(cause);
        let mut value: Value = serde_json::from_slice(bytes).map_err(|e| bad(&e.to_string()))?;
        let mut signatures = BTreeMap::new();
        for entry in value["signatures"].as_array().ok_or_else(|| bad("no signatures"))? {
            let text = |name: &str| entry[name].as_str().ok_or_else(|| bad("a signature is not whole"));
            signatures.insert(
                text("keyid")?.to_owned(),
                hex::decode(text("sig")?).map_err(|e| bad(&e.to_string()))?,
            );
        }
        Ok(Self { role, signed: value["signed"].take(), signatures })
    }

    pub(crate) fn bytes(&self) -> Result<Vec<u8>> {
        metadata::envelope(&self.signed, &self.signatures).map_err(internal)
    }

    /// Names what a signature stands for, however many there are by now.
    pub(crate) fn digest(&self) -> Result<Digest> {
        Ok(Digest::of(&metadata::signing_bytes(&self.signed).map_err(internal)?))
    }

    pub(crate) fn version(&self) -> u64 {
        self.signed["version"].as_u64().unwrap_or_default()
    }

    /// True if it lists a target of this name with this content.
    pub(crate) fn lists(&self, name: &str, content: &[u8]) -> bool {
        self.signed["targets"].get(name).is_some_and(|listed| *listed == metadata::target(content))
    }

    /// The files of a tree that it lists, as it lists them: others, and other contents, are nobody's word.
    pub(crate) fn listed_in<'a>(
        &'a self,
        tree: &'a CatalogTree,
    ) -> impl Iterator<Item = (&'a str, &'a [u8])> {
        tree.iter().filter(|(path, content)| {
            path.strip_prefix("targets/").is_some_and(|name| self.lists(name, content))
        })
    }

    /// All of it but what each version has its own of, and what it lists.
    pub(crate) fn rest(&self) -> Value {
        let mut rest = self.signed.clone();
        if let Some(fields) = rest.as_object_mut() {
            ["version", "expires", "targets"].into_iter().for_each(|name| drop(fields.remove(name)));
        }
        rest
    }

    /// True if both say the same, but for an expiry that may be some days earlier than in `fresh`: it was proposed then. Two
    /// who propose in the same moment have two clocks.
    pub(crate) fn says_what(&self, fresh: &Self) -> bool {
        let mut same = self.signed.clone();
        same["expires"] = fresh.signed["expires"].clone();
        let earlier = self.expires().zip(fresh.expires()).map(|(own, fresh)| fresh.seconds_since(own));
        same == fresh.signed
            && earlier.is_some_and(|seconds| (-CLOCK_TOLERANCE..=OPEN_FOR).contains(&seconds))
    }

    /// True if it was made so lately that the same command joins it.
    pub(crate) fn is_recent(&self, now: At) -> bool {
        let age = self.expires().map(|own| now.plus(life(self.role)).seconds_since(own));
        age.is_some_and(|seconds| (-CLOCK_TOLERANCE..=OPEN_FOR).contains(&seconds))
    }

    /// Its end, none in any but the one form that readers take.
    fn expires(&self) -> Option<At> {
        let text = self.signed["expires"].as_str()?;
        text.parse::<At>().ok().filter(|at| at.to_string() == text)
    }

    /// The same role, one version on, with some targets replaced or taken out.
    pub(crate) fn next(&self, targets: &Targets, now: At) -> Self {
        let mut signed = self.signed.clone();
        signed["version"] = (self.version() + 1).into();
        signed["expires"] = now.plus(life(self.role)).to_string().into();
        for (name, content) in targets {
            match (content, signed["targets"].as_object_mut()) {
                (Some(content), _) => signed["targets"][name] = metadata::target(content),
                (None, Some(listed)) => drop(listed.remove(name)),
                (None, None) => {}
            }
        }
        Self { role: self.role, signed, signatures: BTreeMap::new() }
    }

    /// Adds the signatures of `keys`; each must hold the role, now or soon.
    pub(crate) fn sign(&mut self, [now, soon]: [&Holders; 2], keys: &[SigningKey]) -> Result<()> {
        keys.iter().filter(|key| !soon.has(key)).try_for_each(|key| now.check(std::slice::from_ref(key)))?;
        let bytes = metadata::signing_bytes(&self.signed).map_err(internal)?;
        for key in keys {
            let signature = key.sign(&bytes)?;
            let ids = now.ids(key).into_iter().chain(soon.ids(key));
            self.signatures.extend(ids.map(|id| (id, signature.clone())));
        }
        Ok(())
    }
}

fn newest_root(tree: &CatalogTree) -> Option<&[u8]> {
    let roots = tree.iter().filter_map(|(path, bytes)| {
        let version: u64 = path.strip_prefix("metadata/")?.strip_suffix(".root.json")?.parse().ok()?;
        Some((version, bytes))
    });
    roots.max_by_key(|(version, _)| *version).map(|(_, bytes)| bytes)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_made_long_ago_or_is_dated_ahead_was_not_made_lately() {
        let now = At::from_unix(1_800_000_000);
        for (age, recent) in
            [(0, true), (OPEN_FOR, true), (OPEN_FOR + 1, false), (-CLOCK_TOLERANCE, true), (-86_400, false)]
        {
            let made = At::from_unix(now.unix() - age);
            let signed = json!({ "version": 7, "expires": made.plus(life(Role::Channels)).to_string() });
            let file = RoleFile { role: Role::Channels, signed, signatures: BTreeMap::new() };
            assert_eq!(file.is_recent(now), recent, "{age} s");
        }
    }

    #[test]
    fn two_who_say_the_same_in_the_same_moment_say_it_once_whoevers_clock_is_ahead() {
        let now = At::from_unix(1_800_000_000);
        let made = |age: i64, threshold: u32| {
            let expires = At::from_unix(now.unix() - age).plus(life(Role::Channels)).to_string();
            let signed = json!({ "version": 7, "expires": expires, "threshold": threshold });
            RoleFile { role: Role::Channels, signed, signatures: BTreeMap::new() }
        };
        for (age, same) in
            [(0, true), (5, true), (-5, true), (-CLOCK_TOLERANCE, true), (-CLOCK_TOLERANCE - 1, false)]
        {
            assert_eq!(made(age, 1).says_what(&made(0, 1)), same, "{age} s");
            assert!(!made(age, 2).says_what(&made(0, 1)), "{age} s, another content");
        }
    }
}
