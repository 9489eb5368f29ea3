//! An API that rejects all requests, like GitHub's with the read-only token of a fork.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

pub(crate) struct RejectingApi {
    pub(crate) address: String,
    writes: Arc<AtomicUsize>,
}

impl RejectingApi {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let writes = Arc::new(AtomicUsize::new(0));
        let counter = writes.clone();
        let handle = move |stream: TcpStream| {
            if reject(&stream).is_ok_and(|method| method != "GET") {
                counter.fetch_add(1, Ordering::SeqCst);
            }
        };
        thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(handle));
        Self { address, writes }
    }

    /// Returns how many requests tried to write.
    pub(crate) fn writes(&self) -> usize {
        self.writes.load(Ordering::SeqCst)
    }
}

/// Rejects a request and returns its method.
fn reject(mut stream: &TcpStream) -> std::io::Result<String> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let method = line.split(' ').next().unwrap_or_default().to_owned();
    line.clear();
    while reader.read_line(&mut line)? > 2 {
        if let Some(("content-length", value)) = line.to_lowercase().trim_end().split_once(": ") {
            length = value.parse().unwrap();
        }
        line.clear();
    }
    std::io::copy(&mut reader.take(length), &mut std::io::sink())?;
    let body = r#"{"message":"Resource not accessible by integration",
        "documentation_url":"https://docs.github.com/rest"}"#;
    write!(
        stream,
        "HTTP/1.1 403 Forbidden\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    Ok(method)
}
