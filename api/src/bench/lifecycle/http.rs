//! The client: plain HTTP/1.1 on kept connections, one request at a time on each, another `Idempotency-Key` each time.

use super::super::{scratch::BenchError, turn::micros_since};
use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Customers that ask in turn.
const CUSTOMERS: u64 = 1_000;

/// Answers of one turn.
#[derive(Default)]
pub struct Answers {
    /// How long each session took, in microseconds.
    pub taken: Vec<u64>,
    /// Requests that were refused for lack of room.
    pub refused: u64,
}

/// Opens sessions on `connections` connections for as long as `turn`; `run` makes their keys differ from those of other turns.
pub async fn open_sessions(address: SocketAddr, key: &str, connections: u64, turn: Duration, run: u64) -> Result<Answers, BenchError> {
    let begin = Instant::now() + Duration::from_millis(200);
    let tasks: Vec<_> = (0..connections)
        .map(|connection| {
            let key = key.to_owned();
            tokio::spawn(async move {
                let mut client = Client::open(address).await?;
                tokio::time::sleep_until(begin.into()).await;
                let (mut answers, mut number) = (Answers::default(), 0);
                while begin.elapsed() < turn {
                    let request = session(&key, &format!("bench-{run}-{connection}-{number}"), (connection * 31 + number) % CUSTOMERS);
                    let asked = Instant::now();
                    match client.ask(&request).await?.0 {
                        503 => answers.refused += 1,
                        _ => answers.taken.push(micros_since(asked)),
                    }
                    number += 1;
                }
                Ok::<_, BenchError>(answers)
            })
        })
        .collect();
    let mut all = Answers::default();
    for task in tasks {
        let answers = task.await.map_err(|error| BenchError::Client(error.to_string()))??;
        all.taken.extend(answers.taken);
        all.refused += answers.refused;
    }
    Ok(all)
}

/// The request for one session of that customer.
pub fn session(key: &str, idempotency_key: &str, customer: u64) -> Vec<u8> {
    let body = format!(r#"{{"external_product_id":"pro-ai-api","external_customer_id":"cust_{customer}"}}"#);
    request("POST", "/v1/access/payment-sessions", key, idempotency_key, &body)
}

/// A whole request.
pub fn request(method: &str, path: &str, key: &str, idempotency_key: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Hilt-Key: {key}\r\nIdempotency-Key: {idempotency_key}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

/// One kept connection.
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Self, BenchError> {
        let stream = TcpStream::connect(address).await.map_err(client)?;
        stream.set_nodelay(true).map_err(client)?;
        Ok(Client { stream, buffer: vec![0; 64 << 10] })
    }

    /// Sends a request; returns the status, which is a success or 503, and the body of the answer.
    pub async fn ask(&mut self, request: &[u8]) -> Result<(u16, &[u8]), BenchError> {
        self.stream.write_all(request).await.map_err(client)?;
        let mut filled = 0;
        let (status, begins, length) = loop {
            let read = self.stream.read(&mut self.buffer[filled..]).await.map_err(client)?;
            filled += read;
            if read == 0 || filled == self.buffer.len() {
                return Err(BenchError::Client("the server ended the connection".to_owned()));
            }
            if let Some((status, begins, length)) = head(&self.buffer[..filled])
                && filled >= begins + length
            {
                break (status, begins, length);
            }
        };
        let body = &self.buffer[begins..begins + length];
        match status {
            200..300 | 503 => Ok((status, body)),
            _ => Err(BenchError::Client(format!("the server answered {status}: {}", String::from_utf8_lossy(body)))),
        }
    }
}

/// The status, where the body begins and how long it is, once the head is whole.
fn head(answer: &[u8]) -> Option<(u16, usize, usize)> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let length = head.lines().find_map(|line| line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length")))?;
    Some((status, end + 4, length.1.trim().parse().ok()?))
}

fn client(error: std::io::Error) -> BenchError {
    BenchError::Client(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_length_says_so() {
        let answer = b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(head(answer), Some((201, answer.len() - 2, 2)));
        assert_eq!(head(&answer[..20]), None);
    }
}
