//! Hotfixes at the gate: who gets one, on what, and that nobody loses one by going on.

use pdp_policies::gate::Verdict;
use pdp_policies::{
    AUDIENCES, Barred, Channel, Level, ObstacleCode, RefusalCode, Withdrawal, audience_member, document,
};

use crate::gate::Setting;
use crate::vendor::{channel, now, release};

/// Makes a level a hotfix of `base` for `acme`.
pub(crate) fn hotfix(channel: &mut Channel, level: u32, base: u32) {
    let promotion = channel.levels.get_mut(&Level(level)).unwrap();
    promotion.base = Some(Level(base));
    promotion.audience = [audience_member(&promotion.sha256, &"acme".parse().unwrap())].into();
    channel.critical = vec![AUDIENCES.to_owned()];
}

fn withdraw(channel: &mut Channel, level: u32) {
    let withdrawal = Withdrawal { at: now(), reason: "bad".into(), fixed_by: None };
    channel.withdrawn.insert(Level(level), withdrawal);
}

/// Levels 40 to 42 are promoted; 42 is a hotfix of 41 for `acme`, who asks.
fn setting(installed: u32) -> Setting {
    let mut setting = Setting::with_releases(|releases| releases.insert(0, release(40)));
    setting.installed = Some(Level(installed));
    hotfix(&mut setting.channel, 42, 41);
    setting
}

#[test]
fn it_goes_on_its_base_only() {
    assert_eq!(setting(41).starts(), Some(42));
    assert_eq!(setting(40).starts(), Some(41), "the base first");
    assert_eq!(Setting { installed: None, ..setting(40) }.starts(), Some(41));
    let mut barred = setting(40);
    withdraw(&mut barred.channel, 41);
    assert_eq!(barred.obstacles(), [ObstacleCode::RequiresUnmet]);
}

#[test]
fn nobody_else_is_moved_by_it() {
    let mut setting = setting(41);
    let promotion = setting.channel.levels.get_mut(&Level(42)).unwrap();
    promotion.audience = [audience_member(&promotion.sha256, &"bank".parse().unwrap())].into();
    assert!(matches!(setting.verdict(), Verdict::UpToDate));
    setting.installed = Some(Level(40));
    assert_eq!(setting.starts(), Some(41));
    // The hash of another release isn't its.
    let other = audience_member(&setting.channel.levels[&Level(41)].sha256, &"acme".parse().unwrap());
    setting.channel.levels.get_mut(&Level(42)).unwrap().audience = [other].into();
    assert_eq!(setting.starts(), Some(41));
}

#[test]
fn going_on_loses_no_hotfix() {
    let on_the_hotfix = || {
        let mut setting = Setting::with_releases(|releases| releases.push(release(43)));
        hotfix(&mut setting.channel, 42, 41);
        Setting { installed: Some(Level(42)), ..setting }
    };
    assert_eq!(on_the_hotfix().obstacles(), [ObstacleCode::RequiresUnmet]);
    let mut folded = on_the_hotfix();
    folded.channel.levels.get_mut(&Level(43)).unwrap().supersedes.insert(Level(42));
    assert_eq!(folded.starts(), Some(43));
    let mut withdrawn = on_the_hotfix();
    withdraw(&mut withdrawn.channel, 42);
    assert_eq!(withdrawn.starts(), Some(43), "what is withdrawn may be left");
}

#[test]
fn a_level_holds_what_it_was_made_of() {
    // 42 is the hotfix; each row: the bases and what is superseded of levels 43 to 45, and whether 45 holds it.
    for (bases, superseded, holds) in [
        (&[][..], &[][..], false),
        (&[(45, 42)], &[], true),
        (&[(45, 44)], &[], false),
        (&[(45, 44), (44, 43)], &[(43, 42)], true),
        (&[(45, 41)], &[(45, 43), (43, 42)], true),
        (&[(45, 44), (44, 41)], &[(43, 42)], false),
    ] {
        let mut channel = channel(&[41, 42, 43, 44, 45].map(release));
        hotfix(&mut channel, 42, 41);
        for (level, base) in bases {
            channel.levels.get_mut(&Level(*level)).unwrap().base = Some(Level(*base));
        }
        for (level, gone) in superseded {
            channel.levels.get_mut(&Level(*level)).unwrap().supersedes.insert(Level(*gone));
        }
        let barred = channel.barred(Some(Level(42)), Level(45));
        let expected = (!holds).then_some(Barred::LosesHotfix(Level(42)));
        assert_eq!(barred, expected, "{bases:?} {superseded:?}");
        assert_eq!(channel.barred(Some(Level(41)), Level(45)), None);
        assert_eq!(channel.barred(Some(Level(45)), Level(42)), None, "going nowhere is no step");
    }
}

#[test]
fn a_channel_with_half_a_hotfix_is_refused() {
    let refused = |edit: fn(&mut Channel)| {
        let mut channel = channel(&[41, 42].map(release));
        hotfix(&mut channel, 42, 41);
        assert_eq!(channel.problems(), Vec::<String>::new());
        edit(&mut channel);
        Channel::read("channel", &document::write(&channel).unwrap()).unwrap_err().code
    };
    let unreadable = RefusalCode::Unreadable;
    // Without the mark an older reader would install it everywhere.
    assert_eq!(refused(|channel| channel.critical.clear()), unreadable);
    assert_eq!(refused(|channel| drop(channel.levels.remove(&Level(41)))), unreadable);
    assert_eq!(refused(|channel| channel.levels.get_mut(&Level(42)).unwrap().base = None), unreadable);
    assert_eq!(refused(|channel| channel.required_stops = [Level(42)].into()), unreadable);
    let unknown = refused(|channel| channel.critical.push("next".into()));
    assert_eq!(unknown, RefusalCode::UnknownCriticalFeature);
}
