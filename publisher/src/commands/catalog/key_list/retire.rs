//! `publisher catalog director retire`, and the same of `artifact` and `statement`.

use pdp_policies::trust::Role;
use pdp_policies::{At, KeyList, KeyPurpose};
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{Format, say};
use sigstore_types::DerPublicKey;

use super::{Change, given, listed, lost};
use crate::catalog::role::OPEN_FOR;
use crate::catalog::{Current, laid_next};

pub(super) fn run(purpose: KeyPurpose, args: &given::GivenArgs, format: Format, now: At) -> Result<u8> {
    let keys = args.keys.unlock()?;
    let current = Current::fetch(&args.catalog, now)?;
    let before = listed(&current, purpose);
    let given = given::find(before, &args.key)?;
    let change = Change { purpose, verb: "retired", id: &given.id };
    let at = |at| before.retire(&given.der, at).map_err(|why| change.refused(why));
    let list = match joined(&current, purpose, &given.der, now) {
        Some((open, same)) if at(same)? == open => open,
        _ => at(now)?,
    };
    if purpose == KeyPurpose::Artifact {
        tell_unpromoted(&current)?;
    }
    change.propose(&current, &args.catalog, &list, &keys, format, now)
}

/// The list as the open proposal has it, and since when the key is out of use there: two people who run the same command
/// don't do it in the same second.
fn joined(current: &Current, purpose: KeyPurpose, key: &DerPublicKey, now: At) -> Option<(KeyList, At)> {
    let open = laid_next(current, Role::Targets).ok()?;
    let path = format!("targets/{}", purpose.file());
    let file = open.iter().find_map(|open| open.tree()?.get(&path))?;
    let file = KeyList::read(&path, file).ok()?;
    let list = if purpose == KeyPurpose::Statement { file.statements() } else { file };
    let listed = list.keys.iter().find(|listed| listed.der().as_ref() == Some(key))?;
    // Whoever may push a branch could date it before a level that this key vouches for.
    let at = listed.retired_at.filter(|at| (0..=OPEN_FOR).contains(&now.seconds_since(*at)))?;
    let newest = current.catalog.channels().flat_map(|it| it.levels.values().map(|it| it.promoted_at)).max();
    newest.is_none_or(|promoted| promoted < at).then_some((list, at))
}

/// What is published and promoted later counts only with another signature.
fn tell_unpromoted(current: &Current) -> Result<()> {
    for (line, level) in lost::unpromoted(current)? {
        say(&format!(
            "⚠ level {level} of `{line}` is published and not promoted: once the key is out of use, its signature doesn't \
             count for it; sign it with another key first (`publisher release resign {level} --line {line} --key NEW`)"
        ));
    }
    Ok(())
}
