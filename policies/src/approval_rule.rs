//! Who must approve a release before it starts: people with keys, in one group or several.

use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, HashAlg, PublicKey};

use crate::person::PersonName;

/// Names are for people to read (characters).
const MAX_NAME: usize = 100;

/// Who must approve: distinct people, the requester never. One person counts once, also in several groups.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ApprovalRule {
    /// How many of `approvers`; left out where `groups` say it.
    #[serde(skip_serializing_if = "is_zero")]
    pub quorum: u32,
    /// Who may approve: people with their keys, or OpenSSH public keys whose comment is the owner's name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub approvers: Vec<Approver>,
    /// Groups that each have to agree, such as one of security and one of operations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub groups: Vec<ApprovalGroup>,
    /// Who may ask for approvals, with a signature of their own; left out where whoever approves says who asked.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    pub requesters: Vec<Approver>,
    /// Certificate authorities (OpenSSH public keys): a certificate of one of them that names a person as principal signs for that
    /// person as the person's own key does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    pub authorities: Vec<String>,
    /// Whether a FIDO key has to be touched for each signature.
    #[serde(skip_serializing_if = "Touch::is_default")]
    pub touch: Touch,
    /// Whether an approved level may still start once a newer one takes its place.
    #[serde(skip_serializing_if = "Superseded::is_default")]
    pub superseded: Superseded,
}

/// People who have to agree among themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApprovalGroup {
    /// Its name in messages.
    pub name: String,
    /// How many of them.
    pub quorum: u32,
    /// Who may approve.
    #[schemars(length(max = 100))]
    pub approvers: Vec<Approver>,
}

/// Somebody who may approve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Approver {
    /// A person with keys.
    Person(Person),
    /// One OpenSSH public key; its comment is its owner's name.
    Key(String),
}

/// A person and the keys that sign for them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Person {
    /// Compared without case and blanks.
    pub name: String,
    /// OpenSSH public keys, one line each. May be left out where `authorities` certify the person's keys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<String>,
}

/// Whether a FIDO key has to be touched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Touch {
    /// A signature without a touch doesn't count.
    #[default]
    Required,
    /// It counts.
    NotRequired,
}

/// Whether an approved level may still start once a newer one takes its place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Superseded {
    /// It may: what was approved is better than what runs.
    #[default]
    MayStart,
    /// It may not: the newer one is approved first.
    Holds,
}

impl Touch {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl Superseded {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

fn is_zero(quorum: &u32) -> bool {
    *quorum == 0
}

/// Structural schemas know no "text or object": the API server takes anything here, and pdp-sync refuses what is neither.
impl JsonSchema for Approver {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Approver".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A person as `{name, keys}`, or one OpenSSH public key whose comment is its owner's name.",
            "x-kubernetes-preserve-unknown-fields": true
        })
    }
}

/// A group as it is counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// None for the people of the rule itself.
    pub(crate) name: Option<String>,
    pub(crate) quorum: u32,
    pub(crate) people: BTreeSet<PersonName>,
}

/// All people of a rule, with the keys that can be read.
#[derive(Debug, Clone, Default)]
pub(crate) struct People {
    /// Each with their name as it is written first.
    pub(crate) names: BTreeMap<PersonName, String>,
    keys: Vec<(KeyData, PersonName)>,
    pub(crate) authorities: Vec<KeyData>,
    /// Everybody whom the rule names, in whatever part.
    named: BTreeSet<PersonName>,
}

impl People {
    /// Whom a certificate is for: the one of its principals whom the rule names; none if it names several, who would be one.
    pub(crate) fn certified(&self, principals: &[String]) -> Option<PersonName> {
        let all: BTreeSet<_> = principals.iter().map(|name| PersonName::of(name)).collect();
        let mut named = all.into_iter().filter(|name| self.named.contains(name));
        let (first, second) = (named.next(), named.next());
        first.filter(|name| second.is_none() && self.names.contains_key(name))
    }

