//! How fast a question goes: worker asks → client's handler → answer → worker goes on.
//!
//! `cargo bench --bench questions -- [--redis URL | --sqlite PATH] [--rounds N] [--json]`
//!
//! Without a URL it starts a redis-server of its own. The server with its worker is another process than the
//! client, as in life; both read the same clock. The floor, a Redis round trip, is measured in the same run,
//! so that figures of different machines compare as ratios.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod client;
mod figures;
mod server;
mod tool;

use std::process::ExitCode;

use figures::{Figures, Report};

/// The environment variable that makes this program the server process.
const ROLE: &str = "MCPTASK_BENCH_SERVES";

fn main() -> ExitCode {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    if let Ok(store) = std::env::var(ROLE) {
        runtime.block_on(server::serve(&store));
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| {
        arguments.iter().position(|argument| argument == name).and_then(|at| arguments.get(at + 1)).cloned()
    };
    let rounds = value("--rounds").map_or(2000, |text| text.parse().expect("--rounds takes a number"));
    let place = match (value("--redis"), value("--sqlite")) {
        (Some(url), _) | (None, Some(url)) => server::Place::Given(url),
        (None, None) => server::Place::start(),
    };
    let report = runtime.block_on(measure(&place, rounds));
    if arguments.iter().any(|argument| argument == "--json") {
        println!("{}", report.to_json());
    } else {
        print!("{report}");
    }
    ExitCode::SUCCESS
}

async fn measure(place: &server::Place, rounds: usize) -> Report {
    let store = place.url();
    let server = server::Process::start(&store);
    let mut report = Report::new(&store, server::Process::profile());
    if store.starts_with("redis") {
        report.add("redis round trip (PING)", Figures::of(server::pings(&store, rounds).await));
    }
    for open in [1, 10, 50] {
        let latencies = client::latencies(&server.url, open, rounds / open).await;
        report.add(&format!("ask → handler, {open} at once"), Figures::of(latencies.ask));
        report.add(&format!("answer → worker goes on, {open} at once"), Figures::of(latencies.answer));
    }
    for flight in [1, 10, 50] {
        let count = (rounds / 2).max(flight * 4);
        let (seconds, starts) = client::throughput(&server.url, flight, count).await;
        report.rate(&format!("tasks with one question, {flight} in flight"), count as f64 / seconds);
        report.add(&format!("submit → first line runs, {flight} in flight"), Figures::of(starts));
    }
    report.resident(server.resident_kib());
    report
}
