//! What a host says that a repository holds (gitprotocol-http, version 0).

use git2::Oid;

use super::pkt_line::{Line, Lines, trimmed};
use super::words::words;

/// So many names are kept for an error.
const NAMED: usize = 10;
const BRANCHES: &str = "refs/heads/";

/// Branches and what the host can do. Only the branches that were asked for are kept.
#[derive(Debug)]
pub(super) struct Advertisement {
    prefix: String,
    service: &'static str,
    lines: Lines,
    part: Part,
    /// The branches that were asked for.
    pub(super) branches: Vec<(String, Oid)>,
    /// The first branches, whatever they are called.
    pub(super) others: Vec<String>,
    /// True if it has no branch, tag or other name.
    pub(super) is_empty: bool,
    capabilities: String,
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Banner,
    BeforeFirst,
    First,
    Rest,
    End,
}

/// Why it can't be used.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unusable {
    /// Not Git's protocol.
    Garbage(String),
    /// Objects are named by SHA-256.
    ObjectFormat,
    /// The host's own words.
    Said(String),
}

impl Advertisement {
    /// For the branches whose name starts with `prefix`.
    pub(super) fn new(service: &'static str, prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            service,
            lines: Lines::default(),
            part: Part::Banner,
            branches: Vec::new(),
            others: Vec::new(),
            is_empty: true,
            capabilities: String::new(),
        }
    }

    /// Reads the next piece.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<(), Unusable> {
        self.lines.add(piece);
        while let Some(line) = self.lines.next().map_err(|cause| Unusable::Garbage(cause.to_owned()))? {
            self.line(&line)?;
        }
        Ok(())
    }

    pub(super) fn end(&self) -> Result<(), Unusable> {
        match self.part {
            Part::End if self.lines.is_empty() => Ok(()),
            _ => Err(Unusable::Garbage("the list of branches ends too early".to_owned())),
        }
    }

    /// The newest commit of one of the branches that were asked for, none if it isn't there.
    pub(super) fn head(&self, branch: &str) -> Option<Oid> {
        self.branches.iter().find(|(name, _)| name == branch).map(|(_, id)| *id)
    }

    /// True if the host can do this.
    pub(super) fn can(&self, capability: &str) -> bool {
        self.capabilities.split(' ').any(|word| word == capability)
    }

    fn line(&mut self, line: &Line) -> Result<(), Unusable> {
        let garbage = |cause: &str| Err(Unusable::Garbage(cause.to_owned()));
        match (&self.part, line) {
            (Part::Banner, Line::Content(line)) if trimmed(line) == self.banner() => {
                self.part = Part::BeforeFirst
            }
            (Part::BeforeFirst, Line::Flush) => self.part = Part::First,
            (Part::First | Part::Rest, Line::Flush) => self.part = Part::End,
            (Part::First, Line::Content(line)) => {
                let (name, capabilities) = match line.iter().position(|byte| *byte == 0) {
                    Some(at) => line.split_at(at),
                    None => (&**line, &b""[..]),
                };
                self.capabilities =
                    String::from_utf8_lossy(trimmed(capabilities)).trim_start_matches('\0').to_owned();
                self.part = Part::Rest;
                if self
                    .capabilities
                    .split(' ')
                    .any(|word| word.starts_with("object-format=") && word != "object-format=sha1")
                {
                    return Err(Unusable::ObjectFormat);
                }
                return self.name(name);
            }
            (Part::Rest, Line::Content(line)) => return self.name(trimmed(line)),
            (_, Line::Content(line)) if line.starts_with(b"ERR ") => {
                return Err(Unusable::Said(words(line.get(4..).unwrap_or_default())));
            }
            (Part::Banner, _) => return garbage("it is not an answer for this service"),
            (Part::BeforeFirst | Part::End, _) => {
                return garbage("lines in a wrong order");
            }
        }
        Ok(())
    }

    fn banner(&self) -> Vec<u8> {
        format!("# service={}", self.service).into_bytes()
    }

    fn name(&mut self, line: &[u8]) -> Result<(), Unusable> {
        if let Some(said) = line.strip_prefix(b"ERR ") {
            return Err(Unusable::Said(words(said)));
        }
        let garbage = || Unusable::Garbage("a line that names no commit".to_owned());
        let text = std::str::from_utf8(trimmed(line)).map_err(|_| garbage())?;
        // What a shallow repository says of itself is no name.
        if text.starts_with("shallow ") {
            return Ok(());
        }
        let (id, name) = text.split_once(' ').ok_or_else(garbage)?;
        let id =
            Some(id).filter(|id| id.len() == 40).and_then(|id| Oid::from_str(id).ok()).ok_or_else(garbage)?;
        if name != "capabilities^{}" {
            self.named(name, id);
        }
        Ok(())
    }

    /// Takes one name with its commit.
    pub(super) fn named(&mut self, name: &str, id: Oid) {
        self.is_empty = false;
        let Some(branch) = name.strip_prefix(BRANCHES) else { return };
        if self.others.len() < NAMED {
            self.others.push(branch.to_owned());
        }
        if branch.starts_with(&self.prefix) {
            self.branches.push((branch.to_owned(), id));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn line(text: &str) -> String {
        format!("{:04x}{text}", text.len() + 4)
    }

    fn read(lines: &[&str]) -> Result<Advertisement, Unusable> {
        let mut sent = line("# service=git-upload-pack\n") + "0000";
        sent.extend(lines.iter().map(|text| line(text)));
        let mut read = Advertisement::new("git-upload-pack", "main");
        read.take((sent + "0000").as_bytes())?;
        read.end().map(|()| read)
    }

    const ID: &str = "1111111111111111111111111111111111111111";

    #[test]
    fn branches_and_capabilities_are_read() {
        let first = format!("{ID} HEAD\0side-band-64k shallow agent=x\n");
        let read =
            read(&[&first, &format!("{ID} refs/heads/main\n"), &format!("{ID} refs/heads/other")]).unwrap();
        assert_eq!(read.branches, [("main".to_owned(), Oid::from_str(ID).unwrap())]);
        assert_eq!(read.others, ["main", "other"]);
        assert!(!read.is_empty && read.can("shallow") && !read.can("side-band"));
    }

    #[test]
    fn an_empty_repository_is_told_from_one_without_the_branch() {
        let none = format!("{} capabilities^{{}}\0side-band-64k\n", "0".repeat(40));
        assert!(read(&[&none]).unwrap().is_empty);
        assert!(read(&[]).unwrap().is_empty);
        let tag = format!("{ID} refs/tags/v1\0side-band-64k\n");
        assert!(!read(&[&tag]).unwrap().is_empty);
    }

    #[test]
    fn what_cannot_be_used_says_why() {
        let long = format!("{ID}{} HEAD\0object-format=sha256\n", "1".repeat(24));
        assert_eq!(read(&[&long]).unwrap_err(), Unusable::ObjectFormat);
        assert_eq!(
            read(&["ERR no such repository\n"]).unwrap_err(),
            Unusable::Said("no such repository".into())
        );
        for bad in ["x", "zz11 refs/heads/main", &format!("{ID}refs"), &format!("{ID}1 refs/heads/main")] {
            assert!(matches!(read(&[bad]).unwrap_err(), Unusable::Garbage(_)), "{bad}");
        }
        let mut other = Advertisement::new("git-upload-pack", "");
        assert!(other.take(b"001f# service=git-receive-pack\n").is_err());
    }
}
