//! Counters for operators, in the Prometheus text form.

use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::AtomicU64;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::response::Response;
use pin_project_lite::pin_project;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::App;

#[derive(Clone, PartialEq, Eq, Hash, Debug, EncodeLabelSet)]
struct Labels {
    operation: &'static str,
    status: u16,
}

/// What is counted.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    seconds: Histogram,
    commits: Gauge<u64, AtomicU64>,
    syncs: Gauge<u64, AtomicU64>,
    queued: Gauge<u64, AtomicU64>,
    behind: Gauge<u64, AtomicU64>,
    writable: Gauge<u64, AtomicU64>,
}

impl Metrics {
    pub(crate) fn new() -> Metrics {
        let mut registry = Registry::with_prefix("tidegate");
        let requests = Family::default();
        registry.register("http_requests", "Requests answered", requests.clone());
        // 0.25 ms to about 4 s.
        let seconds = Histogram::new(exponential_buckets(0.000_25, 2.0, 15));
        registry.register("http_seconds", "Time to answer", seconds.clone());
        let gauge = |registry: &mut Registry, name: &str, help: &str| {
            let gauge = Gauge::<u64, AtomicU64>::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        Metrics {
            commits: gauge(&mut registry, "commits", "Commits since start"),
            syncs: gauge(&mut registry, "syncs", "fdatasync calls for them"),
            queued: gauge(&mut registry, "queued", "Requests waiting to be decided"),
            behind: gauge(
                &mut registry,
                "views_behind_batches",
                "Batches the views lack",
            ),
            writable: gauge(&mut registry, "writable", "1 while writes are taken"),
            registry,
            requests,
            seconds,
        }
    }

    pub(crate) fn render(&self, app: &App) -> String {
        let health = app.service.store().health();
        self.commits.set(health.commits);
        self.syncs.set(health.syncs);
        self.queued.set(health.queued as u64);
        self.behind
            .set(health.committed.saturating_sub(health.indexed));
        self.writable.set(u64::from(health.stopped.is_none()));
        let mut text = String::new();
        if encode(&mut text, &self.registry).is_err() {
            let _ = writeln!(text, "# the metrics could not be written");
        }
        text
    }
}

/// Counts one request of an operation when it is answered.
pub(crate) fn observed<'a, F: Future<Output = Response>>(
    app: &'a App,
    operation: &'static str,
    answer: F,
) -> Observed<'a, F> {
    Observed {
        answer,
        app,
        operation,
        begun: Instant::now(),
    }
}

pin_project! {
    /// See [`observed`]. A future of its own, because that of an async function would hold the answer
    /// twice: all that a request needs is moved with it.
    pub(crate) struct Observed<'a, F> {
        #[pin]
        answer: F,
        app: &'a App,
        operation: &'static str,
        begun: Instant,
    }
}

impl<F: Future<Output = Response>> Future for Observed<'_, F> {
    type Output = Response;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Response> {
        let this = self.project();
        let response = ready!(this.answer.poll(context));
        let labels = Labels {
            operation: this.operation,
            status: response.status().as_u16(),
        };
        let metrics = &this.app.metrics;
        metrics.requests.get_or_create(&labels).inc();
        metrics.seconds.observe(this.begun.elapsed().as_secs_f64());
        Poll::Ready(response)
    }
}
