//! `publisher catalog publish`: the only command that makes anything visible to PDPs.

use pdp_policies::trust::Role;
use pdp_policies::{At, CatalogTree, printable};
use pdp_transport::HttpOptions;
use pdp_transport::channel_server::ChannelServer;
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format, say};
use serde_json::json;

use super::online::{OnlineArgs, to_oci};
use crate::catalog::offices::check_purposes;
use crate::catalog::{
    Afterwards, Again, ChangeArgs, Current, Ending, Online, Pending, ReadBack, afterwards, drop_unlisted,
    endings, leave_out, pending, push, read_back, tell,
};
use crate::commands::blocking;
use crate::keys::{KeyArgs, SigningKey};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    online: OnlineArgs,
    /// Address of the channel server, which is told to look at once; it looks by itself anyway.
    #[arg(long, env = "PUBLISHER_SERVER", value_name = "URL")]
    server: Option<String>,
}

pub(crate) async fn run(args: Args, format: Format, now: At) -> Result<u8> {
    let Args { online: OnlineArgs { catalog, keys, oci }, server } = args;
    let (http, registry) = (catalog.git.connection.http()?, catalog.git.connection.registry()?);
    let dry = catalog.dry;
    let published = blocking(move || merge_and_push(&catalog, &keys, now)).await?;
    let Published { merged, after: Afterwards { again, waiting, warnings }, tree, endings } = published;
    let mirrored = to_oci(&registry, oci.as_ref(), &tree, dry).await;
    if let Some(server) = server.as_ref().filter(|_| !dry.is_on()) {
        hint(server, &http).await;
    }
    for (branch, why) in &waiting {
        say(&format!("◎ `{}` waits: {}", printable(branch), printable(why)));
    }
    again.iter().for_each(|it| say(&words(it)));
    warnings.iter().for_each(|it| say(&format!("⚠ {it}")));
    tell(&endings);
    let text = match merged.as_slice() {
        [] if dry.is_on() => "✔ nothing to merge; freshness would be signed".to_owned(),
        [] => "✔ nothing to merge; freshness is signed".to_owned(),
        merged if dry.is_on() => format!("✔ would be visible: {}", merged.join(", ")),
        merged => format!("✔ visible now: {}", merged.join(", ")),
    };
    let value = json!({
        "merged": merged, "waiting": waiting, "proposedAgain": again, "warnings": warnings, "endings": endings,
    });
    output::print(format, &value, &text)?;
    // It is visible in Git, and said so: what failed is the copy alone.
    mirrored.map(|()| exit::DONE)
}

fn words(again: &Again) -> String {
    let from = printable(&again.from);
    match &again.to {
        None => format!("◎ `{from}` says what is published now: it is dropped"),
        Some(to) if again.brake => format!(
            "⚠ `{from}` STOPS something, and another one was published before it: it is proposed again as `{to}` and has no \
             signature there; sign it now (`publisher catalog sign {to}`)"
        ),
        Some(to) => format!(
            "◎ `{from}` was proposed beside what is published now: it is proposed again as `{to}`, and needs its \
             signatures again (`publisher catalog sign {to}`)"
        ),
    }
}

/// The catalog is visible already: a server that doesn't hear is no failure.
async fn hint(server: &str, http: &HttpOptions) {
    let hinted = match ChannelServer::new(server, http) {
        Ok(server) => server.catalog_changed().await,
        Err(error) => Err(error.into()),
    };
    if let Err(failure) = hinted {
        say(&format!("◎ the channel server wasn't told and will look by itself: {}", failure.code));
    }
}

/// What came of publishing.
struct Published {
    merged: Vec<String>,
    after: Afterwards,
    tree: CatalogTree,
    endings: Vec<Ending>,
}

/// The catalog with all proposals that are ready.
fn merged_tree(current: &Current, all: &[Pending]) -> Result<CatalogTree> {
    let mut tree = current.tree.clone();
    all.iter().filter(|it| it.obstacle.is_none()).try_for_each(|it| it.apply(&mut tree))?;
    drop_unlisted(&mut tree)?;
    Ok(tree)
}

/// The same with freshness over it.
fn signed_tree(current: &Current, all: &[Pending], keys: &[SigningKey], now: At) -> Result<CatalogTree> {
    let mut tree = merged_tree(current, all)?;
    Online::pick(&tree, keys)?.sign(&mut tree, now)?;
    Ok(tree)
}

/// What a data plane would say of it, and that no key has two purposes.
fn acceptable(current: &Current, tree: CatalogTree, now: At) -> Result<ReadBack> {
    check_purposes(&tree)?;
    read_back(current, tree, now)
}

/// A complete proposal that no data plane would take waits, and keeps no other one from being published: the one without
/// which the rest is good, or all of them.
fn without_the_unacceptable(
    current: &Current,
    all: Vec<Pending>,
    keys: &[SigningKey],
    now: At,
    failure: &Failure,
) -> Vec<Pending> {
    let why = format!("no data plane would take it: {}", failure.cause.as_deref().unwrap_or(&failure.what));
    let without = |out: &dyn Fn(&Pending) -> bool| {
        let mut rest = all.clone();
        leave_out(current, &mut rest, out, &why);
        rest
    };
    let good = |rest: &Vec<Pending>| {
        signed_tree(current, rest, keys, now).and_then(|tree| acceptable(current, tree, now)).is_ok()
    };
    let ready = || all.iter().rev().filter(|it| it.obstacle.is_none());
    // Whichever lies beside it comes in its place, or nothing of its role.
    let mut one_less = ready().map(|it| without(&|other| other.branch == it.branch));
    let mut role_less = ready().map(|it| without(&|other| other.role == it.role));
    one_less.find(good).or_else(|| role_less.find(good)).unwrap_or_else(|| without(&|_| true))
}

fn merge_and_push(catalog: &ChangeArgs, keys: &KeyArgs, now: At) -> Result<Published> {
    let keys = keys.unlock()?;
    let current = Current::fetch(catalog, now)?;
    let mut all = pending(&current)?;
    // By the newest root: it may have come just now, with other keys for these two. Without them it waits, not the rest.
    if let Err(failure) = Online::pick(&merged_tree(&current, &all)?, &keys) {
        leave_out(&current, &mut all, |it| it.role == Some(Role::Root), &failure.what);
    }
    let tree = signed_tree(&current, &all, &keys, now)?;
    let new = match acceptable(&current, tree, now) {
        Ok(new) => new,
        Err(failure) => {
            all = without_the_unacceptable(&current, all, &keys, now, &failure);
            // What was there before is published again whatever it is: freshness mustn't end over it.
            read_back(&current, signed_tree(&current, &all, &keys, now)?, now)?
        }
    };
    let (ready, waiting): (Vec<Pending>, Vec<Pending>) =
        all.into_iter().partition(|proposal| proposal.obstacle.is_none());
    let merged: Vec<_> = ready.iter().map(|p| p.branch.clone()).collect();
    let message = match merged.as_slice() {
        [] => "Refresh\n".to_owned(),
        merged => format!("Publish {}\n", merged.join(", ")),
    };
    push(&current, catalog, &new, &message, now)?;
    // From here on it is visible; a proposal that stays behind by a crash is only outdated.
    let after = afterwards(&current, &new.tree, &ready, waiting, catalog, now);
    let endings = endings(&new.catalog, now);
    Ok(Published { merged, after, tree: new.tree, endings })
}
