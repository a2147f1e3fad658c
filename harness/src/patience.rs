//! Named, bounded waiting. The only file of the harness that sleeps.

use std::fmt;
use std::future::Future;
use std::time::{Duration, Instant};

use crate::waiting;

/// The environment variable whose number multiplies every patience: `2` on a slow machine.
pub const PATIENCE_VARIABLE: &str = "PROXYPROOF_PATIENCE";

/// How long one kind of waiting may take.
///
/// A limit is generous: it bounds what never comes, and costs nothing when all is well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The name in messages, lower case.
    pub name: &'static str,
    /// The longest wait before scaling by [`PATIENCE_VARIABLE`].
    pub limit: Duration,
    /// Which time counts towards the limit of [`Patience::within`].
    pub clock: Clock,
}

/// Which time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// All of it.
    Wall,
    /// Only moments at which this machine ran what was due, up to ten times the limit: where everything is late, a
    /// candidate is not slow.
    Undisturbed,
}

impl Patience {
    /// Until a candidate serves after its start; a JVM or a container needs seconds.
    pub const STARTUP: Self = Self::new("startup", Duration::from_secs(10));
    /// Until one that runs already serves.
    pub const ATTACHED: Self = Self::new("startup", Duration::from_secs(3));
    /// Until a stopped candidate is gone, before it is killed.
    pub const SHUTDOWN: Self = Self::new("shutdown", Duration::from_secs(3));
    /// Until a reloaded candidate serves its new configuration.
    pub const RELOAD: Self = Self::new("reload", Duration::from_secs(10));
    /// Until a candidate that was told to drain is gone.
    pub const DRAIN: Self = Self::new("drain", Duration::from_secs(15));
    /// Until a command that checks a configuration or prints a version is done.
    pub const COMMAND: Self = Self::new("command", Duration::from_secs(10));
    /// Until a connection is made, PROXY header and TLS included.
    pub const CONNECT: Self = Self::new("connect", Duration::from_secs(5));
    /// Until one whole answer is there.
    pub const ANSWER: Self = Self::new("answer", Duration::from_secs(10));
    /// Until the next piece of a stream is there.
    pub const STREAM: Self = Self::new("stream", Duration::from_secs(10));
    /// Until the next step of an exchange in lock-step: a candidate that holds bytes back never takes it.
    pub const LOCK_STEP: Self = Self {
        clock: Clock::Undisturbed,
        ..Self::new("lock-step", Duration::from_secs(1))
    };
    /// Until an effect that must come is seen at the other end.
    pub const SETTLE: Self = Self::new("settle", Duration::from_secs(5));
    /// How long something that must not come is watched for.
    pub const QUIET: Self = Self::new("quiet", Duration::from_millis(150));

    /// A patience of its own name.
    #[must_use]
    pub const fn new(name: &'static str, limit: Duration) -> Self {
        Self {
            name,
            limit,
            clock: Clock::Wall,
        }
    }

    /// The limit, scaled by [`PATIENCE_VARIABLE`] where that holds a positive number.
    #[must_use]
    pub fn scaled(self) -> Duration {
        let scale = std::env::var(PATIENCE_VARIABLE)
            .ok()
            .and_then(|text| text.trim().parse::<f64>().ok())
            .filter(|scale| scale.is_finite() && *scale > 0.0);
        match scale {
            Some(scale) => {
                Duration::try_from_secs_f64(self.limit.as_secs_f64() * scale).unwrap_or(self.limit)
            }
            None => self.limit,
        }
    }

    /// Waits for one future.
    ///
    /// # Errors
    /// [`RanOut`] when the limit passes first; the future is dropped then.
    pub async fn within<T>(
        self,
        awaited: &str,
        future: impl Future<Output = T>,
    ) -> Result<T, RanOut> {
        waiting::note(awaited);
        let started = Instant::now();
        tokio::select! {
            biased;
            value = future => Ok(value),
            () = self.used_up() => Err(self.ran_out(awaited, started, 1, None)),
        }
    }

    async fn used_up(self) {
        let limit = self.scaled();
        if self.clock == Clock::Wall {
            return rest(limit).await;
        }
        let last = Instant::now() + limit * MOST_DISTURBED;
        let mut counted = Duration::ZERO;
        while counted < limit && Instant::now() < last {
            let before = Instant::now();
            rest(LONGEST_PAUSE).await;
            if before.elapsed() < LATE {
                counted += LONGEST_PAUSE;
            }
        }
    }

