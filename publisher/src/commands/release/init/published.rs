//! A level of the catalog becomes a folder again, where nobody has one: the descriptor says what it is, the bundle has its
//! files. What follows it begins with that folder, as with any other.

use std::sync::Arc;

use pdp_policies::{At, Level, Line};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::{Format, say};

use super::super::vouched::vouched_release;
use super::{Args, FILE, level};
use crate::applied::Bundle;
use crate::catalog::published_level;
use crate::commands::blocking;
use crate::draft;
use crate::progress::Progress;

pub(super) async fn run(args: Args, (line, from): (Line, Level), format: Format, now: At) -> Result<u8> {
    if args.level <= from {
        let what = format!("level {} shall follow {from}", args.level);
        return Err(Failure::new("LevelOrder", what).hint("levels only rise within a line"));
    }
    let (current, args) = blocking(move || Ok((args.catalog.needed(now)?, args))).await?;
    let (release, _) = published_level(&current, &line, from, "`publisher release list` lists its levels")?;
    let registry = Arc::new(args.catalog.git.connection.registry()?);
    let elsewhere = args.registry.as_deref();
    let vouched = vouched_release(&registry, &current, release, elsewhere, now).await?;
    let bundle = Bundle::Published(registry, vouched.repository);
    let progress = Progress::new("components", vouched.release.components.len());
    let mut sources = Vec::new();
    for component in &vouched.release.components {
        sources.push(bundle.files(component).await?);
        progress.step();
    }
    let file = args.folder.join(from.to_string()).join(FILE);
    if args.dry_run {
        say(&format!("◎ {}: level {from} would be taken from the catalog", file.display()));
        return Ok(exit::DONE);
    }
    draft::write_published(&args.folder, &vouched.release, &sources)?;
    say(&format!(
        "◎ {}: level {from} as the catalog has it\n  not there, so not taken over: sampleValues, rendered, drops, statements, \
         where charts were fetched, the tags of images, and the lock; `publisher release diff` says which tags moved",
        file.display()
    ));
    level::run(&args, from, format)
}
