//! The data plane's clock runs ahead, so that the catalog is past its expiry, or falls behind: what was begun comes to
//! its end, nothing else begins.

use pdp_e2e::cluster::{Kind, SubscriptionState, shared};
use pdp_e2e::{Fate, rfc3339, unix_now};

use crate::kills::{FAILING, FORWARD};
use crate::plane::{Plane, release};
use crate::scenario::Scenario;

const HOUR: i64 = 3600;
/// Longer than any catalog lives without being renewed.
const DAYS: i64 = 8 * 24 * HOUR;

/// A clock for pdp-sync alone; Flux keeps the machine's.
struct Clock(std::path::PathBuf);

impl Clock {
    fn of(plane: &Plane<'_>) -> Self {
        Self(plane.world.path("clock"))
    }

    /// So many seconds off. Renamed into place: a reader never sees half a time.
    fn off_by(&self, seconds: i64) {
        let new = self.0.with_extension("new");
        std::fs::write(&new, rfc3339(unix_now() + seconds)).unwrap();
        std::fs::rename(new, &self.0).unwrap();
    }

    /// The machine's own again: a file with a time stands still.
    fn right(&self) {
        std::fs::remove_file(&self.0).unwrap();
    }

    fn env(&self) -> [(&str, &str); 1] {
        [("PDP_NOW_FILE", self.0.to_str().unwrap())]
    }
}

fn expired(state: &SubscriptionState) -> bool {
    state.obstacles() == ["CatalogExpired"] && state.is("CatalogStale")
}

#[test]
fn what_was_begun_comes_to_its_end_while_the_catalog_expires_at_each_step() {
    let cluster = shared();
    let _scenario = Scenario::begin("clock: days ahead, the catalog expires at each step; then back");
    let plane = Plane::at_41(&cluster, "expired", |_| Ok(()));
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let clock = Clock::of(&plane);
    plane.open_42();
    clock.off_by(DAYS);
    pdp_sync.start(&clock.env()).unwrap();
    subscription.until(pdp_sync, "no start on an expired catalog", expired).unwrap();
    assert_eq!(subscription.state().target(), Some(42), "{}", subscription.describe());

    clock.right();
    plane.killed_at("after-record", &clock.env());
    clock.off_by(DAYS);
    let floors = plane.floors();
    // The first two came to pass before the clock jumped.
    for point in &FORWARD[2..] {
        plane.killed_at(point, &clock.env());
        assert_eq!(plane.floors(), floors, "{point} cost floors");
    }
    pdp_sync.start(&clock.env()).unwrap();
    subscription.until_level(pdp_sync, 42).unwrap();
    assert_eq!(subscription.state().reason("CatalogStale"), "CatalogExpired", "{}", subscription.describe());

    release(&plane.world, 43, "expired", |_| Ok(()));
    plane.world.open(43, &["general=100"]).unwrap();
    let held = |state: &SubscriptionState| expired(state) && state.target() == Some(43);
    subscription.until(pdp_sync, "level 43 to wait for a catalog of its own time", held).unwrap();
    assert_eq!(subscription.state().level(), Some(42));
    clock.right();
    subscription.until_level(pdp_sync, 43).unwrap();
    assert!(!subscription.state().is("CatalogStale"), "{}", subscription.describe());
}

#[test]
fn what_fails_goes_back_while_the_catalog_is_expired_at_each_step() {
    let cluster = shared();
    let _scenario = Scenario::begin("clock: days ahead, a level fails and goes back at each step");
    let plane = Plane::at_41(&cluster, "expired-fails", |line| {
        line.fate("choreo-connect-enforcer", Fate::NeverReady)
    });
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let (clock, (uid, version)) = (Clock::of(&plane), plane.release("certificate-manager"));
    plane.open_42();
    plane.killed_at("after-record", &clock.env());
    clock.off_by(DAYS);
    for point in FAILING {
        plane.killed_at(point, &clock.env());
    }
    pdp_sync.start(&clock.env()).unwrap();
    let back = |state: &SubscriptionState| {
        state.phase() == "quarantined" && state.reason("Stalled") == "LevelFailed" && state.is("CatalogStale")
    };
    subscription.until(pdp_sync, "level 42 to go back", back).unwrap();
    assert_eq!(subscription.state().level(), Some(41));
    assert_eq!(plane.release("certificate-manager"), (uid, version + 2), "upgraded once, went back once");
}

#[test]
fn a_clock_that_fell_behind_holds_and_says_so() {
    let cluster = shared();
    let _scenario = Scenario::begin("clock: hours behind, in mid-apply and at rest, then right again");
    let plane = Plane::at_41(&cluster, "behind", |_| Ok(()));
    let (subscription, pdp_sync) = (&plane.subscription, &plane.pdp_sync);
    let clock = Clock::of(&plane);
    plane.open_42();
    plane.killed_at("after-write-2", &clock.env());
    let enforcer =
        || plane.live(Kind::HELM_RELEASE, "choreo-connect-enforcer")["metadata"]["generation"].clone();
    let before = enforcer();
    clock.off_by(-3 * HOUR);
    pdp_sync.start(&clock.env()).unwrap();
    let says = |state: &SubscriptionState| {
        let words = state.condition("Reconciling")["message"].as_str().unwrap_or_default().to_owned();
        state.component("certificate-manager") == "waiting" && words.contains("ClockSkew")
    };
    subscription.until(pdp_sync, "the wrong clock to be named", says).unwrap();
    assert_eq!(enforcer(), before, "the next stage waits");
    clock.right();
    subscription.until_level(pdp_sync, 42).unwrap();

    clock.off_by(-3 * HOUR);
    let skewed =
        |state: &SubscriptionState| state.status("refusal")["code"] == "ClockSkew" && !state.is_ready();
    subscription.until(pdp_sync, "a catalog from the future to be refused", skewed).unwrap();
    assert_eq!(subscription.state().level(), Some(42), "{}", subscription.describe());
    clock.right();
    subscription.until_level(pdp_sync, 42).unwrap();
    assert_eq!(subscription.state().history().len(), 2, "{}", subscription.describe());
}
