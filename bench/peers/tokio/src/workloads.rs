//! The compute workloads. Each takes N and gives the checksum that every runtime must arrive at.

use std::future::Future;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::yield_now;
use tokio::time::sleep;

const WINDOW: usize = 1_000;
const YIELDING_TASKS: u64 = 100;
const CHANNEL_CAPACITY: usize = 1_024;

/// Spawns until WINDOW handles are held, joins them all, and goes on: N tasks in all.
async fn windows<F, Fut>(n: u64, task: F) -> u64
where
    F: Fn(u64) -> Fut,
    Fut: Future<Output = u64> + Send + 'static,
{
    let mut handles = Vec::with_capacity(WINDOW);
    let mut checksum = 0u64;
    for i in 0..n {
        handles.push(tokio::spawn(task(i)));
        if handles.len() == WINDOW {
            for handle in handles.drain(..) {
                checksum = checksum.wrapping_add(handle.await.expect("a task failed"));
            }
        }
    }
    for handle in handles {
        checksum = checksum.wrapping_add(handle.await.expect("a task failed"));
    }
    checksum
}

pub async fn scheduling(n: u64) -> u64 {
    windows(n, |i| async move {
        let mut sum = 0u64;
        for j in 0..1_000u64 {
            sum = sum.wrapping_add(i + j);
            if j % 100 == 0 {
                yield_now().await;
            }
        }
        black_box(sum)
    })
    .await
}

pub async fn io(n: u64) -> u64 {
    windows(n, |i| async move {
        let nanoseconds = 1 + i % 1_000;
        sleep(Duration::from_nanos(nanoseconds)).await;
        nanoseconds
    })
    .await
}

pub async fn allocation(n: u64) -> u64 {
    windows(n, |i| async move {
        let length = 1_024 + (i % 4_096) as usize;
        let mut buffer = black_box(vec![0u8; length]);
        // Both ends must be zero when the buffer comes, and are dirty when it goes.
        let found = u64::from(buffer[0]) + u64::from(buffer[length - 1]);
        buffer[0] = 255;
        buffer[length - 1] = 255;
        black_box(&buffer);
        length as u64 + found
    })
    .await
}

pub async fn spawn(n: u64) -> u64 {
    windows(n, |_| async { 1 }).await
}

/// N yields in all, by YIELDING_TASKS tasks that take turns.
pub async fn yielding(n: u64) -> u64 {
    let each = n / YIELDING_TASKS;
    windows(YIELDING_TASKS, move |_| async move {
        let mut done = 0u64;
        while done < each {
            yield_now().await;
            done += 1;
        }
        done
    })
    .await
}

pub async fn channel(n: u64) -> u64 {
    let (sender, mut receiver) = mpsc::channel::<u64>(CHANNEL_CAPACITY);
    let producer = tokio::spawn(async move {
        for i in 0..n {
            sender.send(i).await.expect("the receiver is gone");
        }
    });
    let consumer = tokio::spawn(async move {
        let mut sum = 0u64;
        while let Some(value) = receiver.recv().await {
            sum = sum.wrapping_add(value);
        }
        sum
    });
    producer.await.expect("the producer failed");
    consumer.await.expect("the consumer failed")
}

/// N sleeps of 1..100 ms, all at once.
pub async fn timer(n: u64) -> u64 {
    let mut handles = Vec::with_capacity(n as usize);
    for i in 0..n {
        handles.push(tokio::spawn(async move {
            let milliseconds = 1 + i % 100;
            sleep(Duration::from_millis(milliseconds)).await;
            milliseconds
        }));
    }
    let mut checksum = 0u64;
    for handle in handles {
        checksum += handle.await.expect("a task failed");
    }
    checksum
}

/// N tasks that sleep for an hour; once all are asleep each one is aborted, and all are joined.
pub async fn cancel(n: u64) -> u64 {
    let started = Arc::new(AtomicU64::new(0));
    let mut handles = Vec::with_capacity(n as usize);
    for _ in 0..n {
        let started = started.clone();
        handles.push(tokio::spawn(async move {
            started.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_secs(3_600)).await;
        }));
    }
    while started.load(Ordering::Relaxed) < n {
        yield_now().await;
    }
    for handle in &handles {
        handle.abort();
    }
    let mut cancelled = 0u64;
    for handle in handles {
        if handle.await.is_err_and(|error| error.is_cancelled()) {
            cancelled += 1;
        }
    }
    cancelled
}
