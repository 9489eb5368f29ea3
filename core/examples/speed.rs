use std::time::Instant;
fn main() {
    for path in std::env::args().skip(1) {
        let b = std::fs::read(&path).unwrap();
        let mut best = f64::MAX; let mut n=0; let mut settle=0.0;
        for _ in 0..9 {
            let t = Instant::now();
            let mut p = leakgate_core::Parser::new(Default::default());
            p.begin("x");
            for c in b.chunks(128<<10) { p.feed(c); }
            let m = t.elapsed().as_secs_f64();
            let r = p.finish();
            let e = t.elapsed().as_secs_f64();
            n = r.findings.len();
            if e < best { best = e; settle = e - m; }
        }
        println!("{path} {} findings {:.1} MB/s (finish {:.2} ms of {:.2} ms)", n, b.len() as f64/best/1e6, settle*1e3, best*1e3);
    }
}
