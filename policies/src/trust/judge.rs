//! The judge of a catalog: pure, synchronous, from the pinned root each time.

use std::collections::BTreeMap;

use sigstore_tuf::metadata::{DelegatedRole, RoleKeys, TargetFile, Targets};
use sigstore_tuf::{Key, TrustedMetadataSet};

use super::catalog::{Catalog, Named, NamedFile, RoleState};
use super::floors::{Floors, LevelFloor, ONLINE, RoleFloor};
use super::signers::Holders;
use super::{Role, Verified, chain, metadata, signers};
use crate::codes::{Refusal, RefusalCode};
use crate::digest::Digest;
use crate::keys::{ARTIFACT_KEYS, DIRECTOR_KEYS, KeyList};
use crate::time::{At, CLOCK_TOLERANCE};
use crate::tree::{CatalogTree, MAX_FILE_BYTES};

/// An online role may not promise to be fresh for longer than this (seconds): 7 days and an hour's grace.
const MAX_ONLINE_LIFE: i64 = 7 * 86_400 + 3_600;
/// Expiry is judged apart ([`Catalog::freshness`]): even an expired catalog must be able to brake.
const BEFORE_ALL_EXPIRY: jiff::Timestamp = jiff::Timestamp::MIN;

/// What the judge says of a tree.
#[derive(Debug)]
pub enum Judged {
    /// It is the vendor's, whole, and not older than what was seen. Persist the floors.
    Trusted(Box<Verified<Catalog>>, Floors),
    /// It may be mere lag of a mirror or cache: fetch again, then ask again with these floors and `refetched`.
    FetchFirst(Refusal, Floors),
    /// Nothing of it may be used but its root, if that one is verified. Persist the floors.
    Refused(Refusal, Floors),
}

/// Why a tree isn't trusted: surely wrong, or perhaps only late.
pub(super) enum Doubt {
    Lag(Refusal),
    Refused(Refusal),
}

impl From<Refusal> for Doubt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Judges a catalog as fetched.
///
/// `floors` is what this PDP has seen, `now` its clock, `refetched` whether it already fetched
/// again because of [`Judged::FetchFirst`]. Costs a few signature checks, no IO.
pub fn catalog(tree: CatalogTree, floors: &Floors, now: At, refetched: bool) -> Judged {
    let (walked, rooted) = chain::walk(&tree, floors);
    match walked.and_then(|set| judge(tree, set, &rooted, now)) {
        Ok((catalog, floors)) => Judged::Trusted(Box::new(Verified::new(catalog)), floors),
        Err(Doubt::Lag(refusal)) if !refetched => Judged::FetchFirst(refusal, rooted),
        Err(Doubt::Lag(refusal) | Doubt::Refused(refusal)) => Judged::Refused(refusal, rooted),
    }
}

/// Loads a catalog and judges it; loads it once more if the first one may only be lagging.
///
/// Also tells whether the second was needed: what is refused then was old twice.
///
/// # Errors
/// What `load` fails with.
pub fn catalog_from<E>(
    mut load: impl FnMut() -> Result<CatalogTree, E>,
    floors: &Floors,
    now: At,
) -> Result<(Judged, bool), E> {
    match catalog(load()?, floors, now, false) {
        Judged::FetchFirst(_, rooted) => Ok((catalog(load()?, &rooted, now, true), true)),
        judged => Ok((judged, false)),
    }
}

fn judge(
    tree: CatalogTree,
    mut set: TrustedMetadataSet,
    floors: &Floors,
    now: At,
) -> Result<(Catalog, Floors), Doubt> {
    let mut new = floors.clone();
    let [timestamp_signers, snapshot_signers] = online_signers(&set, &mut new)?;
    load(&tree, "timestamp", |bytes| set.update_timestamp(bytes, BEFORE_ALL_EXPIRY))?;
    let timestamp = RoleState::of(set.timestamp())?;
    check_online(Role::Timestamp, &timestamp, now)?;
    raise(&mut new, "timestamp", timestamp.version, timestamp_signers).map_err(Doubt::Lag)?;

    load(&tree, "snapshot", |bytes| set.update_snapshot(bytes, BEFORE_ALL_EXPIRY))?;
    check_pinned("timestamp", set.timestamp().and_then(|t| t.meta.get("snapshot.json")))?;
    let snapshot = RoleState::of(set.snapshot())?;
    check_online(Role::Snapshot, &snapshot, now)?;
    raise(&mut new, "snapshot", snapshot.version, snapshot_signers)?;

    load(&tree, "targets", |bytes| set.update_targets(bytes, BEFORE_ALL_EXPIRY).map(|_| ()))?;
    let targets = people(&set, "targets")?.clone();
    check_pinned("snapshot", set.snapshot().and_then(|s| s.meta.get("targets.json")))?;
    raise(&mut new, "targets", targets.version, top_level(&set, "targets")?)?;
    check_top_level_names(&targets)?;

    delegated(&tree, &mut set, &targets, "releases", &mut new)?;
    delegated(&tree, &mut set, &targets, "channels", &mut new)?;
    let (releases, channels) = (people(&set, "releases")?, people(&set, "channels")?);
    let files = named(releases)?;
    check_levels(&files, &mut new)?;

    let lists = key_lists(&tree, &targets)?;
    let expiries = [
        (Role::Root, set.root().expires),
        (Role::Timestamp, timestamp.expires.timestamp()),
        (Role::Snapshot, snapshot.expires.timestamp()),
        (Role::Targets, targets.expires),
        (Role::Releases, releases.expires),
        (Role::Channels, channels.expires),
    ];
    let roles = expiries.map(|(role, expires)| (role, At::of(expires)));
    let online = [(Role::Timestamp, timestamp), (Role::Snapshot, snapshot)];
    let catalog = Catalog::read(tree, online, roles, &targets, files, channels, lists)?;
    Ok((catalog, new))
}

