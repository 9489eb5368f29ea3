//! Symbolizes frames for which a log contains only a module and an offset.
//!
//! A checker without a symbolizer prints `(/bin/app+0x1234)`. A caller that has the modules
//! provides [`Symbols`], and [`symbolize`] adds their function names and locations to the frames.
//! It runs between parsing and triage, because classes, culprits and fingerprints depend on the
//! names. The result equals the output of a checker with a symbolizer, so a log that is symbolized
//! later gets the same verdict as one that the checker symbolized itself.
//!
//! The sanitizers print an offset within the call instruction and not the return address
//! (`StackTrace::GetPreviousInstructionPc` in compiler-rt,
//! `sanitizer_common/sanitizer_stacktrace.h`), so their offset is looked up unchanged.
//! `backtrace_symbols`, which GWP-ASan and others use, prints return addresses.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::bytes::find;
use crate::model::{Finding, Frame, FrameInfo, Stack, Text, Tool};
use crate::parse::Parsed;
use crate::symbol;

/// A function that is active at an address, from debug information or a symbol table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Function {
    /// The name, mangled if the symbol is mangled; `None` if unknown.
    pub name: Option<String>,
    /// The source file, including the compilation directory; `None` if unknown.
    pub file: Option<String>,
    /// The line in `file`, from 1; `None` if unknown.
    pub line: Option<u32>,
    /// The column in `line`, from 1; `None` if unknown.
    pub column: Option<u32>,
}

/// Symbols of the modules of the checked programs.
pub trait Symbols {
    /// Returns the functions at an address of a module. `address` is relative to the module's
    /// link-time base.
    ///
    /// The innermost inlined function comes first, and the function that contains the inlined ones
    /// comes last. The result is empty if nothing is known. The result is cached per location of a
    /// log.
    fn at(&mut self, module: &str, build_id: Option<&str>, address: u64) -> Vec<Function>;
}

/// The function that a signal handler returns to. The frame below it isn't a call.
const SIGNAL_RETURN: &str = "__restore_rt";

/// Maximum number of functions at one address. Compilers don't inline deeper, but broken debug
/// information may claim to.
const MAX_INLINED: usize = 256;

/// Maximum number of frames that a stack can grow to.
const MAX_FRAMES: usize = 4096;

/// Symbolizes all frames that have a module and an offset but no function and no file.
///
/// The raw text of the frames doesn't change. Inlined functions get frames too, and the frames
/// after them are renumbered, as a checker with a symbolizer would do it.
///
/// ```
/// use leakgate_core::symbolize::{Function, Symbols, symbolize};
/// use leakgate_core::{Options, Parser};
///
/// struct Table;
///
/// impl Symbols for Table {
///     fn at(&mut self, module: &str, _: Option<&str>, _: u64) -> Vec<Function> {
///         assert_eq!(module, "/bin/app");
///         let name = Some("make".to_owned());
///         vec![Function { name, ..Function::default() }]
///     }
/// }
///
/// let mut parser = Parser::new(Options::default());
/// parser.begin("run.log");
/// parser.feed(b"==7==ERROR: LeakSanitizer: detected memory leaks\n\n\
///     Direct leak of 4 byte(s) in 1 object(s) allocated from:\n    #0 0x51  (/bin/app+0x51)\n\n\
///     SUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n");
/// let mut parsed = parser.finish();
/// symbolize(&mut parsed, &mut Table);
/// assert_eq!(parsed.findings[0].stacks[0].frames[0].info.name(), Some("make"));
/// ```
pub fn symbolize(parsed: &mut Parsed, symbols: &mut dyn Symbols) {
    let mut symbolizer = Symbolizer {
        symbols,
        cache: HashMap::new(),
    };
    for finding in &mut parsed.findings {
        let Finding { tool, stacks, .. } = finding;
        stacks
            .iter_mut()
            .filter(|stack| stack.frames.iter().any(|f| is_unsymbolized(&f.info)))
            .for_each(|stack| {
                symbolizer.rewrite(stack, tool);
            });
    }
}

/// Returns true if the module and the offset of a frame are known, but no function. Names like
/// `[stack]` aren't files, so they don't count as modules.
pub(crate) fn is_unsymbolized(info: &FrameInfo) -> bool {
    let in_file = info
        .module
        .as_deref()
        .is_some_and(|module| !module.starts_with('['));
    in_file && info.offset.is_some() && info.function.is_none()
}

