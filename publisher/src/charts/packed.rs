//! A chart as a `.tgz`: of its own, or as a subchart. Helm reads no `.helmignore` there.

use pdp_transport::{Error, Kind, archive};

use super::MAX_FILE_BYTES;
use super::folder::without_mark;
use crate::lint::Source;

/// The files of a chart without the folder that they lie in, at most `max` bytes in all.
///
/// # Errors
/// `Garbage`, `TooLarge`, `UnsafePath`.
pub(crate) fn files(tgz: &[u8], max: u64) -> Result<Source, Error> {
    let mut files = Source::new();
    for (path, mut content) in archive::unpack_chart(tgz, max)? {
        // Helm drops the first folder, whatever its name.
        let Some((_, rest)) = path.split_once('/').filter(|(_, rest)| pdp_policies::is_chart_path(rest))
        else {
            return Err(Error::new(Kind::UnsafePath, path, "a chart's files lie in one folder"));
        };
        if content.len() as u64 > MAX_FILE_BYTES {
            return Err(Error::new(Kind::TooLarge, rest, format!("more than {MAX_FILE_BYTES} bytes")));
        }
        without_mark(&mut content);
        files.push((rest.to_owned(), content));
    }
    files.sort();
    match files.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        Some(pair) => Err(Error::new(Kind::UnsafePath, pair[0].0.clone(), "it is there twice")),
        None => Ok(files),
    }
}
