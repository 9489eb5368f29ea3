//! Keeps private names out of committed files.

use std::fs;
use std::path::Path;

use crate::Outcome;

/// Fails if a file names this machine, its kernel, the user's home folder or this checkout.
pub(crate) fn check(home: &Path) -> Outcome {
    let secrets = secrets(home);
    let mut found = Vec::new();
    search(home, &secrets, &mut found)?;
    match found.is_empty() {
        true => Ok(()),
        false => Err(format!("private words in reports: {}", found.join("; ")).into()),
    }
}

fn secrets(home: &Path) -> Vec<String> {
    let mut secrets = vec!["/root".to_owned(), "/work".to_owned()];
    secrets.extend(std::env::var("HOME").ok());
    secrets.extend(
        home.parent()
            .map(|checkout| checkout.to_string_lossy().into_owned()),
    );
    for known in ["hostname", "osrelease", "version"] {
        let value = fs::read_to_string(format!("/proc/sys/kernel/{known}"));
        secrets.extend(value.ok().map(|value| value.trim().to_owned()));
    }
    secrets.retain(|secret| !matches!(secret.as_str(), "" | "/" | "localhost"));
    secrets
}

fn search(folder: &Path, secrets: &[String], found: &mut Vec<String>) -> Outcome {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            search(&path, secrets, found)?;
            continue;
        }
        let bytes = fs::read(&path)?;
        let leaked = secrets
            .iter()
            .filter(|secret| has_word(&bytes, secret.as_bytes()));
        found.extend(leaked.map(|secret| format!("{secret} in {}", path.display())));
    }
    Ok(())
}

/// Returns true if `bytes` contains `word`, and not only as a part of a longer word.
fn has_word(bytes: &[u8], word: &[u8]) -> bool {
    let part =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    let starts = bytes.windows(word.len()).enumerate();
    starts.filter(|(_, window)| *window == word).any(|(at, _)| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        !part(before) && !part(bytes.get(at + word.len()))
    })
}

#[cfg(test)]
mod tests {
    use super::has_word;

    #[test]
    fn only_whole_words_match() {
        assert!(has_word(b"in /root/x.c", b"/root"));
        assert!(has_word(b"vm", b"vm"));
        assert!(!has_word(b"llvm-symbolizer", b"vm"));
        assert!(!has_word(b"in /rootless", b"/root"));
    }
}
