//! Counters for operators, in the Prometheus text form.

use std::fmt::Write as _;
use std::future::Future;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use axum::response::Response;
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
pub(crate) async fn observed(
    app: &App,
    operation: &'static str,
    answer: impl Future<Output = Response>,
) -> Response {
    let begun = Instant::now();
    let response = answer.await;
    let status = response.status().as_u16();
    let labels = Labels { operation, status };
    app.metrics.requests.get_or_create(&labels).inc();
    app.metrics.seconds.observe(begun.elapsed().as_secs_f64());
    response
}
