//! A TCP connection to a server that can be held up and broken, in one direction or both.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

/// What passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Traffic {
    Both,
    /// What the server sends is held up; it gets and does what it is asked.
    Requests,
    None,
    /// Connections are broken.
    Cut,
    /// They are, for good.
    Ended,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    ToServer,
    ToClient,
}

#[derive(Debug)]
struct Shared {
    traffic: Mutex<(Traffic, Vec<TcpStream>)>,
    changed: Condvar,
}

/// Forwards connections to a server on 127.0.0.1. Ends when it is dropped.
#[derive(Debug)]
pub struct Link {
    port: u16,
    shared: Arc<Shared>,
}

impl Link {
    /// A link to the server on this port; everything passes.
    ///
    /// # Panics
    /// When there is no free port.
    #[must_use]
    pub fn to(server: u16) -> Link {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("a bound socket").port();
        let shared = Arc::new(Shared {
            traffic: Mutex::new((Traffic::Both, Vec::new())),
            changed: Condvar::new(),
        });
        let weak = Arc::downgrade(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                match weak.upgrade() {
                    Some(shared) if !shared.has_ended() => shared.join(client, server),
                    _ => return,
                }
            }
        });
        Link { port, shared }
    }

    /// Where clients connect to, on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a database on the other side.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// Lets everything pass; what was held up arrives now, and new connections are taken.
    pub fn let_pass(&self) {
        self.shared.set(Traffic::Both);
    }

    /// The server goes on hearing its clients, and they hear nothing of it.
    pub fn hold_answers(&self) {
        self.shared.set(Traffic::Requests);
    }

    /// Nothing passes; nobody is told.
    pub fn hold(&self) {
        self.shared.set(Traffic::None);
    }

    /// Breaks every connection, with what was held up in it, and refuses new ones.
    pub fn cut(&self) {
        self.shared.set(Traffic::Cut);
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.shared.set(Traffic::Ended);
        // The listening thread ends with the next connection: this one.
        drop(TcpStream::connect(("127.0.0.1", self.port)));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, (Traffic, Vec<TcpStream>)> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, traffic: Traffic) {
        let mut state = self.lock();
        state.0 = traffic;
        if matches!(traffic, Traffic::Cut | Traffic::Ended) {
            for stream in state.1.drain(..) {
                drop(stream.shutdown(Shutdown::Both));
            }
        }
        drop(state);
        self.changed.notify_all();
    }

    fn has_ended(&self) -> bool {
        self.lock().0 == Traffic::Ended
    }

    /// Forwards between a client and a new connection to the server.
    fn join(self: &Arc<Self>, client: TcpStream, server: u16) {
        let mut state = self.lock();
        if matches!(state.0, Traffic::Cut | Traffic::Ended) {
            return;
        }
        let Ok(server) = TcpStream::connect(("127.0.0.1", server)) else {
            return;
        };
        for stream in [&client, &server] {
            drop(stream.set_nodelay(true));
            state.1.push(stream.try_clone().expect("a descriptor"));
        }
        drop(state);
        let other = (
            server.try_clone().expect("a descriptor"),
            client.try_clone().expect("a descriptor"),
        );
        self.forward(client, server, Direction::ToServer);
        self.forward(other.0, other.1, Direction::ToClient);
    }

    fn forward(self: &Arc<Self>, mut from: TcpStream, mut to: TcpStream, direction: Direction) {
        let shared = Arc::clone(self);
        thread::spawn(move || {
            let mut buffer = [0; 16 * 1024];
            while let Ok(length @ 1..) = from.read(&mut buffer) {
                if !shared.passes(direction) || to.write_all(&buffer[..length]).is_err() {
                    break;
                }
            }
            drop(to.shutdown(Shutdown::Both));
            drop(from.shutdown(Shutdown::Both));
        });
    }

    /// Waits until traffic in this direction passes; false when its connection is broken.
    fn passes(&self, direction: Direction) -> bool {
        let mut state = self.lock();
        loop {
            match (state.0, direction) {
                (Traffic::Cut | Traffic::Ended, _) => return false,
                (Traffic::Both, _) | (Traffic::Requests, Direction::ToServer) => return true,
                _ => {}
            }
            let changed = self.changed.wait(state);
            state = changed.unwrap_or_else(PoisonError::into_inner);
        }
    }
}
