//! The customer's approvals: signed with plain `ssh-keygen`, counted by distinct people, bound to content.

use std::path::Path;
use std::process::Command;

use pdp_e2e::DataPlane;
use serde_json::json;

use crate::attack::note;
use crate::base::{base, unix_now};
use crate::forge::{expires, sha256};

/// A person with an SSH key.
struct Approver {
    file: std::path::PathBuf,
    public: String,
}

fn approver(folder: &Path, name: &str) -> Approver {
    with_key(folder, name, &["-t", "ed25519"])
}

fn with_key(folder: &Path, name: &str, kind: &[&str]) -> Approver {
    let file = folder.join(name);
    let made =
        Command::new("ssh-keygen").args(kind).args(["-q", "-N", "", "-C", name, "-f"]).arg(&file).status();
    assert!(made.unwrap().success());
    let public = std::fs::read_to_string(folder.join(format!("{name}.pub"))).unwrap().trim().to_owned();
    Approver { file, public }
}

/// Puts an approval into the folder, signed by plain `ssh-keygen -Y sign`.
fn approve(folder: &Path, name: &str, who: &Approver, document: &serde_json::Value) {
    let file = folder.join(format!("{name}.json"));
    std::fs::write(&file, document.to_string()).unwrap();
    // One that is there already is asked about.
    let _ = std::fs::remove_file(folder.join(format!("{name}.json.sig")));
    let signed = Command::new("ssh-keygen")
        .args(["-q", "-Y", "sign", "-n", "approval@updates.pdp.wso2.com", "-f"])
        .args([&who.file, &file])
        .status();
    assert!(signed.unwrap().success());
}

fn approval(level: u32, requester: &str) -> serde_json::Value {
    let release = &base().at_42[&format!("targets/release-pdp-2026-{level}.json")];
    json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "issued": expires(unix_now()), "expires": expires(unix_now() + 86_400),
        "organization": "bank", "sha256": sha256(release), "decision": "approve", "requester": requester,
        "reason": "CVE in the router", "ticket": "CHG-1042",
    })
}

/// A data plane in the air gap: two of two approvers, no server, no ring state.
fn air_gapped(name: &str) -> (DataPlane, std::path::PathBuf, [Approver; 3]) {
    let base = base();
    let folder = base.world.path(&format!("approvals-{name}"));
    std::fs::create_dir_all(&folder).unwrap();
    let people = ["a.lind", "b.berg", "c.dahl"].map(|who| approver(&folder, who));
    let more = format!(
        "  instruction: {{approval: {{}}}}\n  approvals: {}\n  policy: {{approval: {{quorum: 2, approvers: [\"{}\", \"{}\"]}}}}\n",
        folder.display(),
        people[0].public,
        people[1].public
    );
    (base.world.data_plane("bank", name, "regulated", &more).unwrap(), folder, people)
}

#[test]
fn two_people_open_exactly_what_they_signed() {
    let (plane, folder, people) = air_gapped("vault");
    let pass = || {
        plane.pass(&base().world, &[]).unwrap();
        (
            plane.level(),
            plane.status().unwrap()["obstacles"][0]["detail"].as_str().unwrap_or_default().to_owned(),
        )
    };
    assert_eq!(pass(), (None, "0 of 2 approvals, waits for 2 of: a.lind, b.berg".to_owned()));
    approve(&folder, "first", &people[0], &approval(41, "d.ek"));
    assert_eq!(pass().0, None, "one is not enough");
    approve(&folder, "again", &people[0], &approval(41, "d.ek"));
    assert_eq!(pass().0, None, "one person counts once");
    note("approval-twice-by-one-person", "AwaitingApproval", "delay only");
    approve(&folder, "stranger", &people[2], &approval(41, "d.ek"));
    assert_eq!(pass().0, None, "a stranger counts for nobody");
    note("approval-by-a-stranger", "ApprovalInvalid", "refused");
    approve(&folder, "requester", &people[1], &approval(41, "b.berg"));
    assert_eq!(pass().0, None, "who asks may not approve");
    note("approval-by-the-requester", "ApprovalInvalid", "refused");
    let told = pass().1;
    for words in [
        "requester.json for level 41 (ApprovalInvalid: `b.berg` asked for it and may not sign it)",
        "stranger.json for level 41 (ApprovalInvalid: signed with the key SHA256:",
    ] {
        assert!(told.contains(words), "{words}: {told}");
    }
    let mut elsewhere = approval(41, "d.ek");
    elsewhere["dataPlane"] = "staging".into();
    approve(&folder, "elsewhere", &people[1], &elsewhere);
    assert_eq!(pass().0, None);
    note("approval-for-another-data-plane", "OtherDataPlane", "refused");
    approve(&folder, "second", &people[1], &approval(41, "d.ek"));
    // 42 is promoted, but nobody approved it: 41 it is, also before its ring's time.
    assert_eq!(pass().0, Some(41));
    let status = plane.status().unwrap();
    assert_eq!(status["authority"]["approval"]["approvers"].as_array().map(Vec::len), Some(2), "{status:#}");
    let mut no = approval(42, "d.ek");
    no["decision"] = "reject".into();
    approve(&folder, "no", &people[0], &no);
    approve(&folder, "yes-1", &people[0], &approval(42, "d.ek"));
    approve(&folder, "yes-2", &people[1], &approval(42, "d.ek"));
    assert!(pass().1.starts_with("rejected"), "one no is enough");
    std::fs::remove_file(folder.join("no.json")).unwrap();
    assert_eq!(pass().0, Some(42));
}

