//! Attacks on the catalog: stolen keys, old news, mixtures, tricks with names and dates.

use serde_json::{Value, json};

use crate::attack::Attack;
use crate::base::{Files, unix_now};
use crate::forge::{Stolen, bump, expires, freshen, list, resign, sha256, signed};

const CHANNEL: &str = "channel-pdp-2026.json";
const RELEASE_42: &str = "release-pdp-2026-42.json";

/// The keys on a stolen CI machine.
struct Ci {
    snapshot: Stolen,
    timestamp: Stolen,
    ci: Stolen,
}

impl Ci {
    fn of(attack: &Attack) -> Self {
        let world = &attack.base.world;
        let key = |name| Stolen::from(world, name);
        Self { snapshot: key("snapshot"), timestamp: key("timestamp"), ci: key("ci") }
    }

    fn freshen(&self, files: &mut Files) {
        freshen(files, unix_now(), &self.snapshot, &self.timestamp);
    }
}

fn key(attack: &Attack, name: &str) -> Stolen {
    Stolen::from(&attack.base.world, name)
}

/// The channel with level 42's hash replaced.
fn other_channel(files: &Files, sha256: &str, length: usize) -> Vec<u8> {
    let mut channel: Value = serde_json::from_slice(&files[&format!("targets/{CHANNEL}")]).unwrap();
    channel["levels"]["42"]["sha256"] = sha256.into();
    channel["levels"]["42"]["length"] = length.into();
    serde_json::to_vec(&channel).unwrap()
}

#[test]
fn stolen_timestamp_key_alone() {
    let attack = Attack::on_level_41("stolen-timestamp-key");
    let mut files = attack.base.at_42.clone();
    freshen(&mut files, unix_now(), &Stolen::own(), &key(&attack, "timestamp"));
    attack.serve(&files);
    attack.is_refused_with("SignatureThreshold");
}

#[test]
fn stolen_snapshot_key_alone() {
    let attack = Attack::on_level_41("stolen-snapshot-key");
    let mut files = attack.base.at_42.clone();
    resign(&mut files, "metadata/snapshot.json", &[&key(&attack, "snapshot")], bump);
    attack.serve(&files);
    attack.is_refused_with("MixAndMatch");
}

#[test]
fn stolen_targets_key_alone() {
    let attack = Attack::on_level_41("stolen-targets-key");
    let mut files = attack.base.at_42.clone();
    resign(&mut files, "metadata/targets.json", &[&key(&attack, "targets-1")], bump);
    Ci::of(&attack).freshen(&mut files);
    attack.serve(&files);
    attack.is_refused_with("SignatureThreshold");
}

#[test]
fn stolen_root_key_alone() {
    let attack = Attack::on_level_41("stolen-root-key");
    let mut files = attack.base.at_42.clone();
    let mut root: Value = serde_json::from_slice(&files["metadata/1.root.json"]).unwrap();
    bump(&mut root["signed"]);
    files.insert("metadata/2.root.json".into(), signed(&root["signed"], &[&key(&attack, "root-1")]));
    attack.serve(&files);
    attack.is_refused_with("SignatureThreshold");
}

#[test]
fn a_root_that_lets_one_person_sign() {
    let attack = Attack::on_level_41("root-with-low-threshold");
    let mut files = attack.base.at_42.clone();
    let mut root: Value = serde_json::from_slice(&files["metadata/1.root.json"]).unwrap();
    bump(&mut root["signed"]);
    root["signed"]["roles"]["targets"]["threshold"] = 1.into();
    let (a, b) = (key(&attack, "root-1"), key(&attack, "root-2"));
    files.insert("metadata/2.root.json".into(), signed(&root["signed"], &[&a, &b]));
    attack.serve(&files);
    attack.is_refused_with("ThresholdTooLow");
}

#[test]
fn ci_machine_publishes_alone() {
    let attack = Attack::on_level_41("ci-machine-publishes");
    let mut files = attack.base.at_42.clone();
    let ci = Ci::of(&attack);
    list(&mut files, "releases", "release-pdp-2026-99.json", b"{}", &[&ci.ci]);
    ci.freshen(&mut files);
    attack.serve(&files);
    attack.is_refused_with("SignatureThreshold");
}

#[test]
fn one_release_manager_promotes_alone_with_the_ci_machine() {
    let attack = Attack::on_level_41("one-manager-promotes");
    let mut files = attack.base.at_42.clone();
    let channel = files[&format!("targets/{CHANNEL}")].clone();
    let ci = Ci::of(&attack);
    list(&mut files, "channels", CHANNEL, &channel, &[&key(&attack, "manager-1"), &ci.ci]);
    ci.freshen(&mut files);
    attack.serve(&files);
    attack.is_refused_with("SignatureThreshold");
}

