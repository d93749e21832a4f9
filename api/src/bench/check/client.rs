//! The client: plain HTTP/1.1 on kept connections, one question at a time on each. It does as little as a client can, the same for
//! every server, so that it is not what is measured.

use super::{super::scratch::BenchError, Rate};
use std::{
    net::SocketAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// A server, and what to ask it.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// Where it listens.
    pub address: SocketAddr,
    /// The whole request about the customer of that number, written before the clock runs.
    pub question: &'a (dyn Fn(u64) -> Vec<u8> + Sync),
    /// Numbers of the customers to ask about.
    pub customers: (u64, u64),
}

/// Questions that each connection has ready: enough to go all over the index.
const READY: u64 = 256;

/// Answers and how long each took, in microseconds.
pub struct Answered {
    taken: Vec<u32>,
    seconds: f64,
}

impl Answered {
    /// What comes of it.
    pub fn rate(mut self, server_cpu_seconds: f64, client_cpu_seconds: f64) -> Rate {
        self.taken.sort_unstable();
        let last = self.taken.len().saturating_sub(1);
        let at = |permille: usize| self.taken.get(last * permille / 1_000).map_or(0, |taken| u64::from(*taken));
        Rate {
            requests_per_second: self.taken.len() as f64 / self.seconds,
            requests: self.taken.len() as u64,
            p50_us: at(500),
            p99_us: at(990),
            p999_us: at(999),
            server_cpu_seconds,
            client_cpu_seconds,
        }
    }
}

impl Target<'_> {
    /// The body of one answer.
    pub async fn ask_once(&self, customer: u64) -> Result<Vec<u8>, BenchError> {
        let mut connection = Connection::open(self.address).await?;
        connection.ask(&(self.question)(customer)).await.map(<[u8]>::to_vec)
    }

    /// Asks on every connection as fast as answers come.
    pub async fn saturate(&self, connections: usize, turn: Duration) -> Result<Answered, BenchError> {
        self.run(connections, turn, None).await
    }

    /// Asks at `rate` questions a second in all.
    pub async fn pace(&self, connections: usize, turn: Duration, rate: f64) -> Result<Answered, BenchError> {
        self.run(connections, turn, Some(Duration::from_secs_f64(connections as f64 / rate))).await
    }

    async fn run(&self, connections: usize, turn: Duration, every: Option<Duration>) -> Result<Answered, BenchError> {
        let next = AtomicU64::new(0);
        let questions = |_: usize| -> Vec<Vec<u8>> {
            let (from, to) = self.customers;
            // A stride that shares no factor with most ranges spreads them.
            (0..READY).map(|_| (self.question)(from + next.fetch_add(7_919, Ordering::Relaxed) % (to - from))).collect()
        };
        let begin = Instant::now() + Duration::from_millis(200);
        let tasks: Vec<_> = (0..connections)
            .map(|number| {
                let offset = every.map(|every| every.mul_f64(number as f64 / connections as f64));
                tokio::spawn(ask_on(self.address, questions(number), begin, turn, every.zip(offset)))
            })
            .collect();
        let mut taken = Vec::new();
        for task in tasks {
            taken.extend(task.await.map_err(|error| BenchError::Client(error.to_string()))??);
        }
        Ok(Answered { taken, seconds: turn.as_secs_f64() })
    }
}

async fn ask_on(
    address: SocketAddr,
    questions: Vec<Vec<u8>>,
    begin: Instant,
    turn: Duration,
    paced: Option<(Duration, Duration)>,
) -> Result<Vec<u32>, BenchError> {
    let mut connection = Connection::open(address).await?;
    let mut taken = Vec::with_capacity(1 << 16);
    tokio::time::sleep_until(begin.into()).await;
    let end = begin + turn;
    let mut due = begin + paced.map_or(Duration::ZERO, |(_, offset)| offset);
    for question in questions.iter().cycle() {
        if paced.is_some() {
            tokio::time::sleep_until(due.into()).await;
        } else {
            due = Instant::now();
        }
        if due >= end {
            break;
        }
        connection.ask(question).await?;
        taken.push(u32::try_from(due.elapsed().as_micros()).unwrap_or(u32::MAX));
        if let Some((every, _)) = paced {
            due += every;
        }
    }
    Ok(taken)
}

/// One kept connection.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// Connects.
    pub async fn open(address: SocketAddr) -> Result<Self, BenchError> {
        let stream = TcpStream::connect(address).await.map_err(client)?;
        stream.set_nodelay(true).map_err(client)?;
        Ok(Connection { stream, buffer: vec![0; 16 << 10] })
    }

    /// Asks, and returns the body of the answer, which must be a 200.
    pub async fn ask(&mut self, question: &[u8]) -> Result<&[u8], BenchError> {
        self.stream.write_all(question).await.map_err(client)?;
        let (mut filled, mut head) = (0, None);
        loop {
            let read = self.stream.read(&mut self.buffer[filled..]).await.map_err(client)?;
            filled += read;
            if read == 0 || filled == self.buffer.len() {
                return Err(BenchError::Client("the server ended the connection".to_owned()));
            }
            if head.is_none() {
                head = head_of(&self.buffer[..filled])?;
            }
            if let Some((begins, length)) = head
                && filled >= begins + length
            {
                return Ok(&self.buffer[begins..begins + length]);
            }
        }
    }
}

/// Where the body begins and how long it is, once the head is whole.
fn head_of(answer: &[u8]) -> Result<Option<(usize, usize)>, BenchError> {
    let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(None) };
    let head = std::str::from_utf8(&answer[..end]).unwrap_or_default();
    if !head.starts_with("HTTP/1.1 200") {
        return Err(BenchError::Client(format!("the server answered {}", head.lines().next().unwrap_or_default())));
    }
    let length = head.lines().find_map(|line| line.split_once(':').filter(|(name, _)| name.eq_ignore_ascii_case("content-length")));
    match length.and_then(|(_, length)| length.trim().parse().ok()) {
        Some(length) => Ok(Some((end + 4, length))),
        None => Err(BenchError::Client("the answer has no length".to_owned())),
    }
}

fn client(error: std::io::Error) -> BenchError {
    BenchError::Client(error.to_string())
}
