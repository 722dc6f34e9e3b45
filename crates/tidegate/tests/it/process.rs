//! The real program: started as its users start it, spoken to over sockets, stopped and killed.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use sim::postgres::Database;
use tempfile::TempDir;

use crate::postgres;

/// Longest wait for anything a process should do at once; generous, for slow machines.
pub const PATIENCE: Duration = Duration::from_secs(40);

/// A folder of one's own: `data` for the server, and beside it what it prints. Its servers have the
/// database that goes with it, if the tests are run on one.
pub struct Place {
    folder: TempDir,
    database: Option<Arc<Database>>,
}

impl Place {
    pub fn new() -> Place {
        Place {
            database: postgres::database().map(Arc::new),
            ..Place::embedded()
        }
    }

    /// With this database.
    pub fn over(database: &Arc<Database>) -> Place {
        Place {
            database: Some(Arc::clone(database)),
            ..Place::embedded()
        }
    }

    /// Without a database.
    pub fn embedded() -> Place {
        let place = Place {
            folder: tempfile::tempdir().expect("a temporary folder"),
            database: None,
        };
        // A sparse ballast is found in place; writing eight megabytes a test would be slow.
        std::fs::create_dir(place.data()).expect("a new folder");
        let ballast = File::create(place.data().join("ballast")).expect("a new file");
        ballast.set_len(8 << 20).expect("room for nothing");
        place
    }

    /// Where programs are run.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// What servers here have written to standard error.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default()
    }

    /// A command of the program, run in this folder, without settings from outside.
    pub fn command(&self, args: &[impl AsRef<OsStr>]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
        command.args(args).current_dir(self.path());
        self.set_up(&mut command);
        command
    }

    /// Takes settings from outside away, and names the database.
    pub fn set_up(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("TIDEGATE_") {
                command.env_remove(name);
            }
        }
        if let Some(database) = &self.database {
            command.env("TIDEGATE_DATABASE_URL", database.url());
        }
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[impl AsRef<OsStr>]) -> Output {
        finish(&mut self.command(args))
    }

    /// Runs a command that must succeed, and answers what it printed.
    #[track_caller]
    pub fn ok(&self, args: &[impl AsRef<OsStr>]) -> String {
        let output = self.run(args);
        let (printed, said) = (text(&output.stdout), text(&output.stderr));
        assert!(
            output.status.success(),
            "{:?}: {printed}{said}",
            output.status
        );
        printed
    }

    /// Runs a command that must fail with this code, and answers what it said of it.
    #[track_caller]
    pub fn fails(&self, code: i32, args: &[impl AsRef<OsStr>]) -> String {
        let output = self.run(args);
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert_eq!(output.status.code(), Some(code), "{said}");
        said
    }

    /// Runs a command with `--output json` and answers what it printed.
    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Value {
        let mut args = args.to_vec();
        args.extend(["--output", "json"]);
        let printed = self.ok(&args);
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"))
    }

    /// `tidegate verify`, which must be content.
    #[track_caller]
    pub fn verify(&self) -> String {
        let line = self.ok(&["verify"]);
        assert!(line.starts_with("verified: "), "{line}");
        assert_eq!(line.lines().count(), 1, "{line}");
        line
    }

    /// Starts a server on free ports; further arguments follow.
    #[track_caller]
    pub fn serve(&self, more: &[&str]) -> Process {
        match self.try_serve(more) {
            Ok(process) => process,
            Err((status, said)) => panic!("the server ended with {status}: {said}"),
        }
    }

    /// Starts a server; if it ends instead of listening, its status and what it said.
    pub fn try_serve(&self, more: &[&str]) -> Result<Process, (ExitStatus, String)> {
        let mut child = self.spawn(more);
        let stdout = child.stdout.take().expect("it is piped");
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let mut stdout = BufReader::new(stdout);
            if stdout.read_line(&mut line).is_ok_and(|read| read > 0) {
                let _ = tell.send(line);
                // Kept open and empty: a server must not fail for want of a reader.
                let _ = io::copy(&mut stdout, &mut io::sink());
            }
        });
        match told.recv_timeout(PATIENCE) {
            Ok(line) => Ok(Process::new(child, &line)),
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let status = child.wait().expect("it was started");
                Err((status, self.log()))
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let _ = child.kill();
                panic!("nothing was said in {PATIENCE:?}: {}", self.log());
            }
        }
    }

    /// Starts a server without waiting for it.
    pub fn spawn(&self, more: &[&str]) -> Child {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.path().join("server.log"))
            .expect("a file of ours");
        let mut args = vec![
            "serve",
            "--listen",
            "127.0.0.1:0",
            "--admin-listen",
            "127.0.0.1:0",
        ];
        args.extend(more);
        let mut command = self.command(&args);
        command.stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(log);
        command.spawn().expect("the program can be started")
    }
}