/// Reads one role's file and feeds it to the set.
fn load(
    tree: &CatalogTree,
    role: &str,
    feed: impl FnOnce(&[u8]) -> sigstore_tuf::Result<()>,
) -> Result<(), Refusal> {
    let path = format!("metadata/{role}.json");
    let bytes = tree
        .get(&path)
        .ok_or_else(|| Refusal::new(RefusalCode::Unreadable, &path, "the catalog has no such file"))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(Refusal::new(RefusalCode::TooLarge, path, format!("{} bytes", bytes.len())));
    }
    feed(bytes).map_err(|error| refuse(&path, &error))?;
    metadata::check_expires(&path, bytes)
}

fn refuse(subject: &str, error: &sigstore_tuf::Error) -> Refusal {
    use sigstore_tuf::Error as E;
    let code = match error {
        E::ThresholdNotMet { .. } | E::DuplicateSignature { .. } | E::UnknownRole(_) => {
            RefusalCode::SignatureThreshold
        }
        E::IntegrityMismatch(_) => RefusalCode::MixAndMatch,
        E::Rollback { .. } => RefusalCode::VersionFloor,
        _ => RefusalCode::Unreadable,
    };
    Refusal::new(code, subject, error.to_string())
}

/// A parent that pins a file without its SHA-256 binds nothing.
fn check_pinned(parent: &str, pin: Option<&sigstore_tuf::metadata::MetaFile>) -> Result<(), Refusal> {
    let bound = pin.and_then(|pin| pin.hashes.as_ref()).is_some_and(|hashes| hashes.contains_key("sha256"));
    if bound {
        return Ok(());
    }
    let subject = format!("metadata/{parent}.json");
    Err(Refusal::new(RefusalCode::MixAndMatch, subject, "it pins a file without its SHA-256"))
}

/// The clock of both online roles, for a catalog whose signatures were checked before.
pub(super) fn check_clock(catalog: &Catalog, now: At) -> Result<(), Refusal> {
    catalog.online().iter().try_for_each(|(role, state)| check_online(*role, state, now))
}

/// Online roles count in Unix seconds: they can't be dated ahead, nor promise freshness for long.
fn check_online(role: Role, state: &RoleState, now: At) -> Result<(), Refusal> {
    let signed = i64::try_from(state.version).unwrap_or(i64::MAX);
    let subject = format!("metadata/{role}.json");
    if signed > now.unix().saturating_add(CLOCK_TOLERANCE) {
        let detail = format!("signed at {}, but it is {now} here", At::from_unix(signed));
        return Err(Refusal::new(RefusalCode::ClockSkew, subject, detail));
    }
    if state.expires.unix() > signed.saturating_add(MAX_ONLINE_LIFE) {
        let detail = format!("expires {}, more than 7 days after it was signed", state.expires);
        return Err(Refusal::new(RefusalCode::ClockSkew, subject, detail));
    }
    Ok(())
}

/// Who may sign a role, and their fingerprint.
type Signers = (Holders, Digest);

/// Refuses a version below the floor and raises the floor otherwise; it begins anew for holders who are new.
fn raise(floors: &mut Floors, role: &str, version: u64, (holders, keys): Signers) -> Result<(), Refusal> {
    let before = floors.roles.get(role);
    let floor = before.map_or(0, |floor| floor.for_holders(&holders));
    if version < floor {
        let detail = format!("version {version}, but {floor} was seen");
        return Err(Refusal::new(RefusalCode::VersionFloor, format!("metadata/{role}.json"), detail));
    }
    let raised = RoleFloor::raised(before, version, holders, keys);
    floors.roles.insert(role.to_owned(), raised);
    Ok(())
}

