//! Bytes both ways between client and destination, with the real program's inactivity timer and ways to end.

use std::io;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, sleep_until, timeout};

use super::{Ending, FrontTimers};

/// What the destination gets first.
pub(super) struct Opening {
    /// The PROXY header, a write of its own.
    pub(super) header: Vec<u8>,
    /// The client's first read.
    pub(super) first: Vec<u8>,
}

/// What happens to the client once the destination has ended its side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientClose {
    /// It is closed at once, as the program does with a TLS connection.
    AtOnce,
    /// It stays open until nothing moves any more, as the program does with a plain one.
    WhenQuiet,
}

/// Relays until the connection is over.
pub(super) async fn relay<C, D>(
    client: C,
    destination: D,
    opening: Opening,
    timers: FrontTimers,
    close: ClientClose,
) -> Ending
where
    C: AsyncRead + AsyncWrite,
    D: AsyncRead + AsyncWrite,
{
    let (mut client_read, mut client_write) = tokio::io::split(client);
    let (mut destination_read, mut destination_write) = tokio::io::split(destination);
    let moved = AtomicBool::new(false);
    let up = async {
        let writing = |error| Broken::Destination(error);
        destination_write
            .write_all(&opening.header)
            .await
            .map_err(writing)?;
        destination_write
            .write_all(&opening.first)
            .await
            .map_err(writing)?;
        let copied = copy(&mut client_read, &mut destination_write, UP_BUFFER, &moved).await;
        copied.map_err(|end| end.between(Broken::Client, Broken::Destination))
    };
    let down = async {
        let copied = copy(
            &mut destination_read,
            &mut client_write,
            DOWN_BUFFER,
            &moved,
        )
        .await;
        copied.map_err(|end| end.between(Broken::Destination, Broken::Client))?;
        if close == ClientClose::AtOnce {
            client_write.shutdown().await.map_err(Broken::Client)?;
        }
        Ok(())
    };
    let ending = both(up, down, &moved, timers, close).await;
    if matches!(ending, Ending::DestinationEnded) {
        // Closing with bytes unread would reset the connection and could take the answer's end with it.
        let _ = timeout(timers.uplink_only, drain(&mut client_read)).await;
    }
    ending
}

/// Runs both directions until one of the ways to end.
async fn both(
    up: impl Future<Output = Result<(), Broken>>,
    down: impl Future<Output = Result<(), Broken>>,
    moved: &AtomicBool,
    timers: FrontTimers,
    close: ClientClose,
) -> Ending {
    let (mut up, mut down) = (pin!(up), pin!(down));
    let (mut up_open, mut down_open) = (true, true);
    let mut quiet = Quiet::every(timers.idle, moved);
    let mut ending = Ending::Idle;
    while up_open || down_open {
        tokio::select! {
            ended = &mut up, if up_open => {
                if let Err(broken) = ended {
                    return broken.into();
                }
                up_open = false;
                ending = Ending::ClientEnded;
                quiet = Quiet::every(timers.downlink_only, moved);
            }
            ended = &mut down, if down_open => {
                if let Err(broken) = ended {
                    return broken.into();
                }
                down_open = false;
                ending = Ending::DestinationEnded;
                if close == ClientClose::AtOnce {
                    break;
                }
                quiet = Quiet::every(timers.uplink_only, moved);
            }
            () = quiet.passed() => break,
        }
    }
    ending
}

/// Looks once a period whether a byte has moved since, so that it notices between one and two periods after the last.
struct Quiet<'a> {
    moved: &'a AtomicBool,
    period: Duration,
    next: Instant,
}

impl<'a> Quiet<'a> {
    fn every(period: Duration, moved: &'a AtomicBool) -> Self {
        moved.store(false, Ordering::Relaxed);
        Self {
            moved,
            period,
            next: Instant::now() + period,
        }
    }

    async fn passed(&mut self) {
        loop {
            sleep_until(self.next).await;
            if !self.moved.swap(false, Ordering::Relaxed) {
                return;
            }
            self.next += self.period;
        }
    }
}

/// Which of the two connections broke.
enum Broken {
    Client(io::Error),
    Destination(io::Error),
}

impl From<Broken> for Ending {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Client(error) => Self::ClientBroke {
                reason: error.to_string(),
            },
            Broken::Destination(error) => Self::DestinationBroke {
                reason: error.to_string(),
            },
        }
    }
}

/// Which end of a copy broke.
enum CopyError {
    Reading(io::Error),
    Writing(io::Error),
}

impl CopyError {
    fn between(self, from: fn(io::Error) -> Broken, to: fn(io::Error) -> Broken) -> Broken {
        match self {
            Self::Reading(error) => from(error),
            Self::Writing(error) => to(error),
        }
    }
}

/// Copies until the reader's end, each read as one write.
async fn copy<R, W>(
    reader: &mut R,
    writer: &mut W,
    size: usize,
    moved: &AtomicBool,
) -> Result<(), CopyError>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut buffer = vec![0; size];
    loop {
        let length = match reader.read(&mut buffer).await {
            Ok(length) => length,
            // A TLS peer that ends without `close_notify`: Go takes it for the end, too.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            Err(error) => return Err(CopyError::Reading(error)),
        };
        if length == 0 {
            return Ok(());
        }
        moved.store(true, Ordering::Relaxed);
        writer
            .write_all(&buffer[..length])
            .await
            .map_err(CopyError::Writing)?;
        writer.flush().await.map_err(CopyError::Writing)?;
    }
}

/// Reads to the end and forgets.
pub(super) async fn drain(reader: &mut (impl AsyncRead + Unpin)) {
    let mut buffer = vec![0; UP_BUFFER];
    while matches!(reader.read(&mut buffer).await, Ok(1..)) {}
}

/// The size of the program's buffers.
pub(super) const UP_BUFFER: usize = 8192;
/// The most that fits one TLS record.
const DOWN_BUFFER: usize = 16_384;
