//! Tests the network between the client and GitHub: proxies, certificates, broken connections.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::fake::TOKEN;
use super::{FAST_RETRY, SHORT_TIMEOUT, access, origin};
use crate::github::{Access, ApiError, CheckRun, Client, Conclusion, PullHead, RetryPolicy, Token};

/// Host of the certificate, which no name server knows.
const HOST: &str = "github.invalid";

/// Variable that holds the URL of the API for [`child_process`].
const API_VARIABLE: &str = "LEAKGATE_TEST_API";

const HEAD: PullHead<'_> = PullHead {
    repository: 1,
    owner: "o",
    branch: "b",
    sha: "s",
};

/// Starts a server that responds to each request with an empty list. Returns its port and the
/// certificate of its certificate authority.
fn server() -> (u16, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = params.self_signed(&key).unwrap();
    let issuer = Issuer::new(params, key);
    let key = KeyPair::generate().unwrap();
    let names = vec![HOST.to_owned(), "localhost".to_owned()];
    let certificate = CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap();
    let config = Arc::new(
        config
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap(),
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let config = config.clone();
            thread::spawn(move || {
                respond(StreamOwned::new(
                    ServerConnection::new(config).unwrap(),
                    stream,
                ))
            });
        }
    });
    (port, authority.pem())
}

/// Reads a request and responds to it, if the client trusts the certificate.
fn respond(mut stream: StreamOwned<ServerConnection, TcpStream>) -> io::Result<()> {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        request.push(byte[0]);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]")?;
    stream.conn.send_close_notify();
    stream.flush()
}

/// Starts a proxy that forwards every connection to the same port. Returns its URL and the list of
/// the requests to it.
fn proxy(port: u16) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let received = requests.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let received = received.clone();
            thread::spawn(move || tunnel(stream, port, &received));
        }
    });
    (address, requests)
}

fn tunnel(mut client: TcpStream, port: u16, received: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    received
        .lock()
        .unwrap()
        .push(String::from_utf8_lossy(&head).into_owned());
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let mut from = client.try_clone()?;
    let mut to = server.try_clone()?;
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    io::copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Write)
}

