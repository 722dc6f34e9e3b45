//! The measured processes: this program started again, as the server or as the echo.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, ExitCode, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Signal, kill_process};

/// How long a child may take to say that it listens.
const START_MAX: Duration = Duration::from_secs(120);
/// How long it may take to end after it was asked to.
const STOP_MAX: Duration = Duration::from_secs(60);
/// Lines of its log that are shown when it fails.
const LOG_LINES: usize = 20;

/// Runs the server in this process.
pub fn run_server(args: Vec<OsString>) -> ExitCode {
    tidegate::run_cli(std::iter::once(OsString::from("tidegate")).chain(args))
}

/// A running child; killed when it is dropped.
pub struct Child {
    process: std::process::Child,
    log: PathBuf,
    /// Where its API listens.
    pub api: SocketAddr,
    /// Where its admin API listens; the echo has none.
    pub admin: Option<SocketAddr>,
    /// From the start of the process to the line that says that it listens.
    pub start: Duration,
}

impl Child {
    /// Starts a server over a data folder. Its log goes beside that folder.
    ///
    /// # Errors
    /// When it does not start; the end of its log is part of the error.
    pub fn server(data: &Path) -> Result<Child> {
        Child::server_with(data, &[])
    }

    /// The same with more arguments.
    ///
    /// # Errors
    /// When it does not start.
    pub fn server_with(data: &Path, more: &[&str]) -> Result<Child> {
        let mut args: Vec<OsString> = [
            "child-server",
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            "127.0.0.1:0",
        ]
        .map(OsString::from)
        .into();
        args.extend(["--data-dir".into(), data.into()]);
        args.extend(more.iter().map(OsString::from));
        Child::start(args, data.with_extension("log"))
    }

    /// Starts a server over a PostgreSQL database. The folder keeps what is its own.
    ///
    /// # Errors
    /// When it does not start; the end of its log is part of the error.
    pub fn server_over(data: &Path, url: &str) -> Result<Child> {
        let mut args: Vec<OsString> = ["child-server", "serve", "--listen", "127.0.0.1:0"]
            .map(OsString::from)
            .into();
        args.extend(["--admin-listen".into(), "127.0.0.1:0".into()]);
        args.extend(["--data-dir".into(), data.into()]);
        args.extend(["--database-url".into(), url.into()]);
        Child::start(args, data.with_extension("log"))
    }

    /// Verifies a database: whether it is sound, and what was said.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn verify_over(data: &Path, url: &str) -> Result<(bool, String)> {
        let output = Command::new(std::env::current_exe()?)
            .args(["child-server", "verify", "--data-dir"])
            .arg(data)
            .args(["--database-url", url])
            .output()?;
        let said = [output.stdout, output.stderr].map(|text| {
            let text = String::from_utf8_lossy(&text);
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        });
        Ok((output.status.success(), said.join(" ")))
    }

    /// Starts an echo. Its log goes to `folder`.
    ///
    /// # Errors
    /// When it does not start.
    pub fn echo(folder: &Path) -> Result<Child> {
        let args = ["child-echo", "--listen", "127.0.0.1:0"]
            .map(OsString::from)
            .into();
        Child::start(args, folder.join("echo.log"))
    }

    fn start(args: Vec<OsString>, log: PathBuf) -> Result<Child> {
        let begun = Instant::now();
        let mut process = Command::new(std::env::current_exe()?)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::options().create(true).append(true).open(&log)?)
            .spawn()
            .context("a child process cannot be started")?;
        let stdout = process
            .stdout
            .take()
            .context("a child without standard output")?;
        let listening = listening_line(stdout);
        let Ok(line) = listening.recv_timeout(START_MAX) else {
            drop(process.kill());
            drop(process.wait());
            bail!("a child did not start:\n{}", tail(&log));
        };
        let start = begun.elapsed();
        let (api, admin) = parse_listening(&line)?;
        Ok(Child {
            process,
            log,
            api,
            admin,
            start,
        })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.process.id()
    }

    /// The end of its log.
    pub fn log(&self) -> String {
        tail(&self.log)
    }

    /// Asks it to end; how long that took.
    ///
    /// # Errors
    /// When it ends with a failure or not at all.
    pub fn stop(mut self) -> Result<Duration> {
        let begun = Instant::now();
        let pid = Pid::from_child(&self.process);
        kill_process(pid, Signal::TERM)?;
        while begun.elapsed() < STOP_MAX {
            match self.process.try_wait()? {
                Some(status) if status.success() => return Ok(begun.elapsed()),
                Some(status) => bail!("a child ended with {status}:\n{}", self.log()),
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        }
        Err(anyhow!("a child does not end:\n{}", self.log()))
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is as well.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// The line that says that a child listens, as soon as it comes; later lines are read and dropped.
fn listening_line(stdout: ChildStdout) -> Receiver<String> {
    let (found, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout)
            .lines()
            .map_while(std::result::Result::ok)
        {
            if line.starts_with("listening ") {
                drop(found.send(line));
            }
        }
    });
    receiver
}

/// `listening api=http://127.0.0.1:1 admin=http://127.0.0.1:2`, the second part optional.
fn parse_listening(line: &str) -> Result<(SocketAddr, Option<SocketAddr>)> {
    let address = |name: &str| -> Result<Option<SocketAddr>> {
        let Some(url) = line.split(' ').find_map(|part| part.strip_prefix(name)) else {
            return Ok(None);
        };
        let host = url.trim_start_matches("http://").trim_end_matches('/');
        Ok(Some(
            host.parse().with_context(|| format!("no address: {url}"))?,
        ))
    };
    let api = address("api=")?.with_context(|| format!("no API in `{line}`"))?;
    Ok((api, address("admin=")?))
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_from_the_line() {
        let line = "listening api=http://127.0.0.1:1234 admin=http://127.0.0.1:99";
        let (api, admin) = parse_listening(line).expect("two addresses");
        assert_eq!(api.port(), 1234);
        assert_eq!(admin.map(|admin| admin.port()), Some(99));
        let (api, admin) = parse_listening("listening api=http://[::1]:80/").expect("one address");
        assert_eq!(api.port(), 80);
        assert_eq!(admin, None);
        for wrong in [
            "listening",
            "listening admin=http://127.0.0.1:99",
            "listening api=http://x",
        ] {
            assert!(parse_listening(wrong).is_err(), "{wrong}");
        }
    }
}
