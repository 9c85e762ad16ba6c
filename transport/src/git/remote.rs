//! One remote repository and its local cache: list, fetch, read, push.

use std::fmt;
use std::path::{Path, PathBuf};

use git2::{FetchOptions, Oid, PushOptions, RemoteCallbacks, Repository};

use super::smart_http::{self, Session};
use crate::error::{Error, Kind, Result};
use crate::http::{Http, HttpOptions};
use crate::login::{Login, LoginSource};

/// How to reach a Git host.
#[derive(Debug, Clone)]
pub struct GitOptions {
    /// Time limits, CAs, exceptions.
    pub http: HttpOptions,
    /// Where the login comes from when the host asks for one.
    pub login: LoginSource,
    /// One operation receives no more than this (bytes).
    pub max_bytes: u64,
}

impl GitOptions {
    /// With the usual limit: 64 MiB for one operation.
    pub fn new(http: HttpOptions, login: LoginSource) -> Self {
        Self { http, login, max_bytes: 64 * 1024 * 1024 }
    }

    /// With a token for the host of `url`; git's credential helpers are asked without one.
    pub fn with_token(http: HttpOptions, url: &str, token: Option<&str>) -> Self {
        let url = url::Url::parse(url).ok();
        let login = token.zip(url).map(|(token, url)| Login::git_token(&url, token));
        Self::new(http, LoginSource::given_or_helpers(login))
    }
}

/// The id of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitId(pub(super) Oid);

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A remote repository with a bare cache on disk.
pub struct Remote {
    pub(super) repository: Repository,
    url: String,
    shown: String,
    cache: PathBuf,
    options: GitOptions,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remote({}, cache {})", self.shown, self.cache.display())
    }
}

impl Remote {
    /// Opens `url` (`http(s)://...`, `file://...` or a path) with a cache folder of its own.
    ///
    /// # Errors
    /// `BadReference` for any other address, `DiskFull`, `Io` or `GitRefused` when the cache can't be made.
    pub fn open(url: &str, cache: &Path, options: GitOptions) -> Result<Self> {
        let refused = |e: git2::Error| Error::new(Kind::GitRefused, "open a Git cache", e.message());
        let (address, shown) = match url::Url::parse(url) {
            Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => {
                if parsed.scheme() == "http" && !options.http.exceptions.allow_plain(&parsed) {
                    let cause = "plain http isn't allowed for this host: use https://";
                    return Err(Error::new(
                        Kind::BadReference,
                        format!("Git address `{}`", shown(&parsed)),
                        cause,
                    ));
                }
                (smart_http::address(&parsed).map_err(refused)?, shown(&parsed))
            }
            Ok(parsed) if parsed.scheme() == "file" => (parsed.path().to_owned(), url.to_owned()),
            _ if Path::new(url).is_absolute() => (url.to_owned(), url.to_owned()),
            _ => {
                let cause = "use http(s)://, file:// or an absolute path";
                return Err(Error::new(Kind::BadReference, format!("Git address `{url}`"), cause));
            }
        };
        std::fs::create_dir_all(cache).map_err(|e| Error::io(format!("make {}", cache.display()), &e))?;
        let repository = Repository::init_bare(cache).map_err(refused)?;
        Ok(Self { repository, url: address, shown, cache: cache.to_owned(), options })
    }

    /// The address without a login, for messages.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// All branches whose name starts with `prefix`, sorted.
    ///
    /// # Errors
    /// What requests can end with.
    pub fn branches(&self, prefix: &str) -> Result<Vec<(String, CommitId)>> {
        let found = self.run(&format!("list {}", self.shown), || {
            let mut remote = self.repository.remote_anonymous(&self.url)?;
            let connection = remote.connect_auth(git2::Direction::Fetch, None, None)?;
            let heads = connection.list()?.iter();
            Ok(heads.map(|head| (head.name().to_owned(), head.oid())).collect::<Vec<_>>())
        })?;
        let mut branches: Vec<_> = found
            .into_iter()
            .filter_map(|(name, oid)| Some((name.strip_prefix("refs/heads/")?.to_owned(), CommitId(oid))))
            .filter(|(name, _)| name.starts_with(prefix))
            .collect();
        branches.sort_by(|a, b| a.0.cmp(&b.0));
        Ok(branches)
    }

    /// Fetches the newest commit of a branch, none if there is no such branch.
    ///
    /// # Errors
    /// `TooLarge`, and what requests can end with.
    pub fn fetch(&self, branch: &str) -> Result<Option<CommitId>> {
        let known = self.branches(branch)?;
        if !known.iter().any(|(name, _)| name == branch) {
            return Ok(None);
        }
        let local = format!("refs/remotes/origin/{branch}");
        let refspec = format!("+refs/heads/{branch}:{local}");
        let oid = self.run(&format!("fetch {} ({branch})", self.shown), || {
            let mut remote = self.repository.remote_anonymous(&self.url)?;
            let mut options = FetchOptions::new();
            options.download_tags(git2::AutotagOption::None).update_fetchhead(false);
            if !self.is_local() {
                options.depth(1);
            }
            remote.fetch(&[&refspec], Some(&mut options), None)?;
            self.repository.refname_to_id(&local)
        })?;
        Ok(Some(CommitId(oid)))
    }

