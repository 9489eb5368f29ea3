//! What lies between here and GitHub: proxies, certificates, and nothing at all.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::{env, fs, thread};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::fake::TOKEN;
use super::{QUICK, access};
use crate::github::{Access, Client, Head, Token, Trouble};

/// The host of the certificate, which no name server knows.
const HOST: &str = "github.invalid";

/// Where [`asks`] finds the API.
const API: &str = "LEAKGATE_TEST_API";

const HEAD: Head<'_> = Head {
    repository: 1,
    owner: "o",
    branch: "b",
    sha: "s",
};

/// A server that answers each request with an empty list, and the certificate of the authority that
/// vouches for it.
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
                answer(StreamOwned::new(
                    ServerConnection::new(config).unwrap(),
                    stream,
                ))
            });
        }
    });
    (port, authority.pem())
}

/// Reads one request and answers it, if the other side trusts the certificate at all.
fn answer(mut stream: StreamOwned<ServerConnection, TcpStream>) -> io::Result<()> {
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

/// A proxy that brings every connection to the same port, and what it was asked for.
fn proxy(port: u16) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked = Arc::new(Mutex::new(Vec::new()));
    let told = asked.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let asked = asked.clone();
            thread::spawn(move || tunnel(stream, port, &asked));
        }
    });
    (address, told)
}

fn tunnel(mut client: TcpStream, port: u16, asked: &Mutex<Vec<String>>) -> io::Result<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    asked
        .lock()
        .unwrap()
        .push(String::from_utf8_lossy(&head).into_owned());
    let mut server = TcpStream::connect(("127.0.0.1", port))?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
    let (mut from, mut to) = (client.try_clone()?, server.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Write);
    });
    io::copy(&mut server, &mut client)?;
    client.shutdown(Shutdown::Write)
}

/// Asks from a process of its own, for the environment is that of a whole process. Tells what came
/// of it.
fn ask(api: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", "github::tests::network::asks", "--nocapture"])
        .env(API, api);
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

/// The other half of [`ask`]. Without it there is nothing to do.
#[test]
fn asks() {
    if let Ok(api) = env::var(API) {
        let told = Client::new(&access(&api), QUICK).and_then(|client| client.pulls_of(HEAD));
        println!("told: {told:?}");
    }
}

#[test]
fn a_private_authority_is_trusted_where_it_is_named_and_nowhere_else() {
    let (port, authority) = server();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    fs::write(&file, authority).unwrap();
    let api = format!("https://localhost:{port}/api/v3");
    let told = ask(&api, &[("SSL_CERT_FILE", file.to_str().unwrap())]);
    assert!(told.contains("told: Ok([])"), "{told}");
    let (_, another) = server();
    fs::write(&file, another).unwrap();
    let told = ask(&api, &[("SSL_CERT_FILE", file.to_str().unwrap())]);
    assert!(
        told.contains("told: Err(Other(") && told.contains("certificate") && !told.contains(TOKEN),
        "{told}"
    );
}

#[test]
fn a_proxy_is_used_as_the_environment_says() {
    let (port, authority) = server();
    let (proxy, asked) = proxy(port);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("authority.pem");
    fs::write(&file, authority).unwrap();
    let authority = ("SSL_CERT_FILE", file.to_str().unwrap());
    for name in ["HTTPS_PROXY", "https_proxy"] {
        let told = ask(&format!("https://{HOST}"), &[authority, (name, &proxy)]);
        assert!(told.contains("told: Ok([])"), "{told}");
        let asked = std::mem::take(&mut *asked.lock().unwrap());
        assert!(
            asked
                .iter()
                .any(|head| head.starts_with(&format!("CONNECT {HOST}:443 "))),
            "{asked:?}"
        );
        // The way there is not encrypted.
        assert!(!asked.concat().contains(TOKEN));
    }
    let told = ask(
        &format!("https://localhost:{port}"),
        &[
            authority,
            ("HTTPS_PROXY", &proxy),
            ("NO_PROXY", "localhost"),
        ],
    );
    assert!(told.contains("told: Ok([])"), "{told}");
    assert!(asked.lock().unwrap().is_empty());
}

#[test]
fn where_nobody_listens_the_trouble_says_so() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let trouble = Client::new(&access(&api), QUICK)
        .unwrap()
        .pulls_of(HEAD)
        .unwrap_err();
    assert!(matches!(trouble, Trouble::Other(_)));
    let text = trouble.to_string();
    assert!(
        text.starts_with(
            "the pull requests of the commit could not be read: there is no connection: "
        ),
        "{text}"
    );
}

#[test]
fn what_is_no_address_and_no_token_is_refused_before_anything_is_sent() {
    for api in [
        "",
        "api.github.com",
        "ftp://github.example",
        "https://",
        "https://user:secret@github.example",
    ] {
        let trouble = Client::new(&access(api), QUICK).unwrap_err();
        assert!(
            trouble
                .to_string()
                .starts_with("GitHub can't be asked: the API's address"),
            "{api}: {trouble}"
        );
    }
    for token in ["", " \n", "ghs_a\nhost: evil", "ghs_ü", "two words"] {
        let access = Access {
            token: Token::new(token),
            ..access("https://github.example")
        };
        let trouble = Client::new(&access, QUICK).unwrap_err();
        assert_eq!(
            trouble.to_string(),
            "GitHub can't be asked: the token is empty, or holds what no token holds"
        );
    }
}

#[test]
fn reading_outlives_connections_that_break() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    let served = Arc::new(AtomicUsize::new(0));
    let count = served.clone();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // The first connections break at once, whatever was asked.
            if count.fetch_add(1, Ordering::SeqCst) < 2 {
                continue;
            }
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]");
        }
    });
    assert_eq!(
        Client::new(&access(&api), QUICK).unwrap().pulls_of(HEAD),
        Ok(Vec::new())
    );
    assert_eq!(served.load(Ordering::SeqCst), 3);
}
