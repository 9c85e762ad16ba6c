//! Enrolment: what a data plane sent, and what the server answered.

use pdp_e2e::Impostor;
use pdp_e2e::frozen::NOBODY;
use reqwest::Method;
use serde_json::Value;

use super::{folder, plane, served, world};

fn file(path: &str) -> Vec<u8> {
    std::fs::read(folder().join("enrolment").join(path)).unwrap()
}

#[test]
fn the_same_request_gets_the_same_answer() {
    let world = served();
    let request = Some(file("answered/request.json"));
    let (status, answer) =
        world.server().unwrap().call(Method::POST, "/v1/enrolments", None, request).unwrap();
    assert_eq!(status, 200, "{answer}");
    let frozen: Value = serde_json::from_slice(&file("answered/answer.json")).unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    for field in ["id", "ring", "pollAfter"] {
        assert_eq!(answer[field], frozen[field], "{answer:#}");
    }
}

#[test]
fn a_request_whose_answer_was_lost_is_answered_and_asked_again_with_the_same_key() {
    let world = served();
    let server = world.server().unwrap();
    let request = Some(file("unanswered/request.json"));
    let (status, answer) = server.call(Method::POST, "/v1/enrolments", None, request).unwrap();
    assert_eq!(status, 200, "{answer}");
    let plane = plane(&world, "enrolling");
    plane.pass(&world, &[]).unwrap();
    let status = plane.status().unwrap();
    assert_eq!(status["instruction"]["ring"], "early", "{status:#}");
    let enrolled: Value =
        serde_json::from_slice(&std::fs::read(plane.state.join("enrolled.json")).unwrap()).unwrap();
    assert_eq!(enrolled["ring"], "early");
    let events = server.events().unwrap();
    let of_shop = |kind: &str| {
        events
            .iter()
            .filter(|event| event.to_string().contains(kind) && event.to_string().contains("shop"))
            .count()
    };
    assert_eq!((of_shop("enrolled"), of_shop("enrolmentRefused")), (1, 0));
}

#[test]
fn the_answer_of_then_is_read() {
    let world = world();
    let impostor = Impostor::start().unwrap();
    impostor.says("enrolments", file("answered/answer.json"));
    let plane = plane(&world, "done");
    std::fs::remove_dir_all(&plane.state).unwrap();
    let text = std::fs::read_to_string(&plane.subscription).unwrap();
    let token = text.split("enrolmentToken: ").nth(1).unwrap().split('}').next().unwrap();
    std::fs::write(world.path("token"), format!("pdpe_{}", "a".repeat(43))).unwrap();
    let text = text.replace(token, &world.path("token").to_string_lossy());
    std::fs::write(&plane.subscription, text.replace(NOBODY, &impostor.url())).unwrap();
    plane.pass(&world, &[]).unwrap();
    let kept: Value =
        serde_json::from_slice(&std::fs::read(plane.state.join("enrolled.json")).unwrap()).unwrap();
    let frozen: Value = serde_json::from_slice(&file("answered/answer.json")).unwrap();
    assert_eq!(kept, frozen);
}
