//! `kubectl pdp`: what people ask and do about a data plane's subscription, in the cluster.
//!
//! Each command fetches, says it with pure functions on what was fetched, prints or patches. It decides nothing that
//! pdp-sync decides, and never prints what is private in a Secret.

mod approval;
mod cluster;
mod history;
mod plan;
mod policy;
mod reconcile;
mod remedy;
mod report;
mod request;
mod resume;
mod rollback;
mod secrets;
mod seen;
mod status;
mod suspend;
mod table;
#[cfg(test)]
pub(crate) mod testing;
mod trust;
mod verify;
mod when;
mod why;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use pdp_policies::instruction::ApprovalDecision;
use pdp_transport::cli::failure::{Result, internal};
use pdp_transport::cli::log::LogFormat;
use pdp_transport::cli::output::Format;
use pdp_transport::cli::shell::{self, Shell};
use pdp_transport::cli::{explain, log, start};

/// Where a data plane stands, why it isn't further, and what a person can do about it.
#[derive(Debug, Parser)]
#[command(version = crate::zones::version(), name = "kubectl pdp", bin_name = "kubectl pdp")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows where data planes stand. Several at once as a table, one in detail.
    Status(status::Args),
    /// Says why a data plane isn't further, who can change that, and when. Exit code 1 if a person is needed.
    Why(why::Args),
    /// Says when levels can start: what is in the way of each now, and what is later.
    When(when::Args),
    /// Shows what was installed when, what became of it, and on whose word the newest decision stands.
    History(history::Args),
    /// Proves that Flux applies what was decided, digest by digest. Exit code 1, 11 or 16 if something differs.
    Verify(verify::Args),
    /// Shows what the next start would change. Exit code 1 if something would change.
    Plan(plan::Args),
    /// Prints the last report, for data planes that wait for this one and aren't told by a server.
    Report(report::Args),
    /// Asks pdp-sync to look now, and waits until it has.
    Reconcile(reconcile::Args),
    /// Goes back to the last good level, which holds until a person lets go.
    Rollback(rollback::Args),
    /// Asks for approvals of the level that waits, with a signature of one's own.
    Request(approval::request::Args),
    /// Signs a person's yes to the level that waits.
    Approve(approval::decide::Args),
    /// Signs a person's no: one is enough to hold it.
    Reject(approval::decide::Args),
    /// Holds levels above one, or all but security releases, until a time.
    Pin(policy::pin::Args),
    /// Takes the pin away.
    Unpin(policy::unpin::Args),
    /// Lets nothing start between two times.
    Freeze(policy::freeze::Args),
    /// Ends the freezes that are in force, or those of one reason.
    Unfreeze(policy::unfreeze::Args),
    /// Lets pdp-sync do nothing; what runs keeps running.
    Suspend(suspend::Args),
    /// Lets pdp-sync go on, and waits until it has looked.
    Resume(resume::Args),
    /// What this data plane trusts and has seen.
    #[command(subcommand)]
    Trust(trust::Command),
    /// Says what a code means, what usually brings it about, and what to do next.
    Explain {
        #[command(flatten)]
        args: explain::Args,
        /// How the answer is printed.
        #[arg(short, long, value_enum, default_value = "table")]
        output: Format,
    },
    #[command(flatten)]
    Shell(Shell),
}

/// What has names for `-o name`.
const NAMED: &[&str] = &["explain", "status"];

/// Which subscription, in which cluster, and how the answer is printed.
#[derive(Debug, Clone, clap::Args)]
struct Common {
    /// The subscription; the only one there if absent.
    name: Option<String>,
    /// Its namespace; the kubeconfig's own if absent.
    #[arg(short, long)]
    namespace: Option<String>,
    /// Looks in all namespaces.
    #[arg(short = 'A', long, conflicts_with_all = ["namespace", "name"])]
    all_namespaces: bool,
    /// The kubeconfig's context; its current one if absent.
    #[arg(long)]
    context: Option<String>,
    /// The kubeconfig; `KUBECONFIG` or `~/.kube/config` if absent.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// How the answer is printed.
    #[arg(short, long, value_enum, default_value = "table")]
    output: Format,
}

/// The program `kubectl pdp`, from its arguments to its exit code.
pub fn main() -> ExitCode {
    let (cli, format) = match start::parse::<Cli>(NAMED) {
        Ok(parsed) => parsed,
        Err(done) => return done,
    };
    // What goes wrong is told once, as a failure.
    log::to_stderr(LogFormat::Text, "off");
    start::end(format, block_on(run(cli.command)).and_then(|code| code))
}

fn block_on<T>(future: impl Future<Output = T>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(internal)?;
    Ok(runtime.block_on(future))
}

async fn run(command: Command) -> Result<u8> {
    match command {
        Command::Status(args) => status::run(&args).await,
        Command::Why(args) => why::run(&args).await,
        Command::When(args) => when::run(&args).await,
        Command::History(args) => history::run(&args).await,
        Command::Verify(args) => verify::run(&args).await,
        Command::Plan(args) => plan::run(&args).await,
        Command::Report(args) => report::run(&args).await,
        Command::Reconcile(args) => reconcile::run(&args).await,
        Command::Rollback(args) => rollback::run(&args).await,
        Command::Request(args) => approval::request::run(&args).await,
        Command::Approve(args) => approval::decide::run(&args, ApprovalDecision::Approve).await,
        Command::Reject(args) => approval::decide::run(&args, ApprovalDecision::Reject).await,
        Command::Pin(args) => policy::pin::run(&args).await,
        Command::Unpin(args) => policy::unpin::run(&args).await,
        Command::Freeze(args) => policy::freeze::run(&args).await,
        Command::Unfreeze(args) => policy::unfreeze::run(&args).await,
        Command::Suspend(args) => suspend::run(&args).await,
        Command::Resume(args) => resume::run(&args).await,
        Command::Trust(command) => trust::run(command).await,
        Command::Explain { args, output } => explain::run(&args, output),
        Command::Shell(command) => shell::run(&command, &Cli::command(), "kubectl-pdp", Format::Table),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_names_is_a_command() {
        assert_eq!(start::strangers(&Cli::command(), NAMED), [""; 0]);
    }
}
