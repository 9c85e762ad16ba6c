//! A vendor's whole life by moved clocks: ten years in which every role is renewed and every key is replaced, people come
//! and go, keys are lost and stolen, a clock is wrong, the Git host moves. Data planes that are always on, that were off for two years, and new
//! ones follow, and none is fooled. At every step python-tuf, go-tuf and tough judge the catalog as we do.

use pdp_e2e::hosts::TufClient;
use pdp_e2e::{DataPlane, Finished, GitHost};
use sha2::{Digest, Sha256};

use crate::base::Files;
use crate::office::{Office, Seat, public};

/// Keys that the root names, in the order of their turns.
const BY_ROOT: [Seat; 9] = [
    ("root", "alice"),
    ("targets", "alice"),
    ("snapshot", "online"),
    ("root", "bob"),
    ("timestamp", "online"),
    ("targets", "bob"),
    ("timestamp", "spare"),
    ("root", "carol"),
    ("targets", "carol"),
];
/// Keys that `targets` names.
const BY_TARGETS: [Seat; 6] = [
    ("channels", "alice"),
    ("releases", "ci"),
    ("channels", "bob"),
    ("releases", "alice"),
    ("channels", "carol"),
    ("releases", "bob"),
];
/// Days of a year on which the vendor's people meet. Channels live for 45 days: between two meetings they end.
const MEETINGS: [i64; 3] = [5, 125, 245];

struct Life {
    office: Office,
    /// What data planes name first, and what takes its place.
    hosts: [GitHost; 2],
    always: DataPlane,
    away: DataPlane,
    /// Who came when Carol went.
    dave: bool,
}

impl Life {
    fn begin() -> Self {
        let office = Office::found();
        let hosts = ["old", "new"].map(|name| GitHost::start(&office.world.path(name)).unwrap());
        hosts.iter().for_each(|host| drop(host.create("catalog").unwrap()));
        let (always, away) = (plane(&office, &hosts[0], "always"), plane(&office, &hosts[0], "away"));
        Self { always, away, office, hosts, dave: false }
    }

    /// Both addresses hold the same.
    fn serve(&self, files: &Files) {
        for host in &self.hosts {
            // The old one ends one day.
            drop(host.overwrite("catalog", "catalog", files));
        }
    }

    /// A pass on what the vendor has published.
    fn pass(&self, plane: &DataPlane) -> Finished {
        self.serve(&self.office.files("catalog"));
        plane.pass(&self.office.world, &[]).unwrap()
    }

    /// Whoever holds a seat now.
    fn now(&self, (role, person): Seat) -> Seat {
        if self.dave && person == "carol" { (role, "dave") } else { (role, person) }
    }

    /// A meeting: a key of each kind is replaced, roles are renewed, all of it is published at once.
    fn meet(&mut self, number: usize) {
        let by_root = self.now(BY_ROOT[number % BY_ROOT.len()]);
        let by_targets = self.now(BY_TARGETS[number % BY_TARGETS.len()]);
        self.office.rotate(by_root);
        if by_root.0 != "targets" {
            self.office.rotate(by_targets);
        }
        for role in ["channels", "releases"] {
            if by_root.0 == "targets" || by_targets.0 != role {
                self.office.renew(role, "");
            }
        }
        self.office.publish();
    }

    fn follows(&self, plane: &DataPlane) {
        let pass = self.pass(plane);
        let status = plane.status().unwrap();
        assert_eq!(
            status["catalog"]["state"], "fresh",
            "{} at {:?}: {}",
            plane.name, self.office.world.now, pass.stderr
        );
    }

    /// Whoever holds the Git host offers an old catalog: nobody who saw a newer one takes it.
    fn is_not_led_back(&self, plane: &DataPlane, old: &Files) {
        self.serve(old);
        let pass = plane.pass(&self.office.world, &[]).unwrap();
        assert!(pass.stdout.contains("VersionFloor") || pass.stdout.contains("RootChain"), "{}", pass.stdout);
        self.follows(plane);
    }

