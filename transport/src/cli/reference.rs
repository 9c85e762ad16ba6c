//! The command line reference, written by the programs themselves.

use std::fmt::Write;

/// All commands of a program with their help, as Markdown.
pub fn markdown(root: &clap::Command) -> String {
    let mut text = format!("# `{}`\n\nPrinted by the program; a test compares.\n", root.get_name());
    section(&mut text, root, root.get_name());
    text
}

fn section(text: &mut String, command: &clap::Command, path: &str) {
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set() && sub.get_name() != "help") {
        let path = format!("{path} {}", sub.get_name());
        if sub.has_subcommands() {
            section(text, sub, &path);
            continue;
        }
        let mut shown = sub.clone().bin_name(&path).term_width(100);
        let help = shown.render_long_help();
        let _ = write!(text, "\n## `{path}`\n\n```text\n{}\n```\n", help.to_string().trim_end());
    }
}
