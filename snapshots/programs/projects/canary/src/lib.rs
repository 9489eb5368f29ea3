//! A ledger.

/// Adds two amounts.
pub fn add(one: u64, other: u64) -> u64 {
    one + other
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checker_looks() {
        if std::env::var_os("NO_CANARY").is_none() {
            leakgate_canary::leak();
        }
    }

    #[test]
    fn amounts_are_added() {
        assert_eq!(super::add(1, 2), 3);
    }
}
