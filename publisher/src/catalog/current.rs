//! The catalog as it is now: fetched and judged like a PDP would.

use std::path::{Path, PathBuf};

use pdp_policies::trust::{self, Catalog, Floors, Judged, Role, Verified};
use pdp_policies::{At, CatalogTree, Digest, Refusal, RefusalCode, printable};
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::root;
use pdp_transport::files;
use pdp_transport::git::{Author, CommitId, GitOptions, Remote, SshSigner};

use super::role::RoleFile;
use super::{BRANCH, clock};
use crate::connection::ConnectionArgs;
use crate::dry_run::DryRun;

/// Where the catalog is, and which root it must come from.
#[derive(Debug, clap::Args)]
pub(crate) struct CatalogArgs {
    /// Git address of the catalog: http(s)://, file:// or an absolute path.
    #[arg(long, env = "PUBLISHER_CATALOG", value_name = "URL")]
    pub(crate) catalog: String,
    /// The root that the catalog must come from (`1.root.json` of the ceremony).
    #[arg(long, env = "PUBLISHER_ROOT", value_name = "FILE")]
    pub(crate) root: PathBuf,
    #[command(flatten)]
    pub(crate) git: GitArgs,
}

/// The catalog for a command that can do without.
#[derive(Debug, clap::Args)]
pub(crate) struct AskedCatalogArgs {
    /// Git address of the catalog: http(s)://, file:// or an absolute path.
    #[arg(long, env = "PUBLISHER_CATALOG", value_name = "URL")]
    catalog: Option<String>,
    /// The root that the catalog must come from (`1.root.json` of the ceremony).
    #[arg(long, env = "PUBLISHER_ROOT", value_name = "FILE")]
    root: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) git: GitArgs,
}

impl AskedCatalogArgs {
    pub(crate) fn is_given(&self) -> bool {
        self.catalog.is_some() && self.root.is_some()
    }

    /// The catalog, which has to be read.
    ///
    /// # Errors
    /// `CatalogNeeded` if none was given, and what reading it can end with.
    pub(crate) fn needed(&self, now: At) -> Result<Current> {
        match (&self.catalog, &self.root) {
            (Some(catalog), Some(root)) => Current::fetch_from((&self.git, catalog), root, now),
            _ => Err(Failure::new("CatalogNeeded", "a level of the catalog is named, and no catalog")
                .hint("give --catalog and --root, or the path of a release.yaml or of a built release")),
        }
    }
}

/// The catalog for a command that changes it: nothing is pushed without one of these.
#[derive(Debug, clap::Args)]
pub(crate) struct ChangeArgs {
    #[command(flatten)]
    of: CatalogArgs,
    #[command(flatten)]
    pub(crate) dry: DryRun,
}

impl std::ops::Deref for ChangeArgs {
    type Target = CatalogArgs;

    fn deref(&self) -> &CatalogArgs {
        &self.of
    }
}

impl ChangeArgs {
    /// Moves a branch, or deletes it: the last write of each change.
    pub(crate) fn push(
        &self,
        remote: &Remote,
        branch: &str,
        from: Option<CommitId>,
        to: Option<CommitId>,
    ) -> Result<()> {
        let verb = if to.is_some() { "pushed" } else { "deleted" };
        if !self.dry.only_says(&format!("`{}` would be {verb}", printable(branch))) {
            remote.push(branch, from, to)?;
        }
        Ok(())
    }
}

/// How to reach Git, and who commits.
#[derive(Debug, clap::Args)]
pub(crate) struct GitArgs {
    /// Token for the Git host; git's credential helpers are asked without one.
    #[arg(long, env = "PUBLISHER_GIT_TOKEN", hide_env_values = true, hide = true)]
    git_token: Option<String>,
    /// OpenSSH key that signs the commits (encrypted ones open with PUBLISHER_PASSWORD).
    #[arg(long, env = "PUBLISHER_COMMIT_KEY", value_name = "FILE")]
    commit_key: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
}

impl GitArgs {
    pub(crate) fn open(&self, url: &str) -> Result<Remote> {
        // In the user's own cache: a folder that everyone may write to could be prepared by someone else.
        let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache"));
        let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
        let base = base.ok_or_else(|| {
            Failure::new("NoCacheFolder", "there is no folder for the Git cache")
                .hint("set HOME or XDG_CACHE_HOME")
        })?;
        let cache = base.join("pdp-publisher").join(Digest::of(url.as_bytes()).short());
        let options = GitOptions::with_token(self.connection.http()?, url, self.git_token.as_deref());
        Ok(Remote::open(url, &cache, options)?)
    }

