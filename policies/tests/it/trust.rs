//! The judge of the catalog. Attacks with real keys are played in e2e; here are floors and freshness.

use std::sync::Arc;

use pdp_policies::trust::{Floors, Freshness, Judged, Known, Role, catalog};
use pdp_policies::{At, RefusalCode};

use crate::vendor::{NOW, Vendor, channel, now, release};

#[test]
fn a_whole_catalog_is_trusted_and_raises_floors() {
    let vendor = Vendor::new();
    let releases = [release(40), release(41)];
    let tree = vendor.catalog(&releases, &channel(&releases), now());
    let before = Floors::new(vendor.root_bytes());
    let Judged::Trusted(trusted, floors) = catalog(tree, &before, now(), false) else { panic!() };
    assert_eq!(floors.role("timestamp").unwrap().version, NOW as u64);
    assert!(floors.worth_saving(&before));
    assert!(trusted.release(&"pdp-2026".parse().unwrap(), release(41).level).is_ok());
    let missing = trusted.release(&"pdp-2026".parse().unwrap(), release(99).level).unwrap_err();
    assert_eq!(missing.code, RefusalCode::CeilingNotInChannel);
}

#[test]
fn mere_freshness_is_not_worth_a_write_but_a_level_is() {
    let vendor = Vendor::new();
    let floors_of = |levels: &[u32], at: At, before: &Floors| {
        let releases: Vec<_> = levels.iter().map(|l| release(*l)).collect();
        match catalog(vendor.catalog(&releases, &channel(&releases), at), before, at, true) {
            Judged::Trusted(_, floors) => floors,
            other => panic!("{other:?}"),
        }
    };
    let first = floors_of(&[40], now(), &Floors::new(vendor.root_bytes()));
    let hour_later = floors_of(&[40], At::from_unix(NOW + 3600), &first);
    assert!(hour_later != first && !hour_later.worth_saving(&first));
    assert!(floors_of(&[40, 41], At::from_unix(NOW + 3600), &first).worth_saving(&first));
}

#[test]
fn older_is_lag_first_and_refused_only_after_fetching_again() {
    let vendor = Vendor::new();
    let tree = |at| vendor.catalog(&[], &channel(&[]), at);
    let Judged::Trusted(_, floors) = catalog(tree(now()), &Floors::new(vendor.root_bytes()), now(), true)
    else {
        panic!()
    };
    let older = || tree(At::from_unix(NOW - 3600));
    assert!(matches!(catalog(older(), &floors, now(), false), Judged::FetchFirst(..)));
    let Judged::Refused(refusal, _) = catalog(older(), &floors, now(), true) else { panic!() };
    assert_eq!(refusal.code, RefusalCode::VersionFloor);
}

#[test]
fn freshness_has_three_answers_at_their_exact_borders() {
    let vendor = Vendor::new();
    let trusted = vendor.trusted(&[], &channel(&[]), now());
    let at = |seconds: i64| trusted.freshness(At::from_unix(NOW + seconds));
    assert_eq!(at(26 * 3600), Freshness::Fresh);
    assert_eq!(at(26 * 3600 + 1), Freshness::Stale(26 * 3600 + 1));
    assert_eq!(at(7 * 86_400), Freshness::Stale(7 * 86_400));
    assert_eq!(at(7 * 86_400 + 1), Freshness::Expired(Role::Timestamp));
}

#[test]
fn a_clock_that_is_a_quarter_of_an_hour_slow_is_still_right() {
    let vendor = Vendor::new();
    let tree = || vendor.catalog(&[], &channel(&[]), now());
    assert!(matches!(vendor.judge(tree(), At::from_unix(NOW - 900)), Judged::Trusted(..)));
    let Judged::Refused(refusal, _) = vendor.judge(tree(), At::from_unix(NOW - 901)) else { panic!() };
    assert_eq!(refusal.code, RefusalCode::ClockSkew);
}

#[test]
fn what_is_known_is_judged_as_if_it_were_verified_anew_and_under_other_floors_not_at_all() {
    let vendor = Vendor::new();
    let releases = [release(41)];
    let tree = |at| vendor.catalog(&releases, &channel(&releases), at);
    let under = Floors::new(vendor.root_bytes());
    let Judged::Trusted(trusted, after) = catalog(tree(now()), &under, now(), true) else { panic!() };
    let known = Known::new(under.clone(), Arc::from(trusted), after.clone());
    for floors in [&under, &after] {
        for seconds in [0, 3600, 8 * 86_400, -900, -901] {
            let at = At::from_unix(NOW + seconds);
            match (catalog(tree(now()), floors, at, true), known.again(floors, at).unwrap()) {
                (Judged::Trusted(_, anew), Ok(again)) => assert_eq!(anew, again, "{seconds} s"),
                (Judged::Refused(anew, _), Err(again)) => assert_eq!(anew.code, again.code, "{seconds} s"),
                (anew, again) => panic!("{seconds} s: {anew:?}, {again:?}"),
            }
        }
    }
    let hour = At::from_unix(NOW + 3600);
    let Judged::Trusted(_, raised) = catalog(tree(hour), &after, hour, true) else { panic!() };
    assert!(known.again(&raised, hour).is_none(), "another reader raised the floors");
}
