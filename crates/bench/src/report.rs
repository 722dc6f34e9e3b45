//! What a benchmark found: a table for people, one JSON document for programs.

use std::fs;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use serde::Serialize;

/// Everything one benchmark has to tell.
#[derive(Serialize)]
pub struct Report<Settings, Row> {
    /// Which benchmark.
    pub benchmark: &'static str,
    /// The version that was measured.
    pub version: &'static str,
    /// The machine it ran on.
    pub machine: Machine,
    /// How it was called.
    pub settings: Settings,
    /// What was measured.
    pub results: Vec<Row>,
    /// What was checked.
    pub checks: Checks,
    /// Whether every check passed.
    pub passed: bool,
}

impl<Settings: Serialize, Row: Serialize> Report<Settings, Row> {
    /// A report of this machine and version.
    pub fn new(
        benchmark: &'static str,
        settings: Settings,
        results: Vec<Row>,
        checks: Checks,
    ) -> Self {
        let passed = checks.passed();
        Report {
            benchmark,
            version: env!("CARGO_PKG_VERSION"),
            machine: Machine::this(),
            settings,
            results,
            checks,
            passed,
        }
    }

    /// Prints the report to standard output, as JSON or as `table` and a list of the checks.
    ///
    /// # Errors
    /// When it cannot be rendered.
    pub fn print(&self, json: bool, table: &Table) -> anyhow::Result<()> {
        if json {
            println!("{}", serde_json::to_string_pretty(self)?);
            return Ok(());
        }
        let Machine {
            cores,
            processor,
            memory_mb,
        } = &self.machine;
        println!(
            "{} {}, {cores} cores, {processor}, {memory_mb} MB",
            self.benchmark, self.version
        );
        println!("{table}");
        for Check {
            name,
            passed,
            detail,
        } in &self.checks.0
        {
            println!("{} {name}: {detail}", if *passed { "ok  " } else { "FAIL" });
        }
        Ok(())
    }
}

/// The machine that measured.
#[derive(Serialize)]
pub struct Machine {
    /// Processors that this process may use.
    pub cores: usize,
    /// What they call themselves.
    pub processor: String,
    /// Main memory.
    pub memory_mb: u64,
}

impl Machine {
    fn this() -> Machine {
        let line = |file: &str, name: &str| {
            let text = fs::read_to_string(file).unwrap_or_default();
            let value = text
                .lines()
                .find(|line| line.starts_with(name))?
                .split(':')
                .nth(1)?;
            Some(value.trim().to_owned())
        };
        let memory_kb = line("/proc/meminfo", "MemTotal")
            .and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
        Machine {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            processor: line("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown".to_owned()),
            memory_mb: memory_kb.unwrap_or(0) / 1024,
        }
    }
}

/// One thing that must hold.
#[derive(Serialize)]
pub struct Check {
    /// What.
    pub name: &'static str,
    /// Whether it does.
    pub passed: bool,
    /// What was seen.
    pub detail: String,
}

/// Everything that must hold.
#[derive(Default, Serialize)]
#[serde(transparent)]
pub struct Checks(Vec<Check>);

impl Checks {
    /// Notes what was seen of one thing.
    pub fn note(&mut self, name: &'static str, passed: bool, detail: impl Into<String>) {
        self.0.push(Check {
            name,
            passed,
            detail: detail.into(),
        });
    }

    /// Whether all hold.
    pub fn passed(&self) -> bool {
        self.0.iter().all(|check| check.passed)
    }
}

/// An empty table; every column but the first `left` is aligned to the right.
pub fn table(left: usize, header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_header(header);
    for column in table.column_iter_mut().skip(left) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// `count` in each second of `time`.
pub fn per_second(count: u64, time: Duration) -> f64 {
    if time.is_zero() {
        0.0
    } else {
        count as f64 / time.as_secs_f64()
    }
}

/// Microseconds of `time` for each of `count`.
pub fn us_each(time: Duration, count: u64) -> f64 {
    if count == 0 {
        0.0
    } else {
        time.as_secs_f64() * 1e6 / count as f64
    }
}

/// The share of `total` that each of `count` has.
pub fn each(total: u64, count: u64) -> f64 {
    if count == 0 {
        0.0
    } else {
        total as f64 / count as f64
    }
}

/// Microseconds.
pub fn us(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Milliseconds.
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// The middle one of `values`, or the mean of the two in the middle; zero of none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match (values.len(), values.get(middle)) {
        (_, None) => 0.0,
        (count, Some(upper)) if count % 2 == 1 => *upper,
        (_, Some(upper)) => f64::midpoint(values[middle - 1], *upper),
    }
}

/// `value` with separators between thousands, rounded to a whole number.
pub fn whole(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        for (values, middle) in [
            (vec![], 0.0),
            (vec![4.0], 4.0),
            (vec![3.0, 1.0, 2.0], 2.0),
            (vec![4.0, 1.0], 2.5),
        ] {
            assert!((median(values) - middle).abs() < 1e-9);
        }
    }

    #[test]
    fn thousands_are_separated() {
        for (value, text) in [
            (0.0, "0"),
            (999.4, "999"),
            (1000.0, "1,000"),
            (1_234_567.0, "1,234,567"),
        ] {
            assert_eq!(whole(value), text);
        }
    }

    #[test]
    fn nothing_is_divided_by_zero() {
        assert!(per_second(5, Duration::ZERO).abs() < 1e-9);
        assert!(us_each(Duration::from_secs(1), 0).abs() < 1e-9);
        assert!((us_each(Duration::from_secs(1), 100_000) - 10.0).abs() < 1e-9);
    }

    #[test]
    fn one_failed_check_fails_all() {
        let mut checks = Checks::default();
        assert!(checks.passed());
        checks.note("one", true, "");
        assert!(checks.passed());
        checks.note("two", false, "");
        assert!(!checks.passed());
    }
}
