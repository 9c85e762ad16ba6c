//! Approvals signed with SSH certificates: the authority, the name and the time that make them count.

use base64::{Engine, engine::general_purpose::STANDARD};
use pdp_policies::policy::ApprovalRule;
use pdp_policies::trust::{self, Times};
use pdp_policies::{At, Span};
use ssh_key::certificate::{Builder, CertType};
use ssh_key::private::Ed25519Keypair;
use ssh_key::{Certificate, HashAlg, LineEnding, PrivateKey, SshSig};

use crate::approvals::{NAMESPACE, document, pdp};
use crate::vendor::now;

const AUTHORITY: u8 = 50;
const USER: u8 = 51;

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
}

fn line(seed: u8) -> String {
    key(seed).public_key().to_openssh().unwrap()
}

/// One of an hour for `a.lind`, edited, and signed by an authority.
fn certificate(authority: u8, edit: impl FnOnce(&mut Builder)) -> Certificate {
    let begins = u64::try_from(now().unix()).unwrap();
    let public = key(USER).public_key().clone();
    let mut builder = Builder::new(vec![7; 32], public, begins, begins + 3600).unwrap();
    edit(&mut builder);
    builder.sign(&key(authority)).unwrap()
}

fn for_a_lind(builder: &mut Builder) {
    builder.cert_type(CertType::User).unwrap().valid_principal("A.Lind").unwrap();
}

/// A signature whose key is a certificate, as `ssh-keygen -Y sign` writes it.
fn certified(document: &[u8], by: u8, certificate: &Certificate) -> Vec<u8> {
    let plain = SshSig::sign(&key(by), NAMESPACE, HashAlg::Sha512, document).unwrap();
    let plain = plain.to_pem(LineEnding::LF).unwrap();
    let (begin, rest) = plain.split_once('\n').unwrap();
    let (body, end) = rest.trim_end().rsplit_once('\n').unwrap();
    let blob = STANDARD.decode(body.replace('\n', "")).unwrap();
    let length = u32::from_be_bytes(blob[10..14].try_into().unwrap()) as usize;
    let held = certificate.to_bytes().unwrap();
    let size = u32::try_from(held.len()).unwrap().to_be_bytes();
    let blob = [&blob[..10], &size, &held, &blob[14 + length..]].concat();
    format!("{begin}\n{}\n{end}\n", STANDARD.encode(blob)).into_bytes()
}

fn rule(authorities: &[u8]) -> ApprovalRule {
    let authorities: Vec<_> = authorities.iter().map(|seed| format!("'{}'", line(*seed))).collect();
    let text = format!(
        "{{quorum: 1, approvers: [{{name: a.lind}}, {{name: d.ek}}], authorities: [{}]}}",
        authorities.join(", ")
    );
    pdp_policies::yaml::read(&text).unwrap()
}

/// Who signed, or why it doesn't count.
fn judged(rule: &ApprovalRule, signature: &[u8], times: Times) -> Result<bool, String> {
    let judged = trust::approval(&document(|_| ()), signature, rule, &[], &pdp(), times);
    judged.map(|it| it.certified).map_err(|refusal| refusal.to_string())
}

#[test]
fn a_certificate_of_a_named_authority_signs_for_the_person_whom_it_names() {
    let document = document(|_| ());
    let rule = rule(&[AUTHORITY]);
    assert_eq!(rule.problems(), Vec::<String>::new());
    let signature = certified(&document, USER, &certificate(AUTHORITY, for_a_lind));
    assert_eq!(judged(&rule, &signature, Times::first_seen(now())), Ok(true));
}

