//! Every command of docs/keys.md does what the page says, in its order.

use std::path::Path;
use std::process::Command;

use pdp_e2e::{Finished, Program, World};

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/keys.md");
    std::fs::read_to_string(path).unwrap()
}

/// The contents of all fenced blocks of a kind, in order.
pub(crate) fn blocks<'a>(page: &'a str, kind: &str) -> Vec<&'a str> {
    let begin = format!("```{kind}\n");
    page.split(&begin).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// A line as a shell runs it, in the world's folder.
pub(crate) fn shell(world: &World, line: &str) -> Finished {
    let publisher = world.command(Program::Publisher).unwrap();
    let folder = Path::new(publisher.get_program()).parent().unwrap().to_path_buf();
    let mut shell = world.within(Command::new("sh"));
    let path = std::env::var("PATH").unwrap();
    shell
        .args(["-c", line])
        .env("PATH", format!("{}:{path}", folder.display()))
        .stdin(std::process::Stdio::null());
    let output = shell.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Finished { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
}

/// What people read out to each other before this line is typed.
fn digest(world: &World, line: &str) -> String {
    let (shown, field) = match line.contains("key ceremony") {
        true => ("publisher key ceremony status start.json join-*.json -o json".to_owned(), "draft"),
        false => {
            let branch = line.split_whitespace().find(|word| word.starts_with("proposals/")).unwrap();
            (format!("publisher catalog proposals show {branch} -o json"), "digest")
        }
    };
    let shown = shell(world, &shown);
    let value: serde_json::Value =
        serde_json::from_str(&shown.stdout).unwrap_or_else(|_| panic!("{}", shown.stderr));
    value[field].as_str().unwrap().to_owned()
}

#[test]
fn every_command_about_keys_works_as_the_page_says() {
    let world = World::prepare(Default::default(), false).unwrap();
    let page = page();
    std::fs::create_dir_all(world.path("vendor")).unwrap();
    std::fs::write(world.path("plan.yaml"), blocks(&page, "yaml")[0]).unwrap();
    let lines: Vec<_> = blocks(&page, "sh").into_iter().flat_map(str::lines).collect();
    assert!(lines.len() > 50, "{} lines", lines.len());
    for line in lines {
        let line = line.split(" #").next().unwrap();
        let line = match line.contains("--expect DIGEST") {
            true => line.replace("--expect DIGEST", &format!("--expect {}", digest(&world, line))),
            false => line.to_owned(),
        };
        let finished = shell(&world, &line);
        assert!(finished.ok(), "{line}: {}", finished.stderr);
        assert!(!finished.stderr.contains(" waits: "), "{line}: {}", finished.stderr);
    }
    let plane = world.data_plane("acme", "prod", "general", "").unwrap();
    plane.pass(&world, &[]).unwrap();
    assert_eq!(plane.status().unwrap()["catalog"]["state"], "fresh");
}
