//! What a sync costs where the data is, at this moment.
//!
//! Disks are shared and change: a slow server on a slow disk is no news, so the cost of a bare
//! sync is told beside each measurement.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use anyhow::Result;

use crate::histogram::Histogram;
use crate::report::us;

/// Syncs of one probe.
const SYNCS: u64 = 100;
/// Bytes written before each; about a small commit.
const BYTES: usize = 512;

/// Microseconds of one `fdatasync` after a small append in `folder`, in the median.
///
/// # Errors
/// When the folder cannot be written.
pub fn sync_us(folder: &Path) -> Result<f64> {
    let file = File::create(folder.join("probe"))?;
    let bytes = [1; BYTES];
    let mut times = Histogram::default();
    for number in 0..SYNCS {
        file.write_all_at(&bytes, number * BYTES as u64)?;
        let begun = Instant::now();
        file.sync_data()?;
        times.record(begun.elapsed());
    }
    Ok(us(times.quantile(500)))
}