/// Runs a command to its end, which must come in bounded time.
#[track_caller]
pub fn finish(command: &mut Command) -> Output {
    command.stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("the program can be started");
    let pid = Pid::from_child(&child);
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || tell.send(child.wait_with_output()));
    match told.recv_timeout(PATIENCE) {
        Ok(output) => output.expect("its output can be read"),
        Err(_) => {
            let _ = kill_process(pid, Signal::KILL);
            panic!("it does not end: {command:?}");
        }
    }
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("the program prints UTF-8")
}

/// A running server. Dropped, it is killed.
pub struct Process {
    child: Child,
    /// Host and port of the APIs.
    pub api: String,
    /// Host and port of the admin listener.
    pub admin: String,
}

impl Process {
    fn new(child: Child, line: &str) -> Process {
        let rest = line.trim_end().strip_prefix("listening api=http://");
        let (api, admin) = rest
            .and_then(|rest| rest.split_once(" admin=http://"))
            .unwrap_or_else(|| panic!("not the line that scripts wait for: {line:?}"));
        Process {
            child,
            api: api.to_owned(),
            admin: admin.to_owned(),
        }
    }

    /// Ends it without notice, and waits until it is gone.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it was started");
    }

    /// Tells it to stop and answers how it ended.
    pub fn terminate(self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, signal).expect("it can be signalled");
    }

    /// Waits until it ends by itself.
    pub fn wait(mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it was started") {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// A connection to the APIs with an API key.
    pub fn as_key(&self, secret: &str) -> Http {
        Http::new(&self.api, &format!("ApiKey {secret}"))
    }

    /// A connection to the admin API with the token of the data folder.
    pub fn as_admin(&self, place: &Place) -> Http {
        let token = std::fs::read_to_string(place.data().join("admin.token"));
        let token = token.expect("made at the first start");
        Http::new(&self.admin, &format!("Bearer {}", token.trim()))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer that came over a socket.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        let body = text(&self.body);
        assert_eq!(self.status, status, "{body}");
        if self.body.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}: {body}"))
    }
}

/// One connection, opened when needed and kept.
pub struct Http {
    host: String,
    authorization: String,
    stream: Option<BufReader<TcpStream>>,
}

impl Http {
    pub fn new(host: &str, authorization: &str) -> Http {
        Http {
            host: host.to_owned(),
            authorization: authorization.to_owned(),
            stream: None,
        }
    }

    /// Sends a request and reads its answer. After an error the answer is unknown, and the next
    /// request opens a new connection.
    pub fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> io::Result<Answer> {
        let answer = self.exchange(method, path, headers, body);
        let closes = match &answer {
            Ok(answer) => answer.header("connection") == Some("close"),
            Err(_) => true,
        };
        if closes {
            self.stream = None;
        }
        answer
    }

