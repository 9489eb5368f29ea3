//! Small logs that several tests build on.

use leakgate_core::Outcome;

use crate::common;

/// A clean run. Tests append faulty logs to it, because a faulty log alone would fail for lack of
/// evidence.
pub(crate) const CLEAN: &str = "==7== Memcheck, a memory error detector
==7== Command: ./clean
==7== 
==7== HEAP SUMMARY:
==7==     in use at exit: 0 bytes in 0 blocks
==7==   total heap usage: 1 allocs, 1 frees, 40 bytes allocated
==7== 
==7== All heap blocks were freed -- no leaks are possible
==7== 
==7== ERROR SUMMARY: 0 errors from 0 contexts (suppressed: 0 from 0)
";

/// A memcheck report in XML with one error of the kind `KIND`, which a test replaces.
pub(crate) const XML: &str = "<valgrindoutput>
<tool>memcheck</tool>
<pid>9</pid>
<error>
  <kind>KIND</kind>
  <what>something</what>
  <stack>
    <frame>
      <ip>0x1</ip>
      <fn>main</fn>
    </frame>
  </stack>
</error>
<status>
  <state>FINISHED</state>
</status>
</valgrindoutput>
";

/// Returns the `<error>` element of [`XML`] with the white space up to the next element.
pub(crate) fn xml_error() -> &'static str {
    let start = XML.find("<error>").expect("an error");
    let end = XML.find("<status>").expect("a status");
    &XML[start..end]
}

/// Judges a log and returns the outcome and the codes of all reasons.
pub(crate) fn codes(log: &[u8]) -> (Outcome, Vec<&'static str>) {
    common::judge_text(log).codes()
}
