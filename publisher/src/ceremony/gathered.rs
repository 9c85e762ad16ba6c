//! All files of a ceremony that somebody has, checked against each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use pdp_policies::trust::{Role, metadata};
use pdp_policies::{At, Digest, Person};
use pdp_transport::cli::failure::{Failure, Result, internal};
use serde_json::Value;
use sigstore_tuf::Key;

use super::documents::{Join, Signatures, Start, Step};
use super::draft::{Draft, Seats};
use super::plan::{Seat, quoted};

/// What is there of a ceremony.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) start: Start,
    pub(crate) ceremony: Digest,
    pub(crate) joins: BTreeMap<Person, Join>,
    pub(crate) signatures: BTreeMap<Person, Signatures>,
}

impl Gathered {
    /// Reads and checks files in any order, of a ceremony that goes on.
    ///
    /// # Errors
    /// Those of [`Self::read_ended`] and [`Start::check_time`].
    pub(crate) fn read(paths: &[PathBuf], now: At) -> Result<Self> {
        let gathered = Self::read_ended(paths)?;
        gathered.start.check_time(now)?;
        Ok(gathered)
    }

    /// The same of one that may have ended long ago, for whoever looks back.
    ///
    /// # Errors
    /// `CeremonyStartMissing`, `OtherCeremony`, `NotInvited`, `JoinedTwice`, `SignedTwice`, `KeyInUse`, `SignedOther`,
    /// `CeremonyFileAltered`, and those of [`Step::read`] and [`super::Plan::check`].
    pub(crate) fn read_ended(paths: &[PathBuf]) -> Result<Self> {
        let steps: Result<Vec<_>> = paths.iter().map(|path| Step::read(path)).collect();
        Self::of(steps?)
    }

    fn of(steps: Vec<Step>) -> Result<Self> {
        let (mut starts, mut joins, mut signed) = (Vec::new(), Vec::new(), Vec::new());
        for step in steps {
            match step {
                Step::Start(start) => starts.push(start),
                Step::Join(join) => joins.push(join),
                Step::Sign(signatures) => signed.push(signatures),
            }
        }
        starts.dedup();
        let start = match starts.len() {
            1 => starts.remove(0),
            0 => {
                return Err(Failure::new(
                    "CeremonyStartMissing",
                    "the file that starts the ceremony is not among these",
                )
                .hint("give the file of `publisher key ceremony start`, too"));
            }
            _ => return Err(other("two files start ceremonies that differ")),
        };
        start.plan.check()?;
        let ceremony = start.digest()?;
        let mut gathered = Self { start, ceremony, joins: BTreeMap::new(), signatures: BTreeMap::new() };
        joins.into_iter().try_for_each(|join| gathered.join(join))?;
        gathered.keys_are_distinct()?;
        signed.into_iter().try_for_each(|signatures| gathered.sign(signatures))?;
        Ok(gathered)
    }

    fn join(&mut self, join: Join) -> Result<()> {
        let person = join.person.clone();
        if join.ceremony != self.ceremony {
            return Err(other(&format!("`{person}` joined another ceremony")));
        }
        let seats = self.seats_of(&person)?;
        if join.keys.keys().copied().collect::<BTreeSet<_>>() != seats {
            return Err(altered(&person, "it doesn't hold one key for each role that the plan gives them"));
        }
        let bytes = join.proven()?;
        for (seat, key) in &join.keys {
            let proof = join.proofs.get(seat).map(String::as_str).unwrap_or_default();
            let (id, listed) = metadata::key(&key.0).map_err(|cause| altered(&person, &cause))?;
            check_kind(&person, *seat, &listed)?;
            if !verifies(&listed, &bytes, proof) {
                return Err(altered(&person, &format!("key {id} didn't sign it")));
            }
        }
        match self.joins.insert(person.clone(), join.clone()) {
            Some(before) if before != join => {
                Err(twice("JoinedTwice", &person, "joined with different keys"))
            }
            _ => Ok(()),
        }
    }

    /// What a person is to make keys for.
    ///
    /// # Errors
    /// `NotInvited`.
    pub(crate) fn seats_of(&self, person: &Person) -> Result<BTreeSet<Seat>> {
        self.start.plan.seats().remove(person).ok_or_else(|| {
            Failure::new("NotInvited", format!("the plan gives `{person}` no role"))
                .hint("ask whoever started the ceremony for a new plan; names are written exactly as there")
        })
    }

    fn keys_are_distinct(&self) -> Result<()> {
        let mut seen = BTreeMap::new();
        for join in self.joins.values() {
            for (seat, key) in &join.keys {
                let (_, listed) = metadata::key(&key.0).map_err(internal)?;
                let here = format!("`{}` as {seat}", join.person);
                if let Some(there) = seen.insert(metadata::material(&listed), here.clone()) {
                    return Err(Failure::new(
                        "KeyInUse",
                        format!("one key stands for {there} and for {here}"),
                    )
                    .cause("a key has one purpose and one holder")
                    .hint("`publisher key ceremony join` makes a key for each; start a new ceremony"));
                }
            }
        }
        Ok(())
    }

