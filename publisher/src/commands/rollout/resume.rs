//! `publisher rollout resume`: ends a pause or a halt.

use pdp_policies::rollout::{Command, HaltScope};
use pdp_transport::channel_server::RolloutView;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::cli::output::Format;

use super::order::Order;
use super::scope::{Scope, words};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    order: Order,
    #[command(flatten)]
    scope: Scope,
    /// The halt of the whole rollout, where other halts or a pause stand beside it.
    #[arg(long, conflicts_with_all = ["ring", "organization"])]
    rollout: bool,
    /// The pause, where halts stand beside it.
    #[arg(long, conflicts_with_all = ["ring", "organization", "rollout"])]
    pause: bool,
}

/// Without a scope: the one thing that stands, a pause or a halt. A halt takes two people, one after the other.
pub(crate) async fn run(args: &Args, format: Format) -> Result<u8> {
    let view: RolloutView = args.order.server.open()?.get(&args.order.path()).await?;
    let command = match args.scope.named() {
        Some(scope) => Command::Resume { scope },
        None if args.rollout => Command::Resume { scope: HaltScope::Rollout {} },
        None if args.pause => Command::Continue {},
        None => only(&view)?,
    };
    let done = done(&view, &command);
    args.order.give(command, &done, format).await
}

fn only(view: &RolloutView) -> Result<Command> {
    match (view.paused, view.halts.as_slice()) {
        (_, []) => Ok(Command::Continue {}),
        (None, [halt]) => Ok(Command::Resume { scope: halt.scope.clone() }),
        (paused, halts) => {
            let pause = paused.map(|_| "a pause".to_owned());
            let all: Vec<_> = halts.iter().map(|halt| words(&halt.scope)).chain(pause).collect();
            Err(Failure::new("ScopeNeeded", format!("level {}: which one shall end?", view.level))
                .cause(format!("these stand: {}", all.join(", ")))
                .hint("name it: --ring, --organization, --rollout or --pause"))
        }
    }
}

fn done(view: &RolloutView, command: &Command) -> String {
    let Command::Resume { scope } = command else { return format!("level {} goes on", view.level) };
    let asked = view.halts.iter().any(|halt| halt.scope == *scope && halt.resume_asked.is_some());
    match asked {
        true => format!("{} goes on with level {}", words(scope), view.level),
        false => format!("you asked to resume {}; it takes a second person to do the same", words(scope)),
    }
}
