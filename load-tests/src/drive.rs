//! Sends a list of requests over many connections at once, each connection one after the other, and
//! keeps how long each took and what was wrong.

use std::net::SocketAddr;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::ask::{Ask, Expect, Syntax};
use crate::client::Connection;
use crate::error::{LoadError, Trying as _};
use crate::interrupt;

/// A request ready to send.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    target: String,
    expect: Expect,
}

impl Job {
    /// Spells an ask.
    pub(crate) fn new(ask: Ask, syntax: Syntax) -> Self {
        Self { target: ask.path(syntax), expect: ask.expect() }
    }
}

/// What one run over the list gave.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pass {
    /// Time from the first byte sent to the last byte read, of each answered request.
    pub(crate) latencies: Vec<Duration>,
    /// Requests sent.
    pub(crate) sent_count: u32,
    /// Bytes of all bodies.
    pub(crate) body_bytes: u64,
    /// Requests that failed or were answered with something else than asked for.
    pub(crate) error_count: u32,
    /// The first of them, for people.
    pub(crate) first_error: Option<String>,
    /// From the first request to the last answer.
    pub(crate) wall: Duration,
}

/// Runs the list: connection `c` of `n` sends requests `c`, `c + n`, `c + 2n`, ... All connections
/// are open before the first request. Past `wall_max` nothing more is sent.
///
/// # Errors
/// Where a connection cannot be opened; failed requests are counted in the pass instead.
pub(crate) fn drive(
    address: SocketAddr,
    jobs: &[Job],
    connection_count: usize,
    wall_max: Duration,
) -> Result<Pass, LoadError> {
    let connections = (0..connection_count)
        .map(|_| Connection::open(address))
        .collect::<Result<Vec<_>, _>>()
        .trying(format!("cannot connect to {address}"))?;
    let ready = Barrier::new(connection_count + 1);
    thread::scope(|scope| {
        let workers: Vec<_> = connections
            .into_iter()
            .enumerate()
            .map(|(start, connection)| {
                let own = jobs.iter().skip(start).step_by(connection_count);
                let ready = &ready;
                scope.spawn(move || {
                    ready.wait();
                    work(connection, own, Instant::now() + wall_max)
                })
            })
            .collect();
        ready.wait();
        let start = Instant::now();
        let mut pass = Pass::default();
        for worker in workers {
            pass.join(worker.join().unwrap_or_default());
        }
        pass.wall = start.elapsed();
        Ok(pass)
    })
}

fn work<'a>(
    mut connection: Connection,
    jobs: impl Iterator<Item = &'a Job>,
    deadline: Instant,
) -> Pass {
    let mut pass = Pass::default();
    for job in jobs {
        let start = Instant::now();
        if deadline < start || interrupt::requested() {
            break;
        }
        pass.sent_count += 1;
        let outcome = match connection.get(&job.target) {
            Ok((status, body)) => {
                pass.latencies.push(start.elapsed());
                pass.body_bytes += u64::try_from(body.len()).unwrap_or(u64::MAX);
                job.expect.check(status, body)
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(text) = outcome {
            pass.error_count += 1;
            pass.first_error.get_or_insert_with(|| format!("{}: {text}", job.target));
        }
    }
    pass
}

impl Pass {
    /// Adds what another connection or another run gave.
    pub(crate) fn join(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        self.sent_count += other.sent_count;
        self.body_bytes += other.body_bytes;
        self.error_count += other.error_count;
        self.first_error = self.first_error.take().or(other.first_error);
        self.wall += other.wall;
    }
}
