//! HTTP on Tokio's current_thread: `hyper-peer hyper http`, and `hyper-peer fixed http`, which knows one reply only. What
//! they print is described in bench/peers/README.md.

mod fixed;
mod handler;
mod listen;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => fail(&format!("cannot start the runtime: {error}")),
    };
    // The listener is itself a task, as the connections are: block_on would look at it again with each of their turns.
    let driver = match words.as_slice() {
        ["hyper", "http" | "http-routes"] => runtime.spawn(listen::serve(|socket| async move {
            // One write for the replies to requests that came together.
            let _ = http1::Builder::new()
                .pipeline_flush(true)
                .serve_connection(TokioIo::new(socket), service_fn(handler::answer))
                .await;
        })),
        ["fixed", "http" | "http-routes"] => runtime.spawn(listen::serve(|socket| async move {
            let _ = fixed::answer(socket).await;
        })),
        _ => fail("usage: hyper-peer hyper|fixed http|http-routes"),
    };
    if let Err(error) = runtime.block_on(driver) {
        fail(&format!("the listener failed: {error}"));
    }
    runtime.shutdown_background();
}

fn fail(message: &str) -> ! {
    eprintln!("{message}");
    std::process::exit(2)
}
