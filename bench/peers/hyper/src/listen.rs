//! A free loopback port, and a task for each connection.

use std::future::Future;
use std::io::BufRead;
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Prints the port, then runs `handle` for each connection until standard input is closed. A line `collect` asks for a
/// garbage collection: there is none here, so it is answered at once.
pub async fn serve<F, Fut>(handle: F)
where
    F: Fn(TcpStream) -> Fut,
    Fut: Future<Output = ()> + Send + 'static,
{
    allow_many_descriptors();
    let listener = listen().expect("cannot listen on loopback");
    println!("{}", listener.local_addr().expect("the listener has no address").port());
    let (closed, mut end) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if line == "collect" {
                println!("collected");
            }
        }
        drop(closed);
    });
    loop {
        tokio::select! {
            _ = &mut end => return,
            accepted = listener.accept() => {
                if let Ok((socket, _)) = accepted {
                    let _ = socket.set_nodelay(true);
                    tokio::spawn(handle(socket));
                }
            }
        }
    }
}

/// `TcpListener::bind` with room for many connections at once.
fn listen() -> std::io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.bind("127.0.0.1:0".parse().expect("an address"))?;
    socket.listen(4096)
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