    /// Looks again and again until `look` gives `Ok`; its `Err` says what was seen instead.
    ///
    /// # Errors
    /// [`RanOut`] with the last thing seen.
    pub async fn eventually<T, Looking>(
        self,
        awaited: &str,
        mut look: impl FnMut() -> Looking,
    ) -> Result<T, RanOut>
    where
        Looking: Future<Output = Result<T, String>>,
    {
        waiting::note(awaited);
        let started = Instant::now();
        let deadline = started + self.scaled();
        let mut pause = FIRST_PAUSE;
        let mut last_seen = None;
        for looks in 1.. {
            let left = deadline.saturating_duration_since(Instant::now());
            match tokio::time::timeout(left, look()).await {
                Ok(Ok(found)) => return Ok(found),
                Ok(Err(seen)) => last_seen = Some(seen),
                Err(_elapsed) => return Err(self.ran_out(awaited, started, looks, last_seen)),
            }
            if Instant::now() + pause >= deadline {
                return Err(self.ran_out(awaited, started, looks, last_seen));
            }
            rest(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        unreachable!("the loop counts for ever")
    }

    /// Watches for the whole limit for something that must not happen; gives it when it did.
    pub async fn never_within<T>(self, mut look: impl FnMut() -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + self.scaled();
        loop {
            let found = look();
            let now = Instant::now();
            if found.is_some() || now >= deadline {
                return found;
            }
            rest(LONGEST_PAUSE.min(deadline - now)).await;
        }
    }

    /// Waits until `look` gives the same value `times` looks in a row, 10 ms apart.
    ///
    /// # Errors
    /// [`RanOut`] when the value goes on changing.
    pub async fn settled<T: PartialEq + fmt::Debug>(
        self,
        awaited: &str,
        times: u32,
        mut look: impl FnMut() -> T,
    ) -> Result<T, RanOut> {
        waiting::note(awaited);
        let started = Instant::now();
        let deadline = started + self.scaled();
        let (mut value, mut same, mut looks) = (look(), 1, 1);
        while same < times {
            if Instant::now() >= deadline {
                return Err(self.ran_out(awaited, started, looks, Some(format!("{value:?}"))));
            }
            rest(LONGEST_PAUSE).await;
            let next = look();
            same = if next == value { same + 1 } else { 1 };
            (value, looks) = (next, looks + 1);
        }
        Ok(value)
    }

    /// Lets the whole limit pass, for a scenario whose claim is about silence of that length.
    pub async fn pass(self) {
        rest(self.scaled()).await;
    }

    /// As [`Patience::pass`], where there is no runtime.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where a thread of the harness sleeps"
    )]
    pub(crate) fn pass_blocking(self) {
        std::thread::sleep(self.scaled());
    }

    fn ran_out(
        self,
        awaited: &str,
        started: Instant,
        looks: u32,
        last_seen: Option<String>,
    ) -> RanOut {
        RanOut {
            patience: self,
            awaited: awaited.to_owned(),
            waited: started.elapsed(),
            looks,
            last_seen,
        }
    }
}

/// A [`Patience`] that ended before what it waited for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct RanOut {
    /// Which patience it was.
    pub patience: Patience,
    /// What it waited for, as a phrase: "the candidate to be gone".
    pub awaited: String,
    /// How long it really waited.
    pub waited: Duration,
    /// How often it looked.
    pub looks: u32,
    /// What the last look saw.
    pub last_seen: Option<String>,
}

impl fmt::Display for RanOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            patience, awaited, ..
        } = self;
        let seconds = self.waited.as_secs_f64();
        write!(
            formatter,
            "waited {seconds:.1} s ({}) for {awaited}",
            patience.name
        )?;
        if self.looks > 1 {
            write!(formatter, ", looked {} times", self.looks)?;
        }
        match &self.last_seen {
            Some(seen) => write!(formatter, ", last saw: {seen}"),
            None => Ok(()),
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the harness sleeps"
)]
async fn rest(pause: Duration) {
    tokio::time::sleep(pause).await;
}

/// The timer of the runtime has a resolution of 1 ms.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// Often enough that nobody waits for the poll, seldom enough to leave the two cores alone.
const LONGEST_PAUSE: Duration = Duration::from_millis(10);
/// A pause that took longer ended late: the timer's own resolution makes 11 ms of it.
const LATE: Duration = Duration::from_millis(14);
/// How many times its limit an undisturbed patience lasts where nothing runs on time.
const MOST_DISTURBED: u32 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Patience = Patience::new("test", Duration::from_millis(30));

    #[tokio::test]
    async fn eventually_gives_what_was_found() {
        let mut looks = 0;
        let found = Patience::SETTLE
            .eventually("the third look", || {
                looks += 1;
                std::future::ready(if looks == 3 {
                    Ok(looks)
                } else {
                    Err(looks.to_string())
                })
            })
            .await;
        assert_eq!(found, Ok(3));
    }

    #[tokio::test]
    async fn a_patience_that_ran_out_says_what_it_saw() {
        let ran_out = SHORT
            .eventually("a miracle", || {
                std::future::ready(Err::<(), _>("rain".to_owned()))
            })
            .await
            .unwrap_err();
        assert!(ran_out.looks > 1);
        assert_eq!(ran_out.last_seen.as_deref(), Some("rain"));
        let text = ran_out.to_string();
        assert!(text.contains("s (test) for a miracle, looked "), "{text}");
        assert!(text.ends_with("times, last saw: rain"), "{text}");
    }

    #[tokio::test]
    async fn a_look_that_hangs_is_bounded() {
        let ran_out = SHORT
            .eventually("nothing", std::future::pending::<Result<(), String>>)
            .await
            .unwrap_err();
        assert_eq!(ran_out.looks, 1);
    }

    #[tokio::test]
    async fn undisturbed_time_ends_too() {
        let short = Patience {
            clock: Clock::Undisturbed,
            ..SHORT
        };
        let ran_out = short.within("nothing", std::future::pending::<()>()).await;
        let waited = ran_out.unwrap_err().waited;
        assert!(waited >= short.limit, "{waited:?}");
    }

    #[tokio::test]
    async fn settled_wants_the_same_value_in_a_row() {
        let mut values = [1, 2, 2, 3, 3, 3].into_iter();
        let settled = Patience::SETTLE
            .settled("a value", 3, || values.next().unwrap_or(9))
            .await;
        assert_eq!(settled, Ok(3));
    }

    #[tokio::test]
    async fn never_within_gives_what_happened() {
        assert_eq!(SHORT.never_within(|| None::<u8>).await, None);
        assert_eq!(SHORT.never_within(|| Some(1)).await, Some(1));
    }
}
