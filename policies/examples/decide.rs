//! Prints, in microseconds: the gate's decision under 50 windows and 20 approvals that were checked, and the checking of these
//! 20 signatures.
#![allow(clippy::unwrap_used, clippy::panic, dead_code)]

#[path = "../tests/it/vendor.rs"]
mod vendor;

use std::collections::BTreeMap;

use pdp_policies::gate::{Instruction, Situation, Verdict, decide};
use pdp_policies::policy::{ApprovalRule, Policy};
use pdp_policies::report::LevelDigest;
use pdp_policies::trust::{Approved, Times, Verified, approval};
use pdp_policies::{Digest, Level, PdpId, Span};
use serde_json::json;
use ssh_key::private::Ed25519Keypair;
use ssh_key::{HashAlg, LineEnding, PrivateKey, SshSig};
use vendor::{Vendor, channel, line, now, release};

/// The best of so many is taken.
const TRIES: usize = 50;
const PEOPLE: u8 = 20;

fn main() {
    let releases = [release(41), release(42)];
    let promoted = channel(&releases);
    let catalog = Vendor::new().trusted(&releases, &promoted, now());
    let policy = policy();
    let rule = policy.approval.clone().unwrap();
    let document = document(&promoted.levels[&Level(42)].sha256);
    let signatures: Vec<_> = (0..PEOPLE).map(|n| signed(&document, n)).collect();
    let (checking, approvals) = best(|| check(&document, &signatures, &rule));
    let (pdp, ring, version) = (pdp(), "general".parse().unwrap(), "0.1.0".parse().unwrap());
    let quarantined = BTreeMap::new();
    let situation = Situation {
        pdp: &pdp,
        line: &line(),
        ring: &ring,
        installed: Some(LevelDigest { level: Level(40), sha256: Digest::of(b"40") }),
        quarantined: &quarantined,
        pdp_sync: &version,
        itself: None,
        kubernetes: None,
        flux: None,
        found: &[],
        instruction: Instruction::Channel,
        approvals: &approvals,
        uncounted: &[],
        others: &[],
        usual_length: None,
        policy_before: None,
    };
    let (deciding, verdict) = best(|| decide(&catalog, &policy, &situation, now()).unwrap());
    assert!(matches!(verdict, Verdict::WaitUntil(..)), "{verdict:?}");
    println!("{deciding} {checking}");
}

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock; the library doesn't")]
fn best<T>(work: impl Fn() -> T) -> (u128, T) {
    let once = || {
        let start = std::time::Instant::now();
        let done = work();
        (start.elapsed().as_micros(), done)
    };
    (0..TRIES).map(|_| once()).min_by_key(|(took, _)| *took).unwrap()
}

fn key(n: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[n + 1; 32]))
}

fn pdp() -> PdpId {
    PdpId { organization: "acme".parse().unwrap(), data_plane: "prod".parse().unwrap() }
}

/// 50 windows in zones with changes of clocks, none of them open, and all 20 people in two groups.
fn policy() -> Policy {
    let zones = ["Europe/Stockholm", "America/New_York", "Australia/Sydney", "Asia/Kolkata", "UTC"];
    let windows: Vec<_> = (0..50)
        .map(|n| {
            let cron = format!("{} {} * * 6#{}", n % 60, n % 24, n % 4 + 1);
            json!({ "name": format!("w{n}"), "kind": "allow", "cron": cron, "timeZone": zones[n % 5], "length": "2h" })
        })
        .collect();
    let person = |n: u8| {
        let line = key(n).public_key().to_openssh().unwrap();
        json!({ "name": format!("person {n}"), "keys": [line] })
    };
    let group = |name: &str, people: std::ops::Range<u8>| json!({ "name": name, "quorum": 10, "approvers": people.map(person).collect::<Vec<_>>() });
    let groups = [group("security", 0..10), group("operations", 10..20)];
    serde_json::from_value(json!({ "windows": windows, "approval": { "groups": groups } })).unwrap()
}

fn document(sha256: &Digest) -> Vec<u8> {
    let text = json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "issued": now().to_string(),
        "expires": now().plus(Span::from_seconds(86_400)).to_string(), "organization": "acme",
        "sha256": sha256.to_string().trim_start_matches("sha256:"), "decision": "approve", "requester": "d.ek", "reason": "r",
    });
    serde_json::to_vec(&text).unwrap()
}

fn signed(document: &[u8], n: u8) -> Vec<u8> {
    let namespace = pdp_policies::instruction::APPROVAL_NAMESPACE;
    let signature = SshSig::sign(&key(n), namespace, HashAlg::Sha512, document).unwrap();
    signature.to_pem(LineEnding::LF).unwrap().into_bytes()
}

fn check(document: &[u8], signatures: &[Vec<u8>], rule: &ApprovalRule) -> Vec<Verified<Approved>> {
    signatures
        .iter()
        .map(|it| approval(document, it, rule, &[], &pdp(), Times::first_seen(now())).unwrap())
        .collect()
}
