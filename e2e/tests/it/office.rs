//! A vendor of people whose keys change over the years: who holds what now, and the commands that they type.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use pdp_e2e::{Finished, Program, World, unix_now};
use serde_json::Value;

use crate::base::Files;
use crate::people::found;

/// Role, and who holds it.
pub(crate) type Seat = (&'static str, &'static str);

/// The names by which the world knows keys.
const NAMES: [(&str, Seat); 8] = [
    ("ci", ("releases", "ci")),
    ("release-1", ("releases", "alice")),
    ("manager-1", ("channels", "alice")),
    ("manager-2", ("channels", "bob")),
    ("snapshot", ("snapshot", "online")),
    ("timestamp", ("timestamp", "online")),
    ("artifact", ("artifact", "ci")),
    ("director", ("director", "server")),
];

pub(crate) struct Office {
    pub(crate) world: World,
    founded: Timestamp,
    /// The private key file of each seat.
    keys: BTreeMap<Seat, String>,
    made: usize,
}

impl Office {
    /// Founded by three people on three machines.
    pub(crate) fn found() -> Self {
        let mut world = World::prepare(Default::default(), false).unwrap();
        // Today: a client that knows no time but the machine's reads the first catalog, too.
        let founded = Timestamp::from_second(unix_now()).unwrap();
        world.now = Some(founded.to_string());
        let mut keys = BTreeMap::new();
        let ceremony = found(&world);
        for (role, holders) in [
            ("root", &["alice", "bob", "carol"][..]),
            ("targets", &["alice", "bob", "carol"]),
            ("releases", &["alice", "bob", "ci"]),
            ("channels", &["alice", "bob", "carol"]),
            ("snapshot", &["online"]),
            ("timestamp", &["online", "spare"]),
            ("director", &["server"]),
            ("artifact", &["ci"]),
        ] {
            keys.extend(holders.iter().map(|person| ((role, *person), ceremony.key(person, role))));
        }
        let office = Self { world, founded, keys, made: 0 };
        office.name_keys();
        office
    }

    /// So many days after the ceremony.
    pub(crate) fn day(&mut self, day: i64) {
        self.world.now = Some((self.founded + SignedDuration::from_hours(24 * day)).to_string());
    }

    /// Gives the world's own helpers the keys of today.
    pub(crate) fn name_keys(&self) {
        std::fs::create_dir_all(self.world.path("vendor/keys")).unwrap();
        for (name, seat) in NAMES {
            if let Some(file) = self.keys.get(&seat) {
                std::fs::copy(file, self.world.key(name)).unwrap();
                std::fs::copy(public(file), public(&self.world.key(name))).unwrap();
            }
        }
    }

    /// The key of a seat.
    pub(crate) fn key(&self, seat: Seat) -> &str {
        &self.keys[&seat]
    }

    /// `--key FILE` of two holders of a role, none of them `except`.
    pub(crate) fn two(&self, role: &str, except: &str) -> Vec<String> {
        let holders = self.keys.iter().filter(|((of, who), _)| *of == role && *who != except);
        let two: Vec<_> = holders.take(2).flat_map(|(_, file)| ["--key".to_owned(), file.clone()]).collect();
        assert_eq!(two.len(), 4, "{role} without {except}");
        two
    }

    pub(crate) fn run(&self, args: &[&str], keys: &[String]) -> Finished {
        let all: Vec<_> = args.iter().copied().chain(keys.iter().map(String::as_str)).collect();
        self.world.run(Program::Publisher, &all, &[]).unwrap()
    }

    pub(crate) fn must(&self, args: &[&str], keys: &[String]) -> Finished {
        let finished = self.run(args, keys);
        assert!(finished.ok(), "{args:?} at {:?}: {}", self.world.now, finished.stderr);
        finished
    }

    /// `--key FILE` of snapshot and timestamp.
    pub(crate) fn two_online(&self) -> Vec<String> {
        let keys = [("snapshot", "online"), ("timestamp", "online")];
        keys.iter().flat_map(|seat| ["--key".to_owned(), self.key(*seat).to_owned()]).collect()
    }

    /// Freshness alone.
    pub(crate) fn refresh(&self) -> Finished {
        self.run(&["catalog", "refresh"], &self.two_online())
    }

    /// Everything that is proposed becomes visible.
    pub(crate) fn publish(&self) {
        let published = self.must(&["catalog", "publish", "-o", "json"], &self.two_online());
        let published: Value = serde_json::from_str(&published.stdout).unwrap();
        assert_eq!(published["waiting"], Value::Array(vec![]), "{:?}: {published}", self.world.now);
    }

    pub(crate) fn renew(&self, role: &str, except: &str) {
        self.must(&["catalog", "renew", role], &self.two(role, except));
    }

    /// A new key on its holder's machine; gives the public half.
    pub(crate) fn new_key(&mut self, seat: Seat) -> String {
        self.made += 1;
        let file = self.world.path(&format!("key-{}-{}-{}.key", self.made, seat.1, seat.0));
        let file = file.to_string_lossy().into_owned();
        let more: &[&str] = if seat.0 == "director" { &["--ed25519"] } else { &[] };
        self.must(&[&["key", "new", &file], more].concat(), &[]);
        self.keys.insert(seat, file.clone());
        public(&file)
    }

    /// Another key for a seat, and what has to be signed with it; it is not published.
    pub(crate) fn rotate(&mut self, (role, person): Seat) {
        let parent = parent(role);
        let signers = self.two(parent, if parent == role { person } else { "" });
        let new = self.new_key((role, person));
        self.must(&["catalog", role, "rotate", person, &new], &signers);
        if matches!(role, "targets" | "releases" | "channels") {
            self.renew(role, person);
        }
        self.name_keys();
    }

    /// One more holder; it is not published.
    pub(crate) fn add(&mut self, (role, person): Seat) {
        let signers = self.two(parent(role), person);
        let new = self.new_key((role, person));
        self.must(&["catalog", role, "add-key", &format!("{person}={new}")], &signers);
        self.name_keys();
    }

    /// A key that is gone: nobody signs with it any more.
    pub(crate) fn forget(&mut self, seat: Seat) -> String {
        self.keys.remove(&seat).unwrap()
    }

    pub(crate) fn holds(&self, person: &str) -> Vec<Seat> {
        self.keys.keys().copied().filter(|(_, who)| *who == person).collect()
    }

    /// The catalog as it lies on a branch of the Git host.
    pub(crate) fn files(&self, repository: &str) -> Files {
        self.world.git.files(repository, "catalog").unwrap()
    }
}

/// The role whose file names a role's holders.
fn parent(role: &str) -> &'static str {
    match role {
        "releases" | "channels" => "targets",
        _ => "root",
    }
}

pub(crate) fn public(key: &str) -> String {
    key.replace(".key", ".pub")
}
