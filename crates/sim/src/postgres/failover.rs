//! What goes wrong with a database: its server dies, hangs, comes back, or another takes over.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::cluster::Cluster;

/// How long anything may take before the test fails.
const PATIENCE: Duration = Duration::from_secs(60);
/// What the standby is called by the first cluster.
const STANDBY: &str = "standby";

impl Cluster {
    /// A second cluster that follows this one. From now on a commit here is answered when it is on
    /// both.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn standby(&self) -> Cluster {
        let mut standby = Cluster::prepare(self.programs.clone());
        let data = standby.data();
        let copied = self.programs.run(
            "pg_basebackup",
            [
                "--pgdata".as_ref(),
                data.as_os_str(),
                "--dbname".as_ref(),
                self.socket_url("postgres").as_ref(),
                "--checkpoint=fast".as_ref(),
                "--wal-method=stream".as_ref(),
                "--write-recovery-conf".as_ref(),
                "--no-sync".as_ref(),
            ],
        );
        copied.unwrap_or_else(|error| panic!("{error}"));
        standby.set(&format!("cluster_name = '{STANDBY}'"));
        standby.launch();
        self.set(&format!("synchronous_standby_names = '{STANDBY}'"));
        self.sql("SELECT pg_reload_conf()");
        until("the standby is synchronous", || {
            let states = self.sql("SELECT sync_state FROM pg_stat_replication");
            states == [[Some("sync".to_owned())]]
        });
        standby
    }

    /// Makes a standby the one that is written to.
    ///
    /// # Panics
    /// When it is none.
    pub fn promote(&self) {
        let data = self.data();
        let flags = ["promote", "--wait", "--silent", "--pgdata"].map(AsRef::as_ref);
        let arguments = flags.into_iter().chain([data.as_os_str()]);
        let promoted = self.programs.run("pg_ctl", arguments);
        promoted.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Kills the server with all its processes, as when its machine dies.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&self) {
        // Stopped first, so that it starts no process that would be missed.
        let all = self.signal(Signal::STOP);
        all.iter().for_each(|process| send(*process, Signal::KILL));
        until("the server is gone", || {
            all.iter()
                .all(|process| test_kill_process(*process).is_err())
        });
    }

    /// Starts the server again on its port, after [`Cluster::kill`] or [`Cluster::stop`].
    ///
    /// # Panics
    /// When it does not start.
    pub fn start_again(&self) {
        self.try_start().unwrap_or_else(|error| panic!("{error}"));
    }

    /// Stops the server in order; its clients lose their connections.
    ///
    /// # Panics
    /// When it does not run.
    pub fn stop(&self) {
        let data = self.data();
        let flags = ["stop", "--wait", "--mode=fast", "--silent", "--pgdata"];
        let arguments = flags.map(AsRef::as_ref).into_iter();
        let arguments = arguments.chain([data.as_os_str()]);
        let stopped = self.programs.run("pg_ctl", arguments);
        stopped.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Makes the server hang: it answers nothing, takes nothing and closes nothing.
    ///
    /// # Panics
    /// When it does not run.
    pub fn block(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets a server go on that [`Cluster::block`] has stopped.
    ///
    /// # Panics
    /// When it does not run.
    pub fn unblock(&self) {
        self.signal(Signal::CONT);
    }

    /// Sends a signal to the server and to each of its processes; answers them.
    fn signal(&self, signal: Signal) -> Vec<Pid> {
        let number = self.pid();
        let first = process(&number.to_string()).expect("the number of a process");
        send(first, signal);
        let children = format!("/proc/{number}/task/{number}/children");
        let children = std::fs::read_to_string(children).unwrap_or_default();
        let children = children.split_whitespace().filter_map(process);
        let all: Vec<Pid> = std::iter::once(first).chain(children).collect();
        all[1..].iter().for_each(|process| send(*process, signal));
        all
    }
}

/// A process that has just ended needs no signal.
fn send(process: Pid, signal: Signal) {
    let _ = kill_process(process, signal);
}

fn process(number: &str) -> Option<Pid> {
    Pid::from_raw(number.parse().ok()?)
}

/// Asks until it is so; nothing outside of the process can be waited for in another way.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "still waiting: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
