//! The Tokio peer of the benchmark: `tokio-peer <current|multi> <workload> <n> <warm-up ms> <measure ms>`, or
//! `tokio-peer <current|multi> <echo|churn|udp>`. What it prints is described in bench/peers/README.md.

mod measure;
mod server;
mod tcp;
mod udp;
mod workloads;

use std::time::Duration;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (flavor, rest) = match words.split_first() {
        Some((flavor, rest)) if *flavor == "current" || *flavor == "multi" => (*flavor, rest),
        _ => usage(),
    };
    let mut builder = if flavor == "current" {
        tokio::runtime::Builder::new_current_thread()
    } else {
        tokio::runtime::Builder::new_multi_thread()
    };
    let runtime = match builder.enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => fail(&format!("cannot start the runtime: {error}")),
    };
    // The driver is itself a task: on multi_thread a driver inside block_on would push every spawn through the shared
    // injection queue instead of a worker's own, which nobody who knows Tokio would do in a hot loop.
    let driver = match rest {
        ["echo"] => runtime.spawn(tcp::echo()),
        ["churn"] => runtime.spawn(tcp::churn()),
        ["udp"] => runtime.spawn(udp::echo()),
        [workload, n, warmup, measure] => {
            let n: u64 = number(n, "n");
            let warmup = Duration::from_millis(number(warmup, "warm-up ms"));
            let measured = Duration::from_millis(number(measure, "measure ms"));
            match *workload {
                "scheduling" => runtime.spawn(measure::run(n, warmup, measured, workloads::scheduling)),
                "io" => runtime.spawn(measure::run(n, warmup, measured, workloads::io)),
                "allocation" => runtime.spawn(measure::run(n, warmup, measured, workloads::allocation)),
                "spawn" => runtime.spawn(measure::run(n, warmup, measured, workloads::spawn)),
                "yield" => runtime.spawn(measure::run(n, warmup, measured, workloads::yielding)),
                "channel" => runtime.spawn(measure::run(n, warmup, measured, workloads::channel)),
                "timer" => runtime.spawn(measure::run(n, warmup, measured, workloads::timer)),
                "cancel" => runtime.spawn(measure::run(n, warmup, measured, workloads::cancel)),
                other => fail(&format!("unknown workload: {other}")),
            }
        }
        _ => usage(),
    };
    if let Err(error) = runtime.block_on(driver) {
        fail(&format!("the driver task failed: {error}"));
    }
    // Connections that are still open have nothing left to say.
    runtime.shutdown_background();
}

fn number(text: &str, name: &str) -> u64 {
    text.parse()
        .unwrap_or_else(|_| fail(&format!("{name} must be a whole number, got {text}")))
}

fn usage() -> ! {
    fail("usage: tokio-peer <current|multi> <workload> <n> <warm-up ms> <measure ms> | tokio-peer <current|multi> <echo|churn|udp>")
}

fn fail(message: &str) -> ! {
    eprintln!("{message}");
    std::process::exit(2)
}
