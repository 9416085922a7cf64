//! What everyone agrees on about the queue: the job a delivery begins with, and how long to wait between tries.

use std::time::Duration;

use serde_json::Value;

use crate::store::NewJob;

/// The kind of the job that finds out what a delivery means.
pub const HANDLE_DELIVERY: &str = "handle_delivery";

/// The wait after the first try; doubled after each.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// The longest wait.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(900);

/// The job a delivery begins with. It knows its delivery; there is nothing else to know.
#[must_use]
pub fn delivery_job() -> NewJob {
    NewJob::new(HANDLE_DELIVERY, Value::Null)
}

/// How long to wait after so many tries: between half of the doubled wait and all of it, as `chance` (0 to 1) has it, so that
/// what failed together does not come back together.
pub(super) fn backoff(attempts: u32, chance: f64) -> Duration {
    let doublings = attempts.saturating_sub(1).min(16);
    let wait = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
    wait.mul_f64(0.5 + 0.5 * chance.clamp(0.0, 1.0))
}

/// How long to wait for a host that could not be reached for so long: a quarter of that again, within limits.
pub(super) fn patience(age: Duration, longest: Duration, chance: f64) -> Duration {
    let wait = (age / 4).clamp(FIRST_WAIT, longest.max(FIRST_WAIT));
    wait.mul_f64(0.5 + 0.5 * chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_up_to_a_limit_and_is_never_the_same_for_all() {
        let whole: Vec<u64> = (1..=10).map(|attempts| backoff(attempts, 1.0).as_secs()).collect();
        assert_eq!(whole, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900]);
        assert_eq!(backoff(u32::MAX, 1.0).as_secs(), 900);
        assert_eq!(backoff(1, 0.0).as_millis(), 2500);
        assert!(backoff(3, 0.2) < backoff(3, 0.8));
    }

    #[test]
    fn patience_grows_with_the_outage_up_to_a_limit() {
        let whole = |age| patience(Duration::from_secs(age), LONGEST_WAIT, 1.0).as_secs();
        assert_eq!([0, 60, 1800, 86_400].map(whole), [5, 15, 450, 900]);
        assert_eq!(patience(Duration::MAX, LONGEST_WAIT, 0.0).as_secs(), 450);
    }
}
