//! Whose approvals count: people, groups, kinds of keys, and signatures that are for something else.

use std::sync::LazyLock;

use pdp_policies::policy::{ApprovalRule, Policy};
use pdp_policies::trust::{self, Times, Uncounted};
use pdp_policies::{Level, ObstacleCode, PdpId};
use serde_json::json;
use ssh_key::private::Ed25519Keypair;
use ssh_key::public::{KeyData, SkEd25519};
use ssh_key::{Algorithm, HashAlg, PrivateKey, PublicKey, Signature, SigningKey, SshSig};

use crate::gate::Setting;
use crate::vendor::{now, release};

pub(crate) const NAMESPACE: &str = "approval@updates.pdp.wso2.com";

/// A key of the test: each number is another one.
fn key(seed: u8) -> PrivateKey {
    PrivateKey::from(Ed25519Keypair::from_seed(&[seed; 32]))
}

fn line(seed: u8, owner: &str) -> String {
    format!("{} {owner}", key(seed).public_key().to_openssh().unwrap().trim())
}

fn rule(text: &str) -> ApprovalRule {
    static LINES: LazyLock<Vec<String>> = LazyLock::new(|| (1..=4).map(|n| line(n, "")).collect());
    let keys = LINES.iter().enumerate();
    let text = keys.fold(text.to_owned(), |text, (n, line)| text.replace(&format!("KEY{}", n + 1), line));
    pdp_policies::yaml::read(&text).unwrap()
}

pub(crate) fn pdp() -> PdpId {
    PdpId { organization: "acme".parse().unwrap(), data_plane: "prod".parse().unwrap() }
}

/// An approval of level 42 as the setting promotes it, or an edit of it.
pub(crate) fn document(edit: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let sha256 = Setting::open().channel.levels[&Level(42)].sha256.to_string();
    let mut document = json!({
        "apiVersion": "updates.pdp.wso2.com/v1", "issued": now().to_string(),
        "expires": now().plus(pdp_policies::Span::from_seconds(86_400)).to_string(), "organization": "acme",
        "sha256": sha256.trim_start_matches("sha256:"), "decision": "approve", "requester": "d.ek", "reason": "CVE",
    });
    edit(&mut document);
    serde_json::to_vec(&document).unwrap()
}

fn signed(document: &[u8], seed: u8, namespace: &str) -> Vec<u8> {
    let signature = SshSig::sign(&key(seed), namespace, HashAlg::Sha512, document).unwrap();
    signature.to_pem(ssh_key::LineEnding::LF).unwrap().into_bytes()
}

/// Why an approval doesn't count, nothing if it does.
fn judged(rule: &ApprovalRule, document: &[u8], signature: &[u8]) -> Option<String> {
    trust::approval(document, signature, rule, &[], &pdp(), Times::first_seen(now()))
        .err()
        .map(|refusal| refusal.to_string())
}

const PEOPLE: &str =
    "{quorum: 1, approvers: [{name: A. Lind, keys: [\"KEY1\", \"KEY2\"]}, {name: b.berg, keys: [\"KEY3\"]}]}";

#[test]
fn a_signature_that_does_not_count_says_why() {
    let rule = rule(PEOPLE);
    let plain = document(|_| ());
    let edited = |field: &str, value: &str| document(|it| it[field] = value.into());
    for (document, signature, words) in [
        (plain.clone(), signed(&plain, 1, NAMESPACE), None),
        (plain.clone(), signed(&plain, 2, NAMESPACE), None),
        (plain.clone(), Vec::new(), Some("no signature")),
        (plain.clone(), b"-----BEGIN PGP SIGNATURE-----".to_vec(), Some("ssh-keygen -Y sign")),
        (plain.clone(), signed(&plain, 1, "file"), Some("signed for the namespace `file`")),
        (plain.clone(), signed(&plain, 1, "request@updates.pdp.wso2.com"), Some("namespace")),
        (plain.clone(), signed(&plain, 4, NAMESPACE), Some("which the policy doesn't name")),
        (edited("reason", "other"), signed(&plain, 1, NAMESPACE), Some("isn't one over this document")),
        (edited("requester", "A. Lind"), Vec::new(), Some("no signature")),
        (edited("organization", "evil"), Vec::new(), Some("no signature")),
    ] {
        let found = judged(&rule, &document, &signature);
        assert_eq!(found.is_none(), words.is_none(), "{found:?}");
        assert!(
            found.as_deref().unwrap_or_default().contains(words.unwrap_or_default()),
            "{words:?}: {found:?}"
        );
    }
    for (field, value, words) in [
        ("requester", "a.LIND", "asked for it"),
        ("requester", " A. Lind ", "asked for it"),
        ("dataPlane", "staging", "not for acme/prod"),
        ("issued", "2026-11-24T08:16:00Z", "issued"),
        ("expires", "2026-11-23T08:00:00Z", "expired"),
        ("expires", "2027-11-23T08:00:00Z", "longer than"),
    ] {
        let document = edited(field, value);
        let found = judged(&rule, &document, &signed(&document, 1, NAMESPACE)).unwrap();
        assert!(found.contains(words), "{field} {value}: {found}");
    }
}

