//! Large logs: noise with reports in it, made once.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use fastrand::Rng;

use super::Bench;
use super::noise::Kind;
use crate::Outcome;
use crate::fuzz;

/// Reports in a log.
const REPORTS: u64 = 200;

/// How much noise is made before it repeats.
const BLOCK: usize = 32 << 20;

/// The log of a kind of noise; it is made again only when it is not there.
pub(crate) fn large(bench: &Bench, kind: &Kind) -> Outcome<PathBuf> {
    let path = bench.folder.join(format!(
        "{}-{}.log",
        kind.name.replace(' ', "-"),
        bench.size >> 20
    ));
    if path.exists() {
        return Ok(path);
    }
    let mut rng = Rng::with_seed(0x6c65_616b);
    let reports = reports(bench)?;
    let noise = kind.block(&mut rng, BLOCK);
    // A run that was broken off must not leave a log that looks whole.
    let unfinished = path.with_extension("part");
    let mut file = BufWriter::new(File::create(&unfinished)?);
    let (mut written, mut from, mut shown) = (0, 0, 0);
    let mut text = String::new();
    while written < bench.size {
        // Up to the end of a line, about the size of the gap between two reports.
        let gap = usize::try_from(bench.size / REPORTS)?;
        let end = (from + gap.min(BLOCK)).min(noise.len());
        let end = noise[..end].rfind('\n').map_or(end, |n| n + 1);
        file.write_all(&noise.as_bytes()[from..end])?;
        written += (end - from) as u64;
        from = if end >= noise.len() { 0 } else { end };
        if shown < REPORTS && written * REPORTS >= (shown + 1) * bench.size {
            text.clear();
            let report = &reports[usize::try_from(shown)? % reports.len()];
            // Each by a process of its own.
            kind.wrap(
                &report.replace("4201==", &format!("{}==", 10_000 + shown)),
                &mut rng,
                &mut text,
            );
            file.write_all(text.as_bytes())?;
            shown += 1;
        }
    }
    file.flush()?;
    fs::rename(unfinished, &path)?;
    Ok(path)
}

/// Real reports of usual sizes.
fn reports(bench: &Bench) -> Outcome<Vec<String>> {
    let mut found = Vec::new();
    for dialect in ["asan", "lsan", "memcheck"] {
        let folder = bench.snapshots.join(dialect);
        for path in fuzz::reports(&bench.snapshots)?
            .into_iter()
            .filter(|p| p.starts_with(&folder))
        {
            let text = String::from_utf8_lossy(&fs::read(path)?).into_owned();
            found.extend((1_000..8_000).contains(&text.len()).then_some(text));
        }
    }
    if found.is_empty() {
        Err("no reports under snapshots/".into())
    } else {
        Ok(found)
    }
}
