//! Paths within a folder of the whole.

/// As it is written in Flux's objects: `./apps/`, `apps` and `/apps` are one, and none is the whole.
pub(super) fn plain(folder: &str) -> &str {
    match folder.trim_start_matches("./").trim_matches('/') {
        "." => "",
        folder => folder,
    }
}

/// The path within the folder; none of what lies elsewhere.
pub(super) fn within<'a>(folder: &str, path: &'a str) -> Option<&'a str> {
    match plain(folder) {
        "" => Some(path),
        folder => path.strip_prefix(folder)?.strip_prefix('/'),
    }
}

/// The other way round.
pub(super) fn joined(folder: &str, path: &str) -> String {
    match plain(folder) {
        "" => path.to_owned(),
        folder => format!("{folder}/{path}"),
    }
}
