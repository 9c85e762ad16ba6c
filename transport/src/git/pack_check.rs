//! A pack, judged while it comes in (gitformat-pack): number and size of all objects, before anybody inflates them.
//!
//! libgit2 has no such limits: it takes a commit of any size into memory. What passes here says of each object how
//! large it is, and it is so large. Names and delta bases are libgit2's to check.

use flate2::{Decompress, FlushDecompress, Status};

use super::limits::Limits;

/// `PACK`, version, number of objects.
const HEADER: usize = 12;
/// SHA-1 over all that came before.
const TRAILER: usize = 20;

/// Reads along with a pack.
pub(super) struct PackCheck<'a> {
    limits: &'a Limits,
    state: State,
    named: u32,
    /// Objects that have still to come.
    objects: u32,
    /// What all objects may still be, inflated.
    inflated_left: u64,
    inflater: Decompress,
    scratch: Box<[u8]>,
}

enum State {
    Header(Vec<u8>),
    /// Kind and size of an object, seven bits a byte.
    Object {
        kind: u8,
        size: u64,
        shift: u32,
    },
    /// Where the base of a delta lies, backwards.
    OffsetOfBase(u64),
    /// The name of a delta's base.
    NameOfBase(u64, usize),
    Body(Body),
    Trailer(usize),
    Done,
}

/// A compressed object; of a delta, its first two numbers say how large the object is before and after.
struct Body {
    size: u64,
    seen: u64,
    delta: Option<DeltaHead>,
}

#[derive(Default)]
struct DeltaHead {
    sizes: Vec<u64>,
    size: u64,
    shift: u32,
}

impl<'a> PackCheck<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            state: State::Header(Vec::with_capacity(HEADER)),
            named: 0,
            objects: 0,
            inflated_left: limits.inflated_bytes,
            inflater: Decompress::new(true),
            scratch: vec![0; 16 * 1024].into(),
        }
    }

    /// Looks at the next piece.
    ///
    /// # Errors
    /// Why the pack is refused.
    pub(super) fn take(&mut self, mut piece: &[u8]) -> Result<(), Refused> {
        while let Some((first, rest)) = piece.split_first() {
            piece = match &mut self.state {
                State::Body(_) => self.inflate(piece)?,
                _ => {
                    self.step(*first)?;
                    rest
                }
            };
        }
        Ok(())
    }

    /// So many objects the pack says that it has.
    pub(super) fn named(&self) -> u32 {
        self.named
    }

    /// # Errors
    /// When something is missing.
    pub(super) fn end(&self) -> Result<(), Refused> {
        match self.state {
            State::Done => Ok(()),
            _ => Err(Refused::Broken("the pack ends too early")),
        }
    }

    fn step(&mut self, byte: u8) -> Result<(), Refused> {
        let state = std::mem::replace(&mut self.state, State::Done);
        self.state = match state {
            State::Header(mut header) => {
                header.push(byte);
                match <[u8; HEADER]>::try_from(header) {
                    Ok(header) => self.begin(header)?,
                    Err(header) => State::Header(header),
                }
            }
            State::Object { kind, size, shift } => self.object(byte, kind, size, shift)?,
            State::OffsetOfBase(size) if byte & 0x80 == 0 => self.body(size, true)?,
            State::OffsetOfBase(size) => State::OffsetOfBase(size),
            State::NameOfBase(size, 1) => self.body(size, true)?,
            State::NameOfBase(size, left) => State::NameOfBase(size, left - 1),
            State::Trailer(1) => State::Done,
            State::Trailer(left) => State::Trailer(left - 1),
            State::Body(_) | State::Done => return Err(Refused::Broken("more follows the end of the pack")),
        };
        Ok(())
    }

    fn begin(&mut self, header: [u8; HEADER]) -> Result<State, Refused> {
        let [b'P', b'A', b'C', b'K', 0, 0, 0, 2, a, b, c, d] = header else {
            return Err(Refused::Broken("it is not a pack of version 2"));
        };
        (self.named, self.objects) = (u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([a, b, c, d]));
        within("number of objects", self.objects.into(), self.limits.objects.into())?;
        Ok(self.next())
    }

    fn next(&mut self) -> State {
        match self.objects {
            0 => State::Trailer(TRAILER),
            _ => State::Object { kind: 0, size: 0, shift: 0 },
        }
    }

    fn object(&mut self, byte: u8, kind: u8, size: u64, shift: u32) -> Result<State, Refused> {
        let (kind, bits, width) = match shift {
            0 => ((byte >> 4) & 7, byte & 15, 4),
            _ => (kind, byte & 0x7f, 7),
        };
        let size = wider(size, bits, shift)?;
        if byte & 0x80 != 0 {
            return Ok(State::Object { kind, size, shift: shift + width });
        }
        let (name, limit) = match kind {
            1 | 4 => ("commit or tag", self.limits.commit_bytes),
            2 => ("folder", self.limits.tree_bytes),
            3 => ("file", self.limits.blob_bytes),
            6 | 7 => ("change", self.limits.delta_bytes),
            _ => return Err(Refused::Broken("an object of an unknown kind")),
        };
        within(name, size, limit)?;
        self.account(size)?;
        match kind {
            6 => Ok(State::OffsetOfBase(size)),
            7 => Ok(State::NameOfBase(size, TRAILER)),
            _ => self.body(size, false),
        }
    }

    fn account(&mut self, size: u64) -> Result<(), Refused> {
        let over = Refused::Over { what: "all objects", size, limit: self.limits.inflated_bytes };
        self.inflated_left = self.inflated_left.checked_sub(size).ok_or(over)?;
        Ok(())
    }

    fn body(&mut self, size: u64, is_delta: bool) -> Result<State, Refused> {
        self.objects -= 1;
        self.inflater.reset(true);
        Ok(State::Body(Body { size, seen: 0, delta: is_delta.then(DeltaHead::default) }))
    }

    /// Inflates into nothing; gives what follows the object.
    fn inflate<'p>(&mut self, piece: &'p [u8]) -> Result<&'p [u8], Refused> {
        let State::Body(body) = &mut self.state else { return Ok(piece) };
        let (before_in, before_out) = (self.inflater.total_in(), self.inflater.total_out());
        let status = self.inflater.decompress(piece, &mut self.scratch, FlushDecompress::None);
        let status = status.map_err(|_| Refused::Broken("an object isn't compressed as it should be"))?;
        let (used, made) = (self.inflater.total_in() - before_in, self.inflater.total_out() - before_out);
        body.seen += made;
        if body.seen > body.size {
            return Err(Refused::Broken("an object is larger than it says"));
        }
        let made = usize::try_from(made).ok().and_then(|made| self.scratch.get(..made)).unwrap_or_default();
        let after = body.delta.as_mut().map_or(Ok(None), |head| head.take(made, self.limits))?;
        let ended = status == Status::StreamEnd;
        if used == 0 && made.is_empty() && !ended {
            return Err(Refused::Broken("an object never ends"));
        }
        if ended && (body.seen != body.size || body.delta.as_ref().is_some_and(|head| !head.is_whole())) {
            return Err(Refused::Broken("an object is smaller than it says"));
        }
        if let Some(size) = after {
            self.account(size)?;
        }
        if ended {
            self.state = self.next();
        }
        let used = usize::try_from(used).unwrap_or(piece.len());
        Ok(piece.get(used..).unwrap_or_default())
    }
}

