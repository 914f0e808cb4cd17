//! Stands between a browser and a server: one exchange a connection, looked at before it is passed
//! on, or answered in the server's place.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

/// What becomes of a request.
pub enum Fate {
    PassedOn,
    /// With these bytes.
    Answered(Vec<u8>),
    /// The connection ends without a word.
    Dropped,
}

/// Opens a door before a server; `decide` is handed the head of each request.
pub fn before(
    server: SocketAddr,
    decide: impl Fn(&str) -> Fate + Clone + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let decide = decide.clone();
            std::thread::spawn(move || pass(stream, server, decide));
        }
    });
    address
}

/// The path that a head asks for.
pub fn path(head: &str) -> &str {
    head.split(' ').nth(1).unwrap_or_default()
}

fn pass(mut browser: TcpStream, server: SocketAddr, decide: impl Fn(&str) -> Fate) -> Option<()> {
    let mut request = Vec::new();
    let end = loop {
        let mut bytes = [0; 4096];
        let read = browser.read(&mut bytes).ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&bytes[..read]);
        let end = request.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            break end;
        }
    };
    match decide(&String::from_utf8_lossy(&request[..end])) {
        Fate::PassedOn => {}
        Fate::Answered(answer) => return browser.write_all(&answer).ok(),
        Fate::Dropped => return None,
    }
    let mut server = TcpStream::connect(server).ok()?;
    server.write_all(&request[..end]).ok()?;
    server.write_all(b"\r\nConnection: close").ok()?;
    server.write_all(&request[end..]).ok()?;
    let (mut from, mut to) = (browser.try_clone().ok()?, server.try_clone().ok()?);
    std::thread::spawn(move || std::io::copy(&mut from, &mut to));
    std::io::copy(&mut server, &mut browser).ok()?;
    browser.shutdown(std::net::Shutdown::Both).ok()
}
