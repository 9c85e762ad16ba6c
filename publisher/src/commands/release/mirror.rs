//! `publisher release mirror`: levels with all that belongs to them, byte for byte, in a registry of the customer's.
//! Safe to kill and run again at any moment.

use std::sync::Arc;

use pdp_policies::trust::Vouchers;
use pdp_policies::{At, Level, Line};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{self, Format, say};
use pdp_transport::oci::{Registry, Repository};
use serde_json::{Value, json};

use super::publish::target;
use super::vouched::{Vouched, vouched};
use crate::catalog::{CatalogArgs, Current};
use crate::commands::blocking;
use crate::mirror::{self, Inventory, Item, Tag};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The levels; promoted ones of the catalog.
    #[arg(required = true)]
    levels: Vec<Level>,
    /// The release line.
    #[arg(long)]
    line: Line,
    /// Where to copy to: what data planes have as `spec.mirror`.
    #[arg(long, value_name = "HOST[:PORT][/PREFIX]")]
    to: String,
    /// `host[:port][/prefix]` to read bundles and images from instead of the hosts that the release names.
    #[arg(long, env = "PUBLISHER_REGISTRY", value_name = "HOST")]
    registry: Option<String>,
    /// Only list what the mirror lacks; exits with 1 if that is anything.
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    catalog: CatalogArgs,
}

/// What was looked at, and what the mirror lacks of it.
struct Lacking {
    levels: Vec<Vouched>,
    inventory: Inventory,
    items: Vec<Item>,
    tags: Vec<Tag>,
}

pub(crate) async fn run(mut args: Args, format: Format, now: At) -> Result<u8> {
    args.levels.sort_unstable();
    args.levels.dedup();
    target("mirror.example/x", Some(&args.to))?;
    let registry = Arc::new(args.catalog.git.connection.registry()?);
    let (current, args) = blocking(move || Ok((Current::fetch(&args.catalog, now)?, args))).await?;
    let lacking = look(&registry, &current, &args, now).await?;
    if args.dry_run {
        return listed(&lacking, &args.to, format);
    }
    mirror::bring(&registry, lacking.items.clone()).await?;
    for tag in &lacking.tags {
        mirror::tag(&registry, tag).await?;
    }
    prove(&registry, &current, &args, &lacking, now).await?;
    done(&registry, &lacking, &args.to, format)
}

/// Everything is judged before anything is copied.
async fn look(registry: &Arc<Registry>, current: &Current, args: &Args, now: At) -> Result<Lacking> {
    let elsewhere = args.registry.as_deref();
    let keys = mirror::Keys {
        releases: Vouchers::of(&current.catalog),
        statements: Vouchers::of_statements(&current.catalog),
    };
    let way = |name: &str| Ok((target(name, elsewhere)?, target(name, Some(&args.to))?));
    let (mut levels, mut inventory) = (Vec::new(), Inventory::default());
    for level in &args.levels {
        let level = vouched(registry, current, (&args.line, *level), elsewhere, now).await?;
        if current
            .catalog
            .channel(&args.line)
            .is_some_and(|it| it.withdrawn.contains_key(&level.release.level))
        {
            say(&format!("◎ level {} is withdrawn: nobody starts it any more", level.release.level));
        }
        levels.push(level);
    }
    for Vouched { release, repository } in &levels {
        mirror::listed(registry, (release, repository, &keys), way, &mut inventory).await?;
    }
    let tags = mirror::untagged(registry, &inventory.tags).await?;
    let items = mirror::lacking(registry, inventory.items()).await?;
    mirror::absent(registry, items.clone()).await?;
    Ok(Lacking { levels, inventory, items, tags })
}

/// As a data plane looks at the mirror, and further: every part and every blob is asked for.
async fn prove(
    registry: &Arc<Registry>,
    current: &Current,
    args: &Args,
    lacking: &Lacking,
    now: At,
) -> Result<()> {
    say("◎ looking at all of it in the mirror");
    for level in &args.levels {
        vouched(registry, current, (&args.line, *level), Some(&args.to), now).await?;
    }
    let missing = mirror::lacking(registry, lacking.inventory.items()).await?;
    if missing.is_empty() {
        return Ok(());
    }
    let lines: Vec<_> = missing.iter().map(ToString::to_string).collect();
    Err(Failure::new("MirrorIncomplete", format!("{} has lost {} thing(s)", args.to, missing.len()))
        .cause(lines.join("\n"))
        .hint("the registry took them and hasn't got them: does it delete by age? Then run this again")
        .exit(exit::NEGATIVE))
}

fn listed(lacking: &Lacking, to: &str, format: Format) -> Result<u8> {
    let lines = lacking.items.iter().map(ToString::to_string);
    let lines: Vec<_> = lines.chain(lacking.tags.iter().map(ToString::to_string)).collect();
    let text = match lines.as_slice() {
        [] => format!("✔ {to} has all {}", lacking.inventory.items().len()),
        lines => format!("◎ {to} lacks {}:\n{}", lines.len(), lines.join("\n")),
    };
    let value = json!({ "to": to, "levels": levels(lacking, to), "lacking": lines });
    output::print(format, &value, &text)?;
    Ok(if lines.is_empty() { exit::DONE } else { exit::NEGATIVE })
}

fn done(registry: &Registry, lacking: &Lacking, to: &str, format: Format) -> Result<u8> {
    let (all, copied) = (lacking.inventory.items().len(), lacking.items.len());
    let names: Vec<_> = lacking.levels.iter().map(|it| it.release.level.to_string()).collect();
    let text = format!(
        "✔ level {} in {to}: {copied} things copied, {} were there; every manifest, part, blob and signature is there",
        names.join(", "),
        all - copied
    );
    let value = json!({
        "to": to, "levels": levels(lacking, to), "copied": copied, "alreadyThere": all - copied,
        "tagged": lacking.tags.len(), "traffic": registry.traffic(),
    });
    output::print(format, &value, &text)?;
    Ok(exit::DONE)
}

fn levels(lacking: &Lacking, to: &str) -> Vec<Value> {
    let place = |named: &str| target(named, Some(to)).map(|it: Repository| it.to_string()).ok();
    let value = |Vouched { release, .. }: &Vouched| {
        let repository = place(&release.bundle.repository);
        json!({ "level": release.level, "digest": release.bundle.digest, "repository": repository })
    };
    lacking.levels.iter().map(value).collect()
}
