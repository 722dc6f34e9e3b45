//! What the system tells about a process.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// Processor time that the process has used, in user and system mode.
///
/// # Errors
/// When there is no such process.
pub fn cpu(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let ticks = parse_ticks(&stat).context("a process without times")?;
    let per_second = rustix::param::clock_ticks_per_second();
    Ok(Duration::from_millis(ticks * 1000 / per_second))
}

/// Processor time that the process and its children have used, those that have ended included.
///
/// # Errors
/// When there is no such process.
pub fn family_cpu(pid: u32) -> Result<Duration> {
    let per_second = rustix::param::clock_ticks_per_second();
    loop {
        let ended = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let mut ticks = parse_ended(&ended).context("a process without times")?;
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))?;
        for child in children.split_whitespace() {
            // One that ends meanwhile is counted the next time.
            let stat = fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            ticks += parse_ticks(&stat).unwrap_or(0);
        }
        let again = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        if parse_ended(&again) == parse_ended(&ended) {
            let own = parse_ticks(&again).context("a process without times")?;
            return Ok(Duration::from_millis((ticks + own) * 1000 / per_second));
        }
    }
}

/// Memory that the process occupies, in bytes.
///
/// # Errors
/// When there is no such process.
pub fn memory(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    parse_memory(&status).context("a process without memory")
}

/// Ticks in user and system mode: the fields 14 and 15; the second field may hold spaces.
fn parse_ticks(stat: &str) -> Option<u64> {
    parse_two(stat, 14)
}

/// Ticks of children that have ended and were waited for: the fields 16 and 17.
fn parse_ended(stat: &str) -> Option<u64> {
    parse_two(stat, 16)
}

/// The sum of two fields, counted from 1.
fn parse_two(stat: &str, first: usize) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(first - 3);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

fn parse_memory(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kb: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kb * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_found_behind_a_name_with_spaces() {
        let stat = "12 (a ) b) S 1 2 3 4 5 6 7 8 9 10 250 31 14 15 20 0 3";
        assert_eq!(parse_ticks(stat), Some(281));
        assert_eq!(parse_ended(stat), Some(29));
        assert_eq!(parse_ticks("12 (a) S 1"), None);
    }

    #[test]
    fn memory_is_found() {
        assert_eq!(
            parse_memory("Name:\tx\nVmRSS:\t    2048 kB\n"),
            Some(2 << 20)
        );
        assert_eq!(parse_memory("Name:\tx\n"), None);
    }

    #[test]
    fn this_process_can_be_asked() {
        let pid = std::process::id();
        let own = cpu(pid).expect("a time");
        assert!(family_cpu(pid).expect("a time") >= own);
        assert!(memory(pid).expect("a size") > 100_000);
    }
}
