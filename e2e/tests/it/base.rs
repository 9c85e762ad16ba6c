//! One vendor for all attacks: levels 40 and 41 in the past, 42 published and opened.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use pdp_e2e::World;
pub(crate) use pdp_e2e::unix_now;

/// The files of a catalog branch.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The world and its catalog at three moments.
pub(crate) struct Base {
    pub(crate) world: World,
    /// When 40 was the newest level.
    pub(crate) at_40: Files,
    /// When 41 was.
    pub(crate) at_41: Files,
    /// Now: 42.
    pub(crate) at_42: Files,
}

pub(crate) fn base() -> &'static Base {
    static BASE: OnceLock<Base> = OnceLock::new();
    BASE.get_or_init(|| {
        let world = World::start().unwrap();
        let files = |level| {
            world.release(level, "emergency").unwrap();
            world.open(level, &["general=100"]).unwrap();
            world.git.files("catalog", "catalog").unwrap()
        };
        let (at_40, at_41, at_42) = (files(40), files(41), files(42));
        Base { at_40, at_41, at_42, world }
    })
}
