//! A receiver of webhooks that records everything and answers as it is told.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::process::PATIENCE;

/// A request that came.
#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("ASCII"))
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

/// What a receiver answers.
#[derive(Clone, Debug)]
pub struct Told {
    pub status: u16,
    pub body: Vec<u8>,
    /// Where it sends the sender, if anywhere.
    pub location: Option<String>,
    /// Whether it keeps the sender waiting for good.
    pub hangs: bool,
}

impl Told {
    pub fn status(status: u16) -> Told {
        Told {
            status,
            body: Vec::new(),
            location: None,
            hangs: false,
        }
    }

    pub fn body(body: impl Into<Vec<u8>>) -> Told {
        Told {
            body: body.into(),
            ..Told::status(200)
        }
    }
}

type Answering = Box<dyn Fn(&Received, usize) -> Told + Send>;

/// See the module.
pub struct Receiver {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    answering: Arc<Mutex<Answering>>,
    count: watch::Sender<usize>,
    task: JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiver {
    /// One that takes everything.
    pub async fn new() -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let mut receiver = Receiver {
            address: listener.local_addr().expect("bound"),
            received: Arc::default(),
            answering: Arc::new(Mutex::new(Box::new(|_, _| Told::status(204)))),
            count: watch::Sender::new(0),
            task: tokio::spawn(async {}),
        };
        receiver.listen(listener);
        receiver
    }

    /// Closes the port and every connection, also those of requests that are not answered yet.
    pub async fn stop(&mut self) {
        self.task.abort();
        drop((&mut self.task).await);
    }

    /// Listens again where it did before.
    pub async fn start_again(&mut self) {
        let listener = TcpListener::bind(self.address).await;
        self.listen(listener.expect("the port is still free"));
    }

    fn listen(&mut self, listener: TcpListener) {
        let (into, told) = (Arc::clone(&self.received), Arc::clone(&self.answering));
        let counting = self.count.clone();
        self.task = tokio::spawn(async move {
            // They end with this task.
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                while connections.try_join_next().is_some() {}
                let (into, told, counting) =
                    (Arc::clone(&into), Arc::clone(&told), counting.clone());
                let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                    let (into, told, counting) =
                        (Arc::clone(&into), Arc::clone(&told), counting.clone());
                    async move {
                        let (parts, body) = request.into_parts();
                        // A sender that is killed leaves half a body.
                        let body = body.collect().await?.to_bytes();
                        let one = Received {
                            path: parts.uri.to_string(),
                            headers: parts.headers,
                            body,
                        };
                        let told = {
                            let mut all = into.lock().unwrap_or_else(PoisonError::into_inner);
                            let told = told.lock().unwrap_or_else(PoisonError::into_inner);
                            let told = told(&one, all.len());
                            all.push(one);
                            counting.send_replace(all.len());
                            told
                        };
                        if told.hangs {
                            std::future::pending::<()>().await;
                        }
                        let mut answer = Response::builder().status(told.status);
                        if let Some(location) = &told.location {
                            answer = answer.header("location", location);
                        }
                        let body = Full::new(Bytes::from(told.body));
                        Ok::<_, hyper::Error>(answer.body(body).expect("valid"))
                    }
                });
                let served = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                connections.spawn(async move { drop(served.await) });
            }
        });
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers from now on with this status; it is told the request and how many came before.
    pub fn answer(&self, status: impl Fn(&Received, usize) -> u16 + Send + 'static) {
        self.tell(move |received, before| Told::status(status(received, before)));
    }

    /// Answers from now on like this.
    pub fn tell(&self, told: impl Fn(&Received, usize) -> Told + Send + 'static) {
        *self
            .answering
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Box::new(told);
    }

    /// Everything that came, once it is so many.
    pub async fn wait(&self, count: usize) -> Vec<Received> {
        let mut counting = self.count.subscribe();
        let enough = counting.wait_for(|so_far| *so_far >= count);
        let came = tokio::time::timeout(PATIENCE, enough).await.is_ok();
        let all = self.all();
        assert!(came, "{} of {count} deliveries came: {all:#?}", all.len());
        all
    }

    pub fn all(&self) -> Vec<Received> {
        let received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        received.clone()
    }

    /// Waits until something that is asked for again and again is so.
    pub async fn until(mut is_so: impl AsyncFnMut() -> bool) {
        let patience = tokio::time::Instant::now() + PATIENCE;
        while !is_so().await {
            assert!(tokio::time::Instant::now() < patience, "it does not come");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
