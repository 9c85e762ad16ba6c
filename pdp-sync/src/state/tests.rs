#![allow(clippy::unwrap_used)]

use serde_json::json;

use super::*;

const HOUR: u64 = 3600;

/// Floors of a catalog whose timestamp was signed at this time.
fn signed_at(seconds: u64) -> Floors {
    let timestamp = json!({ "version": seconds, "keys": Digest::of(b"its keys") });
    let (root, levels) = ("cm9vdA==", json!({}));
    let roles = json!({ "timestamp": timestamp });
    let floors =
        json!({ "pinnedRoot": root, "root": root, "rootVersion": 1, "roles": roles, "levels": levels });
    serde_json::from_value(floors).unwrap()
}

fn open(folder: &Path) -> State {
    State::open(folder, &Content::Given { what: "root".into(), bytes: Some(b"root".to_vec()) }).unwrap()
}

#[test]
fn floors_that_rise_by_the_hour_are_never_a_day_behind_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = open(folder.path());
    for hour in 0..100 {
        state.save_floors(signed_at(hour * HOUR)).unwrap();
    }
    drop(state);
    let kept = open(folder.path()).floors;
    assert!(kept.role("timestamp").unwrap().version > 75 * HOUR, "{:?}", kept.role("timestamp"));
}

#[test]
fn floors_that_could_not_be_written_are_written_once_they_can() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = open(folder.path());
    state.save_floors(signed_at(0)).unwrap();
    // Nothing can take the place of a folder that isn't empty.
    let (file, aside) = (folder.path().join(FLOORS), folder.path().join("aside"));
    std::fs::rename(&file, &aside).unwrap();
    std::fs::create_dir_all(file.join("in the way")).unwrap();
    let newest = signed_at(100 * HOUR);
    assert!(state.save_floors(newest.clone()).is_err());
    std::fs::remove_dir_all(&file).unwrap();
    std::fs::rename(&aside, &file).unwrap();
    state.save_floors(newest.clone()).unwrap();
    drop(state);
    assert_eq!(open(folder.path()).floors, newest);
}

#[test]
fn a_piece_that_the_disk_fails_to_give_is_not_lost() {
    for name in [FLOORS, "written.json", "policy.json", ENROLLED, "instruction.json", "reported.json", MOVES]
    {
        let folder = tempfile::tempdir().unwrap();
        // Reading a folder is an error of the disk, also for an administrator.
        std::fs::create_dir(folder.path().join(name)).unwrap();
        let root = Content::Given { what: "root".into(), bytes: Some(b"root".to_vec()) };
        let failure = State::open(folder.path(), &root).unwrap_err();
        assert_eq!(failure.code, "Io", "{name}: {failure}");
        assert!(folder.path().join(name).exists(), "{name} stays where it is");
    }
}
