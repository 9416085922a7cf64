//! Who may send a request to one account, and when.
//!
//! Wanted: (1) once a host asks to be left alone, nobody sends it anything for that account until the time is over, whoever
//! was told; (2) at most so many requests at once, and points in any minute; (3) writes one after another, with a gap;
//! (4) nobody sleeps here for longer than the pace allows: the caller gets the remaining time instead and can do other work.
//!
//! Design: permits for what is counted at once, and a small ledger for what is counted over time, which knows no clock of
//! its own.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

use super::{Effect, Pace, SendError};

/// Longest wait that is believed: a host's hourly budget, and then some.
const LONGEST_HOLD: Duration = Duration::from_secs(2 * 3600);

/// The shortest wait after a refusal that names no time; doubled with each one that follows.
const UNSTATED_HOLD: Duration = Duration::from_secs(60);

/// A host's wish to be left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hold {
    /// How long; absent when the host did not say.
    pub(crate) wait: Option<Duration>,
    /// In its words.
    pub(crate) reason: String,
    /// The answer itself was a refusal: the host did not do what was asked.
    pub(crate) refused: bool,
}

/// The right to send one request; given back when dropped.
#[derive(Debug)]
pub(crate) struct Permit<'a> {
    _request: SemaphorePermit<'a>,
    _write: Option<SemaphorePermit<'a>>,
}

/// The gate all requests to one account pass.
#[derive(Debug)]
pub(crate) struct Governor {
    pace: Pace,
    ledger: Mutex<Ledger>,
    requests: Semaphore,
    writes: Semaphore,
}

impl Governor {
    /// A gate that is open.
    pub(crate) fn new(pace: Pace) -> Self {
        let requests = Semaphore::new(pace.concurrency.clamp(1, Semaphore::MAX_PERMITS));
        Self { pace, ledger: Mutex::default(), requests, writes: Semaphore::new(1) }
    }