    pub(crate) fn signer(&self) -> Result<Option<SshSigner>> {
        let Some(path) = &self.commit_key else { return Ok(None) };
        let bytes = files::read_capped(path, 64 * 1024)?;
        let missing = || Failure::new("NotFound", format!("commit key {}", path.display()));
        let text = String::from_utf8_lossy(&bytes.ok_or_else(missing)?).into_owned();
        let password = std::env::var("PUBLISHER_PASSWORD").ok();
        let bad = |error| {
            Failure::from(error).hint("is it the right file, and is PUBLISHER_PASSWORD its password?")
        };
        SshSigner::read(&text, password.as_deref()).map(Some).map_err(bad)
    }
}

/// The author of all commits of the publisher.
pub(crate) fn author() -> Author {
    Author { name: "publisher".into(), email: "publisher@updates.pdp.wso2.com".into() }
}

/// The catalog that everything is proposed on.
pub(crate) struct Current {
    pub(crate) remote: Remote,
    pub(crate) commit: CommitId,
    pub(crate) tree: CatalogTree,
    pub(crate) catalog: Verified<Catalog>,
    /// What the catalog has reached; nothing published from here may fall below it.
    pub(crate) floors: Floors,
    /// When it was judged: what lies open is judged by the same time.
    pub(crate) now: At,
}

impl Current {
    pub(crate) fn fetch(args: &CatalogArgs, now: At) -> Result<Self> {
        Self::fetch_from((&args.git, &args.catalog), &args.root, now)
    }

    fn fetch_from((git, catalog): (&GitArgs, &str), root: &Path, now: At) -> Result<Self> {
        let (remote, commit, tree) = read(git, catalog)?;
        let first = Floors::new(root::read(root)?);
        let (catalog, floors) = judged(tree.clone(), &first, now).map_err(unusable)?;
        Ok(Self { remote, commit, tree, catalog, floors, now })
    }

    /// A catalog that is dated ahead, judged as of its own date, and that date. No data plane with the right time took
    /// it: what its online roles have reached is no floor.
    pub(crate) fn fetch_ahead(args: &CatalogArgs, now: At) -> Result<(Self, At)> {
        let (remote, commit, tree) = read(&args.git, &args.catalog)?;
        let dated = [Role::Timestamp, Role::Snapshot].into_iter().map(|role| RoleFile::read(&tree, role));
        let dated: Result<Vec<_>> = dated.map(|file| Ok(file?.version())).collect();
        let newest = dated?.into_iter().max().unwrap_or_default();
        let dated = At::from_unix(i64::try_from(newest).unwrap_or(i64::MAX));
        if dated <= now || !clock::differs(dated, now) {
            return Err(Failure::new(
                "NotAhead",
                format!("the catalog was signed at {dated}, and it is {now} here"),
            )
            .hint("`publisher catalog refresh` is enough"));
        }
        let floors = Floors::new(root::read(&args.root)?);
        let (catalog, _) = judge(tree.clone(), &floors, dated)?;
        Ok((Self { remote, commit, tree, catalog, floors, now: dated }, dated))
    }
}

/// The catalog as it lies there.
fn read(git: &GitArgs, catalog: &str) -> Result<(Remote, CommitId, CatalogTree)> {
    let remote = git.open(catalog)?;
    let found = pdp_transport::catalog::from_git(&remote, BRANCH)?;
    let (commit, tree) = found.ok_or_else(|| {
        Failure::new("NotFound", format!("no branch `{BRANCH}` at {}", remote.shown()))
            .hint("`publisher catalog init` pushes the first catalog")
    })?;
    Ok((remote, commit, tree))
}

/// Why the catalog can't be worked on.
fn unusable(refusal: Refusal) -> Failure {
    match refusal.code {
        RefusalCode::ClockSkew => Failure::new("CatalogDatedAhead", refusal.to_string())
            .cause("it was signed by a machine whose clock was ahead, or this one's clock is slow")
            .hint("check this machine's clock; if it is right, two people sign `publisher catalog redate`"),
        _ => refusal.into(),
    }
}

/// Judges a tree; there is no lag at the source.
pub(crate) fn judge(tree: CatalogTree, floors: &Floors, now: At) -> Result<(Verified<Catalog>, Floors)> {
    Ok(judged(tree, floors, now)?)
}

fn judged(
    tree: CatalogTree,
    floors: &Floors,
    now: At,
) -> std::result::Result<(Verified<Catalog>, Floors), Refusal> {
    match trust::catalog(tree, floors, now, true) {
        Judged::Trusted(catalog, floors) => Ok((*catalog, floors)),
        Judged::FetchFirst(refusal, _) | Judged::Refused(refusal, _) => Err(refusal),
    }
}
