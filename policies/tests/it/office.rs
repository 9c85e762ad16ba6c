//! A vendor whose keys change: roots in a chain, any keys and thresholds, any versions.

use std::collections::BTreeMap;
use std::rc::Rc;

use pdp_policies::trust::{Floors, Judged, catalog, metadata};
use pdp_policies::{
    ARTIFACT_KEYS, At, CatalogTree, Channel, DIRECTOR_KEYS, KeyList, Refusal, Release, Span, document,
};
use serde_json::{Value, json};

use crate::vendor::{Key, channel, release, signed};

/// Who may sign a role.
#[derive(Clone)]
pub(crate) struct Role {
    pub(crate) keys: Vec<Rc<Key>>,
    pub(crate) threshold: usize,
}

impl Role {
    pub(crate) fn new(count: usize, threshold: usize) -> Self {
        Self { keys: (0..count).map(|_| Rc::new(Key::new())).collect(), threshold }
    }

    fn value(&self) -> Value {
        let ids: Vec<_> = self.keys.iter().map(|key| &key.id).collect();
        json!({ "keyids": ids, "threshold": self.threshold })
    }

    fn listed(roles: &[&Self]) -> BTreeMap<String, Value> {
        let keys = roles.iter().flat_map(|role| &role.keys);
        keys.map(|key| (key.id.clone(), key.listed.clone())).collect()
    }
}

/// A role of people: its name, its files and what it delegates.
type Unsigned = (&'static str, Vec<(String, Vec<u8>)>, Option<Value>);

pub(crate) type Edit = Box<dyn Fn(&str, &mut Value)>;

/// The state of a vendor's trust. What is signed is made anew for each tree, by all who hold a key.
pub(crate) struct Office {
    pub(crate) roles: BTreeMap<&'static str, Role>,
    pub(crate) versions: BTreeMap<&'static str, u64>,
    pub(crate) directors: KeyList,
    pub(crate) artifacts: KeyList,
    pub(crate) releases: Vec<Release>,
    pub(crate) channel: Channel,
    /// Changes a payload before it is signed.
    pub(crate) edit: Edit,
    chain: Vec<Vec<u8>>,
}

impl Office {
    pub(crate) fn new() -> Self {
        let people = ["root", "targets", "releases", "channels"].map(|name| (name, Role::new(3, 2)));
        let online = ["snapshot", "timestamp"].map(|name| (name, Role::new(1, 1)));
        let key = Key::new();
        let releases = vec![release(41)];
        let mut office = Self {
            roles: people.into_iter().chain(online).collect(),
            versions: ["targets", "releases", "channels"].map(|name| (name, 1)).into(),
            directors: KeyList::active([key.pem.clone()]),
            artifacts: KeyList::active([key.pem.clone()]),
            channel: channel(&releases),
            releases,
            edit: Box::new(|_, _| {}),
            chain: Vec::new(),
        };
        office.new_root(&[]);
        office
    }

    /// The next root: signed by its own holders and by those before.
    pub(crate) fn new_root(&mut self, before: &[Rc<Key>]) {
        let top = ["root", "targets", "snapshot", "timestamp"];
        let roles: BTreeMap<_, _> = top.iter().map(|name| (*name, self.roles[name].value())).collect();
        let mut payload = json!({
            "_type": "root", "spec_version": metadata::SPEC_VERSION, "version": self.chain.len() + 1,
            "consistent_snapshot": false, "expires": "2036-11-23T08:00:00Z",
            "keys": Role::listed(&top.map(|name| &self.roles[name])), "roles": roles,
        });
        (self.edit)("root", &mut payload);
        let keys: Vec<_> = self.roles["root"].keys.iter().chain(before).cloned().collect();
        self.chain.push(signed(&payload, &keys));
    }

    /// Changes a role of the root, and signs a root for it.
    pub(crate) fn rotate(&mut self, role: &'static str, to: Role) {
        let before = self.roles["root"].keys.clone();
        self.roles.insert(role, to);
        self.new_root(&before);
    }

    pub(crate) fn floors(&self) -> Floors {
        Floors::new(self.chain[0].clone())
    }

    /// The catalog signed at `at`.
    pub(crate) fn tree(&self, at: At) -> CatalogTree {
        let mut tree = CatalogTree::new();
        for (n, root) in self.chain.iter().enumerate() {
            tree.insert(&format!("metadata/{}.root.json", n + 1), root.clone()).unwrap();
        }
        let mut files = BTreeMap::new();
        for (name, targets, delegations) in self.people() {
            let listed =
                targets.iter().map(|(name, bytes)| (name.clone(), metadata::target(bytes))).collect();
            let expires = at.plus(Span::from_seconds(40 * 86_400));
            let payload = metadata::targets(self.versions[name], expires, &listed, delegations);
            let file = self.sign(name, payload);
            files.insert(format!("{name}.json"), file.clone());
            tree.insert(&format!("metadata/{name}.json"), file).unwrap();
            for (name, bytes) in targets {
                tree.insert(&format!("targets/{name}"), bytes).unwrap();
            }
        }
        let expires = at.plus(Span::from_seconds(7 * 86_400));
        let snapshot = self.sign("snapshot", metadata::snapshot(at, expires, &files).unwrap());
        let timestamp = self.sign("timestamp", metadata::timestamp(at, expires, &snapshot).unwrap());
        tree.insert("metadata/snapshot.json", snapshot).unwrap();
        tree.insert("metadata/timestamp.json", timestamp).unwrap();
        tree
    }

    fn sign(&self, role: &str, mut payload: Value) -> Vec<u8> {
        (self.edit)(role, &mut payload);
        signed(&payload, &self.roles[role].keys)
    }

    fn people(&self) -> [Unsigned; 3] {
        let lists = [(DIRECTOR_KEYS, &self.directors), (ARTIFACT_KEYS, &self.artifacts)];
        let lists = lists.map(|(name, list)| (name.to_owned(), document::write(list).unwrap()));
        let name = |release: &Release| Release::target_name(&release.line, release.level);
        let described = self.releases.iter().map(|it| (name(it), document::write(it).unwrap()));
        let channel = (Channel::target_name(&self.channel.line), document::write(&self.channel).unwrap());
        let delegate = |name: &str, path: &str| {
            let mut role = self.roles[name].value();
            (role["name"], role["paths"]) = (name.into(), json!([path]));
            role
        };
        let delegated = [&self.roles["releases"], &self.roles["channels"]];
        let delegations = json!({ "keys": Role::listed(&delegated), "roles": [
            delegate("releases", "release-*.json"), delegate("channels", "channel-*.json"),
        ]});
        [
            ("targets", lists.into(), Some(delegations)),
            ("releases", described.collect(), None),
            ("channels", vec![channel], None),
        ]
    }
}

/// The floors after a catalog, or why it is refused and the floors then.
pub(crate) fn judged(tree: CatalogTree, floors: &Floors, at: At) -> Result<Floors, Box<(Refusal, Floors)>> {
    match catalog(tree, floors, at, true) {
        Judged::Trusted(_, floors) => Ok(floors),
        Judged::FetchFirst(refusal, floors) | Judged::Refused(refusal, floors) => {
            Err(Box::new((refusal, floors)))
        }
    }
}
