//! A client that asks as fast as one thread can, over several connections, and checks each answer.
//!
//!     load ADDRESS MESSAGES [--connections N] [--seconds S | --requests N] [--close]
//!
//! MESSAGES has whole HTTP requests, each behind its length in four octets. They are sent in turn; each connection sends
//! the next one when it has the answer to the one before. With `--close` each is sent over a connection of its own.
//! Prints how many were answered and the seconds that it took.
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use std::collections::HashMap;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Octets of the longest answer, with its head.
const LONGEST: usize = 16 << 10;

/// `responseStatus` successful, behind the header of an `OCSPResponse` of 256 to 65,535 octets.
const SUCCESSFUL: &[u8] = &[0x0a, 1, 0];

struct Client {
    stream: TcpStream,
    message: usize,
    sent: usize,
    received: Vec<u8>,
    length: usize,
}

struct Asked {
    address: SocketAddr,
    messages: Vec<Vec<u8>>,
    connections: usize,
    seconds: f64,
    requests: usize,
    closes: bool,
}

fn asked() -> Option<Asked> {
    let mut given = std::env::args().skip(1);
    let address = given.next()?.trim_start_matches("http://").parse().ok()?;
    let octets = std::fs::read(given.next()?).ok()?;
    let mut rest = octets.as_slice();
    let mut messages = Vec::new();
    while let Some((length, others)) = rest.split_first_chunk::<4>() {
        let (message, others) = others.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        messages.push(message.to_vec());
        rest = others;
    }
    let mut asked =
        Asked { address, messages, connections: 64, seconds: f64::MAX, requests: usize::MAX, closes: false };
    while let Some(option) = given.next() {
        match option.as_str() {
            "--close" => asked.closes = true,
            "--connections" => asked.connections = given.next()?.parse().ok()?,
            "--seconds" => asked.seconds = given.next()?.parse().ok()?,
            "--requests" => asked.requests = given.next()?.parse().ok()?,
            _ => return None,
        }
    }
    Some(asked)
}

/// Returns the length of an answer with this head; `None` while the head is not whole.
fn length_of(received: &[u8]) -> Option<usize> {
    let head = received.windows(4).position(|four| four == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&received[..head]).expect("a head in ASCII");
    assert!(text.starts_with("HTTP/1.1 200") || text.starts_with("HTTP/1.0 200"), "{text}");
    let value = text.split("\r\n").find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim())
    });
    value.map(|value| head + 4 + value.parse::<usize>().expect("a length"))
}

impl Client {
    fn connect(asked: &Asked, poll: &Poll, at: usize, message: usize) -> Self {
        let mut stream = TcpStream::connect(asked.address).expect("a connection");
        let interest = Interest::READABLE | Interest::WRITABLE;
        poll.registry().register(&mut stream, Token(at), interest).expect("epoll");
        Self { stream, message, sent: 0, received: Vec::with_capacity(LONGEST), length: 0 }
    }

    fn send(&mut self, messages: &[Vec<u8>]) {
        let message = &messages[self.message];
        while self.sent < message.len() {
            match self.stream.write(&message[self.sent..]) {
                Ok(sent) => self.sent += sent,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => return,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Returns whether the answer is whole.
    fn receive(&mut self) -> bool {
        loop {
            let had = self.received.len();
            self.received.resize(LONGEST, 0);
            let read = self.stream.read(&mut self.received[had..]);
            self.received.truncate(had + read.as_ref().copied().unwrap_or(0));
            let ended = match read {
                Ok(read) => read == 0,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => return false,
                Err(error) => panic!("{error}"),
            };
            if self.length == 0 {
                self.length = length_of(&self.received).unwrap_or(0);
            }
            // a server of HTTP/1.0 may end its answer with the connection
            if self.length == 0 && ended {
                self.length = self.received.len();
            }
            if self.length > 0 && self.received.len() >= self.length {
                assert!(self.received.len() == self.length, "more than was asked for");
                let found = self.received.windows(3).position(|three| three == b"\n\r\n");
                let body = &self.received[found.expect("a head") + 3..];
                assert!(body.get(4..7) == Some(SUCCESSFUL) || body.get(3..6) == Some(SUCCESSFUL), "{body:02x?}");
                return true;
            }
            assert!(!ended, "cut short: {}", String::from_utf8_lossy(&self.received));
        }
    }
}

fn main() {
    let asked = asked().expect("load ADDRESS MESSAGES [--connections N] [--seconds S | --requests N] [--close]");
    assert!(!asked.messages.is_empty(), "no messages");
    let (mut poll, mut events) = (Poll::new().expect("epoll"), Events::with_capacity(1024));
    let mut next = 0;
    let mut following = || {
        next += 1;
        (next - 1) % asked.messages.len()
    };
    let began = Instant::now();
    let mut clients: HashMap<usize, Client> = HashMap::new();
    for at in 0..asked.connections {
        clients.insert(at, Client::connect(&asked, &poll, at, following()));
    }
    let mut answered = 0;
    'all: loop {
        poll.poll(&mut events, Some(Duration::from_secs(30))).expect("epoll");
        assert!(!events.is_empty(), "nothing comes any more");
        for event in &events {
            let at = event.token().0;
            let client = clients.get_mut(&at).expect("a client");
            client.send(&asked.messages);
            if !event.is_readable() || !client.receive() {
                continue;
            }
            answered += 1;
            if answered >= asked.requests || began.elapsed().as_secs_f64() > asked.seconds {
                break 'all;
            }
            if asked.closes {
                *client = Client::connect(&asked, &poll, at, following());
                continue;
            }
            client.message = following();
            client.sent = 0;
            client.length = 0;
            client.received.clear();
            client.send(&asked.messages);
        }
    }
    println!("{answered} {:.6}", began.elapsed().as_secs_f64());
}
