//! `publisher catalog director revoke`, and the same of `artifact` and `statement`.

use pdp_policies::{At, KeyPurpose};
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{Format, say};

use super::lost::{self, Lost};
use super::{Change, given, listed};
use crate::catalog::Current;
use crate::commands::blocking;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    of: given::GivenArgs,
    /// Revoke it though promoted levels have no other signature, or lie where nobody can look at them now: no data plane
    /// installs what has none any more, and Flux fails its sources wherever it has to verify them again.
    #[arg(long)]
    levels_lost: bool,
    /// `host[:port][/prefix]` to look for signatures instead of the host that each release names, or that it moved to.
    #[arg(long, env = "PUBLISHER_REGISTRY", value_name = "HOST")]
    registry: Option<String>,
}

/// Nothing that runs depends on it.
pub(super) fn plain(purpose: KeyPurpose, args: &given::GivenArgs, format: Format, now: At) -> Result<u8> {
    let keys = args.keys.unlock()?;
    let current = Current::fetch(&args.catalog, now)?;
    let before = listed(&current, purpose);
    let given = given::find(before, &args.key)?;
    let change = Change { purpose, verb: "revoked", id: &given.id };
    let list = before.revoke(&given.der).map_err(|why| change.refused(why))?;
    change.propose(&current, &args.catalog, &list, &keys, format, now)
}

pub(super) async fn artifact(args: Args, format: Format, now: At) -> Result<u8> {
    let keys = args.of.keys.unlock()?;
    let catalog = args.of.catalog;
    let registry = catalog.git.connection.registry()?;
    let (current, catalog) = blocking(move || Ok((Current::fetch(&catalog, now)?, catalog))).await?;
    let purpose = KeyPurpose::Artifact;
    let before = listed(&current, purpose);
    let given = given::find(before, &args.of.key)?;
    let revoked = before.revoke(&given.der);
    let change = Change { purpose, verb: "revoked", id: &given.id };
    let list = revoked.map_err(|why| change.refused(why))?;
    let lost = lost::lost(&current, &list, registry, args.registry.as_deref(), now).await?;
    agreed(lost, args.levels_lost)?;
    blocking(move || {
        let change = Change { purpose, verb: "revoked", id: &given.id };
        change.propose(&current, &catalog, &list, &keys, format, now)
    })
    .await
}

/// A level that nobody vouches for any more can't be installed, nor gone back to: only on purpose. Whoever stole the key
/// doesn't wait for a registry that is gone: neither does the revocation, on purpose.
fn agreed(lost: Vec<Lost>, on_purpose: bool) -> Result<()> {
    if lost.is_empty() {
        return Ok(());
    }
    lost.iter().for_each(|lost| say(&format!("✗ {lost}")));
    if on_purpose {
        say(
            "⚠ they are lost, as far as can be seen: no data plane installs what has no other signature, and Flux fails its \
             sources when it verifies them again",
        );
        return Ok(());
    }
    let levels: Vec<_> = lost.iter().map(|it| it.level.to_string()).collect();
    if let Some(unseen) = lost.into_iter().find_map(|it| it.unseen) {
        return Err(unseen.hint(
            "nothing was revoked: name the registry that has them with --registry; if it is gone, say --levels-lost, which \
             counts what can't be looked at as lost",
        ));
    }
    Err(Failure::new("LevelsLost", format!("level {} would be lost", levels.join(", ")))
        .cause("no signature would count for what is named above")
        .hint(
            "add another key and publish it, then `publisher release resign --all --key NEW`, then revoke; or say \
             --levels-lost",
        ))
}