fn raw(key: &impl SigningKey, message: &[u8]) -> Signature {
    key.try_sign(message).unwrap()
}

/// As a FIDO key signs: over the application, what it says of itself, and the message.
fn by_fido(document: &[u8], flags: u8) -> (String, Vec<u8>) {
    let pair = Ed25519Keypair::from_seed(&[9; 32]);
    let public = KeyData::SkEd25519(SkEd25519::new(pair.public, "ssh:".to_owned()));
    let message = SshSig::signed_data(NAMESPACE, HashAlg::Sha512, document).unwrap();
    let counter = 7u32.to_be_bytes();
    let hash = |bytes: &[u8]| pdp_policies::Digest::of(bytes).as_bytes().to_vec();
    let whole = [hash(b"ssh:"), vec![flags], counter.to_vec(), hash(&message)].concat();
    let raw = raw(&PrivateKey::from(pair), &whole);
    let data = [raw.as_bytes(), &[flags], &counter].concat();
    let signature = Signature::new(Algorithm::SkEd25519, data).unwrap();
    let signature = SshSig::new(public.clone(), NAMESPACE, HashAlg::Sha512, signature).unwrap();
    let line = PublicKey::from(public).to_openssh().unwrap();
    (line, signature.to_pem(ssh_key::LineEnding::LF).unwrap().into_bytes())
}

#[test]
fn a_fido_key_has_to_be_touched_unless_the_policy_says_otherwise() {
    let document = document(|_| ());
    for (flags, touch, counts) in [
        (1, "required", true),
        (5, "required", true),
        (0, "required", false),
        (4, "required", false),
        (0, "notRequired", true),
    ] {
        let (line, signature) = by_fido(&document, flags);
        let rule =
            rule(&format!("{{quorum: 1, touch: {touch}, approvers: [{{name: f.rask, keys: ['{line}']}}]}}"));
        assert_eq!(rule.problems(), Vec::<String>::new());
        let found = judged(&rule, &document, &signature);
        assert_eq!(found.is_none(), counts, "{flags} {touch}: {found:?}");
        assert!(counts || found.unwrap().contains("without a touch"));
    }
    let (line, mut signature) = by_fido(&document, 0);
    let rule = rule(&format!("{{quorum: 1, approvers: [{{name: f.rask, keys: ['{line}']}}]}}"));
    let (_, touched) = by_fido(&document, 1);
    assert_ne!(signature, touched);
    signature.reverse();
    assert!(judged(&rule, &document, &signature).is_some());
}

