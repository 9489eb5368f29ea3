//! Gate.
use std::io::Read;
struct No;
impl leakgate_core::emit::Excerpt for No { fn line(&self, _: &str, _: u32) -> Option<String> { None } }
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let path = args.last().unwrap();
    let mut p = leakgate_core::Parser::new(Default::default());
    p.begin(path);
    let mut f = std::fs::File::open(path).unwrap();
    let mut buf = vec![0; 1 << 16];
    loop { let n = f.read(&mut buf).unwrap(); if n == 0 { break } p.feed(&buf[..n]); }
    let parsed = p.finish();
    let policy = Default::default();
    let t = leakgate_core::triage(&parsed, &policy, &leakgate_core::NoWorkspace);
    let v = leakgate_core::judge(&parsed, &t, &[leakgate_core::Source { name: path.clone(), inputs: vec![0] }], &policy);
    let mut out = String::new();
    leakgate_core::emit::write(&leakgate_core::emit::Run { parsed: &parsed, triage: &t, verdict: &v, workspace: &leakgate_core::NoWorkspace, sources: &No }, leakgate_core::emit::Format::Json, &Default::default(), &mut out).unwrap();
    print!("{out}");
}
