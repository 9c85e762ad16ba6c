//! Since when the database has refused what would have been written. Reports are among it, so nobody is silent meanwhile.

use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use pdp_policies::At;

/// An outage that data planes bridge by trying again (seconds).
const SHORT: i64 = 30;

/// Unix seconds, 0 while it takes everything.
#[derive(Debug, Default)]
pub(crate) struct Outage(AtomicI64);

impl Outage {
    /// Something was refused.
    pub(crate) fn begins(&self, now: At) {
        let _ = self.0.compare_exchange(0, now.unix(), Relaxed, Relaxed);
    }

    /// Something was taken.
    pub(crate) fn ends(&self) {
        self.0.store(0, Relaxed);
    }

    /// True since the database refused something, until it takes something.
    pub(crate) fn is_on(&self) -> bool {
        self.0.load(Relaxed) != 0
    }

    /// True if it has lasted for so long that silence says nothing.
    pub(crate) fn is_long(&self, now: At) -> bool {
        let since = self.0.load(Relaxed);
        since != 0 && now.unix() - since >= SHORT
    }

    /// Somebody's write is in the log that came after this server was refused one: the outage was its own alone, or is
    /// over. It excuses nobody, as data planes go to another server.
    pub(crate) fn others_wrote(&self, at: At) {
        let since = self.0.load(Relaxed);
        if since != 0 && at.unix() > since {
            self.ends();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_lasts_from_the_first_refusal_until_somebody_can_write() {
        let (outage, at) = (Outage::default(), At::from_unix);
        outage.begins(at(1000));
        outage.begins(at(1020));
        assert!(outage.is_on() && !outage.is_long(at(1029)) && outage.is_long(at(1030)));
        outage.others_wrote(at(1000));
        assert!(outage.is_on(), "that came before");
        outage.others_wrote(at(1001));
        assert!(!outage.is_on() && !outage.is_long(at(9999)));
    }
}
