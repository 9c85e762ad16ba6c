//! One of two releases that are compared, from wherever it is.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use pdp_policies::release::{Component, Release};
use pdp_policies::{At, ComponentName, Digest, Level};
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::Format;

use super::diff::Args;
use super::vouched::vouched_release;
use crate::applied::Bundle;
use crate::build::{self, Built};
use crate::catalog::{Current, published_level};
use crate::lint::{self, Finding};

/// A level of the catalog, the folder of a built release, or a release.yaml.
#[derive(Debug, Clone)]
pub(super) enum Which {
    Level(Level),
    Path(PathBuf),
}

impl FromStr for Which {
    type Err = Infallible;

    fn from_str(text: &str) -> std::result::Result<Self, Infallible> {
        Ok(text.parse().map_or_else(|_| Self::Path(text.into()), |level| Self::Level(Level(level))))
    }
}

/// A release, and its bundle if that was asked for.
pub(super) struct Side {
    pub(super) release: Release,
    /// SHA-256 of its descriptor.
    pub(super) digest: Digest,
    pub(super) bundle: Option<Bundle>,
    /// Where a release.yaml was built; taken away with this.
    #[expect(dead_code, reason = "it is held, not read")]
    folder: Option<tempfile::TempDir>,
}

/// A release, or what is wrong with the release.yaml.
pub(super) enum Opened {
    Side(Box<Side>),
    Findings(Vec<Finding>),
}

impl Side {
    /// # Errors
    /// `OtherLine`, `NotFound`, everything that judging a level can end with, and what requests can end with.
    pub(super) async fn open(
        args: &Args,
        which: &Which,
        current: Option<&Current>,
        now: At,
    ) -> Result<Opened> {
        let side = match (which, current) {
            (Which::Level(level), Some(current)) => of_level(args, *level, current, now).await?,
            (Which::Level(_), None) => return Err(internal("a level without a catalog")),
            (Which::Path(path), _) if path.is_dir() => of_built(build::open(path)?, None),
            (Which::Path(path), _) => {
                let fetch = args.cache.open(&args.catalog.git.connection);
                let linted = match lint::lint(path, None, &fetch, now).await? {
                    Ok(linted) => linted,
                    Err(findings) => return Ok(Opened::Findings(findings)),
                };
                let folder = tempfile::tempdir().map_err(internal)?;
                of_built(build::build(&linted, folder.path())?, Some(folder))
            }
        };
        if side.release.line != args.line {
            let what = format!("level {} is of line `{}`", side.release.level, side.release.line);
            return Err(Failure::new("OtherLine", what).hint("name that line with --line"));
        }
        Ok(Opened::Side(Box::new(side)))
    }

    pub(super) fn component(&self, name: &ComponentName) -> Option<&Component> {
        self.release.components.iter().find(|it| it.name == *name)
    }
}

impl Opened {
    /// Reports what is wrong, if anything is.
    pub(super) fn or_report(self, format: Format) -> Result<Option<Side>> {
        match self {
            Self::Side(side) => Ok(Some(*side)),
            Self::Findings(findings) => super::lint::report(&findings, format).map(|()| None),
        }
    }
}

/// The descriptor alone is the catalog's; whoever reads the bundle judges it first.
async fn of_level(args: &Args, level: Level, current: &Current, now: At) -> Result<Side> {
    let hint =
        "`publisher release list` lists its levels; give the path of a release.yaml or of a built release";
    let (release, digest) = published_level(current, &args.line, level, hint)?;
    let side = Side { release, digest, bundle: None, folder: None };
    if !args.objects {
        return Ok(side);
    }
    let registry = Arc::new(args.catalog.git.connection.registry()?);
    let elsewhere = args.registry.as_deref();
    let place = vouched_release(&registry, current, side.release.clone(), elsewhere, now).await?.repository;
    Ok(Side { bundle: Some(Bundle::Published(registry, place)), ..side })
}

fn of_built(built: Built, folder: Option<tempfile::TempDir>) -> Side {
    let digest = Digest::of(&built.descriptor);
    Side { release: built.release, digest, bundle: Some(Bundle::Built(built.layout)), folder }
}
