//! The ground itself: programs are built, found, run by the world's clock, and heard.

use std::process::Command;

use pdp_e2e::{Program, Running, World, wait_for};

#[test]
fn both_programs_are_found_and_answer() {
    for program in [Program::Publisher, Program::PdpSync] {
        let output = program.command().unwrap().arg("--version").output().unwrap();
        assert!(output.status.success(), "{}", program.name());
        assert!(String::from_utf8_lossy(&output.stdout).contains(program.name()), "{}", program.name());
    }
}

#[test]
fn the_worlds_clock_reaches_programs_that_run_once_and_in_the_background() {
    let mut world = World::start().unwrap();
    world.release(40, "emergency").unwrap();
    world.open(40, &["general=100"]).unwrap();
    world.now = Some("2030-01-01T00:00:00Z".to_owned());
    let once = world.data_plane("acme", "once", "general", "").unwrap();
    let running = world.data_plane("acme", "running", "general", "  interval: 1s\n").unwrap();
    once.pass(&world, &[]).unwrap();
    let mut process = running.start(&world).unwrap();
    wait_for("a status", || running.status().is_ok()).unwrap();
    for plane in [&once, &running] {
        let status = plane.status().unwrap();
        assert!(
            status["observedAt"].as_str().is_some_and(|time| time.starts_with("2030-01-01")),
            "{status:#}"
        );
        assert_eq!(plane.level(), None, "a catalog that expired years ago starts nothing");
    }
    assert_eq!(process.code(), None, "still there");
    process.kill();
}

#[test]
fn a_process_is_heard_and_ends_with_its_handle() {
    let folder = tempfile::tempdir().unwrap();
    let mut shell = Command::new("sh");
    shell.args(["-c", "echo data; echo words >&2; exec sleep 600"]);
    let process = Running::start(shell, folder.path().join("shell.log")).unwrap();
    wait_for("its words", || process.stderr() == "words\n").unwrap();
    assert_eq!(process.stdout(), "data\n");
    let alive = format!("/proc/{}", process.id());
    assert!(std::fs::exists(&alive).unwrap());
    drop(process);
    assert!(!std::fs::exists(&alive).unwrap());
    let mut shell = Command::new("sh");
    shell.args(["-c", "exit 7"]);
    let mut process = Running::start(shell, folder.path().join("other.log")).unwrap();
    wait_for("its end", || process.code() == Some(7)).unwrap();
}

#[test]
fn waiting_in_vain_is_an_error_that_names_what_was_waited_for() {
    let waited = pdp_e2e::wait_at_most(std::time::Duration::ZERO, "the end of days", || false);
    assert!(waited.unwrap_err().to_string().contains("the end of days"));
}
