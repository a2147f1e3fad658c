//! One way of a relayed connection.

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::watch;

use super::plan::{Plan, Then};
use super::{Fault, Way, delay, slice};

/// How one way of a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WayEnd {
    /// With a FIN, which was passed on; the other way may go on.
    Fin,
    /// So that both sides have to be reset.
    Reset,
}

/// Passes bytes one way, by the fault that is set.
pub(super) struct Pump {
    pub(super) way: Way,
    pub(super) from: OwnedReadHalf,
    pub(super) to: OwnedWriteHalf,
    pub(super) faults: watch::Receiver<Option<Fault>>,
    passed: u64,
}

impl Pump {
    pub(super) fn new(
        way: Way,
        from: OwnedReadHalf,
        to: OwnedWriteHalf,
        faults: watch::Receiver<Option<Fault>>,
    ) -> Self {
        let passed = 0;
        Self {
            way,
            from,
            to,
            faults,
            passed,
        }
    }

    pub(super) async fn run(&mut self) -> WayEnd {
        let mut data = BytesMut::new();
        loop {
            data.reserve(READ);
            match self.from.read_buf(&mut data).await {
                Ok(0) => return self.pass_fin().await,
                Ok(_) => {}
                Err(_) => return WayEnd::Reset,
            }
            while !data.is_empty() {
                match self.pass(&mut data).await {
                    Ok(Then::GoOn) => {}
                    // Dropping the sender of faults is the end of the relay.
                    Ok(Then::Stall) => drop(self.faults.changed().await),
                    Ok(Then::Reset) | Err(_) => return WayEnd::Reset,
                    Ok(Then::HalfClose) => return self.pass_fin().await,
                }
            }
        }
    }

    async fn pass(&mut self, data: &mut BytesMut) -> std::io::Result<Then> {
        let fault = *self.faults.borrow_and_update();
        let plan = Plan::of(fault, self.way, self.passed, data.len());
        delay::hold_back(plan.wait).await;
        let mut left = plan.pass;
        while left > 0 {
            let length = left.min(plan.piece);
            self.to.write_all(&data[..length]).await?;
            data.advance(length);
            self.passed += length as u64;
            left -= length;
            if left > 0 {
                delay::hold_back(slice::BETWEEN).await;
            }
        }
        Ok(plan.then)
    }

    async fn pass_fin(&mut self) -> WayEnd {
        match self.to.shutdown().await {
            Ok(()) => WayEnd::Fin,
            Err(_) => WayEnd::Reset,
        }
    }
}

/// As much as is taken in hand at once.
const READ: usize = 16 * 1024;
