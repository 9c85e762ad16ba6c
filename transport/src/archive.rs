//! tar+gzip with the same bytes every time, and reading it without being harmed.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::io::{Read, Write};

use crate::error::{Error, Kind, Result};

/// So much of a file is packed to see whether it gets smaller (bytes).
const PROBED: usize = 16 * 1024;

/// Packs files as a gzipped tar: sorted, owner 0, time 0, mode 0644; the same input gives the same bytes.
///
/// # Errors
/// `Io` only when a path is longer than tar can take.
pub fn pack(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>> {
    write(files.iter().map(|(path, content)| (path.as_str().into(), 0o644, content.as_slice())).collect())
}

/// As [`pack`], with all files in one folder.
///
/// # Errors
/// As [`pack`].
pub fn pack_in_folder(folder: &str, files: &[(String, Vec<u8>)]) -> Result<Vec<u8>> {
    let within = |path: &String| format!("{folder}/{path}").into();
    write(files.iter().map(|(path, content)| (within(path), 0o644, content.as_slice())).collect())
}

/// As [`pack`], each file with its mode: programs need 0755.
///
/// # Errors
/// As [`pack`].
pub fn pack_with_modes(files: &[(String, u32, Vec<u8>)]) -> Result<Vec<u8>> {
    write(
        files.iter().map(|(path, mode, content)| (path.as_str().into(), *mode, content.as_slice())).collect(),
    )
}

/// A path, its mode, and what is in it.
type Packed<'a> = (Cow<'a, str>, u32, &'a [u8]);

fn write(mut files: Vec<Packed<'_>>) -> Result<Vec<u8>> {
    let fail = |e: std::io::Error| Error::io("pack an archive", &e);
    files.sort_unstable();
    let mut gzip = flate2::GzBuilder::new().mtime(0).write(Vec::new(), compression(&files)?);
    {
        let mut tar = tar::Builder::new(&mut gzip);
        tar.mode(tar::HeaderMode::Deterministic);
        for (path, mode, content) in files {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(mode);
            header.set_mtime(0);
            header.set_uid(0);
            header.set_gid(0);
            tar.append_data(&mut header, path.as_ref(), content).map_err(fail)?;
        }
        tar.finish().map_err(fail)?;
    }
    gzip.flush().map_err(fail)?;
    gzip.finish().map_err(fail)
}

/// None where hardly anything gets smaller, as with packed subcharts: time is all that it would cost.
fn compression(files: &[Packed<'_>]) -> Result<flate2::Compression> {
    let all: usize = files.iter().map(|(.., content)| content.len()).sum();
    let mut dense = 0;
    for (.., content) in files {
        dense += if is_dense(content)? { content.len() } else { 0 };
    }
    let most = all > 0 && all - dense <= all / 20;
    Ok(if most { flate2::Compression::none() } else { flate2::Compression::new(6) })
}

/// True for a large file that doesn't get smaller in its middle: beginnings are often headers.
fn is_dense(content: &[u8]) -> Result<bool> {
    let middle = content.len() / 2;
    let Some(probe) = content.get(middle..middle + PROBED) else { return Ok(false) };
    let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    let packed = packed.write_all(probe).and_then(|()| packed.finish());
    let packed = packed.map_err(|e| Error::io("pack an archive", &e))?;
    Ok(packed.len() >= PROBED - PROBED / 50)
}

/// Unpacks a gzipped tar in memory, at most `max` bytes of content in all.
///
/// # Errors
/// `Garbage`, `TooLarge` (also for bombs), `UnsafePath` for links, devices and paths that leave the folder.
pub fn unpack(archive: &[u8], max: u64) -> Result<Vec<(String, Vec<u8>)>> {
    entries(flate2::read::GzDecoder::new(archive), max, pdp_policies::is_safe)
}

/// As [`unpack`], for a Helm chart: names are as [`pdp_policies::is_chart_path`] has it, and no name stands there
/// twice, since Helm would take the other one.
///
/// # Errors
/// As [`unpack`].
pub fn unpack_chart(archive: &[u8], max: u64) -> Result<Vec<(String, Vec<u8>)>> {
    // Go reads on where one gzip stream ends and the next begins.
    let files = entries(flate2::read::MultiGzDecoder::new(archive), max, pdp_policies::is_chart_path)?;
    let mut seen = BTreeSet::new();
    match files.iter().find(|(path, _)| !seen.insert(path.as_str())) {
        Some((path, _)) => Err(unsafe_path(path, "it is there twice")),
        None => Ok(files),
    }
}

fn entries(gzip: impl Read, max: u64, is_safe: fn(&str) -> bool) -> Result<Vec<(String, Vec<u8>)>> {
    let garbage = |e: std::io::Error| Error::new(Kind::Garbage, "unpack an archive", e.to_string());
    // A tar needs 512 bytes a header and pads to 512: what lies beyond twice the cap is a bomb.
    let bounded = gzip.take(max.saturating_mul(2) + 1024 * 1024);
    let mut tar = tar::Archive::new(bounded);
    let mut found: Vec<(String, Vec<u8>)> = Vec::new();
    let mut left = max;
    for entry in tar.entries().map_err(garbage)? {
        let mut entry = entry.map_err(garbage)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = entry.header().entry_type();
        let folder = path.trim_end_matches('/');
        // Flux's archives begin with the folder itself; Git's with a note about all entries.
        if kind.is_pax_global_extensions() || kind.is_dir() && (folder == "." || is_safe(folder)) {
            continue;
        }
        if !kind.is_file() || !is_safe(&path) || path.contains(char::REPLACEMENT_CHARACTER) {
            return Err(unsafe_path(&path, "only plain files with plain relative paths are taken"));
        }
        let mut content = Vec::new();
        entry.by_ref().take(left + 1).read_to_end(&mut content).map_err(garbage)?;
        left = left.checked_sub(content.len() as u64).ok_or_else(|| {
            Error::new(Kind::TooLarge, "unpack an archive", format!("more than {max} bytes"))
        })?;
        found.push((path, content));
    }
    Ok(found)
}

fn unsafe_path(path: &str, cause: &str) -> Error {
    Error::new(Kind::UnsafePath, path.escape_default().to_string(), cause)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_folder_itself_is_no_file() {
        let mut tar =
            tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        let mut header = tar::Header::new_ustar();
        header.set_entry_type(tar::EntryType::Directory);
        header.set_size(0);
        tar.append_data(&mut header, "./", &[][..]).unwrap();
        let archive = tar.into_inner().unwrap().finish().unwrap();
        assert!(unpack(&archive, 10).unwrap().is_empty());
    }

    /// Bytes without a pattern that packing finds (xorshift).
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let next = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        });
        next.flatten().take(length).collect()
    }

    #[test]
    fn what_gets_no_smaller_is_stored_and_the_rest_is_packed() {
        let (text, noise) = (b"key: value\n".repeat(20_000), noise(200_000));
        let file = |name: &str, content: &[u8]| (name.to_owned(), content.to_vec());
        for (files, stored) in [
            (vec![file("noise", &noise)], true),
            (vec![file("noise", &noise), file("small", b"key: value")], true),
            (vec![file("noise", &noise), file("text", &text)], false),
            (vec![file("text", &text)], false),
            (vec![file("small", &noise[..PROBED])], false),
            (vec![file("empty", b"")], false),
            (Vec::new(), false),
        ] {
            let all = files.iter().map(|(path, content)| (path.as_str().into(), 0o644, content.as_slice()));
            let level = compression(&all.collect::<Vec<_>>()).unwrap().level();
            assert_eq!(level == 0, stored, "{:?}", files.iter().map(|(name, _)| name).collect::<Vec<_>>());
            let packed = pack(&files).unwrap();
            let mut unpacked = unpack(&packed, 1 << 20).unwrap();
            unpacked.sort();
            assert_eq!(unpacked, files);
        }
    }

    #[test]
    fn a_folder_around_all_files_is_as_if_they_were_named_so() {
        let within: Vec<_> =
            files().into_iter().map(|(path, bytes)| (format!("chart/{path}"), bytes)).collect();
        assert_eq!(pack_in_folder("chart", &files()).unwrap(), pack(&within).unwrap());
    }

    fn files() -> Vec<(String, Vec<u8>)> {
        vec![("b/c.yaml".into(), b"c".to_vec()), ("a.yaml".into(), vec![7; 2000])]
    }

    #[test]
    fn packs_the_same_bytes_in_any_order_and_back() {
        let mut turned = files();
        turned.reverse();
        assert_eq!(pack(&files()).unwrap(), pack(&turned).unwrap());
        let mut unpacked = unpack(&pack(&files()).unwrap(), 10_000).unwrap();
        unpacked.reverse();
        assert_eq!(unpacked, files());
    }

    #[test]
    fn stops_at_the_limit_and_at_bombs() {
        assert_eq!(unpack(&pack(&files()).unwrap(), 2000).unwrap_err().kind, Kind::TooLarge);
        let bomb = pack(&[("zeros".into(), vec![0; 8 << 20])]).unwrap();
        assert!(bomb.len() < 20_000);
        assert_eq!(unpack(&bomb, 1000).unwrap_err().kind, Kind::TooLarge);
    }

    #[test]
    fn refuses_links_and_paths_that_leave() {
        let craft = |path: &str, kind: tar::EntryType| {
            let mut header = tar::Header::new_ustar();
            header.as_ustar_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(kind);
            header.set_size(0);
            header.set_cksum();
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            gzip.write_all(header.as_bytes()).unwrap();
            gzip.write_all(&[0; 1024]).unwrap();
            gzip.finish().unwrap()
        };
        use tar::EntryType as T;
        for (path, kind) in [
            ("../x", T::Regular),
            ("/x", T::Regular),
            ("a/../../x", T::Regular),
            ("a\\x", T::Regular),
            ("a\nb", T::Regular),
            ("c:/x", T::Regular),
            ("x", T::Symlink),
            ("x", T::Link),
            ("x", T::Char),
        ] {
            assert_eq!(unpack_chart(&craft(path, kind), 100).unwrap_err().kind, Kind::UnsafePath, "{path}");
            if path != "c:/x" {
                assert_eq!(unpack(&craft(path, kind), 100).unwrap_err().kind, Kind::UnsafePath, "{path}");
            }
        }
    }

    #[test]
    fn names_in_a_chart_are_what_people_type_and_no_name_is_there_twice() {
        let files = vec![
            ("größe/files/two words.txt".to_owned(), b"1".to_vec()),
            (format!("größe/{}.txt", "ä".repeat(90)), b"2".to_vec()),
        ];
        let archive = pack(&files).unwrap();
        let mut unpacked = unpack_chart(&archive, 100).unwrap();
        unpacked.sort();
        assert_eq!(unpacked, files);
        assert_eq!(unpack(&archive, 100).unwrap_err().kind, Kind::UnsafePath, "elsewhere they are plain");
        let twice = [("a/Chart.yaml".to_owned(), b"1".to_vec()), ("a/Chart.yaml".to_owned(), b"2".to_vec())];
        assert_eq!(unpack_chart(&pack(&twice).unwrap(), 100).unwrap_err().kind, Kind::UnsafePath);
    }

    #[test]
    fn a_chart_in_two_gzip_streams_is_read_whole_as_go_reads_it() {
        let tar = |path: &str, end: bool| {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            let mut header = tar::Header::new_ustar();
            header.set_path(path).unwrap();
            header.set_size(0);
            header.set_cksum();
            gzip.write_all(header.as_bytes()).unwrap();
            gzip.write_all(if end { &[0; 1024] } else { &[] }).unwrap();
            gzip.finish().unwrap()
        };
        let both = [tar("a/one", false), tar("a/two", true)].concat();
        let names: Vec<_> = unpack_chart(&both, 100).unwrap().into_iter().map(|(path, _)| path).collect();
        assert_eq!(names, ["a/one", "a/two"]);
    }
}
