//! Figures of a run, and how they are shown.

use std::fmt;

use serde_json::{Value, json};

/// Percentiles of latencies, in nanoseconds.
pub(crate) struct Figures {
    count: usize,
    p50: u64,
    p95: u64,
    p99: u64,
}

impl Figures {
    /// The figures of some latencies in nanoseconds; at least one.
    pub(crate) fn of(mut nanos: Vec<u64>) -> Self {
        assert!(!nanos.is_empty(), "nothing was measured");
        nanos.sort_unstable();
        let at = |share: f64| nanos[((nanos.len() - 1) as f64 * share) as usize];
        Self { count: nanos.len(), p50: at(0.50), p95: at(0.95), p99: at(0.99) }
    }
}

/// All figures of a run.
pub(crate) struct Report {
    store: String,
    profile: &'static str,
    latencies: Vec<(String, Figures)>,
    rates: Vec<(String, f64)>,
    resident_kib: u64,
}

impl Report {
    pub(crate) fn new(store: &str, profile: &'static str) -> Self {
        let (store, latencies, rates) = (store.to_owned(), Vec::new(), Vec::new());
        Self { store, profile, latencies, rates, resident_kib: 0 }
    }

    pub(crate) fn add(&mut self, name: &str, figures: Figures) {
        self.latencies.push((name.to_owned(), figures));
    }

    pub(crate) fn rate(&mut self, name: &str, per_second: f64) {
        self.rates.push((name.to_owned(), per_second));
    }

    pub(crate) fn resident(&mut self, kib: u64) {
        self.resident_kib = kib;
    }

    pub(crate) fn to_json(&self) -> Value {
        let latencies = self.latencies.iter().map(|(name, figures)| {
            json!({ "name": name, "count": figures.count, "p50_us": figures.p50 / 1000,
                "p95_us": figures.p95 / 1000, "p99_us": figures.p99 / 1000 })
        });
        let rates = self.rates.iter().map(|(name, rate)| json!({ "name": name, "per_second": rate }));
        json!({ "store": self.store, "profile": self.profile, "latencies": latencies.collect::<Vec<_>>(),
            "rates": rates.collect::<Vec<_>>(), "server_resident_kib": self.resident_kib })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} ({} build); microseconds", self.store, self.profile)?;
        writeln!(f, "{:48} {:>8} {:>8} {:>8} {:>7}", "", "p50", "p95", "p99", "count")?;
        for (name, figures) in &self.latencies {
            let (p50, p95, p99) = (figures.p50 / 1000, figures.p95 / 1000, figures.p99 / 1000);
            writeln!(f, "{name:48} {p50:>8} {p95:>8} {p99:>8} {:>7}", figures.count)?;
        }
        for (name, rate) in &self.rates {
            writeln!(f, "{name:48} {rate:>8.0} per second")?;
        }
        writeln!(f, "{:48} {:>8} KiB", "server, resident at the end", self.resident_kib)
    }
}
