//! Names for frames of which a log tells nothing but a module and an offset.
//!
//! A checker without a symbolizer prints `(/bin/app+0x1234)`. Whoever has the modules gives
//! [`Symbols`]; [`symbolize`] puts what they say into the frames. It stands between reading and
//! triage, so that classes, culprits and fingerprints come from the names, and it writes what the
//! checker would have printed: a log that is symbolised later is judged like one that the checker
//! symbolised itself.
//!
//! The sanitizers print an offset within the call and not the one behind it
//! (`StackTrace::GetPreviousInstructionPc` in compiler-rt, `sanitizer_common/sanitizer_stacktrace.
//! h`), so theirs is looked up as it stands. `backtrace_symbols`, by which GWP-ASan and others
//! print, gives return addresses.

use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;

use hashbrown::HashMap;

use crate::bytes::find;
use crate::model::{Finding, Frame, Site, Stack, Text, Tool};
use crate::parse::Parsed;
use crate::symbol;

/// A function that is active at an address, as debug information and symbol tables tell it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Function {
    /// The name, mangled where the symbol is.
    pub name: Option<String>,
    /// The source file, with the folder of the compilation before it.
    pub file: Option<String>,
    /// The line in `file`, from 1.
    pub line: Option<u32>,
    /// The column in `line`, from 1.
    pub column: Option<u32>,
}

/// The modules of the programs that were checked, as far as the core needs to know them.
pub trait Symbols {
    /// The functions at an address of a module, as it was linked: first the innermost of those that
    /// were inlined there, last the one that the others were inlined into. Nothing where
    /// nothing is known; it is asked once for each place.
    fn at(&mut self, module: &str, build_id: Option<&str>, address: u64) -> Vec<Function>;
}

/// The function to which a signal handler returns. The frame beneath it is no call.
const SIGNAL_RETURN: &str = "__restore_rt";

/// So many functions are taken at one address; compilers don't go deeper, broken debug information
/// may.
const MAX_INLINED: usize = 256;

/// A stack that has so many frames grows no further.
const MAX_FRAMES: usize = 4096;

/// Gives names to all frames that have a module and an offset but no function and no file. Their
/// raw text stays, and the frames behind an inlined function are counted anew, as the checker would
/// have.
pub fn symbolize(parsed: &mut Parsed, symbols: &mut dyn Symbols) {
    let mut names = Named {
        symbols,
        known: HashMap::new(),
    };
    for finding in &mut parsed.findings {
        let Finding { tool, stacks, .. } = finding;
        stacks
            .iter_mut()
            .filter(|stack| stack.frames.iter().any(|f| is_nameless(&f.site)))
            .for_each(|stack| {
                names.rewrite(stack, tool);
            });
    }
}

/// True for a site of which only module and offset are known. `[stack]` and the like are no files.
pub(crate) fn is_nameless(site: &Site) -> bool {
    let in_file = site
        .module
        .as_deref()
        .is_some_and(|module| !module.starts_with('['));
    in_file && site.offset.is_some() && site.function.is_none() && site.file.is_none()
}

/// The sites at one place, innermost first; shared by all frames there.
type Sites = Arc<[Arc<Site>]>;

/// What was asked.
struct Named<'a> {
    symbols: &'a mut dyn Symbols,
    /// By the site's address: equal frames of a log share one. Each is kept with its copy, so that
    /// no other can take its place.
    known: HashMap<(usize, bool, bool), (Arc<Site>, Sites)>,
}

impl Named<'_> {
    fn rewrite(&mut self, stack: &mut Stack, tool: &Tool) {
        let old = core::mem::take(&mut stack.frames);
        let mut frames: Vec<Frame> = Vec::with_capacity(old.len() + 8);
        let mut added = 0u32;
        for frame in old {
            let after_signal = frames
                .last()
                .is_some_and(|above| above.site.name() == Some(SIGNAL_RETURN));
            let sites = if is_nameless(&frame.site) {
                self.sites(&frame.site, tool, after_signal)
            } else {
                Sites::default()
            };
            let index = frame.index.saturating_add(added);
            if sites.is_empty() || frames.len() + sites.len() > MAX_FRAMES {
                frames.push(Frame { index, ..frame });
                continue;
            }
            let last = sites.len() - 1;
            for (at, site) in sites.iter().enumerate() {
                let index = index.saturating_add(at as u32);
                let inlined = if at < last { true } else { frame.inlined };
                frames.push(Frame {
                    index,
                    address: frame.address,
                    inlined,
                    site: Arc::clone(site),
                });
            }
            added = added.saturating_add(last as u32);
        }
        stack.frames = frames;
    }

    fn sites(&mut self, site: &Arc<Site>, tool: &Tool, after_signal: bool) -> Sites {
        let keeps = keeps_module(tool);
        let key = (Arc::as_ptr(site) as usize, keeps, after_signal);
        if let Some((_, sites)) = self.known.get(&key) {
            return Arc::clone(sites);
        }
        let functions = self.functions(site, after_signal);
        let told = functions
            .into_iter()
            .take(MAX_INLINED)
            .map(|function| Arc::new(named(site, function, keeps)));
        let sites: Sites = told.collect();
        self.known
            .insert(key, (Arc::clone(site), Arc::clone(&sites)));
        sites
    }

    fn functions(&mut self, site: &Site, after_signal: bool) -> Vec<Function> {
        let (Some(module), Some(offset)) = (site.module.as_deref(), site.offset) else {
            return Vec::new();
        };
        let mut at = |address| {
            let all = self.symbols.at(module, site.build_id.as_deref(), address);
            // A name that nobody knows is no better than the offset.
            if all.iter().any(|f| f.name.is_some() || f.file.is_some()) {
                all
            } else {
                Vec::new()
            }
        };
        if !is_return_address(site) || after_signal {
            return at(offset);
        }
        // The signal's return begins right there: nothing called.
        let exact = at(offset);
        if exact.last().and_then(|f| f.name.as_deref()) == Some(SIGNAL_RETURN) {
            return exact;
        }
        at(offset.saturating_sub(1))
    }
}