    /// Whose key it is.
    pub(crate) fn owner(&self, key: &KeyData) -> Option<&PersonName> {
        self.keys.iter().find(|(known, _)| known == key).map(|(_, owner)| owner)
    }
}

impl Approver {
    /// The name, as it is written: of a key without a comment its fingerprint.
    fn name(&self) -> String {
        match self {
            Self::Person(person) => person.name.clone(),
            Self::Key(line) => match PublicKey::from_openssh(line) {
                Ok(key) if key.comment().to_string().trim().is_empty() => fingerprint(key.key_data()),
                Ok(key) => key.comment().to_string(),
                Err(_) => line.clone(),
            },
        }
    }

    fn lines(&self) -> &[String] {
        match self {
            Self::Person(person) => &person.keys,
            Self::Key(line) => std::slice::from_ref(line),
        }
    }
}

impl ApprovalRule {
    /// Every group that has to agree, with its people.
    pub(crate) fn all_groups(&self) -> Vec<Group> {
        let group = |name: Option<&String>, quorum: u32, approvers: &[Approver]| Group {
            name: name.cloned(),
            quorum,
            people: approvers.iter().map(|approver| PersonName::of(&approver.name())).collect(),
        };
        let own = group(None, self.quorum, &self.approvers);
        let own = (self.groups.is_empty() || !self.approvers.is_empty()).then_some(own);
        let named = self.groups.iter().map(|it| group(Some(&it.name), it.quorum, &it.approvers));
        own.into_iter().chain(named).collect()
    }

    /// Everybody who may approve.
    pub(crate) fn people(&self) -> People {
        self.certified(people(self.everybody().map(|(_, approver)| approver)))
    }

    /// Everybody who may approve or ask.
    pub(crate) fn everybody_named(&self) -> People {
        self.certified(people(self.all_approvers()))
    }

    fn all_approvers(&self) -> impl Iterator<Item = &Approver> {
        self.everybody().map(|(_, approver)| approver).chain(&self.requesters)
    }

    /// Everybody who may ask.
    pub(crate) fn requesters(&self) -> People {
        self.certified(people(self.requesters.iter()))
    }

    fn certified(&self, people: People) -> People {
        // Names cost a key's reading each, and only certificates need them.
        if self.authorities.is_empty() {
            return people;
        }
        let keys = self.authorities.iter().filter_map(|line| read_key(line).ok());
        let named = self.all_approvers().map(|approver| PersonName::of(&approver.name())).collect();
        People { authorities: keys.map(|key| key.key_data().clone()).collect(), named, ..people }
    }

    /// Each approver and requester with the place where they stand.
    fn all(&self) -> impl Iterator<Item = (String, &Approver)> {
        let requesters = self.requesters.iter().enumerate();
        self.everybody().chain(requesters.map(|(n, it)| (format!("requesters[{n}]"), it)))
    }

    /// Each approver with the place where they stand.
    fn everybody(&self) -> impl Iterator<Item = (String, &Approver)> {
        let own = self.approvers.iter().enumerate().map(|(n, it)| (format!("approvers[{n}]"), it));
        let groups = self.groups.iter().enumerate().flat_map(|(g, group)| {
            let place = move |n: usize| format!("groups[{g}].approvers[{n}]");
            group.approvers.iter().enumerate().map(move |(n, it)| (place(n), it))
        });
        own.chain(groups)
    }

