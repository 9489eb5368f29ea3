//! Large logs: noise with a few reports, generated once.

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

/// Bytes of noise before it repeats.
const BLOCK: usize = 32 << 20;

/// Returns the path of a log with one kind of noise; generates the log if it doesn't exist.
pub(crate) fn large(bench: &Bench<'_>, kind: &Kind) -> Outcome<PathBuf> {
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
    // An interrupted run must not leave a log that looks complete.
    let unfinished = path.with_extension("part");
    let mut file = BufWriter::new(File::create(&unfinished)?);
    let mut written = 0;
    let mut from = 0;
    let mut inserted = 0;
    let mut text = String::new();
    while written < bench.size {
        // A gap between two reports, up to the end of a line.
        let gap = usize::try_from(bench.size / REPORTS)?;
        let end = (from + gap.min(BLOCK)).min(noise.len());
        let end = noise[..end].rfind('\n').map_or(end, |n| n + 1);
        file.write_all(&noise.as_bytes()[from..end])?;
        written += (end - from) as u64;
        from = if end >= noise.len() { 0 } else { end };
        if inserted < REPORTS && written * REPORTS >= (inserted + 1) * bench.size {
            text.clear();
            let report = &reports[usize::try_from(inserted)? % reports.len()];
            // Each report has another pid.
            kind.wrap(
                &report.replace("4201==", &format!("{}==", 10_000 + inserted)),
                &mut rng,
                &mut text,
            );
            file.write_all(text.as_bytes())?;
            inserted += 1;
        }
    }
    file.flush()?;
    fs::rename(unfinished, &path)?;
    Ok(path)
}

/// Returns real reports of typical sizes.
fn reports(bench: &Bench<'_>) -> Outcome<Vec<String>> {
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
