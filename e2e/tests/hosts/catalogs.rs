//! python-tuf, go-tuf and tough read what we publish, agree with us, and refuse a changed file.

use std::path::Path;

use pdp_e2e::World;
use pdp_e2e::hosts::TufClient;
use sha2::{Digest, Sha256};

use crate::row::{Row, Seen, Table};

const CLIENTS: [(TufClient, &str); 3] =
    [(TufClient::Python, "510"), (TufClient::Go, "520"), (TufClient::Tough, "530")];

/// All three read a catalog in a folder; what they find has to be what lies there.
pub(crate) fn read_by_all(world: &World, how: &str, folder: &Path) {
    for (client, name) in CLIENTS {
        let mut row = Row::begin(Table::Catalogs, name, format!("{}, {how}", client.version().unwrap()));
        let read = || {
            let output = client.command(&world.root(), folder).unwrap().output().unwrap();
            let words = String::from_utf8_lossy(&output.stderr).into_owned();
            (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned(), words)
        };
        let (good, found, words) = read();
        row.works("roles and files", &Seen::done_or(good, words.trim()));
        row.works("as we read it", &Seen::done_or(found == expected(folder), found.replace('\n', " ")));
        let changed = ["metadata/channels.json", "targets/channel-pdp-2026.json"];
        let taken = changed.into_iter().find(|file| {
            let (path, before) = (folder.join(file), std::fs::read(folder.join(file)).unwrap());
            std::fs::write(&path, [&before[..], b" "].concat()).unwrap();
            let (taken, ..) = read();
            std::fs::write(&path, before).unwrap();
            taken
        });
        row.works("changed file refused", &Seen::done_or(taken.is_none(), taken.unwrap_or_default()));
        row.end();
    }
}

/// True if all three read the catalog in a folder as we do; otherwise the one that doesn't, and its words.
pub(crate) fn agree(world: &World, folder: &Path) -> Seen {
    let other = CLIENTS.into_iter().find_map(|(client, _)| {
        let output = client.command(&world.root(), folder).unwrap().output().unwrap();
        let same = output.status.success() && String::from_utf8_lossy(&output.stdout) == expected(folder);
        (!same).then(|| format!("{client:?}: {}", String::from_utf8_lossy(&output.stderr).trim()))
    });
    other.map_or(Seen::Done, Seen::Refused)
}

/// `<sha256> <target>` of every file under `targets`.
fn expected(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder.join("targets")).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let line = |name: &String| {
        let bytes = std::fs::read(folder.join("targets").join(name)).unwrap();
        format!("{} {name}\n", hex::encode(Sha256::digest(bytes)))
    };
    names.iter().map(line).collect()
}
