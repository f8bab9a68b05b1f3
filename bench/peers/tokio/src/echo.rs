//! A TCP echo server on a free loopback port, until standard input is closed.

use std::io::Read;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const READ_BYTES: usize = 64 * 1024;

pub async fn serve() {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("cannot listen on loopback");
    println!("{}", listener.local_addr().expect("the listener has no address").port());
    let (closed, mut end) = tokio::sync::mpsc::channel::<()>(1);
    std::thread::spawn(move || {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        drop(closed);
    });
    loop {
        tokio::select! {
            _ = end.recv() => return,
            accepted = listener.accept() => {
                if let Ok((socket, _)) = accepted {
                    tokio::spawn(echo(socket));
                }
            }
        }
    }
}

async fn echo(mut socket: TcpStream) -> std::io::Result<()> {
    socket.set_nodelay(true)?;
    let mut buffer = vec![0u8; READ_BYTES];
    loop {
        let length = socket.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        socket.write_all(&buffer[..length]).await?;
    }
}
