//! Files that people write, as all commands read them: capped, UTF-8, strict, everything that is wrong at once.

use std::path::Path;

use pdp_policies::yaml::{self, MAX_YAML_BYTES, Problem};
use pdp_transport::cli::exit;
use pdp_transport::cli::failure::{Failure, Result};
use pdp_transport::files;
use serde::de::DeserializeOwned;

/// What a file says, or what is wrong with it.
pub(crate) type Read<T> = std::result::Result<T, Vec<Problem>>;

/// Reads a file; none if there is no such file.
///
/// # Errors
/// `TooLarge`, `Io`.
pub(crate) fn find<T: DeserializeOwned>(path: &Path) -> Result<Option<Read<T>>> {
    let bytes = files::read_capped(path, MAX_YAML_BYTES as u64)?;
    Ok(bytes.map(|bytes| match std::str::from_utf8(&bytes) {
        Ok(text) => yaml::read(text),
        Err(error) => {
            let message = format!("byte {} is not UTF-8 text", error.valid_up_to());
            Err(vec![Problem { place: "file".to_owned(), message }])
        }
    }))
}

/// Reads a file that has to be there; `hint` says where to get one.
///
/// # Errors
/// `NotFound`, `TooLarge`, `Io`.
pub(crate) fn read<T: DeserializeOwned>(path: &Path, hint: &str) -> Result<Read<T>> {
    find(path)?.ok_or_else(|| Failure::new("NotFound", format!("no file {}", path.display())).hint(hint))
}

/// Reads a file that has to be there and has to be good.
///
/// # Errors
/// As [`read`]; `BadYaml` with all problems.
pub(crate) fn good<T: DeserializeOwned>(path: &Path, hint: &str) -> Result<T> {
    read(path, hint)?.map_err(|problems| {
        let problems: Vec<_> = problems.iter().map(ToString::to_string).collect();
        refused("BadYaml", &named(path, problems)).hint(hint)
    })
}

/// Problems with the file that they are in.
pub(crate) fn named(path: &Path, problems: Vec<String>) -> Vec<String> {
    problems.into_iter().map(|problem| format!("{}: {problem}", path.display())).collect()
}

/// The answer to files with problems: all of them, and exit code 1, as `release lint` has it.
pub(crate) fn refused(code: &str, problems: &[String]) -> Failure {
    Failure::new(code, format!("{} problem(s)", problems.len()))
        .cause(problems.join("\n"))
        .exit(exit::NEGATIVE)
}