#[test]
fn one_person_and_ci_promote_through_the_wrong_role() {
    let attack = Attack::on_level_41("promotion-through-wrong-role");
    let mut files = attack.base.at_42.clone();
    let channel = files[&format!("targets/{CHANNEL}")].clone();
    let ci = Ci::of(&attack);
    list(&mut files, "releases", CHANNEL, &channel, &[&ci.ci, &key(&attack, "release-1")]);
    ci.freshen(&mut files);
    attack.serve(&files);
    attack.is_refused_with("DelegationPath");
}

#[test]
fn two_key_holders_list_a_release_in_the_top_role() {
    let attack = Attack::on_level_41("release-in-the-top-role");
    let mut files = attack.base.at_42.clone();
    let (a, b) = (key(&attack, "targets-1"), key(&attack, "targets-2"));
    list(&mut files, "targets", "release-pdp-2026-99.json", b"{}", &[&a, &b]);
    Ci::of(&attack).freshen(&mut files);
    attack.serve(&files);
    attack.is_refused_with("DelegationPath");
}

#[test]
fn one_key_under_two_ids() {
    let attack = Attack::on_level_41("one-key-two-ids");
    let mut files = attack.base.at_42.clone();
    let manager = key(&attack, "manager-1");
    let (a, b) = (key(&attack, "targets-1"), key(&attack, "targets-2"));
    resign(&mut files, "metadata/targets.json", &[&a, &b], |payload| {
        bump(payload);
        payload["delegations"]["keys"]["second-id"] = manager.listed.clone();
        let roles = payload["delegations"]["roles"].as_array_mut().unwrap();
        let channels = roles.iter_mut().find(|role| role["name"] == "channels").unwrap();
        channels["keyids"].as_array_mut().unwrap().push("second-id".into());
    });
    Ci::of(&attack).freshen(&mut files);
    attack.serve(&files);
    attack.is_refused_with("DuplicateKey");
}

#[test]
fn rollback_to_an_older_catalog() {
    let attack = Attack::on_level_41("rollback");
    attack.serve(&attack.base.at_40);
    attack.is_refused_with("VersionFloor");
    let conditions = attack.data_plane.status().unwrap()["conditions"].to_string();
    assert!(conditions.contains("CatalogBehind"), "lag is told apart: {conditions}");
}

#[test]
fn freeze_for_eight_days() {
    let attack = Attack::on_level_41("freeze");
    attack.serve(&attack.base.at_42);
    // The honest answer is "delay only": a frozen catalog starts nothing new, and says so.
    let later = expires(unix_now() + 8 * 86_400);
    attack.is_refused_at("CatalogExpired", &[("PDP_NOW", &later)]);
    let conditions = attack.data_plane.status().unwrap()["conditions"].to_string();
    assert!(conditions.contains("CatalogStale"), "{conditions}");
}

#[test]
fn old_roles_under_a_fresh_timestamp() {
    let attack = Attack::on_level_41("old-channel-fresh-timestamp");
    let mut files = attack.base.at_42.clone();
    for path in ["metadata/channels.json", "targets/channel-pdp-2026.json"] {
        files.insert(path.into(), attack.base.at_40[path].clone());
    }
    Ci::of(&attack).freshen(&mut files);
    attack.serve(&files);
    attack.is_refused_with("VersionFloor");
}

#[test]
fn mix_and_match_of_two_catalogs() {
    let attack = Attack::on_level_41("mix-and-match");
    let mut files = attack.base.at_42.clone();
    files.insert("metadata/releases.json".into(), attack.base.at_41["metadata/releases.json"].clone());
    attack.serve(&files);
    attack.is_refused_with("MixAndMatch");
}

#[test]
fn a_level_rewritten_by_people_who_may_publish() {
    let attack = Attack::on_level_41("level-rewritten");
    let mut files = attack.base.at_42.clone();
    let ci = Ci::of(&attack);
    let mut release = files["targets/release-pdp-2026-41.json"].clone();
    release.push(b'\n');
    list(&mut files, "releases", "release-pdp-2026-41.json", &release, &[&ci.ci, &key(&attack, "release-1")]);
    ci.freshen(&mut files);
    attack.serve(&files);
    attack.is_refused_with("LevelRewritten");
}

#[test]
fn managers_promote_a_content_that_nobody_released() {
    let attack = Attack::on_level_41("promotion-of-other-content");
    let mut files = attack.base.at_42.clone();
    let channel = other_channel(&files, &sha256(b"malice"), 6);
    let (a, b) = (key(&attack, "manager-1"), key(&attack, "manager-2"));
    list(&mut files, "channels", CHANNEL, &channel, &[&a, &b]);
    Ci::of(&attack).freshen(&mut files);
    attack.serve(&files);
    attack.is_refused_with("HashMismatch");
}