#[test]
fn what_vouches_for_nobody_does_not_count_and_says_why() {
    let document = document(|_| ());
    let host = |it: &mut Builder| {
        it.cert_type(CertType::Host).unwrap().valid_principal("a.lind").unwrap();
    };
    let bound = |it: &mut Builder| {
        for_a_lind(it);
        it.critical_option("source-address", "10.0.0.0/8").unwrap();
    };
    let for_another = |it: &mut Builder| {
        it.cert_type(CertType::User).unwrap().valid_principal("b.berg").unwrap();
    };
    let for_all = |it: &mut Builder| {
        it.cert_type(CertType::User).unwrap().all_principals_valid().unwrap();
    };
    let for_two = |it: &mut Builder| {
        for_a_lind(it);
        it.valid_principal("d.ek").unwrap();
    };
    let good = certificate(AUTHORITY, for_a_lind);
    for (rule, signature, why) in [
        (rule(&[]), certified(&document, USER, &good), "which the policy doesn't name"),
        (rule(&[60]), certified(&document, USER, &good), "which the policy doesn't name"),
        (rule(&[AUTHORITY]), certified(&document, USER, &certificate(60, for_a_lind)), "doesn't name"),
        (rule(&[AUTHORITY]), certified(&document, USER, &certificate(AUTHORITY, host)), "of a host"),
        (
            rule(&[AUTHORITY]),
            certified(&document, USER, &certificate(AUTHORITY, bound)),
            "bound by the option",
        ),
        (rule(&[AUTHORITY]), certified(&document, USER, &certificate(AUTHORITY, for_another)), "`b.berg`"),
        (rule(&[AUTHORITY]), certified(&document, USER, &certificate(AUTHORITY, for_all)), "one person"),
        (rule(&[AUTHORITY]), certified(&document, USER, &certificate(AUTHORITY, for_two)), "one person"),
        // Whoever has a certificate that was sent around doesn't have its key.
        (rule(&[AUTHORITY]), certified(&document, 61, &good), "isn't one over this document"),
    ] {
        let found = judged(&rule, &signature, Times::first_seen(now())).unwrap_err();
        assert!(found.contains(why), "{why}: {found}");
    }
    let mut forged = certificate(AUTHORITY, for_a_lind).to_bytes().unwrap();
    let at = forged.windows(6).position(|it| it == b"A.Lind").unwrap();
    forged[at..at + 6].copy_from_slice(b"B.Berg");
    let forged = certified(&document, USER, &Certificate::from_bytes(&forged).unwrap());
    let found = judged(&rule(&[AUTHORITY]), &forged, Times::first_seen(now())).unwrap_err();
    assert!(found.contains("didn't sign"), "{found}");
}

#[test]
fn it_has_to_be_valid_when_the_approval_is_seen_first_and_may_end_then() {
    let document = document(|_| ());
    let (rule, half_a_day) = (rule(&[AUTHORITY]), Span::from_seconds(12 * 3600));
    let signature = certified(&document, USER, &certificate(AUTHORITY, for_a_lind));
    let later = now().plus(half_a_day);
    let seen_in_time = Times { now: later, certified_at: now() };
    assert_eq!(judged(&rule, &signature, seen_in_time), Ok(true));
    for at in [later, now().plus(Span::from_seconds(3600)), At::from_unix(now().unix() - 1)] {
        let found = judged(&rule, &signature, Times { now: now(), certified_at: at }).unwrap_err();
        assert!(found.contains("isn't valid at"), "{found}");
    }
}

/// A certificate in place of a key would match no signature, and hold for ever.
#[test]
fn a_certificate_in_place_of_a_key_is_a_problem_of_the_policy() {
    let certificate = certificate(AUTHORITY, for_a_lind).to_openssh().unwrap();
    for text in [
        format!("{{quorum: 1, approvers: [{{name: a.lind, keys: ['{certificate}']}}]}}"),
        format!("{{quorum: 1, approvers: [{{name: a.lind}}], authorities: ['{certificate}']}}"),
    ] {
        let rule: ApprovalRule = pdp_policies::yaml::read(&text).unwrap();
        let found = rule.problems();
        assert!(
            found
                .iter()
                .any(|it| it.contains("is not an OpenSSH public key") || it.contains("is a certificate")),
            "{found:?}"
        );
    }
}

#[test]
fn an_authority_that_cannot_count_is_a_problem_of_the_policy() {
    let text = "{quorum: 1, approvers: [{name: a.lind}], authorities: [nonsense]}";
    let rule: ApprovalRule = pdp_policies::yaml::read(text).unwrap();
    assert!(rule.problems().iter().any(|it| it.starts_with("authorities[0] is not an OpenSSH public key")));
}

/// One key that two certificates give two names is one vote.
#[test]
fn one_key_is_one_vote_whatever_names_it_signs_under() {
    let document = document(|_| ());
    let text = format!(
        "{{quorum: 2, approvers: [{{name: a.lind}}, {{name: b.berg}}], authorities: ['{}']}}",
        line(AUTHORITY)
    );
    let rule: ApprovalRule = pdp_policies::yaml::read(&text).unwrap();
    let named = |name: &'static str| {
        certificate(AUTHORITY, move |it| {
            it.cert_type(CertType::User).unwrap().valid_principal(name).unwrap();
        })
    };
    let judge = |name| {
        let signature = certified(&document, USER, &named(name));
        trust::approval(&document, &signature, &rule, &[], &pdp(), Times::first_seen(now())).unwrap()
    };
    let approvals = vec![judge("a.lind"), judge("b.berg")];
    assert_ne!(approvals[0].person, approvals[1].person);
    let policy = pdp_policies::policy::Policy { approval: Some(rule.clone()), ..Default::default() };
    let setting = crate::gate::Setting { policy, approvals, ..crate::gate::Setting::open() };
    assert_eq!(setting.obstacles(), [pdp_policies::ObstacleCode::AwaitingApproval]);
}
