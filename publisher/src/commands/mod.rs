//! All commands; each lives in a file of its own and returns its exit code.

mod catalog;
mod channel;
mod doctor;
mod exposure;
mod key;
mod org;
mod pdp;
pub(crate) mod release;
mod rollout;

use clap::{CommandFactory, Subcommand};
use pdp_policies::At;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};
use pdp_transport::cli::shell::{self, Shell};
use pdp_transport::cli::{exit, explain};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Keys and the first trust.
    #[command(subcommand)]
    Key(key::Key),
    /// Releases: from a folder to what PDPs may take.
    #[command(subcommand)]
    Release(release::Release),
    /// The channel: what is promoted, opened, stopped.
    #[command(subcommand)]
    Channel(channel::Channel),
    /// The catalog: merge proposals, keep it fresh.
    #[command(subcommand)]
    Catalog(catalog::Catalog),
    /// Organizations and their rings (channel server).
    #[command(subcommand)]
    Org(org::Org),
    /// Data planes (channel server).
    #[command(subcommand)]
    Pdp(pdp::Pdp),
    /// Rollouts (channel server).
    #[command(subcommand)]
    Rollout(rollout::Rollout),
    /// Looks before the night whether a release could go out now: roles, keys, hosts, rights, clocks, space, Helm.
    Doctor(doctor::Args),
    /// Says which data planes are open to what, by when it has to be fixed, and which level helps most.
    Exposure(exposure::Args),
    /// Prints the exit codes.
    ExitCodes,
    /// Says what a code of an error or finding means, what usually brings it about, and what to do next.
    Explain(explain::Args),
    #[command(flatten)]
    Shell(Shell),
}

/// What has names for `-o name`.
pub(crate) const NAMED: &[&str] = &[
    "catalog artifact list",
    "catalog director list",
    "catalog keys",
    "catalog proposals list",
    "catalog proposals show",
    "catalog statement list",
    "channel show",
    "exit-codes",
    "explain",
    "key show",
    "org list",
    "pdp list",
    "pdp show",
    "release list",
    "release show",
    "rollout list",
];

pub(crate) async fn run(command: Command, format: Format, now: At) -> Result<u8> {
    match command {
        Command::Key(command) => key::run(command, format, now),
        Command::Release(command) => release::run(command, format, now).await,
        Command::Channel(command) => channel::run(command, format, now).await,
        Command::Catalog(command) => catalog::run(command, format, now).await,
        Command::Org(command) => org::run(command, format).await,
        Command::Pdp(command) => pdp::run(command, format).await,
        Command::Rollout(command) => rollout::run(command, format).await,
        Command::Doctor(args) => doctor::run(args, format, now).await,
        Command::Exposure(args) => exposure::run(args, format, now).await,
        Command::ExitCodes => exit_codes(format),
        Command::Explain(args) => explain::run(&args, format),
        Command::Shell(command) => shell::run(&command, &crate::Cli::command(), "publisher", format),
    }
}

/// Git blocks; the runtime's own threads must not.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(pdp_transport::cli::failure::internal)?
}

fn exit_codes(format: Format) -> Result<u8> {
    let lines: Vec<_> = exit::TABLE.iter().map(|(code, meaning)| format!("{code:>3}  {meaning}")).collect();
    output::list(format, &exit::TABLE, exit::TABLE.iter().map(|(code, _)| code), &lines.join("\n"))?;
    Ok(exit::DONE)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_has_names_is_a_command_and_prints_them() {
        let root = crate::Cli::command();
        assert_eq!(pdp_transport::cli::start::strangers(&root, NAMED), [""; 0]);
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/commands");
        // Those whose files have other names.
        let file = |path: &str| match path {
            "exit-codes" => "mod".to_owned(),
            "catalog artifact list" | "catalog director list" | "catalog statement list" => {
                "catalog/key_list/list".to_owned()
            }
            "catalog proposals list" | "catalog proposals show" => "catalog/proposals".to_owned(),
            path => path.replace(' ', "/"),
        };
        for path in NAMED.iter().filter(|path| **path != "explain") {
            let file = folder.join(format!("{}.rs", file(path)));
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(text.contains("output::list("), "`{path}`: {}", file.display());
        }
    }
}
