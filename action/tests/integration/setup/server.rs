//! A server that sends predefined responses, one per request, and records the requests.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

pub(crate) struct Server {
    pub(crate) address: String,
    requests: Receiver<String>,
}

impl Server {
    /// Starts a server with these statuses and bodies. It stops after the last one.
    pub(crate) fn start(responses: Vec<(u16, Vec<u8>)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (sender, requests) = channel();
        thread::spawn(move || {
            for (status, body) in responses {
                let (mut stream, _) = listener.accept().unwrap();
                let lines: Vec<String> = BufReader::new(&stream)
                    .lines()
                    .map_while(Result::ok)
                    .take_while(|line| !line.is_empty())
                    .collect();
                sender
                    .send(lines.into_iter().next().unwrap_or_default())
                    .unwrap();
                let length = body.len();
                write!(
                    stream,
                    "HTTP/1.1 {status} Status\r\nContent-Length: {length}\r\n\
                     Connection: close\r\n\r\n"
                )
                .unwrap();
                stream.write_all(&body).unwrap();
            }
        });
        Self { address, requests }
    }

    /// Returns the first line of each request so far.
    pub(crate) fn request_lines(&self) -> Vec<String> {
        self.requests.try_iter().collect()
    }
}