    /// All that would make approvals impossible, or count one person twice, in words.
    pub fn problems(&self) -> Vec<String> {
        let certified = !self.authorities.is_empty();
        let mut found: Vec<_> = self.all().flat_map(|(place, it)| it.problems(&place, certified)).collect();
        found.extend(
            self.authorities
                .iter()
                .enumerate()
                .filter_map(|(n, line)| Some(format!("authorities[{n}] {}", read_key(line).err()?))),
        );
        found.extend(self.shared_keys());
        let mut names = BTreeSet::new();
        for (g, group) in self.groups.iter().enumerate() {
            if group.name.trim().is_empty()
                || group.name.chars().count() > MAX_NAME
                || !names.insert(&group.name)
            {
                found.push(format!("groups[{g}].name has to be its own, of at most {MAX_NAME} characters"));
            }
        }
        let groups = self.all_groups();
        let counts = groups.iter().filter_map(|group| {
            let (quorum, count) = (group.quorum, group.people.len());
            let whose = group
                .name
                .as_ref()
                .map_or_else(String::new, |name| format!("group `{}`: ", crate::printable(name)));
            (quorum == 0 || quorum as usize > count)
                .then(|| format!("{whose}quorum {quorum} of {count} people is never, or always, reached"))
        });
        let counts: Vec<_> = counts.collect();
        let everybody = groups.iter().flat_map(|group| group.people.clone()).collect();
        if counts.is_empty() && !crate::gate::missing_of(&groups, &everybody).is_empty() {
            found.push(
                "groups share so many people that they can't all agree: each person counts once".to_owned(),
            );
        }
        found.extend(counts);
        found
    }

    /// A key that two people have says nothing about who signed.
    fn shared_keys(&self) -> Vec<String> {
        let mut owners: BTreeMap<String, PersonName> = BTreeMap::new();
        let mut found = Vec::new();
        for (place, approver) in self.all() {
            let person = PersonName::of(&approver.name());
            for key in approver.lines().iter().filter_map(|line| read_key(line).ok()) {
                let fingerprint = fingerprint(key.key_data());
                let owner = owners.entry(fingerprint.clone()).or_insert_with(|| person.clone());
                if *owner != person {
                    found.push(format!("{place} has the key {fingerprint}, which is another person's too"));
                }
            }
        }
        found
    }
}

impl Approver {
    fn problems(&self, place: &str, certified: bool) -> Vec<String> {
        let mut found = Vec::new();
        if let Self::Person(person) = self {
            if person.name.trim().is_empty() || person.name.chars().count() > MAX_NAME {
                found.push(format!("{place}.name has 1 to {MAX_NAME} characters"));
            }
            if person.keys.is_empty() && !certified {
                found.push(format!("{place}.keys is empty: nobody could sign"));
            }
        }
        found.extend(
            self.lines().iter().filter_map(|line| Some(format!("{place} {}", read_key(line).err()?))),
        );
        found
    }
}

/// People with the keys that can be read.
fn people<'a>(all: impl Iterator<Item = &'a Approver>) -> People {
    let mut people = People::default();
    for approver in all {
        let name = approver.name();
        let person = PersonName::of(&name);
        people.names.entry(person.clone()).or_insert_with(|| crate::printable(name.trim()));
        let keys = approver.lines().iter().filter_map(|line| read_key(line).ok());
        people.keys.extend(keys.map(|key| (key.key_data().clone(), person.clone())));
    }
    people
}

/// SHA-256 of a key, as `ssh-keygen -l` prints it.
pub(crate) fn fingerprint(key: &KeyData) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// Reads a key that can count.
fn read_key(line: &str) -> Result<PublicKey, String> {
    let key = PublicKey::from_openssh(line).map_err(|_| "is not an OpenSSH public key".to_owned())?;
    match countable(key.key_data()) {
        Ok(()) => Ok(key),
        Err(why) => Err(format!("is {why}")),
    }
}

/// Whether signatures of such a key can be checked here, or what it is.
pub(crate) fn countable(key: &KeyData) -> Result<(), String> {
    use ssh_key::EcdsaCurve::{NistP256, NistP384};
    if key.is_certificate() {
        return Err("a certificate: write the key itself, or its authority under `authorities`".to_owned());
    }
    match key.algorithm() {
        Algorithm::Ed25519
        | Algorithm::SkEd25519
        | Algorithm::SkEcdsaSha2NistP256
        | Algorithm::Ecdsa { curve: NistP256 | NistP384 } => Ok(()),
        other => {
            let name = crate::printable(other.as_str());
            Err(format!(
                "a key of type {name}, which doesn't count: use Ed25519, ECDSA P-256 or P-384, or a FIDO key"
            ))
        }
    }
}
