//! The vendor's side alone: publishing is whole, idempotent and invisible before its time.

use pdp_e2e::World;

#[test]
fn a_release_is_built_signed_published_and_verified() {
    let world = World::start().unwrap();
    world.release(40, "emergency").unwrap();
    world.release(41, "emergency").unwrap();
    world.open(41, &["canary=100", "general=100"]).unwrap();
    let verified = world.publisher(&["release", "verify", "41", "--line", "pdp-2026"]).unwrap();
    assert!(verified.stdout.contains("17 signatures are good"), "{}", verified.stdout);
}
