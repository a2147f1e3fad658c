//! What a relay does to one piece of data.

use std::time::Duration;

use super::{Fault, Way, delay, half_close, reset, slice, stall};

/// What is done to the bytes in hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// How long to hold them back.
    pub(super) wait: Duration,
    /// How many of them to pass.
    pub(super) pass: usize,
    /// At most how many of those in one write.
    pub(super) piece: usize,
    /// What to do after that.
    pub(super) then: Then,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    GoOn,
    /// Pass nothing until another fault is set.
    Stall,
    Reset,
    HalfClose,
}

impl Plan {
    /// For `length` bytes that go this way after `passed` of their connection.
    pub(super) fn of(fault: Option<Fault>, way: Way, passed: u64, length: usize) -> Self {
        match fault {
            Some(Fault::Delay(fault, by)) if fault == way => delay::plan(by, length),
            Some(Fault::Slice(fault, piece)) if fault == way => slice::plan(piece, length),
            Some(Fault::Stall(fault, after)) if fault == way => stall::plan(after, passed, length),
            Some(Fault::Reset(fault, after)) if fault == way => reset::plan(after, passed, length),
            Some(Fault::HalfClose(fault, after)) if fault == way => {
                half_close::plan(after, passed, length)
            }
            _ => Self::whole(length),
        }
    }

    pub(super) fn whole(length: usize) -> Self {
        Self {
            wait: Duration::ZERO,
            pass: length,
            piece: usize::MAX,
            then: Then::GoOn,
        }
    }

    /// Passes what is left of the first `after` bytes, then does this.
    pub(super) fn until(after: u64, passed: u64, length: usize, then: Then) -> Self {
        let room = usize::try_from(after.saturating_sub(passed)).unwrap_or(usize::MAX);
        if room > length {
            return Self::whole(length);
        }
        Self {
            pass: room,
            then,
            ..Self::whole(length)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAY: Way = Way::ToCandidate;

    #[test]
    fn faults_of_the_other_way_do_nothing() {
        for fault in [
            Fault::Delay(Way::ToUpstream, Duration::MAX),
            Fault::Slice(Way::ToUpstream, 1),
            Fault::Stall(Way::ToUpstream, 0),
            Fault::Reset(Way::ToUpstream, 0),
            Fault::HalfClose(Way::ToUpstream, 0),
        ] {
            assert_eq!(Plan::of(Some(fault), WAY, 0, 9), Plan::whole(9));
        }
    }

    #[test]
    fn counting_faults_act_at_their_byte() {
        let plan = |passed| Plan::of(Some(Fault::Reset(WAY, 10)), WAY, passed, 4);
        assert_eq!((plan(0).pass, plan(0).then), (4, Then::GoOn));
        assert_eq!((plan(6).pass, plan(6).then), (4, Then::Reset));
        assert_eq!((plan(8).pass, plan(8).then), (2, Then::Reset));
        assert_eq!((plan(20).pass, plan(20).then), (0, Then::Reset));
    }
}