    fn exchange(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> io::Result<Answer> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let stream = TcpStream::connect(&self.host)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
                none.insert(BufReader::new(stream))
            }
        };
        let mut request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\n",
            self.host, self.authorization
        );
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = body {
            let length = body.len();
            request.push_str(&format!(
                "content-type: application/json\r\ncontent-length: {length}\r\n"
            ));
        }
        request.push_str("\r\n");
        request.push_str(body.unwrap_or_default());
        stream.get_mut().write_all(request.as_bytes())?;
        read_answer(stream)
    }

    /// A call that must be answered, whatever the answer.
    #[track_caller]
    pub fn call(&mut self, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let body = body.map(Value::to_string);
        let answer = self.send(method, path, &[], body.as_deref());
        answer.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    #[track_caller]
    pub fn get(&mut self, path: &str) -> Value {
        self.call("GET", path, None).expect(200)
    }

    #[track_caller]
    pub fn post(&mut self, path: &str, body: &Value) -> Value {
        self.call("POST", path, Some(body)).expect(201)
    }

    /// `POST /api/v1/transfers` under an idempotency key.
    pub fn transfer(&mut self, key: &str, body: &str) -> io::Result<Answer> {
        let headers = [("idempotency-key", key)];
        self.send("POST", "/api/v1/transfers", &headers, Some(body))
    }
}

/// Asks until there is an answer.
pub fn poll<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "it never comes");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn read_answer(stream: &mut BufReader<TcpStream>) -> io::Result<Answer> {
    let broken = || io::Error::from(io::ErrorKind::UnexpectedEof);
    let mut line = String::new();
    let mut next_line = |stream: &mut BufReader<TcpStream>| {
        line.clear();
        match stream.read_line(&mut line)? {
            0 => Err(broken()),
            _ if line.ends_with("\r\n") => Ok(line.trim_end().to_owned()),
            _ => Err(broken()),
        }
    };
    let status = next_line(stream)?;
    let status = status.split(' ').nth(1).and_then(|code| code.parse().ok());
    let status = status.ok_or_else(broken)?;
    let mut headers = Vec::new();
    loop {
        let line = next_line(stream)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(broken)?;
        headers.push((name.to_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length.and_then(|(_, value)| value.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body)?;
    Ok(Answer {
        status,
        headers,
        body,
    })
}

/// A sandbox tenant of a running server: an owner with an income source, pods and a bank account
/// elsewhere, and a key that may do everything.
#[derive(Clone)]
pub struct Ground {
    pub tenant: String,
    pub pay: String,
    pub pods: Vec<String>,
    pub bank: String,
    pub key: String,
}

impl Ground {
    /// With `cents` on the income source and on every pod but the last.
    pub fn prepare(admin: &mut Http, pods: usize, cents: i64) -> Ground {
        let id = |object: &Value| object["id"].as_str().expect("an id").to_owned();
        let tenant = id(&admin.post("/admin/v1/tenants", &json!({"name": "Acme"})));
        let base = format!("/admin/v1/tenants/{tenant}");
        let owner = id(&admin.post(&format!("{base}/owners"), &json!({"name": "Ada"})));
        let open = |admin: &mut Http, kind: &str, name: &str| {
            let body = json!({"owner_id": owner, "type": kind, "name": name});
            id(&admin.post(&format!("{base}/accounts"), &body))
        };
        let pay = open(admin, "income_source", "Pay");
        let names: Vec<String> = (1..=pods).map(|number| format!("Pod {number}")).collect();
        let pods: Vec<String> = names.iter().map(|name| open(admin, "pod", name)).collect();
        let bank = open(admin, "external_account", "Bank");
        for account in std::iter::once(&pay).chain(&pods[..pods.len() - 1]) {
            let body = json!({"account_id": account, "amount_in_cents": cents});
            admin.post(&format!("{base}/simulate/paycheck"), &body);
        }
        let key = json!({"name": "test", "permissions": crate::harness::everything()});
        let key = admin.post(&format!("{base}/keys"), &key);
        Ground {
            tenant,
            pay,
            pods,
            bank,
            key: key["secret"].as_str().expect("shown once").to_owned(),
        }
    }

    /// The path of an account in the admin API.
    pub fn account_path(&self, account: &str) -> String {
        format!("/admin/v1/tenants/{}/accounts/{account}", self.tenant)
    }

    pub fn balance(&self, admin: &mut Http, account: &str) -> i64 {
        let account = admin.get(&self.account_path(account));
        account["balance"].as_i64().expect("an integer")
    }
}
