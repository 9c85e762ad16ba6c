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
/// How limits are called in refusals.
const CHANGE: &str = "change";
const CHANGED: &str = "object that comes as a change";

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
            6 | 7 => (CHANGE, self.limits.delta_bytes),
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
            within(CHANGED, self.size, limits.delta_bytes)?;
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

impl Refused {
    /// True if an object is too large to come as a change of another one.
    pub(super) fn is_of_a_change(&self) -> bool {
        matches!(self, Self::Over { what: CHANGE | CHANGED, .. })
    }
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
mod tests;
