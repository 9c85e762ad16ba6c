//! Exit codes. They are stable; scripts may rely on them.

/// Done, or no differences.
pub const DONE: u8 = 0;
/// A negative answer: findings, a differing artifact, a tag that moved.
pub const NEGATIVE: u8 = 1;
/// Wrong usage, or an error at run time; nothing is half done.
pub const FAILED: u8 = 2;
/// A rollout that was watched can't go on by itself.
pub const HELD: u8 = 3;
/// A login is needed.
pub const LOGIN: u8 = 4;
/// It is done, and a role of the catalog ends within 7 days or has ended.
pub const ROLE_ENDS: u8 = 5;
/// The level is proposed or published, and statements about it aren't all attached.
pub const UNATTACHED: u8 = 6;
/// No data plane that can be judged is past a deadline, and some can't be judged.
pub const NOT_JUDGED: u8 = 7;
/// Verification: no signature.
pub const UNSIGNED: u8 = 10;
/// Verification: it isn't there.
pub const NOT_FOUND: u8 = 11;
/// Verification: the signer isn't trusted.
pub const UNKNOWN_SIGNER: u8 = 12;
/// Verification: too few signatures.
pub const THRESHOLD: u8 = 13;
/// Verification: the metadata is past its expiry.
pub const EXPIRED: u8 = 14;
/// Verification: older than what was seen.
pub const ROLLBACK: u8 = 15;
/// Verification: other bytes than the digest says.
pub const DIGEST: u8 = 16;

/// The table that `publisher exit-codes` prints.
pub const TABLE: &[(u8, &str)] = &[
    (DONE, "done, or no differences"),
    (NEGATIVE, "a negative answer: findings, something differs"),
    (FAILED, "wrong usage, or an error at run time; nothing is half done"),
    (HELD, "a watched rollout can't go on by itself: halted, paused, stopped, withdrawn, superseded, ..."),
    (LOGIN, "a login is needed"),
    (ROLE_ENDS, "done, but a role of the catalog ends within 7 days or has ended: renew it"),
    (
        UNATTACHED,
        "the level is proposed or published, and statements about it aren't all attached: run it again",
    ),
    (
        NOT_JUDGED,
        "no data plane that can be judged is past a deadline, and some can't be judged: see why, they may be",
    ),
    (UNSIGNED, "verification: no signature"),
    (NOT_FOUND, "verification: it isn't there"),
    (UNKNOWN_SIGNER, "verification: the signer isn't trusted"),
    (THRESHOLD, "verification: too few signatures"),
    (EXPIRED, "verification: the metadata is past its expiry"),
    (ROLLBACK, "verification: older than what was seen"),
    (DIGEST, "verification: other bytes than the digest says"),
];