/// The functions at one location, innermost first. All frames at the location share them.
type Inlined = Arc<[Arc<FrameInfo>]>;

/// Symbolizes stacks, and caches the results.
struct Symbolizer<'a> {
    symbols: &'a mut dyn Symbols,
    /// Results by the address of the frame information, which equal frames of a log share. Each
    /// entry also keeps the information alive, so that its address isn't reused.
    cache: HashMap<(usize, bool, bool), (Arc<FrameInfo>, Inlined)>,
}

impl Symbolizer<'_> {
    /// Symbolizes the frames of a stack.
    fn rewrite(&mut self, stack: &mut Stack, tool: &Tool) {
        let old = core::mem::take(&mut stack.frames);
        let mut frames: Vec<Frame> = Vec::with_capacity(old.len() + 8);
        let mut added = 0u32;
        for frame in old {
            let after_signal = frames
                .last()
                .is_some_and(|above| above.info.name() == Some(SIGNAL_RETURN));
            let infos = if is_unsymbolized(&frame.info) {
                self.symbolize(&frame.info, tool, after_signal)
            } else {
                Inlined::default()
            };
            let index = frame.index.saturating_add(added);
            if infos.is_empty() || frames.len() + infos.len() > MAX_FRAMES {
                frames.push(Frame { index, ..frame });
                continue;
            }
            let last = infos.len() - 1;
            for (depth, info) in infos.iter().enumerate() {
                frames.push(Frame {
                    index: index.saturating_add(depth as u32),
                    address: frame.address,
                    inlined: depth < last || frame.inlined,
                    info: Arc::clone(info),
                });
            }
            added = added.saturating_add(last as u32);
        }
        stack.frames = frames;
    }

    /// Returns the frames that replace an unsymbolized frame; empty if nothing is known.
    fn symbolize(&mut self, info: &Arc<FrameInfo>, tool: &Tool, after_signal: bool) -> Inlined {
        let keep_module = keeps_module(tool);
        let key = (Arc::as_ptr(info) as usize, keep_module, after_signal);
        if let Some((_, infos)) = self.cache.get(&key) {
            return Arc::clone(infos);
        }
        let functions = self.functions(info, after_signal);
        let infos: Inlined = functions
            .into_iter()
            .take(MAX_INLINED)
            .map(|function| Arc::new(with_function(info, function, keep_module)))
            .collect();
        self.cache
            .insert(key, (Arc::clone(info), Arc::clone(&infos)));
        infos
    }

    /// Looks up the functions of a frame; empty if nothing is known.
    fn functions(&mut self, info: &FrameInfo, after_signal: bool) -> Vec<Function> {
        let (Some(module), Some(offset)) = (info.module.as_deref(), info.offset) else {
            return Vec::new();
        };
        let mut at = |address| {
            let all = self.symbols.at(module, info.build_id.as_deref(), address);
            // A function without name and file is no better than the offset.
            if all.iter().any(|f| f.name.is_some() || f.file.is_some()) {
                all
            } else {
                Vec::new()
            }
        };
        if !is_return_address(info) || after_signal {
            return at(offset);
        }
        // The signal's return function starts at this very address, so it isn't a return address.
        let exact = at(offset);
        if exact.last().and_then(|f| f.name.as_deref()) == Some(SIGNAL_RETURN) {
            return exact;
        }
        at(offset.saturating_sub(1))
    }
}

/// Returns true for a frame of `backtrace_symbols`: `MODULE(+0xOFFSET)`. A sanitizer prints the
/// module inside the parentheses.
fn is_return_address(info: &FrameInfo) -> bool {
    find(&info.raw, b"(+0x").is_some_and(|at| at > 0)
}

/// Returns true if the checker prints the module of a frame in addition to its source file.
/// ThreadSanitizer does; the other sanitizers print only one of them. Classes depend on both, so a
/// symbolized frame must not contain more than the checker would have printed.
fn keeps_module(tool: &Tool) -> bool {
    !matches!(
        tool,
        Tool::Asan | Tool::Lsan | Tool::Msan | Tool::Hwasan | Tool::Ubsan
    )
}

