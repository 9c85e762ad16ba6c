//! `publisher key`.

mod ceremony;
mod show;

use clap::Subcommand;
use pdp_policies::At;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::Format;

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Makes all keys of a vendor and the first signed catalog.
    Ceremony(ceremony::Args),
    /// Prints ids and public keys.
    Show(show::Args),
}

pub(crate) fn run(command: Key, format: Format, now: At) -> Result<u8> {
    match command {
        Key::Ceremony(args) => ceremony::run(&args, format, now),
        Key::Show(args) => show::run(&args, format),
    }
}
