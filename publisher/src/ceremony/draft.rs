//! What is signed at a ceremony: the first version of each role, made of plan, keys and date alone.

use std::collections::BTreeMap;

use pdp_policies::trust::{Role, metadata};
use pdp_policies::{
    ARTIFACT_KEYS, At, CatalogTree, Channel, DIRECTOR_KEYS, Digest, KeyList, Person, RingPlan, document,
};
use pdp_transport::cli::failure::{Result, internal};
use serde_json::{Value, json};

use super::documents::PublicKey;
use super::plan::{Plan, Seat};
use crate::catalog::role::{RoleFile, life};

/// Everybody's public keys.
pub(crate) type Seats = BTreeMap<Seat, BTreeMap<Person, PublicKey>>;

/// The first version of the roles that people sign, and the files that they list.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(crate) payloads: BTreeMap<Role, Value>,
    files: BTreeMap<String, Vec<u8>>,
}

impl Draft {
    /// The same for everybody who has the same files and the same version of this program.
    ///
    /// # Errors
    /// `Internal` for a key that isn't one: they are checked before.
    pub(crate) fn of(plan: &Plan, seats: &Seats, created: At) -> Result<Self> {
        let maker = Maker { plan, seats, created };
        let lists = BTreeMap::from([
            (DIRECTOR_KEYS.to_owned(), maker.list(Seat::Director)?),
            (ARTIFACT_KEYS.to_owned(), maker.list(Seat::Artifact)?),
        ]);
        let channels = BTreeMap::from([(Channel::target_name(&plan.line), first_channel(plan)?)]);
        let mut targets = maker.targets(Role::Targets, &lists, Some(maker.delegations()?));
        targets[metadata::HOLDERS] = json!(maker.holders(&[Role::Releases, Role::Channels])?);
        let payloads = BTreeMap::from([
            (Role::Root, maker.root()?),
            (Role::Targets, targets),
            (Role::Releases, maker.targets(Role::Releases, &BTreeMap::new(), None)),
            (Role::Channels, maker.targets(Role::Channels, &channels, None)),
        ]);
        Ok(Self { payloads, files: lists.into_iter().chain(channels).collect() })
    }

    /// Names all of it.
    pub(crate) fn digest(&self) -> Result<Digest> {
        let all: BTreeMap<_, _> =
            self.payloads.iter().map(|(role, payload)| (role.name(), payload)).collect();
        Ok(Digest::of(&metadata::signing_bytes(&json!(all)).map_err(internal)?))
    }
}

fn first_channel(plan: &Plan) -> Result<Vec<u8>> {
    let shipped = RingPlan::shipped();
    let rings = shipped.map_err(|p| internal(p.iter().map(ToString::to_string).collect::<String>()))?;
    document::write(&Channel::new(plan.line.clone(), rings)).map_err(internal)
}

/// The catalog of a draft and the signatures over it, still without snapshot and timestamp.
pub(crate) fn assemble(
    draft: &Draft,
    signatures: &BTreeMap<Role, BTreeMap<String, Vec<u8>>>,
) -> Result<CatalogTree> {
    let mut tree = CatalogTree::new();
    let none = BTreeMap::new();
    for (role, payload) in &draft.payloads {
        let signatures = signatures.get(role).unwrap_or(&none).clone();
        let file = RoleFile { role: *role, signed: payload.clone(), signatures };
        tree.insert(&file.path(), file.bytes()?).map_err(internal)?;
    }
    for (name, bytes) in &draft.files {
        tree.insert(&format!("targets/{name}"), bytes.clone()).map_err(internal)?;
    }
    Ok(tree)
}

struct Maker<'a> {
    plan: &'a Plan,
    seats: &'a Seats,
    created: At,
}

impl Maker<'_> {
    fn root(&self) -> Result<Value> {
        let top = [Role::Root, Role::Targets, Role::Snapshot, Role::Timestamp];
        let mut roles = BTreeMap::new();
        for role in top {
            roles.insert(role.name(), self.role(role)?);
        }
        Ok(json!({
            "_type": "root", "spec_version": metadata::SPEC_VERSION, "version": 1, "consistent_snapshot": false,
            "expires": self.created.plus(life(Role::Root)).to_string(), "keys": self.keys(&top)?, "roles": roles,
            (metadata::HOLDERS): self.holders(&top)?,
        }))
    }

    fn delegations(&self) -> Result<Value> {
        let below = [(Role::Releases, "release-*.json"), (Role::Channels, "channel-*.json")];
        let mut roles = Vec::new();
        for (role, path) in below {
            let mut entry = self.role(role)?;
            entry["name"] = role.name().into();
            entry["terminating"] = true.into();
            entry["paths"] = json!([path]);
            roles.push(entry);
        }
        Ok(json!({ "keys": self.keys(&below.map(|(role, _)| role))?, "roles": roles }))
    }

    fn targets(&self, role: Role, files: &BTreeMap<String, Vec<u8>>, delegations: Option<Value>) -> Value {
        let listed = files.iter().map(|(name, bytes)| (name.clone(), metadata::target(bytes))).collect();
        metadata::targets(1, self.created.plus(life(role)), &listed, delegations)
    }

    fn role(&self, role: Role) -> Result<Value> {
        let ids: Result<Vec<_>> = self.of(Seat::Role(role)).map(|(_, key)| Ok(listed(key)?.0)).collect();
        let threshold = self.plan.roles.get(&role).map_or(1, |seating| seating.threshold);
        Ok(json!({ "keyids": ids?, "threshold": threshold }))
    }

    fn keys(&self, roles: &[Role]) -> Result<BTreeMap<String, Value>> {
        let mut keys = BTreeMap::new();
        for (_, key) in roles.iter().flat_map(|role| self.of(Seat::Role(*role))) {
            let (id, value) = listed(key)?;
            keys.insert(id, value);
        }
        Ok(keys)
    }

    fn holders(&self, roles: &[Role]) -> Result<BTreeMap<String, String>> {
        let all = roles.iter().flat_map(|role| self.of(Seat::Role(*role)));
        all.map(|(person, key)| Ok((listed(key)?.0, person.to_string()))).collect()
    }

    fn list(&self, seat: Seat) -> Result<Vec<u8>> {
        let keys = self.of(seat).map(|(_, key)| key.0.clone());
        document::write(&KeyList::active(keys)).map_err(internal)
    }

    fn of(&self, seat: Seat) -> impl Iterator<Item = (&Person, &PublicKey)> {
        self.seats.get(&seat).into_iter().flatten()
    }
}

fn listed(key: &PublicKey) -> Result<(String, Value)> {
    metadata::key(&key.0).map_err(internal)
}
