//! Completions and man pages: whole, without hidden commands, and shells really load them.

use std::collections::BTreeSet;
use std::process::Command;

use crate::publisher;

/// Every command that people see, as words: `release list`; groups, too.
fn commands() -> BTreeSet<Vec<String>> {
    let reference = publisher(&["reference"]).1;
    let leaves = reference.lines().filter_map(|line| line.strip_prefix("## `publisher ")?.strip_suffix('`'));
    let words = leaves.map(|path| path.split(' ').map(str::to_owned).collect::<Vec<_>>());
    words.flat_map(|path| (1..=path.len()).map(move |length| path[..length].to_vec())).collect()
}

#[test]
fn every_command_has_a_man_page_and_hidden_ones_have_none() {
    let folder = tempfile::tempdir().unwrap();
    let pages = folder.path().join("man1");
    let (exit, stdout, stderr) = publisher(&["man", pages.to_str().unwrap()]);
    assert_eq!(exit, 0, "{stdout}{stderr}");
    let found: BTreeSet<_> =
        std::fs::read_dir(&pages).unwrap().map(|it| it.unwrap().file_name().into_string().unwrap()).collect();
    let mut wanted: BTreeSet<_> =
        commands().iter().map(|words| format!("publisher-{}.1", words.join("-"))).collect();
    wanted.insert("publisher.1".to_owned());
    assert_eq!(found, wanted);
    for page in &found {
        let text = std::fs::read_to_string(pages.join(page)).unwrap();
        let name = page.trim_end_matches(".1");
        assert!(text.contains(".TH ") && text.contains(".SH SYNOPSIS"), "{page}");
        assert!(text.contains(&name.replace('-', "\\-")) || text.contains(name), "{page}: {text}");
        assert!(!text.contains("git\\-token") && !text.contains("Prints this reference"), "{page}");
    }
    // The same bytes whenever they are made.
    let before = std::fs::read(pages.join("publisher-release-list.1")).unwrap();
    publisher(&["man", pages.to_str().unwrap()]);
    assert_eq!(std::fs::read(pages.join("publisher-release-list.1")).unwrap(), before);
}

#[test]
fn completions_of_each_shell_know_every_command_and_no_hidden_one() {
    for shell in ["bash", "zsh", "fish"] {
        let (exit, script, stderr) = publisher(&["completions", shell]);
        assert_eq!(exit, 0, "{stderr}");
        for words in commands() {
            let last = words.last().unwrap();
            assert!(script.contains(last.as_str()), "{shell}: {words:?}");
        }
        assert!(!script.contains("git-token"), "{shell}");
        assert!(!script.contains("reference\"") && !script.contains("__reference"), "{shell}");
    }
}

fn bash(script: &str) -> (bool, String) {
    let output = Command::new("bash").args(["--norc", "--noprofile", "-c", script]).output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

/// What bash offers for the last of these words.
fn offered(file: &str, words: &[&str]) -> Vec<String> {
    let all = words.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let (last, before) = (words[words.len() - 1], words[words.len() - 2]);
    let script = format!(
        "source '{file}'; COMP_WORDS=({all}); COMP_CWORD={}; COMPREPLY=(); \
         _publisher publisher '{last}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words.len() - 1
    );
    let (ok, said) = bash(&script);
    assert!(ok, "{words:?}: {said}");
    said.lines().map(str::to_owned).collect()
}

#[test]
fn bash_loads_them_and_completes_commands_options_and_values() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("publisher.bash").to_str().unwrap().to_owned();
    std::fs::write(&file, publisher(&["completions", "bash"]).1).unwrap();
    assert_eq!(bash(&format!("bash -n '{file}'")), (true, String::new()));
    for (words, wanted) in [
        (&["publisher", "rel"][..], "release"),
        (&["publisher", "expl"], "explain"),
        (&["publisher", "release", "li"], "lint"),
        (&["publisher", "release", "li"], "list"),
        (&["publisher", "catalog", "proposals", "s"], "show"),
        (&["publisher", "catalog", "artifact", "rev"], "revoke"),
        (&["publisher", "channel", "open", "--ear"], "--earlier"),
        (&["publisher", "org", "list", "--output", ""], "yaml"),
    ] {
        let found = offered(&file, words);
        assert!(found.iter().any(|it| it == wanted), "{words:?}: {found:?}");
    }
    let hidden = offered(&file, &["publisher", "ref"]);
    assert!(!hidden.iter().any(|it| it == "reference"), "{hidden:?}");
}
