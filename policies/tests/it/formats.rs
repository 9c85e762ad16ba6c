//! Every sample in docs/formats.md is read by the type that it documents.

use pdp_policies::disclosure::Disclosure;
use pdp_policies::instruction::{
    Approval, ApprovalRequest, Assignment, Enrolled, Enrolment, Ready, RingState,
};
use pdp_policies::report::Report;
use pdp_policies::{Channel, KeyList, Release, document};

const DOC: &str = include_str!("../../../docs/formats.md");

/// The fenced block behind the line `<!-- sample: NAME -->`.
fn sample(name: &str) -> &'static str {
    let (_, rest) =
        DOC.split_once(&format!("<!-- sample: {name} -->")).unwrap_or_else(|| panic!("no sample {name}"));
    let (_, rest) = rest.split_once("\n```json\n").unwrap();
    rest.split_once("\n```").unwrap().0
}

fn reads<T: serde::de::DeserializeOwned + serde::Serialize>(name: &str) {
    let read: T = document::read(name, sample(name).as_bytes()).unwrap_or_else(|e| panic!("{name}: {e}"));
    let value: serde_json::Value = serde_json::from_str(sample(name)).unwrap();
    assert_eq!(serde_json::to_value(&read).unwrap(), value, "{name}: fields are lost or added");
}

#[test]
fn every_sample_is_a_document_of_its_kind_and_nothing_is_lost() {
    reads::<Release>("release");
    reads::<Disclosure>("disclosure");
    reads::<Channel>("channel");
    reads::<KeyList>("key list");
    reads::<Assignment>("assignment");
    reads::<RingState>("ring state");
    reads::<Approval>("approval");
    reads::<ApprovalRequest>("request");
    reads::<Report>("report");
    reads::<Enrolment>("enrolment");
    serde_json::from_str::<Enrolled>(sample("enrolled")).unwrap();
    serde_json::from_str::<Ready>(sample("ready")).unwrap();
    assert_eq!(
        Release::read("release", sample("release").as_bytes()).unwrap().problems(),
        Vec::<String>::new()
    );
}
