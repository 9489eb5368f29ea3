//! A calculator that compiles what it is asked.

use jit::memory::Page;

/// Compiles an expression.
pub fn compile(expression: &str) -> Page {
    assert!(!expression.is_empty());
    Page::allocate()
}

/// A name that is registered once, and kept until the process ends.
pub mod metrics {
    /// Registers it.
    #[inline(never)]
    pub fn register(name: &str) {
        std::mem::forget(std::hint::black_box(name.to_owned()));
    }
}

/// Remembers a result, and forgets where: the bug that the gate is for.
#[inline(never)]
pub fn remember(result: &str) {
    std::mem::forget(std::hint::black_box(result.to_owned()));
}

#[cfg(test)]
mod tests {
    fn is_set(name: &str) -> bool {
        std::env::var_os(name).is_some()
    }

    #[test]
    fn it_compiles() {
        if !is_set("NO_METRICS") {
            super::metrics::register("calculator.compiled");
        }
        assert_eq!(super::compile("1 + 1").entry(), 0xc3);
        if is_set("SECOND_PAGE") {
            super::compile("2 + 2");
        }
        if is_set("LEAK") {
            super::remember("1 + 1 = 2");
        }
    }
}
