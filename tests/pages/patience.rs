//! How often the waiting room asks: never sooner than it was told, also when the server puts it off
//! or does not answer, and whatever is done with the tab.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use super::browser::{Browser, PHONE, browse};
use super::demo::{Demo, OPEN};

/// What happens to a look at the place.
#[derive(Clone, Copy, PartialEq)]
#[repr(u8)]
enum Mode {
    Answered,
    PutOff,
    TooMany,
    Silence,
}

const MODES: [Mode; 4] = [Mode::Answered, Mode::PutOff, Mode::TooMany, Mode::Silence];

/// Stands before a server, counts what the page asks for by itself, and answers it otherwise.
#[derive(Clone)]
struct Door {
    address: SocketAddr,
    mode: Arc<AtomicU8>,
    asked: Arc<AtomicUsize>,
}

impl Door {
    fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let door = Self {
            address: listener.local_addr().unwrap(),
            mode: Arc::default(),
            asked: Arc::default(),
        };
        let own = door.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let door = own.clone();
                std::thread::spawn(move || door.pass(stream, server));
            }
        });
        door
    }

    fn set(&self, mode: Mode) {
        self.mode.store(mode as u8, Ordering::SeqCst);
        self.asked.store(0, Ordering::SeqCst);
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// One exchange, and the connection is closed.
    fn pass(&self, mut browser: TcpStream, server: SocketAddr) -> Option<()> {
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
        let head = String::from_utf8_lossy(&request[..end]).into_owned();
        if head.split(' ').nth(1)?.starts_with("/api/") {
            self.asked.fetch_add(1, Ordering::SeqCst);
            let refused = |status: &str| {
                format!("HTTP/1.1 {status}\r\nRetry-After: 4\r\nContent-Length: 0\r\n\r\n")
            };
            let mode = MODES[usize::from(self.mode.load(Ordering::SeqCst))];
            let answer = match mode {
                Mode::Answered => None,
                Mode::PutOff => Some(refused("503 Service Unavailable")),
                Mode::TooMany => Some(refused("429 Too Many Requests")),
                Mode::Silence => return None,
            };
            if let Some(answer) = answer {
                return browser.write_all(answer.as_bytes()).ok();
            }
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
}

/// Looks away from the tab and back, and loses the network and has it again, many times.
async fn fidgets(browser: &Browser, times: usize) {
    for _ in 0..times {
        let both = "document.dispatchEvent(new Event('visibilitychange')); \
                    dispatchEvent(new Event('online'));";
        browser.script(both).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[test]
fn the_room_never_asks_sooner_than_it_was_told() {
    let one = |campaign: String| campaign.replace("active_max = 60000", "active_max = 1");
    let demo = Demo::start(OPEN, one);
    let _in = demo.lets_in(2);
    let door = Door::before(demo.address());
    let base = format!("http://{}", door.address);
    browse(PHONE, &base, async |browser| {
        browser.go("/enter").await;
        browser.sign_in(&demo.people[0]).await;
        browser.at("/wait").await;
        // Told 5 s at the least: one request for each look, and the fidgeting makes none.
        door.set(Mode::Answered);
        fidgets(browser, 16).await;
        assert!((1..=3).contains(&door.asked()), "{} in 8 s", door.asked());
        for mode in [Mode::PutOff, Mode::TooMany, Mode::Silence] {
            browser.go("/wait").await;
            browser.text("#number").await;
            door.set(mode);
            // Put off at the first look, again after 5 to 7.5 s, then after 10 to 15 s. A network
            // that comes back is tried once within some seconds of the last failure, each time.
            tokio::time::sleep(Duration::from_secs(8)).await;
            let first = door.asked();
            assert!((1..=2).contains(&first), "{first} in 8 s");
            tokio::time::sleep(Duration::from_secs(8)).await;
            let both = door.asked();
            assert!(both <= 3, "{both} in 16 s");
            browser.reads("#network", "연결이 끊겼습니다").await;
        }
        // Answered again, it goes on.
        door.set(Mode::Answered);
        browser.go("/wait").await;
        browser.text("#number").await;
        tokio::time::sleep(Duration::from_secs(7)).await;
        assert!((1..=2).contains(&door.asked()), "{}", door.asked());
    });
}