    /// What each client says of the catalog as it is: the targets that it reads, none if it refuses it.
    fn judged(&self, client: TufClient) -> Option<String> {
        let folder = self.office.world.path("judged");
        drop(std::fs::remove_dir_all(&folder));
        let files = self.office.files("catalog");
        for (path, bytes) in &files {
            std::fs::create_dir_all(folder.join(path).parent().unwrap()).unwrap();
            std::fs::write(folder.join(path), bytes).unwrap();
        }
        let mut command = client.command(&self.office.world.root(), &folder).unwrap();
        command.env("PDP_NOW", self.office.world.now.as_deref().unwrap());
        let output = command.output().unwrap();
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn all_agree(&self) {
        let files = self.office.files("catalog");
        let targets = files.iter().filter_map(|(path, bytes)| Some((path.strip_prefix("targets/")?, bytes)));
        let expected: String =
            targets.map(|(name, bytes)| format!("{} {name}\n", hex::encode(Sha256::digest(bytes)))).collect();
        for client in [TufClient::Python, TufClient::Go, TufClient::Tough] {
            assert_eq!(
                self.judged(client).as_deref(),
                Some(expected.as_str()),
                "{client:?} {:?}",
                self.office.world.now
            );
        }
    }

    /// Carol goes, and Dave comes.
    fn carol_goes(&mut self) {
        let keys = ["root", "targets"].map(|role| self.office.two(role, "carol")).concat();
        self.office.must(&["catalog", "person", "remove", "carol"], &keys);
        for seat in self.office.holds("carol") {
            self.office.forget(seat);
        }
        self.office.renew("channels", "carol");
        self.office.publish();
        for role in ["root", "targets", "channels"] {
            self.office.add((role, "dave"));
            self.office.publish();
        }
        self.dave = true;
    }

    /// Bob has lost a key: nobody can sign with it, so others replace it.
    fn bob_loses_a_key(&mut self) {
        let lost = self.office.key(("channels", "bob")).to_owned();
        std::fs::remove_file(lost).unwrap();
        self.office.rotate(("channels", "bob"));
        self.office.publish();
    }

    /// Alice's key is stolen: it is revoked at once, and signs nothing more.
    fn a_key_is_stolen(&mut self) {
        let stolen = self.office.forget(("channels", "alice"));
        self.office.must(&["catalog", "channels", "remove-key", "alice"], &self.office.two("targets", ""));
        self.office.renew("channels", "alice");
        self.office.publish();
        let thief = self.office.run(&["catalog", "renew", "channels", "--key", &stolen], &[]);
        assert!(thief.stderr.contains("error[KeyWithoutRole]"), "{}", thief.stderr);
        self.follows(&self.always);
        self.office.add(("channels", "alice"));
        self.office.publish();
    }

    /// A machine's clock is a year ahead, and so is the one of a data plane: two people date the catalog anew, and another
    /// key for `timestamp` brings the data plane back.
    fn a_clock_is_wrong(&mut self, day: i64) {
        self.office.day(day + 365);
        assert!(matches!(self.office.refresh().code, Some(0 | 5)));
        self.pass(&self.always);
        self.office.day(day);
        let refused = self.office.refresh();
        assert!(refused.stderr.contains("error[CatalogDatedAhead]"), "{}", refused.stderr);
        // Exception: the others take what is dated ahead. That a version of timestamp is a second of Unix time is our rule.
        self.all_agree();
        let keys = [self.office.two("channels", ""), self.office.two_online()].concat();
        self.office.must(&["catalog", "redate"], &keys);
        assert!(self.pass(&self.always).stdout.contains("VersionFloor"));
        // All of its keys: one that stays could have signed what was seen.
        for holder in ["online", "spare"] {
            self.office.rotate(("timestamp", holder));
            self.office.publish();
        }
        self.follows(&self.always);
    }

    /// Other keys of the director and of whoever signs artifacts; what is installed counts by either.
    fn lists_change(&mut self) {
        for (list, seat) in [("director", ("director", "server")), ("artifact", ("artifact", "ci"))] {
            let old = public(self.office.key(seat));
            let new = self.office.new_key(seat);
            self.office.must(&["catalog", list, "add", &new], &self.office.two("targets", ""));
            self.office.publish();
            if list == "artifact" {
                self.office.must(&["release", "resign", "--all", "--key", self.office.key(seat)], &[]);
            }
            self.office.must(&["catalog", list, "retire", &old], &self.office.two("targets", ""));
            self.office.publish();
        }
        self.office.name_keys();
    }

    fn release(&self, level: u32) {
        self.office.world.release(level, "emergency").unwrap();
        self.office.world.open(level, &["general=100"]).unwrap();
        self.follows(&self.always);
        assert_eq!(self.always.level(), Some(u64::from(level)), "{:#}", self.always.status().unwrap());
    }

    /// The Git host moves: its successor is signed in the channel.
    fn the_host_moves(&self) {
        let [old, new] = &self.hosts;
        self.office.world.move_address("catalog", &old.url("catalog"), &new.url("catalog")).unwrap();
        self.follows(&self.always);
    }

    /// Nobody meets until the channels have ended: data planes and clients say so, and go on afterwards.
    fn everybody_is_late(&mut self, day: i64) {
        self.office.day(day);
        assert!(matches!(self.office.refresh().code, Some(5)));
        self.pass(&self.always);
        assert_eq!(self.always.status().unwrap()["catalog"]["state"], "expired: `channels`");
        for client in [TufClient::Python, TufClient::Go] {
            assert_eq!(self.judged(client), None, "{client:?}");
        }
        // Exception: tough knows no other time than the machine's.
        assert!(self.judged(TufClient::Tough).is_some());
    }
}

fn plane(office: &Office, host: &GitHost, name: &str) -> DataPlane {
    let source = format!("{{git: {{url: \"{}\", branch: catalog}}}}", host.url("catalog"));
    let registry = office.world.registry_host();
    office.world.data_plane_on("acme", name, "general", &source, &registry, "").unwrap()
}

#[test]
fn a_vendor_lives_for_ten_years_and_no_data_plane_is_deaf_or_fooled() {
    let mut life = Life::begin();
    life.release(40);
    life.follows(&life.away);
    life.all_agree();
    let mut meeting = 0;
    for year in 0..10_i64 {
        let old = life.office.files("catalog");
        for day in MEETINGS.map(|day| year * 365 + day) {
            life.office.day(day);
            life.meet(meeting);
            meeting += 1;
            life.follows(&life.always);
            life.all_agree();
        }
        let day = year * 365 + 250;
        life.office.day(day);
        assert!(matches!(life.office.refresh().code, Some(0)));
        match year {
            1 => life.lists_change(),
            2 => {
                life.follows(&life.away);
                life.everybody_is_late(day + 60);
            }
            3 => life.carol_goes(),
            4 => life.bob_loses_a_key(),
            5 => {
                life.lists_change();
                life.a_key_is_stolen();
            }
            6 => life.a_clock_is_wrong(day),
            7 => life.the_host_moves(),
            8 => life.release(41),
            // Two years later the old address is gone.
            9 => life.hosts[0].stop(),
            _ => {}
        }
        if year != 2 {
            life.follows(&life.always);
            life.all_agree();
            life.is_not_led_back(&life.always, &old);
        }
        // Off for more than two years from the third on, and for two more in which the host moves.
        if !matches!(year, 2..=4 | 7) {
            life.follows(&life.away);
        }
        let new = plane(&life.office, &life.hosts[usize::from(year > 7)], &format!("new-{year}"));
        if year != 2 {
            life.follows(&new);
        }
    }
}
