//! What shells and `man` want to know of a program: completions, man pages, the reference. Hidden commands stay hidden.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Command};
use serde_json::json;

use super::failure::{Failure, Result, internal};
use super::output::{Format, print, raw};
use super::{exit, reference};
use crate::files;

/// Commands of every program.
#[derive(Debug, clap::Subcommand)]
pub enum Shell {
    /// Prints completions for a shell: `source <(PROGRAM completions bash)`.
    Completions {
        /// The shell.
        #[arg(value_enum)]
        shell: Kind,
    },
    /// Writes man pages, one for each command, into a folder that `MANPATH` can name.
    Man {
        /// The folder; made if it isn't there.
        #[arg(value_name = "DIR")]
        folder: PathBuf,
    },
    /// Prints this reference as Markdown.
    #[command(hide = true)]
    Reference,
}

/// Shells that have completions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// GNU Bash.
    Bash,
    /// Zsh.
    Zsh,
    /// Fish.
    Fish,
}

/// Does what `command` says for the program `root`, which people start as `program`.
///
/// # Errors
/// `Io`, `DiskFull`, `NotPrinted`.
pub fn run(command: &Shell, root: &Command, program: &'static str, format: Format) -> Result<u8> {
    match command {
        Shell::Completions { shell } => raw(&completions(*shell, root, program)?)?,
        Shell::Man { folder } => write(folder, root, program, format)?,
        Shell::Reference => raw(&reference::markdown(root))?,
    }
    Ok(exit::DONE)
}

fn completions(shell: Kind, root: &Command, program: &'static str) -> Result<String> {
    let (mut shown, mut script) = (shown(root).name(program), Vec::new());
    let shell = match shell {
        Kind::Bash => clap_complete::Shell::Bash,
        Kind::Zsh => clap_complete::Shell::Zsh,
        Kind::Fish => clap_complete::Shell::Fish,
    };
    clap_complete::generate(shell, &mut shown, program, &mut script);
    String::from_utf8(script).map_err(internal)
}

fn write(folder: &Path, root: &Command, program: &'static str, format: Format) -> Result<()> {
    let pages = pages(root, program)?;
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::from(crate::Error::io(format!("make {}", folder.display()), &error)))?;
    for (name, page) in &pages {
        files::write_atomic(&folder.join(name), page)?;
    }
    let names: Vec<_> = pages.iter().map(|(name, _)| name).collect();
    print(format, &json!({ "pages": names }), &format!("✔ {} man pages in {}", names.len(), folder.display()))
}

/// File name and text of a page for each command; no time gets into them.
fn pages(root: &Command, program: &'static str) -> Result<Vec<(String, Vec<u8>)>> {
    let mut root = shown(root).name(program).disable_help_subcommand(true);
    root.build();
    let mut all = Vec::new();
    page(&root, program, &mut all)?;
    Ok(all)
}

fn page(command: &Command, path: &str, all: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).title(path).render(&mut text).map_err(internal)?;
    all.push((format!("{path}.1"), text));
    for sub in command.get_subcommands() {
        page(sub, &format!("{path}-{}", sub.get_name()), all)?;
    }
    Ok(())
}

/// The same without what is hidden, which `clap_complete` would show.
fn shown(command: &Command) -> Command {
    let subs = command.get_subcommands().filter(|sub| !sub.is_hide_set()).map(shown);
    let args: Vec<_> = command.get_arguments().filter(|arg| !arg.is_hide_set()).cloned().collect();
    // A group must not name what is left out.
    let is_whole = |group: &&ArgGroup| group.get_args().all(|id| args.iter().any(|arg| arg.get_id() == id));
    let groups: Vec<_> = command.get_groups().filter(is_whole).cloned().collect();
    let mut like = Command::new(command.get_name().to_owned())
        .args(args)
        .groups(groups)
        .subcommands(subs)
        .subcommand_required(command.is_subcommand_required_set());
    like = command.get_version().map(str::to_owned).into_iter().fold(like, Command::version);
    like = command.get_after_help().cloned().into_iter().fold(like, Command::after_help);
    like = command.get_about().cloned().into_iter().fold(like, Command::about);
    command.get_long_about().cloned().into_iter().fold(like, Command::long_about)
}