#[test]
fn a_rule_that_counts_somebody_twice_or_can_not_be_met_is_a_problem() {
    let rsa = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDZ";
    for (text, wanted) in [
        (PEOPLE.to_owned(), None),
        ("{quorum: 2, approvers: [\"KEY1 a.lind\", \"KEY2 b.berg\"]}".to_owned(), None),
        ("{groups: [{name: security, quorum: 1, approvers: [\"KEY1 a\"]}, {name: operations, quorum: 1, approvers: [\"KEY2 b\"]}]}".to_owned(), None),
        ("{quorum: 2, approvers: [\"KEY1 a.lind\", \"KEY2 A.Lind\"]}".to_owned(), Some("quorum 2 of 1 people")),
        ("{quorum: 0, approvers: [\"KEY1 a\"]}".to_owned(), Some("quorum 0 of 1")),
        ("{}".to_owned(), Some("quorum 0 of 0")),
        ("{quorum: 1, approvers: [\"KEY1 a\", \"KEY1 b\"]}".to_owned(), Some("which is another person's too")),
        ("{quorum: 1, approvers: [{name: a, keys: []}]}".to_owned(), Some("nobody could sign")),
        ("{quorum: 1, approvers: [{name: a}]}".to_owned(), Some("nobody could sign")),
        ("{quorum: 1, approvers: [{name: ' ', keys: [\"KEY1\"]}]}".to_owned(), Some("approvers[0].name has 1 to 100")),
        ("{quorum: 1, approvers: [nonsense]}".to_owned(), Some("approvers[0] is not an OpenSSH public key")),
        (format!("{{quorum: 1, approvers: ['{rsa}']}}"), Some("approvers[0] is")),
        ("{groups: [{name: s, quorum: 2, approvers: [\"KEY1 a\"]}]}".to_owned(), Some("group `s`: quorum 2 of 1")),
        ("{groups: [{name: s, quorum: 1, approvers: [\"KEY1 a\"]}, {name: s, quorum: 1, approvers: [\"KEY2 b\"]}]}".to_owned(), Some("groups[1].name has to be its own")),
        ("{groups: [{name: s, quorum: 1, approvers: [\"KEY1 a\"]}, {name: o, quorum: 1, approvers: [\"KEY1 a\"]}]}".to_owned(), Some("each person counts once")),
    ] {
        let found = rule(&text).problems();
        assert_eq!(found.is_empty(), wanted.is_none(), "{text}: {found:?}");
        assert!(wanted.is_none_or(|words| found.iter().any(|it| it.contains(words))), "{text}: {found:?}");
    }
    for bad in ["{quorum: 1, approvers: [{name: a, keys: [k], role: x}]}", "{quorum: 1, approvers: [7]}"] {
        assert!(pdp_policies::yaml::read::<ApprovalRule>(bad).is_err(), "{bad}");
    }
}

/// What the gate says once these people, by their keys, said yes or (negative) no.
fn waits(rule_text: &str, yes: &[i16], uncounted: &[Uncounted]) -> Option<String> {
    let rule = rule(rule_text);
    let approvals = yes.iter().map(|seed| {
        let decision = if *seed < 0 { "reject" } else { "approve" };
        let document = document(|it| it["decision"] = decision.into());
        let signature = signed(&document, seed.unsigned_abs().try_into().unwrap(), NAMESPACE);
        trust::approval(&document, &signature, &rule, &[], &pdp(), Times::first_seen(now())).unwrap()
    });
    let mut setting = Setting::with_releases(|releases| *releases = vec![release(42)]);
    setting.approvals = approvals.collect();
    setting.uncounted = uncounted.to_vec();
    setting.policy = Policy { approval: Some(rule), ..Policy::default() };
    setting.details(ObstacleCode::AwaitingApproval).pop()
}

