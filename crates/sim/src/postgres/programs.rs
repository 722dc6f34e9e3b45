//! PostgreSQL's own programs: where they are, and as whom they run.

use std::ffi::OsStr;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest release that Tidegate works with.
const RELEASE_MIN: u32 = 15;
/// Where Debian's packages put the programs: a folder for each release in here.
const DEBIAN: &str = "/usr/lib/postgresql";
/// Who the programs run as when the tests run as root, which they refuse to be.
const USER: &str = "postgres";

/// The programs of one release.
#[derive(Clone, Debug)]
pub(super) struct Programs {
    folder: PathBuf,
    account: Option<(u32, u32)>,
}

impl Programs {
    /// The newest release in `PATH` and in Debian's folders.
    ///
    /// # Panics
    /// When there is none; says what to install.
    pub fn find() -> Programs {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let debian = std::fs::read_dir(DEBIAN).into_iter().flatten().flatten();
        let newest = std::env::split_paths(&path)
            .chain(debian.map(|release| release.path().join("bin")))
            // Links into a release's folder stand for the folder.
            .filter_map(|folder| folder.join("pg_ctl").canonicalize().ok())
            .filter_map(|program| Some(program.parent()?.to_owned()))
            .filter_map(|folder| Some((release(&folder)?, folder)))
            .max();
        let Some((RELEASE_MIN.., folder)) = newest else {
            panic!(
                "the tests need initdb and pg_ctl of PostgreSQL {RELEASE_MIN} or newer, in PATH or \
                 {DEBIAN}; on Debian: apt-get install postgresql"
            );
        };
        let account = rustix::process::geteuid().is_root().then(|| {
            let id = |flag| {
                let found = Command::new("id").args([flag, USER]).output().ok();
                let text = String::from_utf8(found?.stdout).ok()?;
                text.trim().parse().ok()
            };
            let account = id("-u").zip(id("-g"));
            account.unwrap_or_else(|| panic!("PostgreSQL does not run as root: add a user {USER}"))
        });
        Programs { folder, account }
    }

    /// A program of this release, to be run by whom it may be run by.
    pub fn command(&self, name: &str) -> Command {
        self.as_user(self.folder.join(name))
    }

    /// Any program, run by the same user.
    pub fn as_user(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        // The folder of the tests may be closed to the user.
        command.current_dir("/").env("LC_ALL", "C");
        if let Some((user, group)) = self.account {
            command.uid(user).gid(group);
        }
        command
    }

    /// The folder they are in.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs a program to its end.
    ///
    /// # Errors
    /// What it printed, when it fails.
    pub fn run<A: AsRef<OsStr>>(
        &self,
        name: &str,
        arguments: impl IntoIterator<Item = A>,
    ) -> Result<(), String> {
        let output = self.command(name).args(arguments).output();
        let output = output.map_err(|error| format!("{name}: {error}"))?;
        if output.status.success() {
            return Ok(());
        }
        let printed = [output.stdout, output.stderr].concat();
        Err(format!("{name}: {}", String::from_utf8_lossy(&printed)))
    }

    /// Gives a file or folder to the user, closed to everybody else.
    pub fn give(&self, path: &Path) {
        let mode = if path.is_dir() { 0o700 } else { 0o600 };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if let Some((user, group)) = self.account {
            chown(path, Some(user), Some(group))
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
}

/// The release of the programs in a folder: `initdb (PostgreSQL) 15.4 (…)` is 15.
fn release(folder: &Path) -> Option<u32> {
    let said = Command::new(folder.join("initdb"))
        .arg("--version")
        .output();
    let said = String::from_utf8(said.ok()?.stdout).ok()?;
    let number = said.split_whitespace().nth(2)?;
    number
        .split(|mark: char| !mark.is_ascii_digit())
        .next()?
        .parse()
        .ok()
}
