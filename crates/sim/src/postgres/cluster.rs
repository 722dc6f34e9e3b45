//! One cluster: a data folder, a server, and the watchdog that ends both.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use super::programs::Programs;
use super::session::{self, Row};

/// How often a start is tried, each time on another port.
const STARTS: usize = 5;

/// Waits until its standard input is closed, which the end of the test process does, however it
/// ends. Then it ends the server and removes the folder: `$1` has the programs, `$2` is the folder.
/// A server that a test has stopped with a signal must be let run to hear of it.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
read -r _
pid=$(head -n 1 "$2/data/postmaster.pid" 2>/dev/null)
if [ -n "$pid" ]; then
    kill -CONT "$pid" $(cat "/proc/$pid/task/$pid/children" 2>/dev/null) 2>/dev/null
    "$1/pg_ctl" stop -D "$2/data" -m immediate -s -t 30 >/dev/null 2>&1
fi
rm -rf "$2"
"#;

/// Commits of a test have to survive the death of the server, not of the machine.
const QUICK: &str = "fsync = off\nfull_page_writes = off\n";

/// How a cluster is set up.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Whether commits are synced to the disk, as they are outside of tests.
    pub durable: bool,
    /// More lines of `postgresql.conf`.
    pub settings: String,
    /// More lines of `pg_hba.conf`, before the one that trusts everybody on this machine. The Unix
    /// socket is trusted before them all.
    pub access: String,
    /// Files by name to put into the data folder, such as a key and a certificate.
    pub files: Vec<(&'static str, String)>,
}

/// A running cluster of its own. It ends when it is dropped, or with the process.
#[derive(Debug)]
pub struct Cluster {
    pub(super) programs: Programs,
    pub(super) folder: PathBuf,
    pub(super) port: u16,
    watchdog: Child,
}

impl Cluster {
    /// Makes a cluster and starts it.
    ///
    /// # Panics
    /// When PostgreSQL is not installed or does not start; with the reason.
    #[must_use]
    pub fn start(options: &Options) -> Cluster {
        let mut cluster = Cluster::prepare(Programs::find());
        let data = cluster.data();
        let initdb = [
            "--username=postgres",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--no-instructions",
            "--pgdata",
        ];
        let arguments = initdb.map(Path::new).into_iter().chain([data.as_path()]);
        let made = cluster.programs.run("initdb", arguments);
        made.unwrap_or_else(|error| panic!("{error}"));
        for (name, text) in &options.files {
            cluster.write(name, text);
        }
        let access = &options.access;
        cluster.write(
            "pg_hba.conf",
            &format!(
                "local all all trust\nlocal replication all trust\n{access}\n\
                 host all all 127.0.0.1/32 trust\n"
            ),
        );
        let speed = if options.durable { "" } else { QUICK };
        cluster.set(&format!(
            "max_connections = 400\nlisten_addresses = '127.0.0.1'\n{speed}{}",
            options.settings
        ));
        cluster.launch();
        cluster
    }

    /// An empty folder with its watchdog.
    pub(super) fn prepare(programs: Programs) -> Cluster {
        let folder = tempfile::Builder::new()
            .prefix("tidegate-pg-")
            .tempdir()
            .expect("a temporary folder")
            .keep();
        programs.give(&folder);
        let watchdog = programs
            .as_user("/bin/sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .args([programs.folder(), &folder])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // An interrupt from the terminal is for the tests.
            .process_group(0)
            .spawn()
            .expect("there is a shell");
        Cluster {
            programs,
            folder,
            port: 0,
            watchdog,
        }
    }

    /// Starts the server on a free port.
    pub(super) fn launch(&mut self) {
        let folder = self.folder.display();
        self.set(&format!("unix_socket_directories = '{folder}'\n"));
        let mut said = String::new();
        for _ in 0..STARTS {
            // Between this and the start somebody else may take the port; then another is tried.
            let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
            self.port = free.expect("a free port").port();
            match self.try_start() {
                Ok(()) => return,
                Err(error) => said = error,
            }
        }
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        panic!("{said}\n{log}");
    }

    /// Starts the server on the port it has.
    pub(super) fn try_start(&self) -> Result<(), String> {
        let (data, log) = (self.data(), self.log());
        let options = format!("-p {}", self.port);
        let flags = ["start", "--wait", "--silent", "--timeout=60"].map(Path::new);
        let place = ["--pgdata".as_ref(), data.as_path()];
        let rest = [
            "--log".as_ref(),
            log.as_path(),
            "--options".as_ref(),
            options.as_ref(),
        ];
        let arguments = flags.into_iter().chain(place).chain(rest);
        self.programs.run("pg_ctl", arguments)
    }

    /// Where clients on this machine reach a database: `postgres://postgres@127.0.0.1:PORT/NAME`.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The same through the Unix socket.
    #[must_use]
    pub fn socket_url(&self, database: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://postgres@{folder}:{}/{database}", self.port)
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The number of the server's first process, whose children are all others.
    ///
    /// # Panics
    /// When it does not run.
    #[must_use]
    pub fn pid(&self) -> u32 {
        let path = self.data().join("postmaster.pid");
        let text = std::fs::read_to_string(path).expect("the server runs");
        let number = text.lines().next().and_then(|line| line.parse().ok());
        number.expect("the number of the process")
    }

    /// Runs statements as the superuser, in the database `postgres`.
    ///
    /// # Panics
    /// When one fails.
    pub fn sql(&self, sql: &str) -> Vec<Row> {
        session::run(&self.socket_url("postgres"), sql)
            .unwrap_or_else(|error| panic!("{error}: {sql}"))
    }

    /// Adds lines to `postgresql.conf`; of two that set the same the later one counts.
    pub(super) fn set(&self, settings: &str) {
        let path = self.data().join("postgresql.conf");
        let file = OpenOptions::new().append(true).open(&path);
        let mut file = file.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        file.write_all(format!("\n{settings}\n").as_bytes())
            .expect("room for settings");
    }

    /// Puts a file into the data folder.
    fn write(&self, name: &str, text: &str) {
        let path = self.data().join(name);
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.programs.give(&path);
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        drop(self.watchdog.wait());
    }
}
