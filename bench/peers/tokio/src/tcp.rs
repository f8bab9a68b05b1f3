//! The TCP servers, on a free loopback port.

use std::future::Future;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::server;

const READ_BYTES: usize = 64 * 1024;
const REQUEST_BYTES: usize = 64;

/// Sends back what comes, until the peer ends.
pub async fn echo() {
    serve(|mut socket| async move {
        let mut buffer = vec![0u8; READ_BYTES];
        loop {
            let length = socket.read(&mut buffer).await?;
            if length == 0 {
                return Ok(());
            }
            socket.write_all(&buffer[..length]).await?;
        }
    })
    .await;
}

/// Reads one request, answers it, and closes.
pub async fn churn() {
    serve(|mut socket| async move {
        let mut request = [0u8; REQUEST_BYTES];
        socket.read_exact(&mut request).await?;
        socket.write_all(&request).await
    })
    .await;
}

async fn serve<F, Fut>(handle: F)
where
    F: Fn(TcpStream) -> Fut,
    Fut: Future<Output = std::io::Result<()>> + Send + 'static,
{
    let listener = listen().expect("cannot listen on loopback");
    let port = listener.local_addr().expect("the listener has no address").port();
    server::until_closed(port, async {
        loop {
            if let Ok((socket, _)) = listener.accept().await {
                let _ = socket.set_nodelay(true);
                tokio::spawn(handle(socket));
            }
        }
    })
    .await;
}

/// `TcpListener::bind` with room for many connections at once.
fn listen() -> std::io::Result<TcpListener> {
    let socket = tokio::net::TcpSocket::new_v4()?;
    socket.bind("127.0.0.1:0".parse().expect("an address"))?;
    socket.listen(4096)
}