#[test]
fn groups_each_have_to_agree_and_one_person_counts_once() {
    let groups = "{groups: [
        {name: security, quorum: 1, approvers: [{name: ann, keys: [\"KEY1\"]}, {name: bo, keys: [\"KEY2\"]}]},
        {name: operations, quorum: 1, approvers: [{name: bo, keys: [\"KEY2\"]}, {name: cy, keys: [\"KEY3\", \"KEY4\"]}]}]}";
    for (yes, wanted) in [
        (
            &[][..],
            Some(
                "0 of 1 approvals of `security`, waits for 1 of: ann, bo; 0 of 1 approvals of `operations`, waits for 1 of: bo, cy",
            ),
        ),
        (&[1], Some("0 of 1 approvals of `operations`, waits for 1 of: bo, cy")),
        // Of both groups, and one person.
        (&[2], Some("approvals of `operations`, waits for 1 of: cy")),
        (&[3, 4], Some("0 of 1 approvals of `security`, waits for 1 of: ann, bo")),
        (&[1, 3], None),
        (&[1, 2], None),
        (&[2, 3], None),
        (&[2, 4], None),
        (&[1, 2, -4], Some("rejected by cy: CVE")),
    ] {
        let found = waits(groups, yes, &[]);
        assert_eq!(found.is_some(), wanted.is_some(), "{yes:?}: {found:?}");
        assert!(found.clone().unwrap_or_default().contains(wanted.unwrap_or_default()), "{yes:?}: {found:?}");
    }
    let both = "{quorum: 2, approvers: [{name: ann, keys: [\"KEY1\", \"KEY2\"]}, \"KEY3 bo\"]}";
    assert_eq!(waits(both, &[1, 2], &[]).as_deref(), Some("1 of 2 approvals, waits for 1 of: bo"));
    assert_eq!(waits(both, &[2, 3], &[]), None);
}

/// Each rule of seats against all ways of seating people.
#[test]
fn no_way_of_seating_people_is_overlooked() {
    let names = ["ann", "bo", "cy", "di"];
    // Each group: its people as bits, and its quorum.
    for first in 1..16u8 {
        for second in 1..16u8 {
            for (one, two) in [(1, 1), (1, 2), (2, 1)] {
                let group = |name: &str, bits: u8, quorum: u32| {
                    let people = (0..4).filter(|n| bits & (1 << n) != 0);
                    let people: Vec<_> =
                        people.map(|n| format!("{{name: {}, keys: [\"KEY{}\"]}}", names[n], n + 1)).collect();
                    format!("{{name: {name}, quorum: {quorum}, approvers: [{}]}}", people.join(", "))
                };
                let text = format!("{{groups: [{}, {}]}}", group("x", first, one), group("y", second, two));
                // All four agree: it can be met exactly if some of the first leave enough for the second.
                let met = (0..16u8).any(|chosen| {
                    chosen & first == chosen
                        && chosen.count_ones() == one
                        && (second & !chosen).count_ones() >= two
                });
                let found = rule(&text).problems();
                assert_eq!(found.is_empty(), met, "{text}: {found:?}");
            }
        }
    }
}

#[test]
fn what_does_not_count_is_named_where_it_is_missed() {
    let sha256 = Setting::open().channel.levels[&Level(42)].sha256;
    let uncounted =
        |name: &str, sha256| Uncounted { name: name.into(), sha256, reason: format!("reason of {name}") };
    let other = pdp_policies::Digest::of(b"another release");
    let installed = pdp_policies::Digest::of(b"40");
    let all = [("one", Some(sha256)), ("two", None), ("old", Some(other)), ("installed", Some(installed))];
    let all = all.map(|(name, sha256)| uncounted(name, sha256));
    let found = waits("{quorum: 1, approvers: [\"KEY1 ann\"]}", &[], &all).unwrap();
    assert!(found.ends_with("; doesn't count: one (reason of one), two (reason of two)"), "{found}");
}

#[test]
fn what_is_superseded_starts_unless_the_policy_holds_it() {
    for (superseded, starts) in [("mayStart", Some(41)), ("holds", None)] {
        let text = format!("{{quorum: 1, superseded: {superseded}, approvers: [\"KEY1 ann\"]}}");
        let rule = rule(&text);
        let mut setting = Setting::open();
        setting.channel.levels.get_mut(&Level(42)).unwrap().supersedes.insert(Level(41));
        let sha256 = setting.channel.levels[&Level(41)].sha256.to_string();
        let document = document(|it| it["sha256"] = sha256.trim_start_matches("sha256:").into());
        let approved = trust::approval(
            &document,
            &signed(&document, 1, NAMESPACE),
            &rule,
            &[],
            &pdp(),
            Times::first_seen(now()),
        );
        setting.approvals = vec![approved.unwrap()];
        setting.policy = Policy { approval: Some(rule), ..Policy::default() };
        assert_eq!(setting.starts(), starts, "{superseded}");
    }
}

const ASKING: &str = "{quorum: 1, approvers: [{name: ann, keys: [\"KEY1\"]}, {name: bo, keys: [\"KEY2\"]}], requesters: [{name: di, keys: [\"KEY3\"]}, {name: bo, keys: [\"KEY2\"]}]}";

/// Where the policy lists who may ask, nobody says so for them.
#[test]
fn an_approval_answers_a_request_that_somebody_else_signed() {
    let rule = rule(ASKING);
    assert_eq!(rule.problems(), Vec::<String>::new());
    let request = |edit: fn(&mut serde_json::Value)| {
        document(|it| {
            let fields = it.as_object_mut().unwrap();
            fields.remove("decision");
            fields.remove("requester");
            edit(it);
        })
    };
    let asked = |bytes: &[u8], seed: u8, namespace: &str| {
        let signature = signed(bytes, seed, namespace);
        trust::request(bytes, &signature, &rule, &pdp(), Times::first_seen(now()))
            .map_err(|refusal| refusal.to_string())
    };
    const ASK: &str = "request@updates.pdp.wso2.com";
    let plain = request(|_| ());
    let other = request(|it| it["sha256"] = "0".repeat(64).into());
    let by_di = asked(&plain, 3, ASK).unwrap();
    let by_bo = asked(&plain, 2, ASK).unwrap();
    let of_other = asked(&other, 3, ASK).unwrap();
    for (bytes, seed, namespace, words) in [
        (&plain, 1, ASK, "which the policy doesn't name"),
        (&plain, 3, NAMESPACE, "signed for the namespace"),
        (&request(|it| it["organization"] = "evil".into()), 3, ASK, "not for acme/prod"),
        (&request(|it| it["expires"] = "2026-11-23T08:00:00Z".into()), 3, ASK, "expired"),
    ] {
        let refused = asked(bytes, seed, namespace).unwrap_err();
        assert!(refused.contains(words), "{words}: {refused}");
    }
    let judge = |requester: &str, named: Option<&pdp_policies::Digest>, seed: u8, all: &[_]| {
        let document = document(|it| {
            it["requester"] = requester.into();
            if let Some(named) = named {
                it["request"] = named.to_string().into();
            }
        });
        let signature = signed(&document, seed, NAMESPACE);
        trust::approval(&document, &signature, &rule, all, &pdp(), Times::first_seen(now()))
            .err()
            .map(|it| it.to_string())
    };
    let (digest, elsewhere) = (by_di.digest, of_other.digest);
    let (by_di, by_bo, of_other) = ([by_di], [by_bo], [of_other]);
    for (requester, named, seed, all, wanted) in [
        ("di", Some(&digest), 1, &by_di[..], None),
        ("DI ", Some(&digest), 2, &by_di, None),
        ("di", None, 1, &by_di, Some("it names no request")),
        ("di", Some(&digest), 1, &[], Some("isn't at hand")),
        ("di", Some(&elsewhere), 1, &of_other, Some("for another release")),
        ("cy", Some(&digest), 1, &by_di, Some("`cy` didn't sign the request")),
        // Bo asked, and says that somebody else did.
        ("di", Some(&digest), 2, &by_bo, Some("asked for it")),
        ("", Some(&digest), 1, &by_di, Some("doesn't say who asked")),
    ] {
        let found = judge(requester, named, seed, all);
        assert_eq!(found.is_none(), wanted.is_none(), "{requester} {seed}: {found:?}");
        assert!(
            found.clone().unwrap_or_default().contains(wanted.unwrap_or_default()),
            "{wanted:?}: {found:?}"
        );
    }
}

/// A no needs a known signer, and nothing else: whoever says it, and whatever request it names.
#[test]
fn a_no_holds_without_a_request_and_from_whoever_is_named() {
    let rule = rule(ASKING);
    let judge = |edit: fn(&mut serde_json::Value), seed: u8| {
        let document = document(edit);
        let signature = signed(&document, seed, NAMESPACE);
        trust::approval(&document, &signature, &rule, &[], &pdp(), Times::first_seen(now()))
            .map(|it| it.person.clone())
    };
    let no = |it: &mut serde_json::Value| it["decision"] = "reject".into();
    assert!(judge(no, 1).is_ok(), "no request is named");
    assert!(judge(no, 3).is_ok(), "by one who may ask alone");
    let own =
        |it: &mut serde_json::Value| (it["decision"], it["requester"]) = ("reject".into(), "ann".into());
    assert!(judge(own, 1).is_ok(), "by who asked");
    assert!(judge(|_| (), 1).is_err(), "a yes names its request");
    assert!(judge(no, 4).is_err(), "a stranger");
}

/// What is wrong with a document that anybody can write reaches a terminal without its control characters.
#[test]
fn what_is_wrong_with_a_document_is_printable() {
    let bad = document(|it| it["decision"] = "\u{1b}[2J".into());
    let refusal =
        trust::approval(&bad, b"", &rule(PEOPLE), &[], &pdp(), Times::first_seen(now())).unwrap_err();
    let uncounted = Uncounted::new("x.json", &bad, &refusal);
    assert!(!uncounted.reason.chars().any(char::is_control), "{:?}", uncounted.reason);
}
