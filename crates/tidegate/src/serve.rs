//! The server's life: open, listen, say so, serve, drain, close.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use api::App;
use api::amounts::Amounts;
use api::hooks::Bodies;
use ledger::TenantMode;
use serde_json::json;
use service::{Service, Settings};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tracing_subscriber::EnvFilter;

use crate::cli::{LogFormat, ServeFlags};
use crate::config::Config;
use crate::{demo, engine, listen, secrets};

/// `tidegate serve`
pub(crate) fn run(flags: &ServeFlags, data_dir: Option<&Path>) -> anyhow::Result<ExitCode> {
    let config = Config::load(flags, data_dir)?;
    log_to_stderr(config.log_format);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    runtime.block_on(serve(&config))?;
    Ok(ExitCode::SUCCESS)
}

fn log_to_stderr(format: LogFormat) {
    let filter = EnvFilter::try_from_env("TIDEGATE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match format {
        LogFormat::Text => {
            let colour = std::io::IsTerminal::is_terminal(&std::io::stderr());
            builder.with_ansi(colour).with_target(false).init();
        }
        LogFormat::Json => builder.json().init(),
    }
}

async fn serve(config: &Config) -> anyhow::Result<()> {
    let folder = config.data_dir.as_path();
    let engine = engine::open(config).await?;
    let store = Arc::clone(&engine.store);
    let token_file = config.admin_token_file.as_deref();
    let (admin_token, new_token) = secrets::admin_token(folder, token_file)?;
    let settings = Settings {
        rail_delay_ms: config.rail_delay_ms,
        requests_per_minute: config.requests_per_minute,
        webhook_networks: config.webhook_networks.clone(),
        webhook_transcript_days: config.webhook_transcript_days,
        amount_query_time: service::amounts::TIME_DEFAULT,
    };
    let service = Service::open(Arc::clone(&store), engine.hasher.clone(), settings).await;
    let service = Arc::new(service.context("the store cannot be read")?);
    refuse_plain_live(config, &service).await?;

    let api_listener = bind(config.listen, "--listen").await?;
    let admin_listener = bind(config.admin_listen, "--admin-listen").await?;
    let api_url = format!("http://{}", api_listener.local_addr()?);
    let admin_url = format!("http://{}", admin_listener.local_addr()?);
    let app = Arc::new(App::new(Arc::clone(&service), &admin_token));
    if config.demo {
        let urls = demo::Urls {
            api: &api_url,
            admin: &admin_url,
        };
        demo::prepare(&app, folder, &urls, &admin_token)
            .await
            .context("the demo cannot be prepared")?;
    }

    let (stop, stopping) = watch::channel(false);
    let api = tokio::spawn(listen::serve(
        api_listener,
        api::public_routes(&app),
        until(stopping.clone()),
    ));
    let admin = tokio::spawn(listen::serve(
        admin_listener,
        api::admin_router(&app),
        until(stopping),
    ));

    let (stop_deliveries, deliveries_stopping) = watch::channel(false);
    let delivering = Arc::clone(&service);
    let deliveries = tokio::spawn(async move {
        let bodies = Arc::new(Bodies);
        delivering
            .deliver_webhooks(bodies, deliveries_stopping)
            .await;
    });
    let asking = Arc::clone(&service);
    let asking_stopping = stop_deliveries.subscribe();
    let questions = tokio::spawn(async move {
        asking
            .answer_amounts(Arc::new(Amounts), asking_stopping)
            .await;
    });
    let pruning = Arc::clone(&service);
    let pruning_stopping = stop_deliveries.subscribe();
    tokio::spawn(async move { pruning.keep_audit_log_short(pruning_stopping).await });
    let following = Arc::clone(&service);
    tokio::spawn(async move { following.follow_peers().await });

    let contact = contact_path(folder);
    let place = json!({"api": api_url, "admin": admin_url, "pid": std::process::id()});
    secrets::write_private(&contact, place.to_string().as_bytes())?;
    if new_token {
        tracing::info!(file = %secrets::admin_token_path(folder, token_file).display(), "admin token made");
    }
    // Who reads the line may stop the server at once.
    let told_to_stop = signals()?;
    announce(&api_url, &admin_url);

    told_to_stop.await;
    tracing::info!("stopping: running requests are finished first");
    app.drain();
    stop.send_replace(true);
    api.await.context("the API listener failed")?;
    admin.await.context("the admin listener failed")?;
    stop_deliveries.send_replace(true);
    deliveries
        .await
        .context("the deliveries of webhooks failed")?;
    questions
        .await
        .context("the questions for amounts failed")?;
    let closed = store.shut_down().await;
    drop(std::fs::remove_file(contact));
    closed.context("the store did not close in order")?;
    tracing::info!("stopped");
    Ok(())
}

/// Where commands find the running server.
pub(crate) fn contact_path(folder: &Path) -> PathBuf {
    folder.join("server.json")
}

/// Live balances are not served unencrypted to other machines by accident.
async fn refuse_plain_live(config: &Config, service: &Service) -> anyhow::Result<()> {
    let open = !config.listen.ip().is_loopback() || !config.admin_listen.ip().is_loopback();
    if !open || config.allow_plain_listener {
        return Ok(());
    }
    let tenants = service
        .tenants()
        .await
        .context("the tenants cannot be read")?;
    if let Some(live) = tenants
        .iter()
        .find(|tenant| tenant.mode == TenantMode::Live)
    {
        bail!(
            "the live tenant `{}` would be served without encryption on an address that other \
             machines can reach; listen on 127.0.0.1 behind a TLS proxy, or say \
             --allow-plain-listener",
            live.name
        );
    }
    Ok(())
}

async fn bind(address: std::net::SocketAddr, flag: &str) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!(
            "{address} cannot be listened on; choose another with {flag} (port 0 takes a free one)"
        )
    })
}

/// The one line that scripts wait for.
fn announce(api: &str, admin: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    // A closed standard output is no reason not to serve.
    drop(writeln!(out, "listening api={api} admin={admin}").and_then(|()| out.flush()));
}

async fn until(mut stopping: watch::Receiver<bool>) {
    // A closed channel means the same as `true`.
    drop(stopping.wait_for(|stop| *stop).await);
}

/// Handles signals from now on; the future ends with the first one.
fn signals() -> anyhow::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("SIGTERM cannot be handled")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("SIGINT cannot be handled")?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