/// Who may sign the online roles. A new key for one of them lets both floors fall, and no other: whoever had the old
/// key may have dated both ahead.
fn online_signers(set: &TrustedMetadataSet, floors: &mut Floors) -> Result<[Signers; 2], Refusal> {
    let [timestamp, snapshot] = ONLINE;
    let signers = [top_level(set, timestamp)?, top_level(set, snapshot)?];
    let falls = |(role, (holders, _)): (&str, &Signers)| {
        floors.roles.get(role).is_some_and(|floor| floor.falls_for(holders))
    };
    if ONLINE.into_iter().zip(&signers).any(falls) {
        ONLINE.iter().for_each(|role| drop(floors.roles.remove(*role)));
    }
    Ok(signers)
}

fn top_level(set: &TrustedMetadataSet, role: &str) -> Result<Signers, Refusal> {
    let role = set.root().role(role).ok_or_else(|| {
        Refusal::new(RefusalCode::SignatureThreshold, "root", format!("it names no role `{role}`"))
    })?;
    Ok(signers_of(&set.root().keys, role))
}

fn signers_of(keys: &BTreeMap<String, Key>, role: &RoleKeys) -> Signers {
    (Holders::of(keys, role), signers::fingerprint(keys, role))
}

fn people<'a>(set: &'a TrustedMetadataSet, role: &str) -> Result<&'a Targets, Refusal> {
    let missing = || Refusal::new(RefusalCode::Unreadable, format!("metadata/{role}.json"), "not loaded");
    set.targets_role(role).ok_or_else(missing)
}

/// Loads a delegated role into the set: its keys, its threshold, its version, and every path that it signs.
fn delegated(
    tree: &CatalogTree,
    set: &mut TrustedMetadataSet,
    targets: &Targets,
    role: &str,
    floors: &mut Floors,
) -> Result<(), Refusal> {
    let subject = "metadata/targets.json";
    let missing = || Refusal::new(RefusalCode::Unreadable, subject, format!("it doesn't delegate `{role}`"));
    let delegations = targets.delegations.as_ref().ok_or_else(missing)?;
    let delegation = delegations.roles.iter().find(|r| r.name == role).ok_or_else(missing)?;
    signers::check_distinct(subject, &delegations.keys)?;
    signers::check_threshold(subject, role, &delegation.role_keys())?;
    load(tree, role, |bytes| {
        set.update_delegated_targets(bytes, role, "targets", BEFORE_ALL_EXPIRY).map(|_| ())
    })?;
    check_pinned("snapshot", set.snapshot().and_then(|s| s.meta.get(&format!("{role}.json"))))?;
    let loaded = people(set, role)?;
    raise(floors, role, loaded.version, signers_of(&delegations.keys, &delegation.role_keys()))?;
    check_paths(delegation, &loaded.targets)
}

/// A role may list only what was delegated to it.
fn check_paths(role: &DelegatedRole, targets: &BTreeMap<String, TargetFile>) -> Result<(), Refusal> {
    for path in targets.keys() {
        let allowed = role.matches_path(path).unwrap_or(false);
        if !allowed || !crate::is_safe(path) || path.contains('/') {
            let detail = format!("it lists `{}`, which was not delegated to it", path.escape_default());
            let subject = format!("metadata/{}.json", role.name);
            return Err(Refusal::new(RefusalCode::DelegationPath, subject, detail));
        }
    }
    Ok(())
}

/// The top-level role vouches for keys only; releases and channels have roles of their own.
fn check_top_level_names(targets: &Targets) -> Result<(), Refusal> {
    match targets.targets.keys().find(|name| *name != DIRECTOR_KEYS && *name != ARTIFACT_KEYS) {
        None => Ok(()),
        Some(name) => {
            let detail = format!("it lists `{}` itself", name.escape_default());
            Err(Refusal::new(RefusalCode::DelegationPath, "metadata/targets.json", detail))
        }
    }
}

/// The files that a role lists.
fn named(role: &Targets) -> Result<Named, Refusal> {
    let each = role.targets.iter().map(|(name, file)| Ok((name.clone(), NamedFile::of(name, file)?)));
    each.collect()
}

/// A level has one content for ever.
fn check_levels(releases: &Named, floors: &mut Floors) -> Result<(), Refusal> {
    for (name, NamedFile { sha256, .. }) in releases {
        match floors.levels.get(name) {
            Some(floor) if floor.sha256 != *sha256 => {
                let detail = format!("it was {} before", floor.sha256.short());
                return Err(Refusal::new(RefusalCode::LevelRewritten, name, detail));
            }
            Some(_) => {}
            None => drop(floors.levels.insert(name.clone(), LevelFloor { sha256: *sha256 })),
        }
    }
    Ok(())
}

fn key_lists(tree: &CatalogTree, targets: &Targets) -> Result<[KeyList; 2], Refusal> {
    let list = |name: &str| {
        let bytes = super::catalog::target_bytes(tree, targets, name)?;
        KeyList::read(name, bytes)
    };
    Ok([list(DIRECTOR_KEYS)?, list(ARTIFACT_KEYS)?])
}