/// Sends a request from a child process, because the environment belongs to the whole process.
/// Returns the output of the child.
fn request_in_child(api: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([
            "--exact",
            "github::tests::network::child_process",
            "--nocapture",
        ])
        .env(API_VARIABLE, api);
    for name in [
        "HTTPS_PROXY",
        "https_proxy",
        "HTTP_PROXY",
        "http_proxy",
        "ALL_PROXY",
        "all_proxy",
        "NO_PROXY",
        "no_proxy",
    ] {
        command.env_remove(name);
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Runs in the child of [`request_in_child`]; otherwise does nothing.
#[test]
fn child_process() {
    if let Ok(api) = env::var(API_VARIABLE) {
        let result =
            Client::new(&access(&api), FAST_RETRY).and_then(|client| client.open_pulls(HEAD));
        println!("result: {result:?}");
    }
}

#[test]
fn private_certificate_authority_is_trusted_only_if_configured() {
    let (port, authority) = server();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    fs::write(&file, authority).unwrap();
    let api = format!("https://localhost:{port}/api/v3");
    let output = request_in_child(&api, &[("SSL_CERT_FILE", file.to_str().unwrap())]);
    assert!(output.contains("result: Ok([])"), "{output}");
    let (_, another) = server();
    fs::write(&file, another).unwrap();
    let output = request_in_child(&api, &[("SSL_CERT_FILE", file.to_str().unwrap())]);
    assert!(
        output.contains("result: Err(Unreachable(")
            && output.contains("certificate")
            && !output.contains(TOKEN),
        "{output}"
    );
}

#[test]
fn proxy_variables_are_respected() {
    let (port, authority) = server();
    let (proxy, requests) = proxy(port);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    fs::write(&file, authority).unwrap();
    let authority = ("SSL_CERT_FILE", file.to_str().unwrap());
    for name in ["HTTPS_PROXY", "https_proxy"] {
        let output = request_in_child(&format!("https://{HOST}"), &[authority, (name, &proxy)]);
        assert!(output.contains("result: Ok([])"), "{output}");
        let received = std::mem::take(&mut *requests.lock().unwrap());
        assert!(
            received
                .iter()
                .any(|head| head.starts_with(&format!("CONNECT {HOST}:443 "))),
            "{received:?}"
        );
        // The connection to the proxy is not encrypted.
        assert!(!received.concat().contains(TOKEN));
    }
    let output = request_in_child(
        &format!("https://localhost:{port}"),
        &[
            authority,
            ("HTTPS_PROXY", &proxy),
            ("NO_PROXY", "localhost"),
        ],
    );
    assert!(output.contains("result: Ok([])"), "{output}");
    assert!(requests.lock().unwrap().is_empty());
}

#[test]
fn refused_connection_is_reported_once() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let start = Instant::now();
    let client = Client::new(&access(&api), RetryPolicy::default()).unwrap();
    let error = client.open_pulls(HEAD).unwrap_err();
    assert!(matches!(error, ApiError::Unreachable(_)));
    let text = error.to_string();
    assert!(
        text.starts_with("cannot read the pull requests of the commit: connection failed: "),
        "{text}"
    );
    assert!(matches!(client.open_pulls(HEAD), Err(ApiError::Skipped(_))));
    assert!(start.elapsed() < Duration::from_secs(5));
}

/// A firewall may accept connections and drop what follows.
#[test]
fn silent_server_gets_a_single_request() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    let client = Client::new(&access(&api), SHORT_TIMEOUT).unwrap();
    let error = client.open_pulls(HEAD).unwrap_err();
    assert!(matches!(error, ApiError::Unreachable(_)));
    assert!(
        error.to_string().ends_with("no response within 1 s"),
        "{error}"
    );
    for _ in 0..3 {
        assert!(matches!(client.open_pulls(HEAD), Err(ApiError::Skipped(_))));
    }
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.incoming().map_while(Result::ok).count(), 1);
}

/// A write that got no response may have taken effect.
#[test]
fn silent_server_is_asked_about_a_write() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    let client = Client::new(&access(&api), SHORT_TIMEOUT).unwrap();
    let run = CheckRun {
        name: "n".into(),
        head_sha: "s".into(),
        fallback_name: "n (test)".into(),
        origin: origin("7/1/linux/a"),
        details_url: None,
        conclusion: Conclusion::Failure,
        title: "t".into(),
        summary: "s".into(),
        text: None,
        annotations: Vec::new(),
    };
    assert!(matches!(
        client.create_check_run(&run),
        Err(ApiError::Unreachable(_))
    ));
    listener.set_nonblocking(true).unwrap();
    assert_eq!(listener.incoming().map_while(Result::ok).count(), 2);
}

#[test]
fn invalid_url_and_invalid_token_are_rejected_without_a_request() {
    for api in [
        "",
        "api.github.com",
        "ftp://github.example",
        "https://",
        "https://user:secret@github.example",
    ] {
        let error = Client::new(&access(api), FAST_RETRY).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("cannot access the GitHub API: invalid URL: "),
            "{api}: {error}"
        );
    }
    for token in ["", " \n", "ghs_a\nhost: evil", "ghs_ü", "two words"] {
        let access = Access {
            token: Token::new(token),
            ..access("https://github.example")
        };
        let error = Client::new(&access, FAST_RETRY).unwrap_err();
        assert_eq!(
            error.to_string(),
            "cannot access the GitHub API: the token is empty or contains invalid characters"
        );
    }
}

#[test]
fn reads_survive_broken_connections() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    let served = Arc::new(AtomicUsize::new(0));
    let count = served.clone();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // The first connections break at once.
            if count.fetch_add(1, Ordering::SeqCst) < 2 {
                continue;
            }
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]");
        }
    });
    assert_eq!(
        Client::new(&access(&api), FAST_RETRY)
            .unwrap()
            .open_pulls(HEAD),
        Ok(Vec::new())
    );
    assert_eq!(served.load(Ordering::SeqCst), 3);
}
