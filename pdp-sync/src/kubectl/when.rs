//! `kubectl pdp when`: when levels can start, as pdp-sync saw it at its last look.

use std::str::FromStr;

use pdp_policies::Level;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::print;

use super::cluster::Cluster;
use super::{Common, seen};
use crate::crd::UpdateSubscription;
use crate::when::{When, when};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The level; `all` (or none) for each that waits.
    level: Option<Asked>,
    #[command(flatten)]
    common: Common,
}

/// A level, or all of them.
#[derive(Debug, Clone, Copy)]
struct Asked(Option<Level>);

impl FromStr for Asked {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        match text {
            "all" => Ok(Self(None)),
            _ => match text.parse() {
                Ok(level) => Ok(Self(Some(Level(level)))),
                Err(_) => {
                    Err("write a level such as 42, or `all`; the subscription's name comes after it"
                        .to_owned())
                }
            },
        }
    }
}

pub(super) async fn run(args: &Args) -> Result<u8> {
    let cluster = Cluster::of(&args.common).await?;
    let of = cluster.subscription(args.common.name.as_deref()).await?;
    let asked = args.level.and_then(|asked| asked.0);
    let answer = answer(&of, asked);
    print(args.common.output, &answer, &answer.text())?;
    Ok(answer.exit(asked))
}

fn answer(of: &UpdateSubscription, asked: Option<Level>) -> When {
    let status = seen::status(of);
    when(seen::id(of).to_string(), status.level, &status.candidates, asked)
}
