//! A receiver of webhooks that records everything and answers as it is told.

use std::convert::Infallible;
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
use tokio::task::JoinHandle;

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
        let address = listener.local_addr().expect("bound");
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let answering: Arc<Mutex<Answering>> =
            Arc::new(Mutex::new(Box::new(|_, _| Told::status(204))));
        let count = watch::Sender::new(0);
        let (into, told, counting) = (Arc::clone(&received), Arc::clone(&answering), count.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (into, told, counting) =
                    (Arc::clone(&into), Arc::clone(&told), counting.clone());
                let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                    let (into, told, counting) =
                        (Arc::clone(&into), Arc::clone(&told), counting.clone());
                    async move {
                        let (parts, body) = request.into_parts();
                        let body = body.collect().await.expect("a whole body").to_bytes();
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
                        Ok::<_, Infallible>(answer.body(body).expect("valid"))
                    }
                });
                let served = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(async move { drop(served.await) });
            }
        });
        Receiver {
            address,
            received,
            answering,
            count,
            task,
        }
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
