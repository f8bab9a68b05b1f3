//! Repeats a workload in one process: the first run, then warm-up until its time is over (the first run counts towards
//! it), then measured runs until the measured time is over. Nothing is printed before the end.

use std::future::Future;
use std::time::{Duration, Instant};

struct Repetition {
    phase: &'static str,
    nanoseconds: u128,
    checksum: u64,
}

pub async fn run<F, Fut>(n: u64, warmup: Duration, measured: Duration, workload: F)
where
    F: Fn(u64) -> Fut,
    Fut: Future<Output = u64>,
{
    let mut repetitions = Vec::with_capacity(65_536);
    let start = Instant::now();
    let cpu_start = cpu_nanoseconds();
    repetitions.push(repeat(n, "first", &workload).await);
    let cpu_first = cpu_nanoseconds() - cpu_start;
    while start.elapsed() < warmup {
        repetitions.push(repeat(n, "warm-up", &workload).await);
    }
    let warm_start = Instant::now();
    let cpu_warm_start = cpu_nanoseconds();
    loop {
        repetitions.push(repeat(n, "warm", &workload).await);
        if warm_start.elapsed() >= measured {
            break;
        }
    }
    let cpu_warm = cpu_nanoseconds() - cpu_warm_start;

    let mut lines = String::new();
    for repetition in &repetitions {
        lines.push_str(&format!(
            "{{\"phase\":\"{}\",\"operations\":{n},\"nanoseconds\":{},\"checksum\":\"{}\"}}\n",
            repetition.phase, repetition.nanoseconds, repetition.checksum
        ));
    }
    lines.push_str(&format!(
        "{{\"phase\":\"end\",\"firstCpuNanoseconds\":{cpu_first},\"warmCpuNanoseconds\":{cpu_warm},\"peakMemoryBytes\":{}}}",
        peak_memory_bytes()
    ));
    println!("{lines}");
}

async fn repeat<F, Fut>(n: u64, phase: &'static str, workload: &F) -> Repetition
where
    F: Fn(u64) -> Fut,
    Fut: Future<Output = u64>,
{
    let start = Instant::now();
    let checksum = workload(n).await;
    Repetition {
        phase,
        nanoseconds: start.elapsed().as_nanos(),
        checksum,
    }
}

fn cpu_nanoseconds() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` outlives the call and is what the function fills in.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// VmHWM, not ru_maxrss: the latter is inherited across exec and would show the parent's size.
fn peak_memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kibibytes = line
        .and_then(|line| line.split_whitespace().nth(1))
        .and_then(|text| text.parse::<u64>().ok());
    kibibytes.unwrap_or(0) * 1024
}