    /// All files below `prefix` (empty: all) in a fetched commit, by their path from there.
    ///
    /// # Errors
    /// `UnsafePath` for links and submodules, `TooLarge` beyond `max` bytes in all.
    pub fn files(&self, commit: CommitId, prefix: &str, max: u64) -> Result<Vec<(String, Vec<u8>)>> {
        let what = format!("read {} at {commit}", self.shown);
        let refused = |e: git2::Error| Error::new(Kind::GitRefused, &what, e.message());
        let root = self.repository.find_commit(commit.0).and_then(|c| c.tree()).map_err(refused)?;
        let tree = match prefix {
            "" => root,
            path => match root.get_path(Path::new(path)) {
                Ok(entry) => self.repository.find_tree(entry.id()).map_err(refused)?,
                Err(_) => return Ok(Vec::new()),
            },
        };
        let mut found = Vec::new();
        let mut left = max;
        self.walk(&tree, "", &mut left, &mut found, &what)?;
        Ok(found)
    }

    fn walk(
        &self,
        tree: &git2::Tree<'_>,
        prefix: &str,
        left: &mut u64,
        found: &mut Vec<(String, Vec<u8>)>,
        what: &str,
    ) -> Result<()> {
        let refused = |e: git2::Error| Error::new(Kind::GitRefused, what, e.message());
        for entry in tree {
            let name = String::from_utf8_lossy(entry.name_bytes()).into_owned();
            let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
            let plain = matches!(entry.filemode(), 0o100_644 | 0o100_755 | 0o100_664 | 0o040_000);
            if !plain || !pdp_policies::is_safe(&path) {
                let cause = format!("`{}` is a link, a submodule or oddly named", path.escape_default());
                return Err(Error::new(Kind::UnsafePath, what, cause));
            }
            if entry.kind() == Some(git2::ObjectType::Tree) {
                let below = self.repository.find_tree(entry.id()).map_err(refused)?;
                self.walk(&below, &path, left, found, what)?;
                continue;
            }
            let (size, _) =
                self.repository.odb().and_then(|odb| odb.read_header(entry.id())).map_err(refused)?;
            *left = left
                .checked_sub(size as u64)
                .ok_or_else(|| Error::new(Kind::TooLarge, what, format!("too large at `{path}`")))?;
            let blob = self.repository.find_blob(entry.id()).map_err(refused)?;
            found.push((path, blob.content().to_vec()));
        }
        Ok(())
    }

    /// Moves `branch` from `expected` to `new`; none means that it doesn't exist before, or after.
    ///
    /// # Errors
    /// `BranchMoved` when the branch isn't at `expected`; nothing was changed then. `GitRefused`.
    pub fn push(&self, branch: &str, expected: Option<CommitId>, new: Option<CommitId>) -> Result<()> {
        let what = format!("push to {} ({branch})", self.shown);
        let moved = std::cell::Cell::new(false);
        let rejected = std::cell::RefCell::new(None);
        let outcome = self.run(&what, || {
            let target = format!("refs/heads/{branch}");
            let refspec = match new {
                Some(commit) => {
                    self.repository.reference(&target, commit.0, true, "push")?;
                    format!("+{target}:{target}")
                }
                None => format!(":{target}"),
            };
            let mut callbacks = RemoteCallbacks::new();
            // The host compares the old id that is sent here, so this check and its own make the swap atomic.
            callbacks.push_negotiation(|updates| {
                let seen = updates.first().map_or(Oid::ZERO_SHA1, git2::PushUpdate::src);
                moved.set(seen != expected.map_or(Oid::ZERO_SHA1, |commit| commit.0));
                if moved.get() { Err(git2::Error::from_str("the branch moved")) } else { Ok(()) }
            });
            callbacks.push_update_reference(|_, status| {
                *rejected.borrow_mut() = status.map(str::to_owned);
                Ok(())
            });
            let mut options = PushOptions::new();
            options.remote_callbacks(callbacks);
            self.repository.remote_anonymous(&self.url)?.push(&[&refspec], Some(&mut options))
        });
        if moved.get() {
            let cause = "it is no longer where it was read";
            return Err(Error::new(Kind::BranchMoved, what, cause));
        }
        outcome?;
        match rejected.into_inner() {
            None => Ok(()),
            Some(status) => Err(Error::new(rejection(&status), what, status)),
        }
    }

    fn is_local(&self) -> bool {
        self.url.starts_with('/')
    }

    /// Runs a libgit2 operation with our HTTP session and gives errors their true cause.
    fn run<T>(
        &self,
        what: &str,
        operation: impl FnOnce() -> std::result::Result<T, git2::Error>,
    ) -> Result<T> {
        let session = Session {
            http: Http::shared(&self.options.http)?,
            login: self.options.login.clone(),
            left: self.options.max_bytes,
            failure: None,
        };
        let (outcome, failure) = smart_http::with_session(session, operation);
        outcome.map_err(|error| {
            failure.unwrap_or_else(|| {
                let missing = self.is_local() && !Path::new(&self.url).exists();
                let kind = if missing { Kind::NotFound } else { Kind::GitRefused };
                Error::new(kind, what, error.message())
            })
        })
    }
}

/// A host that lost the race says so in its own words.
fn rejection(status: &str) -> Kind {
    let raced = ["failed to update ref", "cannot lock", "fetch first", "already exists", "stale info"];
    if raced.iter().any(|word| status.contains(word)) { Kind::BranchMoved } else { Kind::GitRefused }
}

fn shown(url: &url::Url) -> String {
    let mut url = url.clone();
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url.to_string()
}
