//! Extracts files from untrusted ZIP archives.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use memchr::memmem;
use zip::ZipArchive;
use zip::result::ZipError;

/// Maximum size of an archive, in bytes.
pub(super) const MAX_ARCHIVE_BYTES: usize = 64 << 20;

/// Maximum size of an extracted file, in bytes.
const MAX_MEMBER_BYTES: usize = 64 << 20;

/// Maximum number of files in an archive.
const MAX_MEMBERS: usize = 10_000;

/// Signature of each entry of the central directory.
const ENTRY_SIGNATURE: &[u8] = b"PK\x01\x02";

/// Extracts the wanted files that the archive contains, by their exact names.
///
/// The sizes in the archive are not trusted: the extracted bytes are counted.
pub(super) fn extract_members(
    archive: &[u8],
    wanted: &[&str],
) -> Result<BTreeMap<String, String>, String> {
    // The parsed directory needs far more memory than its bytes, so the entries are counted first.
    if memmem::find_iter(archive, ENTRY_SIGNATURE)
        .take(MAX_MEMBERS + 1)
        .count()
        > MAX_MEMBERS
    {
        return Err(format!("it contains more than {MAX_MEMBERS} files"));
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
            .take(MAX_MEMBER_BYTES as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| format!("{name}: {error}"))?;
        if bytes.len() > MAX_MEMBER_BYTES {
            return Err(format!(
                "{name} unpacks to more than {} MiB",
                MAX_MEMBER_BYTES >> 20
            ));
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
    fn files_are_found_by_exact_name() {
        let archive = archive(&[
            ("leakgate.json", b"{}"),
            ("a/leakgate.json", b"1"),
            ("../x", b"2"),
            ("LEAKGATE.JSON", b"3"),
        ]);
        let found = extract_members(&archive, &["leakgate.json", "x", "other"]).unwrap();
        assert_eq!(
            found,
            BTreeMap::from([("leakgate.json".to_owned(), "{}".to_owned())])
        );
    }

    #[test]
    fn zip_bomb_is_rejected_whatever_its_header_says() {
        let mut bomb = archive(&[("leakgate.json", &vec![b' '; MAX_MEMBER_BYTES + 1])]);
        assert!(bomb.len() < 1 << 20);
        assert_eq!(
            extract_members(&bomb, &["leakgate.json"]).unwrap_err(),
            "leakgate.json unpacks to more than 64 MiB"
        );
        assert_eq!(extract_members(&bomb, &["other"]).unwrap(), BTreeMap::new());
        // A directory entry that claims ten bytes.
        let size = memmem::rfind(&bomb, ENTRY_SIGNATURE).unwrap() + 24;
        bomb[size..size + 4].copy_from_slice(&10u32.to_le_bytes());
        assert!(
            extract_members(&bomb, &["leakgate.json"]).is_err()
                || extract_members(&bomb, &["leakgate.json"]).unwrap()["leakgate.json"].len() <= 10
        );
    }

    #[test]
    fn too_many_files_are_rejected_before_parsing() {
        let archive = ENTRY_SIGNATURE.repeat(MAX_MEMBERS + 1);
        assert_eq!(
            extract_members(&archive, &["x"]).unwrap_err(),
            "it contains more than 10000 files"
        );
    }

    #[test]
    fn invalid_archive_is_rejected() {
        let whole = archive(&[(
            "leakgate.json",
            b"{\"a\": \"some text that is long enough to be packed, packed, packed\"}",
        )]);
        for bytes in [&b""[..], b"<html>", &whole[..whole.len() / 2]] {
            assert!(extract_members(bytes, &["leakgate.json"]).is_err());
        }
        let mut corrupt = whole.clone();
        corrupt[50] ^= 0xff;
        assert!(extract_members(&corrupt, &["leakgate.json"]).is_err());
        assert!(
            extract_members(&archive(&[("x", b"\xff\xfe")]), &["x"])
                .unwrap_err()
                .contains("not UTF-8")
        );
    }
}