#[test]
fn an_expired_approval_opens_nothing() {
    let (plane, folder, people) = air_gapped("late");
    approve(&folder, "first", &people[0], &approval(41, "d.ek"));
    approve(&folder, "second", &people[1], &approval(41, "d.ek"));
    let later = expires(unix_now() + 2 * 86_400);
    plane.pass(&base().world, &[("PDP_NOW", &later)]).unwrap();
    assert_eq!(plane.level(), None, "{:#}", plane.status().unwrap());
    note("approval-expired", "Expired", "refused");
}

/// What `ssh-keygen` makes, as it is made and as it signs.
#[test]
fn keys_of_each_kind_that_can_be_checked_count_and_the_others_are_refused_with_the_reason() {
    let base = base();
    for (name, kind, counts) in [
        ("p256", &["-t", "ecdsa", "-b", "256"][..], true),
        ("p384", &["-t", "ecdsa", "-b", "384"], true),
        ("p521", &["-t", "ecdsa", "-b", "521"], false),
        ("rsa", &["-t", "rsa", "-b", "3072"], false),
    ] {
        let folder = base.world.path(&format!("approvals-{name}"));
        std::fs::create_dir_all(&folder).unwrap();
        let person = with_key(&folder, "a.lind", kind);
        let rule = format!("{{quorum: 1, approvers: [{{name: Ann Lind, keys: ['{}']}}]}}", person.public);
        let more = format!(
            "  instruction: {{approval: {{}}}}\n  approvals: {}\n  policy: {{approval: {rule}}}\n",
            folder.display(),
        );
        let plane = base.world.data_plane("bank", name, "regulated", &more).unwrap();
        approve(&folder, "yes", &person, &approval(41, "d.ek"));
        plane.pass(&base.world, &[]).unwrap();
        let status = plane.status().unwrap();
        assert_eq!(plane.level(), counts.then_some(41), "{name}: {status:#}");
        if !counts {
            let told = status["obstacles"].to_string();
            assert!(
                told.contains("PolicyIneffective") && told.contains("which doesn't count"),
                "{name}: {told}"
            );
            assert!(
                told.contains("yes.json for level 41 (ApprovalInvalid: signed with a key of type"),
                "{name}: {told}"
            );
        }
    }
}

/// A certificate of an hour, made by `ssh-keygen -s` and used as `ssh-keygen -Y sign` uses it.
#[test]
fn a_certificate_of_the_banks_authority_counts_until_long_after_it_ended() {
    let base = base();
    let folder = base.world.path("approvals-certified");
    std::fs::create_dir_all(&folder).unwrap();
    let [authority, person, other] = ["authority", "laptop", "other"].map(|who| approver(&folder, who));
    let certify = |by: &Approver, name: &str| {
        let mut keygen = Command::new("ssh-keygen");
        keygen.args(["-q", "-I", "id", "-V", "-5m:+1h", "-n", name, "-s"]).arg(&by.file);
        assert!(keygen.arg(person.file.with_extension("pub")).status().unwrap().success());
    };
    let certified = Approver { file: folder.join("laptop-cert.pub"), public: String::new() };
    let rule = format!("{{quorum: 1, approvers: [{{name: a.lind}}], authorities: ['{}']}}", authority.public);
    let more = format!(
        "  instruction: {{approval: {{}}}}\n  approvals: {}\n  policy: {{approval: {rule}}}\n",
        folder.display(),
    );
    let plane = base.world.data_plane("bank", "certified", "regulated", &more).unwrap();
    let told = |env: &[(&str, &str)]| {
        plane.pass(&base.world, env).unwrap();
        plane.status().unwrap()["obstacles"].to_string()
    };
    certify(&other, "a.lind");
    approve(&folder, "yes", &certified, &approval(41, "d.ek"));
    assert!(told(&[]).contains("which the policy doesn't name"), "{}", told(&[]));
    note("approval-certified-by-a-stranger", "ApprovalInvalid", "refused");
    certify(&authority, "b.berg");
    approve(&folder, "yes", &certified, &approval(41, "d.ek"));
    assert!(told(&[]).contains("it has to name one person of the policy"), "{}", told(&[]));
    certify(&authority, "a.lind");
    approve(&folder, "yes", &certified, &approval(41, "d.ek"));
    let later = expires(unix_now() + 7200);
    assert!(told(&[("PDP_NOW", &later)]).contains("isn't valid at"), "seen first when it had ended");
    note("approval-by-an-ended-certificate", "ApprovalInvalid", "refused");
    // Seen in time, it counts for whenever the level may start.
    let text = std::fs::read_to_string(&plane.subscription).unwrap();
    let held = text.replace("  policy: {", "  policy: {hold: {reason: audit}, ");
    std::fs::write(&plane.subscription, &held).unwrap();
    assert!(!told(&[]).contains("ApprovalInvalid"), "{}", told(&[]));
    std::fs::write(&plane.subscription, &text).unwrap();
    plane.pass(&base.world, &[("PDP_NOW", &later)]).unwrap();
    assert_eq!(plane.level(), Some(41), "{:#}", plane.status().unwrap());
}
