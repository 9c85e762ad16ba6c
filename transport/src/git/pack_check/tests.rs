#![allow(clippy::unwrap_used)]
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use flate2::{Compression, write::ZlibEncoder};
use proptest::prelude::*;

use super::*;

fn zlib(content: &[u8]) -> Vec<u8> {
    let mut out = ZlibEncoder::new(Vec::new(), Compression::best());
    out.write_all(content).unwrap();
    out.finish().unwrap()
}

/// Kind and size as a pack writes them.
fn head(kind: u8, size: u64) -> Vec<u8> {
    let (mut first, mut rest) = ((kind << 4) | u8::try_from(size & 15).unwrap(), size >> 4);
    let mut out = Vec::new();
    while rest > 0 {
        out.push(first | 0x80);
        (first, rest) = (u8::try_from(rest & 0x7f).unwrap(), rest >> 7);
    }
    out.push(first);
    out
}

fn number(mut size: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while size > 0x7f {
        out.push(u8::try_from(size & 0x7f).unwrap() | 0x80);
        size >>= 7;
    }
    out.push(u8::try_from(size).unwrap());
    out
}

fn object(kind: u8, claimed: u64, content: &[u8]) -> Vec<u8> {
    let base: &[u8] = match kind {
        6 => &[0x81, 0x02],
        7 => &[7; 20],
        _ => &[],
    };
    [head(kind, claimed), base.to_vec(), zlib(content)].concat()
}

fn delta(kind: u8, before: u64, after: u64) -> Vec<u8> {
    let content = [number(before), number(after), vec![1, b'x']].concat();
    object(kind, content.len() as u64, &content)
}

fn pack(count: u32, objects: &[Vec<u8>]) -> Vec<u8> {
    [&b"PACK\0\0\0\x02"[..], &count.to_be_bytes(), &objects.concat(), &[0; 20]].concat()
}

fn judge(pack: &[u8], limits: &Limits, piece: usize) -> Result<(), Refused> {
    let mut check = PackCheck::new(limits);
    pack.chunks(piece.max(1)).try_for_each(|piece| check.take(piece))?;
    check.end()
}

#[test]
fn an_object_over_its_limit_is_refused_before_it_comes() {
    let limits = Limits::vendor();
    let mib = 1 << 20;
    for (objects, over) in [
        (head(1, 300 * mib), "commit or tag"),
        (head(4, 300 * mib), "commit or tag"),
        (head(2, 300 * mib), "folder"),
        (head(3, 300 * mib), "file"),
        (head(6, 300 * mib), "change"),
        (head(7, 300 * mib), "change"),
        (delta(6, 10, 300 * mib), "object that comes as a change"),
        (delta(7, 300 * mib, 10), "object that comes as a change"),
    ] {
        let refused = judge(&pack(1, &[objects]), &limits, 4096).unwrap_err();
        assert!(matches!(refused, Refused::Over { what, .. } if what == over), "{over}: {refused}");
    }
    let many = judge(&pack(1_000_000, &[]), &limits, 1).unwrap_err();
    assert!(matches!(many, Refused::Over { what: "number of objects", .. }));
    // Each is small enough, all together are not.
    let each: Vec<_> = (0..30).map(|_| delta(7, 10, mib)).collect();
    let all = judge(&pack(30, &each), &limits, 4096).unwrap_err();
    assert!(matches!(all, Refused::Over { what: "all objects", .. }), "{all}");
}

#[test]
fn a_pack_that_lies_is_refused() {
    let limits = Limits::vendor();
    let good = pack(1, &[object(3, 5, b"hello")]);
    assert_eq!(judge(&good, &limits, 1), Ok(()));
    assert_eq!(judge(&pack(0, &[]), &limits, 1), Ok(()));
    for (name, bad) in [
        ("smaller than it says", pack(1, &[object(3, 6, b"hello")])),
        ("larger than it says", pack(1, &[object(3, 4, b"hello")])),
        ("a bomb that says it is small", pack(1, &[object(3, 5, &vec![0; 1 << 20])])),
        ("half a delta", pack(1, &[object(6, 1, &[5])])),
        ("an unknown kind", pack(1, &[object(5, 5, b"hello")])),
        ("not compressed", pack(1, &[[head(3, 5), b"hello".to_vec()].concat()])),
        ("a size of too many digits", pack(1, &[vec![0xff; 12]])),
        ("more objects than it says", pack(1, &[object(3, 1, b"a"), object(3, 1, b"b")])),
        ("fewer objects than it says", pack(2, &[object(3, 1, b"a")])),
        ("another version", [&b"PACK\0\0\0\x03"[..], &[0; 24]].concat()),
        ("not a pack", b"<html>please log in</html>....................".to_vec()),
        ("cut off", good[..good.len() - 1].to_vec()),
        ("nothing", Vec::new()),
    ] {
        for piece in [1, 7, 4096] {
            assert!(judge(&bad, &limits, piece).is_err(), "{name} in pieces of {piece}");
        }
    }
}

fn git(folder: &Path, args: &[&str], input: &[u8]) -> Vec<u8> {
    let mut git = Command::new("git");
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("GIT_")) {
        git.env_remove(name);
    }
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    git.current_dir(folder).args(["-c", "user.name=t", "-c", "user.email=t@example.org"]).args(args);
    let mut child = git.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {args:?}");
    output.stdout
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn what_git_packs_passes_and_is_counted_exactly(
        texts in prop::collection::vec("[a-z \n]{0,3000}", 1..6), by_offset: bool, piece in 1_usize..5000,
    ) {
        let folder = tempfile::tempdir().unwrap();
        git(folder.path(), &["init", "-q"], b"");
        for (number, text) in texts.iter().enumerate() {
            // Alike, so that git stores one as a change of another.
            let file = folder.path().join(format!("file-{}", number % 3));
            std::fs::write(file, texts.concat() + text).unwrap();
            git(folder.path(), &["add", "."], b"");
            git(folder.path(), &["commit", "-q", "--allow-empty", "-m", text], b"");
        }
        git(folder.path(), &["tag", "-a", "-m", "tag", "v1"], b"");
        let offset = if by_offset { "--delta-base-offset" } else { "--no-reuse-delta" };
        let packed = git(folder.path(), &["pack-objects", "-q", "--all", "--stdout", offset], b"");
        let list = git(folder.path(), &["cat-file", "--batch-all-objects", "--batch-check=%(objectsize)"], b"");
        let sizes: Vec<u64> = String::from_utf8(list).unwrap().lines().map(|line| line.parse().unwrap()).collect();
        let count = u32::try_from(sizes.len()).unwrap();
        let exact = Limits { objects: count, ..Limits::vendor() };
        prop_assert_eq!(judge(&packed, &exact, piece), Ok(()));
        let fewer = Limits { objects: count - 1, ..Limits::vendor() };
        prop_assert!(judge(&packed, &fewer, piece).is_err());
        // Changes count with what they are written as, too.
        let all: u64 = sizes.iter().sum();
        let roomy = Limits { inflated_bytes: all * 2 + 1000, ..Limits::vendor() };
        prop_assert_eq!(judge(&packed, &roomy, piece), Ok(()));
        let tight = Limits { inflated_bytes: all - 1, ..Limits::vendor() };
        prop_assert!(judge(&packed, &tight, piece).is_err());
        let cut = packed.len() * piece / 5000;
        prop_assert!(judge(&packed[..cut.min(packed.len() - 1)], &exact, 1000).is_err());
    }
}
