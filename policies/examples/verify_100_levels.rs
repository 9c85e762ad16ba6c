//! Prints how long it takes to judge a catalog of 100 levels and to read one release, in microseconds.
#![allow(clippy::unwrap_used, clippy::panic, dead_code)]

#[path = "../tests/it/vendor.rs"]
mod vendor;

use pdp_policies::Level;
use vendor::{Vendor, channel, line, now, release};

#[expect(clippy::disallowed_methods, reason = "a measurement reads the clock; the library doesn't")]
fn main() {
    let vendor = Vendor::new();
    let releases: Vec<_> = (1..=100).map(release).collect();
    let tree = vendor.catalog(&releases, &channel(&releases), now());
    let floors = pdp_policies::trust::Floors::new(vendor.root_bytes());
    let mut best = u128::MAX;
    for _ in 0..50 {
        let tree = tree.clone();
        let start = std::time::Instant::now();
        let judged = pdp_policies::trust::catalog(tree, &floors, now(), true);
        let pdp_policies::trust::Judged::Trusted(catalog, _) = judged else { panic!() };
        catalog.release(&line(), Level(100)).unwrap();
        best = best.min(start.elapsed().as_micros());
    }
    println!("{best}");
}
