//! How fast, flat and wide mcptask is: measured beside FastMCP 3 and beside what its Redis can do at all.
//!
//! `cargo bench --bench load -- --help` says how to run it; `docs/PERFORMANCE.md` says what it measures and found.
//! Each part starts the processes that it needs and ends them: a redis-server, `mcptask serve` and `worker` of this
//! very build, and the same tool on FastMCP where a Python that has it is given. All read one clock.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark prints its figures and how far it is"
)]

mod clone;
mod correctness;
mod drive;
mod figures;
mod floor;
mod growth;
mod inbox;
mod latency;
mod lean;
mod marks;
mod operator;
mod options;
mod pages;
mod plot;
mod processes;
mod report;
mod rest;
mod run;
mod scale;
mod sessions;
#[path = "../../tests/support/slow.rs"]
mod slow;
mod sqlite;
mod stage;
mod start;
mod throughput;

use std::process::ExitCode;
use std::time::Instant;

use options::{Options, PARTS};
use report::{Section, Sheet};

fn main() -> ExitCode {
    let options = match Options::read(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", options::usage());
            return ExitCode::SUCCESS;
        }
        Err(problem) => {
            eprintln!("{problem}\n\n{}", options::usage());
            return ExitCode::from(2);
        }
    };
    let mut sheet = Sheet::open(&options);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for (part, _, _) in PARTS.iter().filter(|(part, ..)| options.wants(part)) {
        let began = Instant::now();
        eprintln!("{part} …");
        let sections = runtime.block_on(measure(part, &options));
        eprintln!("{part}: {:.0} s", began.elapsed().as_secs_f64());
        for section in sections {
            print!("{}", report::text(&section));
            sheet.put(&section);
        }
        sheet.save();
    }
    print!("{}", report::text(&sheet.hold_against_marks()));
    sheet.save();
    sheet.publish();
    ExitCode::SUCCESS
}

async fn measure(part: &str, options: &Options) -> Vec<Section> {
    match part {
        "floor" => floor::measure(options).await,
        "latency" => latency::measure(options).await,
        "throughput" => throughput::measure(options).await,
        "sessions" => sessions::measure(options).await,
        "start" => start::measure(options).await,
        "correctness" => correctness::measure(options).await,
        "rest" => rest::measure(options).await,
        "growth" => growth::tasks(options).await,
        "namespaces" => growth::namespaces(options).await,
        "operator" => operator::measure(options).await,
        "inbox" => inbox::measure(options).await,
        "pages" => pages::measure(options).await,
        "sqlite" => sqlite::measure(options).await,
        "scale" => scale::measure(options).await,
        other => unreachable!("{other} is not in the list of parts"),
    }
}