impl DeltaHead {
    /// The size of the object that comes out, once it is known.
    fn take(&mut self, made: &[u8], limits: &Limits) -> Result<Option<u64>, Refused> {
        for byte in made {
            if self.is_whole() {
                return Ok(None);
            }
            self.size = wider(self.size, byte & 0x7f, self.shift)?;
            self.shift += 7;
            if byte & 0x80 != 0 {
                continue;
            }
            within("object that comes as a change", self.size, limits.delta_bytes)?;
            self.sizes.push(self.size);
            (self.size, self.shift) = (0, 0);
            if self.is_whole() {
                return Ok(self.sizes.last().copied());
            }
        }
        Ok(None)
    }

    fn is_whole(&self) -> bool {
        self.sizes.len() == 2
    }
}

/// Why a pack is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    /// It isn't what the format says.
    Broken(&'static str),
    /// A limit is met.
    Over { what: &'static str, size: u64, limit: u64 },
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Broken(cause) => write!(f, "{cause}"),
            Self::Over { what, size, limit } => write!(f, "{what}: {size}, and the limit is {limit}"),
        }
    }
}

fn within(what: &'static str, size: u64, limit: u64) -> Result<(), Refused> {
    if size > limit { Err(Refused::Over { what, size, limit }) } else { Ok(()) }
}

/// A number with some more bits on top.
fn wider(number: u64, bits: u8, shift: u32) -> Result<u64, Refused> {
    let wide = u64::from(bits).checked_shl(shift).filter(|wide| wide >> shift == u64::from(bits));
    wide.map(|wide| number | wide).ok_or(Refused::Broken("a size of too many digits"))
}

#[cfg(test)]
mod tests {
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
}
