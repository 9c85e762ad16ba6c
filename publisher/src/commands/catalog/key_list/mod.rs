//! `publisher catalog director`, `artifact` and `statement`: who may direct, who vouches for artifacts, and who makes statements
//! about them.
//!
//! Each is a list of keys in the catalog, changed by the holders of `targets`; the rules are in `policies`.

mod add;
mod given;
mod list;
mod lost;
mod retire;
mod revoke;

use std::collections::BTreeMap;

use clap::Subcommand;
use pdp_policies::trust::Role;
use pdp_policies::{At, BadKeyChange, KeyList, KeyPurpose, document};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result, internal};
use pdp_transport::cli::output::{self, Format};
use serde_json::json;

use crate::catalog::{ChangeArgs, Current, Other, propose};
use crate::commands::blocking;
use crate::keys::SigningKey;

#[derive(Debug, Subcommand)]
pub(crate) enum Director {
    /// Proposes that one more key may direct. Data planes follow it once that is published.
    Add(add::Args),
    /// Proposes that a key directs no more: nothing that it says counts from then on.
    Retire(given::GivenArgs),
    /// Proposes that a key never directs again, nor any server that holds it.
    Revoke(given::GivenArgs),
    /// Lists the director's keys.
    List(list::Args),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Artifact {
    /// Proposes that one more key vouches for artifacts.
    Add(add::Args),
    /// Proposes that a key vouches for nothing new. What was promoted before stays good.
    Retire(given::GivenArgs),
    /// Proposes that nothing that a key ever signed counts. Refused while a promoted level has no other signature.
    Revoke(revoke::Args),
    /// Lists the keys that vouch for artifacts.
    List(list::Args),
}

#[derive(Debug, Subcommand)]
pub(crate) enum Statement {
    /// Proposes that one more key signs SBOMs and VEX documents.
    Add(add::Args),
    /// Proposes that a key signs nothing new. What it stated of levels promoted before stays good.
    Retire(given::GivenArgs),
    /// Proposes that nothing that a key ever stated counts.
    Revoke(given::GivenArgs),
    /// Lists the keys that sign statements.
    List(list::Args),
}

pub(crate) async fn director(command: Director, format: Format, now: At) -> Result<u8> {
    const DIRECTOR: KeyPurpose = KeyPurpose::Director;
    match command {
        Director::Add(args) => blocking(move || add::run(DIRECTOR, &args, format, now)).await,
        Director::Retire(args) => blocking(move || retire::run(DIRECTOR, &args, format, now)).await,
        Director::Revoke(args) => blocking(move || revoke::plain(DIRECTOR, &args, format, now)).await,
        Director::List(args) => blocking(move || list::run(DIRECTOR, &args, format, now)).await,
    }
}

pub(crate) async fn artifact(command: Artifact, format: Format, now: At) -> Result<u8> {
    const ARTIFACT: KeyPurpose = KeyPurpose::Artifact;
    match command {
        Artifact::Add(args) => blocking(move || add::run(ARTIFACT, &args, format, now)).await,
        Artifact::Retire(args) => blocking(move || retire::run(ARTIFACT, &args, format, now)).await,
        Artifact::Revoke(args) => revoke::artifact(args, format, now).await,
        Artifact::List(args) => blocking(move || list::run(ARTIFACT, &args, format, now)).await,
    }
}

pub(crate) async fn statement(command: Statement, format: Format, now: At) -> Result<u8> {
    const STATEMENT: KeyPurpose = KeyPurpose::Statement;
    match command {
        Statement::Add(args) => blocking(move || add::run(STATEMENT, &args, format, now)).await,
        Statement::Retire(args) => blocking(move || retire::run(STATEMENT, &args, format, now)).await,
        Statement::Revoke(args) => blocking(move || revoke::plain(STATEMENT, &args, format, now)).await,
        Statement::List(args) => blocking(move || list::run(STATEMENT, &args, format, now)).await,
    }
}

/// The list as the catalog has it.
fn listed(current: &Current, purpose: KeyPurpose) -> &KeyList {
    match purpose {
        KeyPurpose::Director => current.catalog.director_keys(),
        KeyPurpose::Artifact => current.catalog.artifact_keys(),
        KeyPurpose::Statement => current.catalog.statement_keys(),
    }
}

/// A key and what happens to it, for messages.
struct Change<'a> {
    purpose: KeyPurpose,
    verb: &'static str,
    id: &'a str,
}

impl Change<'_> {
    /// Why the list isn't changed so.
    fn refused(&self, why: BadKeyChange) -> Failure {
        let what = format!("{} key {} isn't {}", self.purpose.name(), self.id, self.verb);
        Failure::new(why.code(), what).cause(why).hint(why.hint())
    }

    /// Proposes the changed list on `targets`, and says so.
    fn propose(
        &self,
        current: &Current,
        args: &ChangeArgs,
        list: &KeyList,
        keys: &[SigningKey],
        format: Format,
        now: At,
    ) -> Result<u8> {
        // Statement keys stand in the file of the artifact keys.
        let list = match self.purpose {
            KeyPurpose::Statement => &current.catalog.artifact_keys().with_statements(list.clone()),
            KeyPurpose::Director | KeyPurpose::Artifact => list,
        };
        let bytes = document::write(list).map_err(internal)?;
        let targets = BTreeMap::from([(self.purpose.file().to_owned(), Some(bytes))]);
        let proposed = propose(current, args, Role::Targets, &targets, Other::Stays, keys, now)
            .map_err(one_at_a_time)?;
        let Self { purpose, verb, id } = self;
        let value = json!({
            "list": purpose.name(), "key": id, "change": verb, "branch": proposed.branch,
            "signatures": proposed.signatures, "missing": proposed.missing,
        });
        output::print(format, &value, &format!("✔ {} key {id} {verb}: {proposed}", purpose.name()))?;
        Ok(exit::DONE)
    }
}

/// Two changes that each start from the published list would lose one of them.
fn one_at_a_time(failure: Failure) -> Failure {
    match failure.code.as_str() {
        "ProposalCollides" => failure.hint(
            "changes of `targets` are made one after the other: read the open one with `publisher catalog proposals \
             show`, `publisher catalog sign` and `publisher catalog publish` it (or drop it), then run this again",
        ),
        _ => failure,
    }
}
