//! `publisher rollout halt-everything` and `resume-everything`: one brake for all rollouts of all lines.

use pdp_transport::channel_server::{EverythingOrder, EverythingView};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::{self, Format};

use crate::server::ChangeServerArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Why, for the event log.
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    server: ChangeServerArgs,
}

/// Halts, or resumes.
pub(crate) async fn run(args: &Args, verb: &str, format: Format) -> Result<u8> {
    let order = EverythingOrder { reason: args.reason.clone() };
    let desk = args.server.open()?;
    let view: EverythingView = match args.server.only_says(&format!("`{verb}` of everything would be sent")) {
        true => desk.get("v1/everything").await?,
        false => desk.post(&format!("v1/everything/{verb}"), &order).await?,
    };
    output::print(format, &view, &text(&view))?;
    Ok(exit::DONE)
}

fn text(view: &EverythingView) -> String {
    let why = view.cause.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
    match (view.halted, &view.resume_asked) {
        (None, _) => "✔ rollouts go on".to_owned(),
        (Some(at), None) => {
            format!("✔ everything is halted since {at}{why}: nothing starts anywhere until two people resume")
        }
        (Some(at), Some(by)) => {
            format!("◎ everything is halted since {at}{why}; {by} asked to resume, a second person is needed")
        }
    }
}