/// True for a frame of `backtrace_symbols`, `MODULE(+0xOFFSET)`; a sanitizer has the module within
/// the parentheses.
fn is_return_address(site: &Site) -> bool {
    find(&site.raw, b"(+0x").is_some_and(|at| at > 0)
}

/// A sanitizer names the source or the module of a frame, ThreadSanitizer both. Classes come from
/// both, so that a frame has no more here than it would have had in a symbolised log.
fn keeps_module(tool: &Tool) -> bool {
    !matches!(
        tool,
        Tool::Asan | Tool::Lsan | Tool::Msan | Tool::Hwasan | Tool::Ubsan
    )
}

fn named(site: &Site, function: Function, keeps_module: bool) -> Site {
    let text = |text: String| (!text.is_empty()).then(|| Text::from(text));
    let name = function
        .name
        .as_deref()
        .map(without_interceptor)
        .filter(|name| !name.is_empty());
    // As the sanitizers print it (`StripPathPrefix`).
    let file = function
        .file
        .map(|file| file.strip_prefix("./").map(String::from).unwrap_or(file))
        .and_then(text);
    let keeps = keeps_module || file.is_none();
    Site {
        raw: site.raw.clone(),
        demangled: name.and_then(symbol::demangle).map(Text::from),
        function: name.map(Text::from),
        line: function.line.filter(|n| *n > 0 && file.is_some()),
        column: function.column.filter(|n| *n > 0 && file.is_some()),
        file,
        module: site.module.clone().filter(|_| keeps),
        offset: site.offset.filter(|_| keeps),
        build_id: site.build_id.clone().filter(|_| keeps),
    }
}

/// The sanitizers leave out what only they add to a name (`StripFunctionName` in compiler-rt,
/// `sanitizer_common/sanitizer_stacktrace_printer.cpp`).
fn without_interceptor(name: &str) -> &str {
    [
        "___interceptor_",
        "__interceptor_trampoline_",
        "__interceptor_",
    ]
    .into_iter()
    .find_map(|start| name.strip_prefix(start))
    .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use alloc::borrow::ToOwned;
    use alloc::string::ToString;
    use alloc::vec;
    use alloc::{format, string::String};

    use super::*;
    use crate::{Options, Parser};

    fn parsed(log: &str) -> Parsed {
        let mut parser = Parser::new(Options::default());
        parser.begin("log");
        parser.feed(log.as_bytes());
        parser.finish()
    }

    /// `inner` inlined into `outer` at 0x10, `__restore_rt` at 0x20, a mangled name without a file
    /// at 0x30; each place is noted.
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

    fn shown(stack: &Stack) -> Vec<String> {
        let text = |t: &Option<Text>| t.as_deref().unwrap_or("-").to_string();
        let line = |f: &Frame| {
            let s = &f.site;
            let (place, module) = (
                s.line
                    .map_or(text(&s.file), |n| format!("{}:{n}", text(&s.file))),
                text(&s.module),
            );
            format!(
                "{} {} {place} {module}{}",
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
    fn frames_get_names_and_inlined_functions_frames_of_their_own() {
        let (mut log, mut program) = (parsed(LEAK), Program::default());
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
        assert_eq!(shown(stack), want);
        assert_eq!(program.0, [0x40, 0x10, 0x30, 0x50]);
        assert_eq!(
            (stack.frames[1].address, stack.frames[2].address),
            (Some(0x5510), Some(0x5510))
        );
        assert_eq!(
            &*stack.frames[2].site.raw,
            b"(/bin/app+0x10) (BuildId: ab12)"
        );
    }

    #[test]
    fn a_log_that_is_named_later_is_judged_as_if_the_checker_had_named_it() {
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
            crate::fingerprint::of(&log.findings[0], &mut crate::culprit::Names::default())
        };
        assert_eq!(
            prints(&later),
            prints(&parsed(&LEAK.replace(&frames, named)))
        );
        assert_ne!(prints(&later), prints(&parsed(LEAK)));
    }

    #[test]
    fn what_called_is_looked_up_before_its_return_address() {
        let log = "*** GWP-ASan detected a memory error ***
Use After Free at 0x7ffff7cbafd0 (0 bytes into a 40-byte allocation at 0x7ffff7cbafd0) by thread 4201 here:
  #0 ./app(+0x11) [0x5511]
  #1 ./app(+0x20) [0x5520]
  #2 ./app(+0x30) [0x5530]
  #3 ./app(+0x31) [0x5531]

*** End GWP-ASan report ***
";
        let (mut log, mut program) = (parsed(log), Program::default());
        symbolize(&mut log, &mut program);
        let names: Vec<_> = log.findings[0].stacks[0]
            .frames
            .iter()
            .map(|f| f.site.name().unwrap_or("-"))
            .collect();
        assert_eq!(
            names,
            ["inner", "outer", "__restore_rt", "run(int)", "run(int)"]
        );
        assert_eq!(program.0, [0x11, 0x10, 0x20, 0x30, 0x31, 0x30]);
    }

    #[test]
    fn a_stack_grows_only_so_far() {
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
