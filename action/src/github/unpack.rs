//! Members of an archive that anybody may have made.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use memchr::memmem;
use zip::ZipArchive;
use zip::result::ZipError;

/// Longest archive, in bytes.
pub(super) const ARCHIVE: usize = 64 << 20;

/// Longest member, unpacked.
const MEMBER: usize = 64 << 20;

/// Most members of an archive.
const MEMBERS: usize = 10_000;

/// What begins each entry of an archive's directory.
const ENTRY: &[u8] = b"PK\x01\x02";

/// The text of each wanted member that the archive holds, under its exact name.
///
/// What an archive says of sizes is not believed: bytes are counted as they come.
pub(super) fn members(archive: &[u8], wanted: &[&str]) -> Result<BTreeMap<String, String>, String> {
    // Counted before the directory is read, which takes far more memory than it takes bytes.
    if memmem::find_iter(archive, ENTRY).take(MEMBERS + 1).count() > MEMBERS {
        return Err(format!("it holds more than {MEMBERS} members"));
    }
    let mut zip = ZipArchive::new(Cursor::new(archive)).map_err(|error| error.to_string())?;
    let mut found = BTreeMap::new();
    for name in wanted {
        let member = match zip.by_name(name) {
            Ok(member) if member.is_file() => member,
            Ok(_) | Err(ZipError::FileNotFound) => continue,
            Err(error) => return Err(format!("{name}: {error}")),
        };
        let mut bytes = Vec::new();
        member
            .take(MEMBER as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| format!("{name}: {error}"))?;
        if bytes.len() > MEMBER {
            return Err(format!("{name} unpacks to more than {} MiB", MEMBER >> 20));
        }
        let text = String::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8"))?;
        found.insert((*name).to_owned(), text);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, bytes) in members {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(bytes).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    #[test]
    fn members_are_taken_by_their_exact_name() {
        let archive = archive(&[
            ("leakgate.json", b"{}"),
            ("a/leakgate.json", b"1"),
            ("../x", b"2"),
            ("LEAKGATE.JSON", b"3"),
        ]);
        let found = members(&archive, &["leakgate.json", "x", "other"]).unwrap();
        assert_eq!(
            found,
            BTreeMap::from([("leakgate.json".to_owned(), "{}".to_owned())])
        );
    }

    #[test]
    fn a_bomb_is_refused_whatever_its_header_says() {
        let mut bomb = archive(&[("leakgate.json", &vec![b' '; MEMBER + 1])]);
        assert!(bomb.len() < 1 << 20);
        assert_eq!(
            members(&bomb, &["leakgate.json"]).unwrap_err(),
            "leakgate.json unpacks to more than 64 MiB"
        );
        assert_eq!(members(&bomb, &["other"]).unwrap(), BTreeMap::new());
        // A directory that tells of ten bytes.
        let size = memmem::rfind(&bomb, ENTRY).unwrap() + 24;
        bomb[size..size + 4].copy_from_slice(&10u32.to_le_bytes());
        assert!(
            members(&bomb, &["leakgate.json"]).is_err()
                || members(&bomb, &["leakgate.json"]).unwrap()["leakgate.json"].len() <= 10
        );
    }

    #[test]
    fn too_many_members_are_refused_before_they_are_read() {
        let archive = ENTRY.repeat(MEMBERS + 1);
        assert_eq!(
            members(&archive, &["x"]).unwrap_err(),
            "it holds more than 10000 members"
        );
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        let whole = archive(&[(
            "leakgate.json",
            b"{\"a\": \"some text that is long enough to be packed, packed, packed\"}",
        )]);
        for bytes in [&b""[..], b"<html>", &whole[..whole.len() / 2]] {
            assert!(members(bytes, &["leakgate.json"]).is_err());
        }
        let mut bent = whole.clone();
        bent[50] ^= 0xff;
        assert!(members(&bent, &["leakgate.json"]).is_err());
        assert!(
            members(&archive(&[("x", b"\xff\xfe")]), &["x"])
                .unwrap_err()
                .contains("not UTF-8")
        );
    }
}