    /// Waits until a request may be sent, within the pace's patience.
    ///
    /// # Errors
    /// [`SendError::Wait`] when it would take longer.
    pub(crate) async fn admit(&self, effect: Effect) -> Result<Permit<'_>, SendError> {
        let write = match effect {
            Effect::None => None,
            Effect::Write => Some(self.queue_for_writing().await?),
        };
        let request = self.requests.acquire().await.map_err(|_| closed())?;
        loop {
            let Some((wait, reason)) = self.ledger().send(Instant::now(), effect, &self.pace) else {
                return Ok(Permit { _request: request, _write: write });
            };
            if wait > self.pace.patience.max(self.pace.write_gap) {
                return Err(SendError::Wait { wait, reason });
            }
            tokio::time::sleep(wait).await;
        }
    }

    async fn queue_for_writing(&self) -> Result<SemaphorePermit<'_>, SendError> {
        match tokio::time::timeout(self.pace.queue_patience, self.writes.acquire()).await {
            Ok(permit) => permit.map_err(|_| closed()),
            Err(_) => Err(SendError::Wait {
                wait: self.pace.queue_patience,
                reason: "too many writes are waiting for their turn".to_owned(),
            }),
        }
    }

    /// Notes what the host wishes; everybody obeys from now on. The remaining wait comes back.
    pub(crate) fn hold(&self, hold: &Hold) -> Duration {
        self.ledger().hold(Instant::now(), hold)
    }

    /// Notes that the host served a request: the next refusal without a time is the first again.
    pub(crate) fn served(&self) {
        self.ledger().refusals = 0;
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn closed() -> SendError {
    SendError::NoAnswer("the program is stopping".to_owned())
}

/// When what may be sent; the time is passed in.
#[derive(Debug, Default)]
struct Ledger {
    not_before: Option<(Instant, String)>,
    next_write: Option<Instant>,
    refusals: u32,
    /// Points that count against the budget: they run out at a steady rate.
    points: f64,
    points_at: Option<Instant>,
}

impl Ledger {
    /// Notes that a request is sent now; or says how long it has to wait, and why.
    fn send(&mut self, now: Instant, effect: Effect, pace: &Pace) -> Option<(Duration, String)> {
        if let Some((until, reason)) = &self.not_before
            && *until > now
        {
            return Some((*until - now, reason.clone()));
        }
        if effect == Effect::Write
            && let Some(at) = self.next_write.filter(|at| *at > now)
        {
            return Some((at - now, "writes keep a gap".to_owned()));
        }
        // A quarter of the budget may be spent at once, and the rest comes back over the minute: no minute sees more.
        let budget = f64::from(pace.points_per_minute.max(20));
        let (burst, per_second) = (budget / 4.0, budget * 3.0 / 4.0 / 60.0);
        let since = self.points_at.map(|at| now.saturating_duration_since(at)).unwrap_or_default();
        let points = (self.points - since.as_secs_f64() * per_second).max(0.0) + effect.points();
        if points > burst {
            let wait = Duration::from_secs_f64((points - burst) / per_second) + Duration::from_millis(1);
            return Some((wait, "the budget of this minute is used up".to_owned()));
        }
        (self.points, self.points_at) = (points, Some(now));
        if effect == Effect::Write {
            self.next_write = Some(now + pace.write_gap);
        }
        None
    }

    fn hold(&mut self, now: Instant, hold: &Hold) -> Duration {
        let wait = hold.wait.unwrap_or_else(|| UNSTATED_HOLD.saturating_mul(1 << self.refusals.min(6)));
        let wait = wait.min(LONGEST_HOLD);
        if hold.refused {
            self.refusals = self.refusals.saturating_add(1);
        }
        let until = now + wait;
        match &self.not_before {
            Some((later, _)) if *later >= until => later.saturating_duration_since(now),
            _ => {
                self.not_before = Some((until, hold.reason.clone()));
                wait
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn hold(secs: Option<u64>) -> Hold {
        Hold { wait: secs.map(Duration::from_secs), reason: "slow down".to_owned(), refused: true }
    }

    fn wait(ledger: &mut Ledger, now: Instant, effect: Effect) -> Duration {
        ledger.send(now, effect, &Pace::default()).map(|(wait, _)| wait).unwrap_or_default()
    }

    #[test]
    fn writes_keep_their_gap_and_questions_do_not_wait_for_them() {
        let mut ledger = Ledger::default();
        let now = Instant::now();
        assert_eq!(wait(&mut ledger, now, Effect::Write), Duration::ZERO);
        assert_eq!(wait(&mut ledger, now + SECOND / 4, Effect::Write), SECOND * 3 / 4);
        assert_eq!(wait(&mut ledger, now + SECOND / 4, Effect::None), Duration::ZERO);
        assert_eq!(wait(&mut ledger, now + SECOND, Effect::Write), Duration::ZERO);
    }

    #[test]
    fn a_wish_to_be_left_alone_binds_everything_and_is_never_shortened() {
        let mut ledger = Ledger::default();
        let now = Instant::now();
        ledger.hold(now, &hold(Some(30)));
        for effect in [Effect::None, Effect::Write] {
            let told = ledger.send(now + SECOND, effect, &Pace::default());
            assert_eq!(told, Some((29 * SECOND, "slow down".to_owned())));
        }
        assert_eq!(ledger.hold(now, &hold(Some(5))), 30 * SECOND);
        assert_eq!(wait(&mut ledger, now, Effect::None), 30 * SECOND);
    }

    #[test]
    fn no_minute_costs_more_than_its_budget() {
        let (mut ledger, began) = (Ledger::default(), Instant::now());
        let pace = Pace { write_gap: Duration::ZERO, ..Pace::default() };
        let mut sent: Vec<(Duration, f64)> = Vec::new();
        let mut at = Duration::ZERO;
        for n in 0..3_000 {
            let effect = if n % 7 == 0 { Effect::Write } else { Effect::None };
            while let Some((wait, _)) = ledger.send(began + at, effect, &pace) {
                assert!(wait < SECOND);
                at += wait;
            }
            sent.push((at, effect.points()));
        }
        for (start, _) in &sent {
            let minute = sent.iter().filter(|(at, _)| at >= start && *at < *start + 60 * SECOND);
            assert!(minute.map(|(_, points)| points).sum::<f64>() <= 900.0);
        }
        let points: f64 = sent.iter().map(|(_, points)| points).sum();
        assert!(at < Duration::from_secs_f64(points / 11.25), "and the budget is used, not wasted: {at:?}");
    }

    #[test]
    fn refusals_without_a_time_double_from_a_minute_and_absurd_times_are_cut() {
        let mut ledger = Ledger::default();
        let now = Instant::now();
        assert_eq!(ledger.hold(now, &hold(None)), 60 * SECOND);
        assert_eq!(ledger.hold(now, &hold(None)), 120 * SECOND);
        assert_eq!(ledger.hold(now, &hold(None)), 240 * SECOND);
        ledger.refusals = 0;
        assert_eq!(ledger.hold(now + 240 * SECOND, &hold(None)), 60 * SECOND);
        assert_eq!(ledger.hold(now, &hold(Some(u64::MAX))), LONGEST_HOLD);
    }

    #[tokio::test]
    async fn a_long_wait_is_handed_back_and_not_slept() {
        let governor = Governor::new(Pace::default());
        governor.hold(&hold(Some(600)));
        let began = Instant::now();
        match governor.admit(Effect::None).await {
            Err(SendError::Wait { wait, reason }) => {
                assert!(wait > 590 * SECOND && wait <= 600 * SECOND);
                assert_eq!(reason, "slow down");
            }
            other => panic!("{other:?}"),
        }
        assert!(began.elapsed() < SECOND);
    }

    #[tokio::test]
    async fn one_write_at_a_time_and_so_many_requests_at_once() {
        let pace = Pace {
            concurrency: 2,
            write_gap: Duration::ZERO,
            queue_patience: Duration::from_millis(5),
            ..Pace::default()
        };
        let governor = Governor::new(pace);
        let write = governor.admit(Effect::Write).await.unwrap();
        assert!(matches!(governor.admit(Effect::Write).await, Err(SendError::Wait { .. })));
        let read = governor.admit(Effect::None).await.unwrap();
        let third = tokio::time::timeout(Duration::from_millis(5), governor.admit(Effect::None)).await;
        assert!(third.is_err());
        drop((write, read));
        governor.admit(Effect::Write).await.unwrap();
    }
}