/// Returns the information of a frame with a function's name and location added.
fn with_function(info: &FrameInfo, function: Function, keep_module: bool) -> FrameInfo {
    let text = |text: String| (!text.is_empty()).then(|| Text::from(text));
    let name = function
        .name
        .as_deref()
        .map(strip_interceptor)
        .filter(|name| !name.is_empty());
    // The sanitizers strip this prefix too (`StripPathPrefix`).
    let file = function
        .file
        .map(|file| file.strip_prefix("./").map(String::from).unwrap_or(file))
        .and_then(text);
    let keep_module = keep_module || file.is_none();
    // UndefinedBehaviorSanitizer knows the place of an error without symbols.
    let (file, line, column) = match file {
        Some(file) => (Some(file), function.line, function.column),
        None => (info.file.clone(), info.line, info.column),
    };
    FrameInfo {
        raw: info.raw.clone(),
        demangled: name.and_then(symbol::demangle).map(Text::from),
        function: name.map(Text::from),
        line: line.filter(|n| *n > 0 && file.is_some()),
        column: column.filter(|n| *n > 0 && file.is_some()),
        file,
        module: info.module.clone().filter(|_| keep_module),
        offset: info.offset.filter(|_| keep_module),
        build_id: info.build_id.clone().filter(|_| keep_module),
    }
}

