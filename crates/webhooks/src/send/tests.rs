use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// Answers every connection with what `answer` writes to it.
async fn receiver<F, R>(answer: F) -> SocketAddr
where
    F: Fn(TcpStream) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    address
}

async fn read_request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        let read = stream.read(&mut buffer).await.unwrap_or(0);
        bytes.extend_from_slice(&buffer[..read]);
        if read == 0 || bytes.ends_with(b"{}") {
            return String::from_utf8_lossy(&bytes).into_owned();
        }
    }
}

fn sender(limits: Limits) -> Sender {
    let policy = Policy {
        allowed: vec!["127.0.0.0/8".parse().expect("a network")],
    };
    Sender::new(policy, Arc::new(crate::SystemResolver), limits)
}

fn request(sender: &Sender, address: SocketAddr) -> Outgoing {
    let url = format!("http://{address}/hook?x=1");
    Outgoing {
        target: Target::parse(&url, sender.policy()).expect("allowed"),
        headers: vec![(
            HeaderName::from_static("webhook-id"),
            HeaderValue::from_static("evt_1"),
        )],
        body: Bytes::from_static(b"{}"),
    }
}

fn quick() -> Limits {
    Limits {
        time: Duration::from_millis(300),
        ..Limits::default()
    }
}

#[tokio::test]
async fn an_answer_is_read_and_the_connection_used_again() {
    static CONNECTIONS: AtomicUsize = AtomicUsize::new(0);
    let address = receiver(|mut stream| async move {
        CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        loop {
            let request = read_request(&mut stream).await;
            if request.is_empty() {
                return;
            }
            assert!(
                request.starts_with("POST /hook?x=1 HTTP/1.1\r\n"),
                "{request}"
            );
            assert!(request.contains("webhook-id: evt_1\r\n"), "{request}");
            assert!(request.contains("content-length: 2\r\n"), "{request}");
            let answer = "HTTP/1.1 503 No\r\nretry-after: 7\r\ncontent-length: 3\r\n\r\nno!";
            stream.write_all(answer.as_bytes()).await.expect("open");
        }
    })
    .await;
    let sender = sender(Limits::default());
    for _ in 0..3 {
        let sent = sender.send(&request(&sender, address)).await;
        let answer = sent.result.expect("an answer");
        assert_eq!((answer.status, answer.retry_after_s), (503, Some(7)));
        assert_eq!(answer.body, b"no!");
        assert_eq!(sent.address, Some(address.ip()));
    }
    assert_eq!(CONNECTIONS.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_receiver_that_hangs_or_streams_is_cut_off() {
    let hangs = receiver(|mut stream| async move {
        read_request(&mut stream).await;
        std::future::pending::<()>().await;
    })
    .await;
    let sender = sender(quick());
    let sent = sender.send(&request(&sender, hangs)).await;
    assert_eq!(sent.result, Err(Failure::Time));

    let streams = receiver(|mut stream| async move {
        read_request(&mut stream).await;
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 10000000000\r\n\r\n";
        drop(stream.write_all(head.as_bytes()).await);
        while stream.write_all(&[b'x'; 4_096]).await.is_ok() {}
    })
    .await;
    let sent = sender.send(&request(&sender, streams)).await;
    assert_eq!(sent.result, Err(Failure::Long(200)));

    let drips = receiver(|mut stream| async move {
        read_request(&mut stream).await;
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
        drop(stream.write_all(head.as_bytes()).await);
        while stream.write_all(b"1\r\nx\r\n").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
    let sent = sender.send(&request(&sender, drips)).await;
    assert_eq!(sent.result, Err(Failure::Time));
}

#[tokio::test]
async fn what_is_no_answer_is_told() {
    let resets = receiver(|stream| async move { drop(stream) }).await;
    let sender = sender(quick());
    let sent = sender.send(&request(&sender, resets)).await;
    assert!(matches!(sent.result, Err(Failure::Broken(_))), "{sent:?}");

    let head = receiver(|mut stream| async move {
        read_request(&mut stream).await;
        drop(stream.write_all(b"HTTP/1.1 200 OK\r\n").await);
        let line = format!("x: {}\r\n", "y".repeat(1_000));
        while stream.write_all(line.as_bytes()).await.is_ok() {}
    })
    .await;
    let sent = sender.send(&request(&sender, head)).await;
    assert!(matches!(sent.result, Err(Failure::Broken(_))), "{sent:?}");

    let nobody = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        listener.local_addr().expect("bound")
    };
    let sent = sender.send(&request(&sender, nobody)).await;
    assert!(matches!(sent.result, Err(Failure::Connect(_))), "{sent:?}");
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let inside = receiver(|_| async {
        ASKED.fetch_add(1, Ordering::Relaxed);
    })
    .await;
    let address = receiver(move |mut stream| async move {
        read_request(&mut stream).await;
        let answer = format!(
            "HTTP/1.1 302 Found\r\nlocation: http://{inside}/\r\ncontent-length: 0\r\n\r\n"
        );
        drop(stream.write_all(answer.as_bytes()).await);
    })
    .await;
    let sender = sender(quick());
    let sent = sender.send(&request(&sender, address)).await;
    assert_eq!(sent.result.expect("an answer").status, 302);
    assert_eq!(ASKED.load(Ordering::Relaxed), 0);
}

/// Gives another address each time.
struct Changing(AtomicUsize);

impl Resolve for Changing {
    fn resolve(
        &self,
        _host: String,
        port: u16,
    ) -> Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send + '_>> {
        let address = match self.0.fetch_add(1, Ordering::Relaxed) {
            0 => [1, 1, 1, 1],
            _ => [10, 0, 0, 1],
        };
        Box::pin(async move { Ok(vec![SocketAddr::from((address, port))]) })
    }
}

#[tokio::test]
async fn a_name_that_changes_its_answer_leads_nowhere() {
    let resolver = Arc::new(Changing(AtomicUsize::new(0)));
    let sender = Sender::new(Policy::default(), resolver, quick());
    // The first answer is looked at when the endpoint is made, the second when it is used.
    let target = sender.check("https://rebinding.example/").await;
    let target = target.expect("public at first");
    let outgoing = Outgoing {
        target,
        headers: Vec::new(),
        body: Bytes::new(),
    };
    let sent = sender.send(&outgoing).await;
    let refused = TargetError::Refused(IpAddr::from([10, 0, 0, 1]));
    assert_eq!(sent.result, Err(Failure::Refused(refused.clone())));
    assert_eq!(sent.address, None, "nothing was connected to");
    assert_eq!(
        sender.check("https://rebinding.example/").await,
        Err(refused)
    );
}
