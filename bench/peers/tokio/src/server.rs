//! What the servers share: the port is printed once, and the end of standard input ends them.

use std::future::Future;
use std::io::BufRead;

/// Prints the port, then lets `serve` run until standard input is closed. A line `collect` asks for a garbage
/// collection: there is none here, so it is answered at once.
pub async fn until_closed(port: u16, serve: impl Future<Output = ()>) {
    allow_many_descriptors();
    println!("{port}");
    let (closed, end) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if line == "collect" {
                println!("collected");
            }
        }
        drop(closed);
    });
    tokio::select! {
        _ = end => {}
        () = serve => {}
    }
}

/// Go, Node and Bun do this by themselves.
fn allow_many_descriptors() {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` outlives both calls, which read and write nothing else.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}