    fn sign(&mut self, signed: Signatures) -> Result<()> {
        let person = signed.person.clone();
        if signed.ceremony != self.ceremony {
            return Err(other(&format!("`{person}` signed in another ceremony")));
        }
        let draft = self.draft()?;
        if signed.draft != draft.digest()? {
            return Err(Failure::new("SignedOther", format!("`{person}` signed {}", signed.draft))
                .cause(format!("these files make {}", draft.digest()?))
                .hint("somebody has other files, or another version of this program: compare both, and sign again"));
        }
        let own = |seat: &Seat| matches!(seat, Seat::Role(role) if role.is_of_people());
        if self.seats_of(&person)?.iter().filter(|seat| own(seat)).count() != signed.signatures.len() {
            return Err(altered(&person, "it doesn't hold a signature for each of their roles"));
        }
        for (role, signature) in &signed.signatures {
            if !self.is_signed_by(&person, *role, signature, &draft)? {
                return Err(altered(&person, &format!("the signature for `{role}` isn't theirs")));
            }
        }
        match self.signatures.insert(person.clone(), signed.clone()) {
            Some(before) if before != signed => Err(twice("SignedTwice", &person, "signed twice")),
            _ => Ok(()),
        }
    }

    fn is_signed_by(&self, person: &Person, role: Role, signature: &str, draft: &Draft) -> Result<bool> {
        let key = self.joins.get(person).and_then(|join| join.keys.get(&Seat::Role(role)));
        let (Some(key), Some(payload)) = (key, draft.payloads.get(&role)) else { return Ok(false) };
        let (_, listed) = metadata::key(&key.0).map_err(internal)?;
        Ok(verifies(&listed, &metadata::signing_bytes(payload).map_err(internal)?, signature))
    }

    /// Who has not joined yet.
    pub(crate) fn absent(&self) -> Vec<Person> {
        self.start.plan.seats().into_keys().filter(|person| !self.joins.contains_key(person)).collect()
    }

    /// What is to be signed.
    ///
    /// # Errors
    /// `PersonMissing` until all have joined.
    pub(crate) fn draft(&self) -> Result<Draft> {
        let absent = self.absent();
        if !absent.is_empty() {
            return Err(Failure::new("PersonMissing", format!("{} has not joined", quoted(&absent)))
                .hint("wait for their files, or start a ceremony without them"));
        }
        let mut seats = Seats::new();
        for join in self.joins.values() {
            for (seat, key) in &join.keys {
                seats.entry(*seat).or_default().insert(join.person.clone(), key.clone());
            }
        }
        Draft::of(&self.start.plan, &seats, self.start.created)
    }

    /// All signatures so far, by role and key id.
    pub(crate) fn by_role(&self) -> Result<BTreeMap<Role, BTreeMap<String, Vec<u8>>>> {
        let mut found: BTreeMap<Role, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
        for signed in self.signatures.values() {
            for (role, signature) in &signed.signatures {
                let key = self.joins.get(&signed.person).and_then(|join| join.keys.get(&Seat::Role(*role)));
                let Some(key) = key else { continue };
                let (id, _) = metadata::key(&key.0).map_err(internal)?;
                found.entry(*role).or_default().insert(id, hex::decode(signature).map_err(internal)?);
            }
        }
        Ok(found)
    }
}

/// Directors sign with Ed25519, and artifacts are signed with what cosign and Flux verify.
fn check_kind(person: &Person, seat: Seat, listed: &Value) -> Result<()> {
    let wanted = match seat {
        Seat::Director => "ed25519",
        Seat::Artifact => "ecdsa",
        Seat::Role(_) => return Ok(()),
    };
    match listed["keytype"] == wanted {
        true => Ok(()),
        false => Err(altered(person, &format!("the key for `{seat}` isn't {wanted}"))),
    }
}

pub(super) fn verifies(listed: &Value, bytes: &[u8], signature: &str) -> bool {
    let key: std::result::Result<Key, _> = serde_json::from_value(listed.clone());
    let (Ok(key), Ok(signature)) = (key, hex::decode(signature)) else { return false };
    key.verify(bytes, &sigstore_types::SignatureBytes::new(signature)).is_ok()
}

fn other(cause: &str) -> Failure {
    Failure::new("OtherCeremony", "these files are not of one ceremony")
        .cause(cause)
        .hint("leave out files of other ceremonies; nothing of one counts in another")
}

fn altered(person: &Person, cause: &str) -> Failure {
    Failure::new("CeremonyFileAltered", format!("the file of `{person}` is not as they made it"))
        .cause(cause)
        .hint("nothing was done; have it sent again another way, and ask who changed it")
}

fn twice(code: &'static str, person: &Person, what: &str) -> Failure {
    Failure::new(code, format!("`{person}` {what}"))
        .cause("two files of one person differ")
        .hint("ask them which one is theirs, and leave the other out")
}
