//! The commands in the documentation exist, with the flags that stand there.

use std::collections::BTreeMap;
use std::path::Path;

use pdp_e2e::{Program, World};

/// All commands of our programs in fenced `sh` blocks, with continued lines joined and comments cut.
fn commands() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files: Vec<_> =
        std::fs::read_dir(root.join("docs")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.push(root.join("README.md"));
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|e| e == "md")) {
        let text = std::fs::read_to_string(file).unwrap();
        for block in text.split("```sh\n").skip(1) {
            let block = block.split("```").next().unwrap().replace("\\\n", " ");
            for line in block.lines() {
                let line = line.split(" #").next().unwrap().trim();
                if ["publisher ", "channel-server ", "pdp-sync "].iter().any(|name| line.starts_with(name)) {
                    found.push((file.display().to_string(), line.to_owned()));
                }
            }
        }
    }
    found
}

#[test]
fn every_command_in_the_docs_is_one_that_the_programs_know() {
    let world = World::start().unwrap();
    let mut helps = BTreeMap::<Vec<String>, String>::new();
    let commands = commands();
    assert!(commands.len() > 30, "{} commands", commands.len());
    for (file, line) in commands {
        let words: Vec<_> = line.split_whitespace().map(str::to_owned).collect();
        let program = match words[0].as_str() {
            "publisher" => Program::Publisher,
            "channel-server" => Program::ChannelServer,
            _ => Program::PdpSync,
        };
        let path: Vec<_> = words.iter().take_while(|word| !word.starts_with('-')).cloned().collect();
        // Arguments follow the subcommands: the longest beginning that has a help of its own is the command.
        let help = (1..=path.len().min(4)).rev().find_map(|length| {
            let name = path[..length].to_vec();
            if let Some(help) = helps.get(&name) {
                return Some(help.clone());
            }
            let mut args: Vec<_> = name[1..].iter().map(String::as_str).collect();
            args.push("--help");
            let shown = world.run(program, &args, &[]).unwrap();
            let mine = shown.ok() && shown.stdout.contains(&format!("Usage: {}", name.join(" ")));
            mine.then(|| {
                helps.insert(name, shown.stdout.clone());
                shown.stdout
            })
        });
        let help = help.unwrap_or_else(|| panic!("{file}: no such command: {line}"));
        let usage = help.lines().find(|line| line.starts_with("Usage: ")).unwrap();
        assert!(!usage.ends_with("<COMMAND>"), "{file}: not a whole command: {line}");
        for flag in words.iter().filter(|word| word.starts_with("--")) {
            assert!(help.contains(flag.as_str()), "{file}: `{flag}` is unknown: {line}");
        }
    }
}