#[test]
fn fast_forward_of_the_timestamp() {
    let attack = Attack::on_level_41("fast-forward");
    let mut files = attack.base.at_42.clone();
    let ci = Ci::of(&attack);
    freshen(&mut files, 4_070_908_800, &ci.snapshot, &ci.timestamp);
    attack.serve(&files);
    attack.is_refused_with("ClockSkew");
    // No floor ran ahead: the true catalog is taken at once.
    attack.serve(&attack.base.at_42);
    attack.is_harmless();
    attack.note("ClockSkew", "refused, and no floor ran ahead");
}

#[test]
fn a_timestamp_that_never_expires() {
    let attack = Attack::on_level_41("timestamp-until-2099");
    let mut files = attack.base.at_42.clone();
    resign(&mut files, "metadata/timestamp.json", &[&key(&attack, "timestamp")], |payload| {
        bump(payload);
        payload["expires"] = "2099-01-01T00:00:00Z".into();
    });
    attack.serve(&files);
    attack.is_refused_with("ClockSkew");
}

#[test]
fn a_swapped_release_file() {
    let attack = Attack::on_level_41("release-file-swapped");
    let mut files = attack.base.at_42.clone();
    let text = String::from_utf8(files[&format!("targets/{RELEASE_42}")].clone()).unwrap();
    files.insert(format!("targets/{RELEASE_42}"), text.replacen("1.0.2", "6.6.6", 1).into_bytes());
    attack.serve(&files);
    attack.is_refused_with("HashMismatch");
}

#[test]
fn a_truncated_channel_file() {
    let attack = Attack::on_level_41("channel-file-truncated");
    let mut files = attack.base.at_42.clone();
    files.get_mut(&format!("targets/{CHANNEL}")).unwrap().truncate(100);
    attack.serve(&files);
    attack.is_refused_with("HashMismatch");
}

#[test]
fn a_gigantic_catalog_file() {
    let attack = Attack::on_level_41("catalog-file-too-large");
    let mut files = attack.base.at_42.clone();
    files.insert("metadata/timestamp.json".into(), vec![b' '; 2 << 20]);
    attack.serve(&files);
    attack.is_refused_with("TooLarge");
}

#[test]
fn a_symbolic_link_in_the_catalog() {
    let attack = Attack::on_level_41("symbolic-link-in-catalog");
    let (git, repository) = (&attack.base.world.git, attack.catalog_repository());
    git.overwrite(repository, "catalog", &attack.base.at_42).unwrap();
    let tree = git.git(repository, &["ls-tree", "-r", "catalog"]).unwrap();
    let blob = tree.split_whitespace().nth(2).unwrap();
    git.git(repository, &["read-tree", "catalog"]).unwrap();
    let entry = format!("120000,{blob},metadata/9.root.json");
    git.git(repository, &["update-index", "--add", "--cacheinfo", &entry]).unwrap();
    let tree = git.git(repository, &["write-tree"]).unwrap();
    let identity =
        ["-c", "user.name=x", "-c", "user.email=x@example.org", "commit-tree", "-m", "x", tree.trim()];
    let commit = git.git(repository, &identity).unwrap();
    git.git(repository, &["update-ref", "refs/heads/catalog", commit.trim()]).unwrap();
    attack.is_refused_with("UnsafePath");
}

#[test]
fn another_vendors_catalog() {
    let attack = Attack::on_level_41("another-vendors-catalog");
    let other = pdp_e2e::World::start().unwrap();
    attack.serve(&other.git.files("catalog", "catalog").unwrap());
    attack.is_refused_with("SignatureThreshold");
}

/// Signed by all who must, but with a feature that this program doesn't know.
fn channel_with(attack: &Attack, edit: impl FnOnce(&mut Value)) {
    let mut files = attack.base.at_42.clone();
    let mut channel: Value = serde_json::from_slice(&files[&format!("targets/{CHANNEL}")]).unwrap();
    edit(&mut channel);
    let channel = serde_json::to_vec(&channel).unwrap();
    let (a, b) = (key(attack, "manager-1"), key(attack, "manager-2"));
    list(&mut files, "channels", CHANNEL, &channel, &[&a, &b]);
    Ci::of(attack).freshen(&mut files);
    attack.serve(&files);
}

#[test]
fn an_old_pdp_sync_meets_a_critical_feature() {
    let attack = Attack::on_level_41("unknown-critical-feature");
    channel_with(&attack, |channel| channel["critical"] = json!(["moonPhases"]));
    attack.is_refused_with("UnknownCriticalFeature");
}

#[test]
fn an_old_pdp_sync_ignores_an_unknown_field() {
    let attack = Attack::on_level_41("unknown-field");
    channel_with(&attack, |channel| channel["moonPhase"] = "full".into());
    attack.is_harmless();
}
