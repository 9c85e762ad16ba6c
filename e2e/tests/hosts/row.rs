//! One line of the table: what each operation on one server should do, and what it did.

use std::path::Path;

use pdp_e2e::Finished;

use crate::known_faults;

/// A part of `docs/hosts.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    Registries,
    Git,
    Proxies,
    Clients,
    Catalogs,
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Seen {
    Done,
    /// By its code, with the exit code: `LoginNeeded, exit 4`.
    Refused(String),
}

/// One server, set up in one way.
#[derive(Debug)]
pub(crate) struct Row {
    table: Table,
    name: &'static str,
    server: String,
    cells: Vec<(&'static str, String)>,
    wrong: Vec<String>,
}

impl Table {
    fn folder(self) -> &'static str {
        match self {
            Self::Registries => "1-registries",
            Self::Git => "2-git",
            Self::Proxies => "3-proxies",
            Self::Clients => "4-clients",
            Self::Catalogs => "5-catalogs",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Registries => "Registries",
            Self::Git => "Git hosts",
            Self::Proxies => "Proxies and IPv6",
            Self::Clients => "Other people's clients read what we publish, and copy it to another registry",
            Self::Catalogs => "Other people's TUF clients read the catalogs that these runs publish",
        }
    }

    fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Registries => &[
                "publish",
                "again",
                "catalog by OCI",
                "verify",
                "pdp-sync",
                "from OCI",
                "ring state",
                "no login",
                "wrong login",
                "only pulls",
            ],
            Self::Git => &[
                "catalog init",
                "propose",
                "promote",
                "catalog publish",
                "catalog refresh",
                "server",
                "ring state",
                "pdp-sync",
                "target",
                "TUF clients",
                "no login",
                "wrong login",
                "protected branch",
            ],
            Self::Proxies => &["publish", "pdp-sync", "all through it", "NO_PROXY", "no login", "proxy down"],
            Self::Clients => &["bundle", "component", "copy", "signatures copied", "we read the copy"],
            Self::Catalogs => &["roles and files", "as we read it", "changed file refused"],
        }
    }
}

impl Seen {
    /// Of a program that ran to its end.
    pub(crate) fn of(finished: &Finished) -> Self {
        if finished.ok() {
            return Self::Done;
        }
        let code = finished.error();
        let exit = finished.code.map_or_else(|| "killed".to_owned(), |code| format!("exit {code}"));
        Self::Refused(format!("{}, {exit}", code.as_deref().unwrap_or("no code")))
    }

    /// Done if `done`, or else this.
    pub(crate) fn done_or(done: bool, words: impl Into<String>) -> Self {
        if done { Self::Done } else { Self::Refused(words.into()) }
    }

    pub(crate) fn is_done(&self) -> bool {
        *self == Self::Done
    }
}

impl Row {
    /// `name` orders the rows, and names them in the list of known faults.
    pub(crate) fn begin(table: Table, name: &'static str, server: impl Into<String>) -> Self {
        Self { table, name, server: server.into(), cells: Vec::new(), wrong: Vec::new() }
    }

    /// It has to work; true if it did.
    pub(crate) fn works(&mut self, operation: &'static str, seen: &Seen) -> bool {
        self.note(operation, &Seen::Done, seen);
        seen.is_done()
    }

    /// It has to be refused with this code and exit code.
    pub(crate) fn refused(&mut self, operation: &'static str, code: &str, seen: &Seen) {
        self.note(operation, &Seen::Refused(code.to_owned()), seen);
    }

    /// What the table says of something that is neither right nor wrong, in place of what it said before.
    pub(crate) fn says(&mut self, operation: &'static str, words: impl Into<String>) {
        self.cells.retain(|(of, _)| *of != operation);
        self.cells.push((operation, words.into()));
    }

    fn note(&mut self, operation: &'static str, right: &Seen, seen: &Seen) {
        assert!(self.table.columns().contains(&operation), "no column `{operation}`");
        let shown = |seen: &Seen| match seen {
            Seen::Done => "ok".to_owned(),
            Seen::Refused(words) => words.clone(),
        };
        let known = known_faults::of(self.name, operation);
        let cell = match (right == seen, known) {
            (true, None) => shown(seen),
            (true, Some(_)) => {
                self.wrong.push(format!("{operation}: works now; take it out of the known faults"));
                shown(seen)
            }
            (false, Some(fault)) if fault.seen == shown(seen) => {
                format!("**fails**: {} ({})", fault.seen, fault.reason)
            }
            (false, _) => {
                self.wrong.push(format!("{operation}: {}, and should be: {}", shown(seen), shown(right)));
                format!("**fails**: {}", shown(seen))
            }
        };
        self.cells.push((operation, cell));
    }

    /// Writes the row for `tools/hosts`; fails for what is wrong and not known to be.
    pub(crate) fn end(self) {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hosts").join(self.table.folder());
        std::fs::create_dir_all(&folder).unwrap();
        let columns = self.table.columns();
        let head = format!(
            "\n## {}\n\n| server | {} |\n|{}\n",
            self.table.title(),
            columns.join(" | "),
            " --- |".repeat(columns.len() + 1)
        );
        std::fs::write(folder.join("0"), head).unwrap();
        let cell = |column: &&str| {
            let found = self.cells.iter().find(|(operation, _)| operation == column);
            found.map_or("-", |(_, cell)| cell.as_str()).to_owned()
        };
        let cells: Vec<_> = columns.iter().map(cell).collect();
        let line = format!("| {} | {} |\n", self.server, cells.join(" | "));
        std::fs::write(folder.join(self.name), &line).unwrap();
        assert!(self.wrong.is_empty(), "{}:\n{}", self.server, self.wrong.join("\n"));
    }
}
