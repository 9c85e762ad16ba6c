//! `publisher key`.

mod ceremony;
mod export;
mod new;
mod show;

use clap::Subcommand;
use pdp_policies::At;
use pdp_transport::cli::failure::Result;
use pdp_transport::cli::output::Format;

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// The first trust: with `--out` all keys on one machine, else step by step by people in different places.
    Ceremony(ceremony::Args),
    /// Makes one more key.
    New(new::Args),
    /// Writes a private key without its password, for the channel server.
    Export(export::Args),
    /// Prints ids and public keys.
    Show(show::Args),
}

pub(crate) fn run(command: Key, format: Format, now: At) -> Result<u8> {
    match command {
        Key::Ceremony(args) => ceremony::run(&args, format, now),
        Key::New(args) => new::run(&args, format),
        Key::Export(args) => export::run(&args, format),
        Key::Show(args) => show::run(&args, format),
    }
}
