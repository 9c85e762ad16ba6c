//! A test process that is killed leaves nothing behind.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use pdp_e2e::cluster::{Cluster, Flux, Part, tools};
use pdp_e2e::wait_for;

use crate::scenario::Scenario;

/// Set for the process that is to be killed.
const HOLD: &str = "E2E_HOLD";

/// Within the process that is to be killed: a cluster, held for ever. Nothing to do in any other.
#[test]
fn holds_a_cluster() {
    if std::env::var_os(HOLD).is_none() {
        return;
    }
    let cluster = Cluster::start_bare(tools(), Flux::Missing).unwrap();
    let pid = |part| cluster.pid(part).unwrap();
    println!("\nheld {} {} {}", pid(Part::Etcd), pid(Part::ApiServer), cluster.folder().display());
    loop {
        std::thread::park();
    }
}

#[test]
fn nothing_outlives_a_killed_test_process() {
    let tools = tools();
    let _scenario = Scenario::begin("a killed test process leaves no process and no folder");
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "reaper::holds_a_cluster", "--nocapture"]).env(HOLD, "1");
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let held = lines.filter_map(|line| line.strip_prefix("held ").map(str::to_owned)).next().unwrap();
    let [etcd, api_server, folder] = held.split(' ').collect::<Vec<_>>()[..] else { panic!("{held}") };
    let runs = |pid: &str, name: &str| {
        std::fs::read_to_string(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.contains(name))
    };
    assert!(runs(etcd, "etcd") && runs(api_server, "kube-apiserver") && Path::new(folder).exists());
    child.kill().unwrap();
    child.wait().unwrap();
    wait_for("etcd to end", || !runs(etcd, "etcd")).unwrap();
    wait_for("the API server to end", || !runs(api_server, "kube-apiserver")).unwrap();
    wait_for("the folder to go", || !Path::new(folder).exists()).unwrap();
    drop(tools);
}
