//! The boundary between the web page's two modules.
//!
//! Most visitors paste a log to see what it contains. The page therefore first loads a *reader*: it
//! reads logs and judges them without rules. Rules, other report formats, earlier runs and mangled
//! names need the rest of the crate. Where one of them occurs, the reader ends, and the page loads
//! the full module, which reads the logs again.
//!
//! The reader can't return another result than the full module, because it returns none.

/// Ends the reader at a place that needs the full crate. Returns in every other build.
///
/// `--cfg leakgate_reader` builds the reader. It isn't a feature, because another crate could leave
/// out a feature by mistake. The optimizer removes the code after this call from the reader, so no
/// second version of that code exists.
#[inline(always)]
pub fn require() {
    #[cfg(leakgate_reader)]
    #[expect(clippy::panic, reason = "the page continues with the full module")]
    {
        panic!("this needs the full crate");
    }
}
