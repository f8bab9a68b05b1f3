//! A UDP echo server on a free loopback port.

use std::io::ErrorKind;
use tokio::net::UdpSocket;

use crate::server;

const DATAGRAM_BYTES: usize = 64 * 1024;
/// Then the scheduler gets its turn.
const BURST: usize = 64;

/// Waits once, then receives and sends until nothing is left: the scheduler is not asked for each datagram.
pub async fn echo() {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("cannot bind on loopback");
    let port = socket.local_addr().expect("the socket has no address").port();
    server::until_closed(port, async {
        let mut buffer = vec![0u8; DATAGRAM_BYTES];
        loop {
            let Ok((length, from)) = socket.recv_from(&mut buffer).await else {
                continue;
            };
            answer(&socket, &buffer[..length], from).await;
            for _ in 0..BURST {
                let Ok((length, from)) = socket.try_recv_from(&mut buffer) else {
                    break;
                };
                answer(&socket, &buffer[..length], from).await;
            }
        }
    })
    .await;
}

async fn answer(socket: &UdpSocket, datagram: &[u8], to: std::net::SocketAddr) {
    if let Err(error) = socket.try_send_to(datagram, to) {
        if error.kind() == ErrorKind::WouldBlock {
            let _ = socket.send_to(datagram, to).await;
        }
    }
}
