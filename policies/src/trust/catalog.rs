//! A catalog that was found good: channels, releases, keys, and how fresh it is.

use std::collections::BTreeMap;

use sigstore_tuf::metadata::{Role as TufRole, TargetFile, Targets};

use super::{Role, Verified};
use crate::channel::Channel;
use crate::codes::{Refusal, RefusalCode};
use crate::digest::Digest;
use crate::keys::KeyList;
use crate::names::{Level, Line};
use crate::release::Release;
use crate::report::CatalogVersions;
use crate::time::{At, Span};
use crate::tree::CatalogTree;

/// A timestamp is refreshed hourly; from this age on the status says `CatalogStale`.
pub const STALE_AFTER: Span = Span::from_seconds(26 * 3600);

/// The vendor's catalog at one moment.
#[derive(Debug, Clone)]
pub struct Catalog {
    tree: CatalogTree,
    online: [(Role, RoleState); 2],
    versions: CatalogVersions,
    expiries: [(Role, At); 6],
    channels: BTreeMap<Line, Channel>,
    releases: Named,
    director_keys: KeyList,
    artifact_keys: KeyList,
    statement_keys: KeyList,
}

/// How old the catalog is. Age comes from the timestamp's version, its Unix second of signing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Younger than [`STALE_AFTER`].
    Fresh,
    /// Older than that: say so, go on. Seconds since it was signed.
    Stale(i64),
    /// A role is past its expiry: nothing new starts.
    Expired(Role),
}

/// A release descriptor exactly as it was signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// Its content.
    pub release: Release,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
}

impl Catalog {
    pub(super) fn read(
        tree: CatalogTree,
        online: [(Role, RoleState); 2],
        expiries: [(Role, At); 6],
        targets: &Targets,
        releases: Named,
        channels: &Targets,
        [director_keys, artifact_keys]: [KeyList; 2],
    ) -> Result<Self, Refusal> {
        let timestamp = online[0].1.version;
        let versions = CatalogVersions { timestamp, channels: channels.version, targets: targets.version };
        let mut read = BTreeMap::new();
        for name in channels.targets.keys() {
            let channel = Channel::read(name, target_bytes(&tree, channels, name)?)?;
            if Channel::target_name(&channel.line) != *name {
                let detail = format!("it is the channel of line `{}`", channel.line);
                return Err(Refusal::new(RefusalCode::HashMismatch, name, detail));
            }
            read.insert(channel.line.clone(), channel);
        }
        let statement_keys = artifact_keys.statements();
        let channels = read;
        Ok(Self {
            tree,
            online,
            versions,
            expiries,
            channels,
            releases,
            director_keys,
            artifact_keys,
            statement_keys,
        })
    }

    /// Timestamp and snapshot, as they were signed.
    pub(super) fn online(&self) -> &[(Role, RoleState); 2] {
        &self.online
    }

    /// The channel of a line, none if the vendor has none.
    pub fn channel(&self, line: &Line) -> Option<&Channel> {
        self.channels.get(line)
    }

    /// All channels, by line.
    pub fn channels(&self) -> impl Iterator<Item = &Channel> {
        self.channels.values()
    }

    /// The versions of its roles.
    pub fn versions(&self) -> CatalogVersions {
        self.versions
    }

    /// The keys that may sign instructions.
    pub fn director_keys(&self) -> &KeyList {
        &self.director_keys
    }

    /// The keys that may sign artifacts.
    pub fn artifact_keys(&self) -> &KeyList {
        &self.artifact_keys
    }

    /// The keys that may sign statements about artifacts; empty if there is none.
    pub fn statement_keys(&self) -> &KeyList {
        &self.statement_keys
    }

    /// When it was signed last.
    pub fn signed_at(&self) -> At {
        At::from_unix(i64::try_from(self.versions.timestamp).unwrap_or(i64::MAX))
    }