/// Strips the prefix of a sanitizer's interceptor from a name, as the sanitizers do
/// (`StripFunctionName` in compiler-rt, `sanitizer_common/sanitizer_stacktrace_printer.cpp`).
fn strip_interceptor(name: &str) -> &str {
    [
        "___interceptor_",
        "__interceptor_trampoline_",
        "__interceptor_",
    ]
    .into_iter()
    .find_map(|prefix| name.strip_prefix(prefix))
    .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;
    use alloc::string::ToString;
    use alloc::vec;
    use alloc::{format, string::String};

    use super::*;
    use crate::Options;
    use crate::parse::Parser;

    fn parsed(log: &str) -> Parsed {
        let mut parser = Parser::new(Options::default());
        parser.begin("log");
        parser.feed(log.as_bytes());
        parser.finish()
    }

    /// `inner` inlined into `outer` at 0x10, `__restore_rt` at 0x20, a mangled name without a file
    /// at 0x30. The requested addresses are recorded.
    #[derive(Default)]
    struct Program(Vec<u64>);

    impl Symbols for Program {
        fn at(&mut self, module: &str, build_id: Option<&str>, address: u64) -> Vec<Function> {
            assert!(module.ends_with("app") && build_id.is_none_or(|id| id == "ab12"));
            self.0.push(address);
            let function = |name: &str, line: u32| Function {
                name: Some(name.to_owned()),
                file: Some("/src/app.c".to_owned()),
                line: Some(line),
                column: Some(0),
            };
            match address {
                0x10 => vec![function("inner", 3), function("outer", 9)],
                0x20 => vec![function("__restore_rt", 0)],
                0x30 => vec![Function {
                    name: Some("_Z3runi".to_owned()),
                    ..Function::default()
                }],
                0x40 => vec![Function {
                    name: Some("___interceptor_malloc".to_owned()),
                    ..Function::default()
                }],
                0x50 => vec![Function::default()],
                _ => Vec::new(),
            }
        }
    }

    fn describe(stack: &Stack) -> Vec<String> {
        let text = |t: &Option<Text>| t.as_deref().unwrap_or("-").to_string();
        let line = |f: &Frame| {
            let s = &f.info;
            let location = s
                .line
                .map_or(text(&s.file), |n| format!("{}:{n}", text(&s.file)));
            let module = text(&s.module);
            format!(
                "{} {} {location} {module}{}",
                f.index,
                s.name().unwrap_or("-"),
                if f.inlined { " inlined" } else { "" }
            )
        };
        stack.frames.iter().map(line).collect()
    }

    const LEAK: &str = "==7==ERROR: LeakSanitizer: detected memory leaks

Direct leak of 4 byte(s) in 1 object(s) allocated from:
    #0 0x5540  (/bin/app+0x40) (BuildId: ab12)
    #1 0x5510  (/bin/app+0x10) (BuildId: ab12)
    #2 0x5530  (/bin/app+0x30) (BuildId: ab12)
    #3 0x5550  (/bin/app+0x50) (BuildId: ab12)
    #4 0x5560 in main (/bin/app+0x60) (BuildId: ab12)
    #5 0x5570  ([stack]+0x60)

SUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).
";

    #[test]
    fn inlined_functions_get_frames() {
        let mut log = parsed(LEAK);
        let mut program = Program::default();
        symbolize(&mut log, &mut program);
        let stack = &log.findings[0].stacks[0];
        let want = [
            "0 malloc - /bin/app",
            "1 inner /src/app.c:3 - inlined",
            "2 outer /src/app.c:9 -",
            "3 run(int) - /bin/app",
            "4 - - /bin/app",
            "5 main - /bin/app",
            "6 - - [stack]",
        ];
        assert_eq!(describe(stack), want);
        assert_eq!(program.0, [0x40, 0x10, 0x30, 0x50]);
        assert_eq!(
            (stack.frames[1].address, stack.frames[2].address),
            (Some(0x5510), Some(0x5510))
        );
        assert_eq!(
            &*stack.frames[2].info.raw,
            b"(/bin/app+0x10) (BuildId: ab12)"
        );
    }

    #[test]
    fn fingerprint_is_the_same_as_with_checker_symbols() {
        let named = "    #0 0x5540 in malloc (/bin/app+0x40) (BuildId: ab12)
    #1 0x5510 in inner /src/app.c:3
    #2 0x5510 in outer /src/app.c:9
    #3 0x5530 in run(int) (/bin/app+0x30) (BuildId: ab12)
";
        let frames = LEAK
            .split_inclusive('\n')
            .skip(3)
            .take(3)
            .collect::<String>();
        let mut later = parsed(LEAK);
        symbolize(&mut later, &mut Program::default());
        let prints = |log: &Parsed| {
            crate::fingerprint::fingerprint(
                &log.findings[0],
                &mut crate::culprit::FrameCache::default(),
            )
        };
        assert_eq!(
            prints(&later),
            prints(&parsed(&LEAK.replace(&frames, named)))
        );
        assert_ne!(prints(&later), prints(&parsed(LEAK)));
    }

    #[test]
    fn return_addresses_are_looked_up_one_byte_earlier() {
        let log = "*** GWP-ASan detected a memory error ***
Use After Free at 0x7ffff7cbafd0 (0 bytes into a 40-byte allocation at 0x7ffff7cbafd0) by thread \
4201 here:
  #0 ./app(+0x11) [0x5511]
  #1 ./app(+0x20) [0x5520]
  #2 ./app(+0x30) [0x5530]
  #3 ./app(+0x31) [0x5531]

*** End GWP-ASan report ***
";
        let mut log = parsed(log);
        let mut program = Program::default();
        symbolize(&mut log, &mut program);
        let names: Vec<_> = log.findings[0].stacks[0]
            .frames
            .iter()
            .map(|f| f.info.name().unwrap_or("-"))
            .collect();
        assert_eq!(
            names,
            ["inner", "outer", "__restore_rt", "run(int)", "run(int)"]
        );
        assert_eq!(program.0, [0x11, 0x10, 0x20, 0x30, 0x31, 0x30]);
    }

    #[test]
    fn stack_size_is_limited() {
        struct Deep;
        impl Symbols for Deep {
            fn at(&mut self, _: &str, _: Option<&str>, _: u64) -> Vec<Function> {
                vec![
                    Function {
                        name: Some("f".to_owned()),
                        ..Function::default()
                    };
                    10_000
                ]
            }
        }
        let frames: String = (0..100)
            .map(|n| format!("    #{n} 0x{n:x}  (/bin/app+0x{n:x})\n"))
            .collect();
        let head = LEAK.split_inclusive('\n').take(3).collect::<String>();
        let mut log = parsed(&format!(
            "{head}{frames}\nSUMMARY: LeakSanitizer: 4 byte(s) leaked in 1 allocation(s).\n"
        ));
        symbolize(&mut log, &mut Deep);
        let frames = &log.findings[0].stacks[0].frames;
        assert!(
            frames.len() > 1000 && frames.len() <= MAX_FRAMES + 100,
            "{}",
            frames.len()
        );
    }
}
