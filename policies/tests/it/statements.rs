//! Statements about artifacts: whose count, and what they aren't.

use pdp_policies::trust::{COSIGN_PREDICATE, Vouchers, signed_artifact, stated};
use pdp_policies::{Digest, KeyList, KeyPurpose, RefusalCode, document};

use crate::vendor::{Key, Vendor, channel, now, release};

const SBOM: &str = "https://cyclonedx.org/bom";

fn list(artifact: &Key, statement: &Key) -> KeyList {
    let statements = KeyList::active([statement.pem.clone()]);
    KeyList::active([artifact.pem.clone()]).with_statements(statements)
}

#[test]
fn only_a_statement_key_states_and_it_releases_nothing() {
    let (artifact, statement, other) = (Key::new(), Key::new(), Key::new());
    let list = list(&artifact, &statement);
    let (releases, statements) = (Vouchers::in_use(&list), Vouchers::in_use(&list.statements()));
    let digest = Digest::of(b"bundle");
    let judged = |key: &Key, predicate: &str, of: &Digest| {
        stated("x", &digest, &key.states(of, predicate), &statements).map(|it| it.predicate_type.clone())
    };
    assert_eq!(judged(&statement, SBOM, &digest), Ok(SBOM.to_owned()));
    for (key, predicate, of, code) in [
        (&artifact, SBOM, digest, RefusalCode::UnknownSigner),
        (&other, SBOM, digest, RefusalCode::UnknownSigner),
        (&statement, COSIGN_PREDICATE, digest, RefusalCode::WrongPredicate),
        (&statement, SBOM, Digest::of(b"another"), RefusalCode::WrongSubject),
    ] {
        assert_eq!(judged(key, predicate, &of).unwrap_err().code, code, "{predicate}");
    }
    // However a statement key signs, it is no release: neither with an SBOM as the only bundle nor with cosign's own words.
    for (key, predicate, code) in [
        (&statement, SBOM, RefusalCode::UnknownSigner),
        (&statement, COSIGN_PREDICATE, RefusalCode::UnknownSigner),
        (&artifact, SBOM, RefusalCode::WrongPredicate),
    ] {
        let bundle = key.states(&digest, predicate);
        let refusal = signed_artifact("x", &digest, &[bundle], &releases).unwrap_err();
        assert_eq!(refusal.code, code, "{predicate}");
    }
}

#[test]
fn a_key_has_one_purpose_also_within_one_file() {
    let (artifact, statement) = (Key::new(), Key::new());
    let good = document::write(&list(&artifact, &statement)).unwrap();
    let read = KeyList::read("artifact-keys.json", &good).unwrap();
    assert_eq!(read, list(&artifact, &statement));
    let twice = document::write(&list(&artifact, &artifact)).unwrap();
    assert_eq!(KeyList::read("artifact-keys.json", &twice).unwrap_err().code, RefusalCode::DuplicateKey);
    let broken = KeyList::active([artifact.pem]).with_statements(KeyList::active(["no key".to_owned()]));
    let refusal = KeyList::read("artifact-keys.json", &document::write(&broken).unwrap()).unwrap_err();
    assert_eq!(refusal.code, RefusalCode::Unreadable);
}

#[test]
fn what_a_reader_of_before_sees_is_a_list_of_artifact_keys() {
    let (artifact, statement) = (Key::new(), Key::new());
    let bytes = document::write(&list(&artifact, &statement)).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    let fields: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    // It passes over fields that it doesn't know unless `critical` names them.
    assert_eq!(fields, ["apiVersion", "keys", "statementKeys"]);
    assert_eq!(value["keys"].as_array().unwrap().len(), 1);
    // Without statement keys not even a byte is another one.
    let before = document::write(&KeyList::active([artifact.pem.clone()])).unwrap();
    assert!(!String::from_utf8(before).unwrap().contains("statementKeys"));
    let changed = KeyList::active([artifact.pem]).statements().add(KeyPurpose::Statement, &statement.pem);
    assert_eq!(changed.unwrap().keys.len(), 1);
}

#[test]
fn a_catalog_without_statement_keys_has_nobody_who_states() {
    let vendor = Vendor::new();
    let releases = [release(40)];
    let trusted = vendor.trusted(&releases, &channel(&releases), now());
    assert!(Vouchers::of_statements(&trusted).is_empty() && !Vouchers::of(&trusted).is_empty());
}
