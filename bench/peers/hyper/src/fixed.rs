//! The least that can be called an HTTP server: each empty line is the end of a request, and each request gets the same
//! reply. What Tokio itself costs, without HTTP.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!";
const EMPTY_LINE: &[u8] = b"\r\n\r\n";
const READ_BYTES: usize = 16 * 1024;

pub async fn answer(mut socket: TcpStream) -> std::io::Result<()> {
    let mut input = vec![0u8; READ_BYTES];
    let mut output = Vec::new();
    // How much of an empty line stood at the end of what was read before.
    let mut matched = 0;
    loop {
        let length = socket.read(&mut input).await?;
        if length == 0 {
            return Ok(());
        }
        output.clear();
        for &byte in &input[..length] {
            matched = if byte == EMPTY_LINE[matched] {
                matched + 1
            } else {
                usize::from(byte == EMPTY_LINE[0])
            };
            if matched == EMPTY_LINE.len() {
                output.extend_from_slice(REPLY);
                matched = 0;
            }
        }
        socket.write_all(&output).await?;
    }
}