    /// How old it is at `now`.
    pub fn freshness(&self, now: At) -> Freshness {
        if let Some((role, _)) = self.expiries.iter().find(|(_, expires)| *expires < now) {
            return Freshness::Expired(*role);
        }
        match now.seconds_since(self.signed_at()) {
            age if age > STALE_AFTER.seconds() => Freshness::Stale(age),
            _ => Freshness::Fresh,
        }
    }

    /// When each role expires.
    pub fn expiries(&self) -> [(Role, At); 6] {
        self.expiries
    }

    /// A promoted release: named alike, by length and SHA-256, by the channel and by the releases role.
    ///
    /// # Errors
    /// `CeilingNotInChannel`, `HashMismatch`, and all of [`Release::read`].
    pub fn release(&self, line: &Line, level: Level) -> Result<Verified<Descriptor>, Refusal> {
        let name = Release::target_name(line, level);
        let promotion = self.channel(line).and_then(|c| c.levels.get(&level)).ok_or_else(|| {
            Refusal::new(RefusalCode::CeilingNotInChannel, &name, "the channel doesn't promote it")
        })?;
        let file = self.releases.get(&name).ok_or_else(|| {
            Refusal::new(RefusalCode::CeilingNotInChannel, &name, "no release manager signed it")
        })?;
        if (file.sha256, file.length) != (promotion.sha256, promotion.length) {
            let detail = "channel and releases role name different contents";
            return Err(Refusal::new(RefusalCode::HashMismatch, &name, detail));
        }
        let bytes = checked(&self.tree, &name, *file)?;
        let release = Release::read(&name, bytes)?;
        if (&release.line, release.level) != (line, level) {
            let detail = format!("it describes level {} of `{}`", release.level, release.line);
            return Err(Refusal::new(RefusalCode::HashMismatch, &name, detail));
        }
        Ok(Verified::new(Descriptor { release, bytes: bytes.to_vec(), sha256: promotion.sha256 }))
    }
}

/// The files that a role lists, by name.
pub(super) type Named = BTreeMap<String, NamedFile>;

/// What a role states of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct NamedFile {
    pub(super) sha256: Digest,
    length: u64,
}

impl NamedFile {
    pub(super) fn of(name: &str, file: &TargetFile) -> Result<Self, Refusal> {
        let stated = file.hashes.get("sha256").and_then(|hex| Digest::from_hex(hex).ok());
        let missing = || Refusal::new(RefusalCode::Unreadable, name, "its role states no SHA-256");
        Ok(Self { sha256: stated.ok_or_else(missing)?, length: file.length })
    }
}

/// Version and expiry of an online role.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoleState {
    pub(super) version: u64,
    pub(super) expires: At,
}

impl RoleState {
    pub(super) fn of<R: TufRole>(role: Option<&R>) -> Result<Self, Refusal> {
        let missing = || Refusal::new(RefusalCode::Unreadable, R::TYPE, "not loaded");
        let role = role.ok_or_else(missing)?;
        Ok(Self { version: role.version(), expires: At::of(role.expires()) })
    }
}

/// The bytes of a target, after comparing length and SHA-256.
pub(super) fn target_bytes<'a>(
    tree: &'a CatalogTree,
    role: &Targets,
    name: &str,
) -> Result<&'a [u8], Refusal> {
    let missing = || Refusal::new(RefusalCode::Unreadable, name, "the role doesn't list it");
    checked(tree, name, NamedFile::of(name, role.target(name).ok_or_else(missing)?)?)
}

fn checked<'a>(tree: &'a CatalogTree, name: &str, file: NamedFile) -> Result<&'a [u8], Refusal> {
    let missing = || Refusal::new(RefusalCode::Unreadable, name, "the catalog has no such file");
    let bytes = tree.get(&format!("targets/{name}")).ok_or_else(missing)?;
    if bytes.len() as u64 != file.length || Digest::of(bytes) != file.sha256 {
        return Err(Refusal::new(
            RefusalCode::HashMismatch,
            name,
            "length or SHA-256 differs from what was signed",
        ));
    }
    Ok(bytes)
}
