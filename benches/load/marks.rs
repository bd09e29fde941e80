//! What the figures are held against: each mark with what was measured for it.

use serde_json::{Value, json};

use crate::figures::rounded;
use crate::report::Section;

/// The largest waiting question, in bytes of a worker process's own memory.
const QUESTION_BYTES: f64 = 2048.0;

/// The marks that the sheet has figures for.
pub(crate) fn section(sheet: &Value) -> Section {
    let marks = [rounds(sheet), width(sheet), rest(sheet), growth(sheet), pages(sheet), sqlite(sheet)];
    Section { name: "marks", title: "Marks", rows: marks.into_iter().flatten().flatten().collect() }
}

type Mark = Option<Value>;

fn mark(what: &str, wanted: &str, measured: f64, met: bool) -> Value {
    let met = if met { "yes" } else { "no" };
    json!({ "what": what, "wanted": wanted, "measured": rounded(measured), "met": met })
}

fn at_least(what: &str, least: f64, measured: Option<f64>) -> Mark {
    measured.map(|measured| mark(what, &format!("≥ {least}"), measured, measured >= least))
}

fn at_most(what: &str, most: f64, measured: Option<f64>) -> Mark {
    measured.map(|measured| mark(what, &format!("≤ {most}"), measured, measured <= most))
}

fn rows<'a>(sheet: &'a Value, section: &str, keys: &[(&str, Value)]) -> Vec<&'a Value> {
    let all = sheet[section]["rows"].as_array().into_iter().flatten();
    all.filter(|row| keys.iter().all(|(key, value)| &row[*key] == value)).collect()
}

/// One figure of the first row that has these values.
fn one(sheet: &Value, section: &str, keys: &[(&str, Value)], figure: &str) -> Option<f64> {
    rows(sheet, section, keys).first()?[figure].as_f64()
}

fn least(rows: &[&Value], figure: &str) -> Option<f64> {
    rows.iter().filter_map(|row| row[figure].as_f64()).reduce(f64::min)
}

fn most(rows: &[&Value], figure: &str) -> Option<f64> {
    rows.iter().filter_map(|row| row[figure].as_f64()).reduce(f64::max)
}

fn rounds(sheet: &Value) -> Vec<Mark> {
    // Workers in the server, as FastMCP has them.
    let of = |client: &str| {
        let keys = [("client", client), ("leg", "whole round"), ("workers", "in the server")];
        rows(sheet, "latency", &keys.map(|(key, value)| (key, value.into())))
    };
    let floor = |what: &str| one(sheet, "floor", &[("what", what.into())], "p50");
    // Where the client is not the bottleneck: one question at a time, and ten.
    let few = |client: &str| of(client).into_iter().filter(|row| row["open"] != 100).collect::<Vec<_>>();
    let share = || {
        let alone = one(
            sheet,
            "latency",
            &[
                ("client", "lean".into()),
                ("leg", "whole round".into()),
                ("open", 1.into()),
                ("workers", "1 process".into()),
            ],
            "p50",
        )?;
        let hops = 2.0 * floor("Redis: a script appends, another connection's blocked XREAD returns")?;
        Some((alone - floor("HTTP: an MCP ping")?) / hops)
    };
    vec![
        at_least(
            "question round, lean client, FastMCP : mcptask (least of 1, 10)",
            5.0,
            least(&few("lean"), "ratio"),
        ),
        at_least("question round, mcptask's client, likewise", 5.0, least(&few("mcptask"), "ratio")),
        at_least(
            "question round, FastMCP's client (least of 1, 10, 100)",
            1.0,
            least(&of("FastMCP"), "ratio"),
        ),
        at_most("question round less one HTTP round trip : two hops through Redis", 3.0, share()),
    ]
}

fn width(sheet: &Value) -> Vec<Mark> {
    let flight = [("in flight", 50.into()), ("workers", "in the server".into())];
    let alone = one(sheet, "sessions", &[("what", "one session, 50 in flight".into())], "per second");
    let beside = rows(sheet, "sessions", &[]).last().and_then(|row| row["per second"].as_f64());
    let lost = |section: &str, figure: &str| most(&rows(sheet, section, &[]), figure);
    vec![
        at_least(
            "tasks per second at 50 in flight, mcptask : FastMCP",
            20.0,
            one(sheet, "throughput", &flight, "ratio"),
        ),
        at_most("tasks lost with 50 and 500 sessions", 0.0, lost("sessions", "lost")),
        at_least("tasks per second beside waiting tasks : alone", 0.9, beside.zip(alone).map(|(b, a)| b / a)),
        at_least(
            "questions compared, least",
            100_000.0 / 2.0,
            least(&rows(sheet, "correctness", &[]), "questions"),
        ),
        at_most("tasks lost among them", 0.0, lost("correctness", "tasks lost")),
        at_most("wrong answers among them", 0.0, lost("correctness", "tasks with a wrong answer")),
    ]
}

fn rest(sheet: &Value) -> Vec<Mark> {
    let all = rows(sheet, "rest", &[]);
    let last = |figure: &str| all.last().and_then(|row| row[figure].as_f64());
    let more = most(&all, "Redis connections")
        .zip(least(&all, "Redis connections"))
        .map(|(most, least)| most - least);
    vec![
        at_most("bytes of a worker process per waiting question", QUESTION_BYTES, last("worker bytes each")),
        at_most(
            "bytes of a server process per question at its client",
            QUESTION_BYTES,
            last("server bytes each"),
        ),
        at_most("worker process's CPU then, % of a core", 0.5, last("worker CPU")),
        at_most("Redis connections more than with few", 0.0, more),
    ]
}

fn growth(sheet: &Value) -> Vec<Mark> {
    let grown = |section: &str, figure: &str| {
        let all = rows(sheet, section, &[]);
        let (first, last) = (all.first()?[figure].as_f64()?, all.last()?[figure].as_f64()?);
        Some(last / first)
    };
    let mut marks = Vec::new();
    for (section, beside) in [("growth", "finished tasks"), ("namespaces", "namespaces")] {
        for figure in ["list", "show", "watch --task", "respond", "event → watch", "question round"] {
            marks.push(at_most(
                &format!("{figure}: beside most {beside} : beside fewest"),
                2.0,
                grown(section, figure),
            ));
        }
    }
    marks
}

fn pages(sheet: &Value) -> Vec<Mark> {
    let round = |inboxes: &str, open: u32| {
        one(sheet, "pages", &[("inboxes", inboxes.into()), ("questions at once", open.into())], "p50")
    };
    let slower = |open| round("500", open).zip(round("none", open)).map(|(beside, alone)| beside / alone);
    vec![
        at_most("question round, one at a time: beside 500 open inboxes : beside none", 1.25, slower(1)),
        at_most("the same, 10 at once", 1.25, slower(10)),
    ]
}

fn sqlite(sheet: &Value) -> Vec<Mark> {
    let all = rows(sheet, "sqlite", &[]);
    let at_rest: Vec<&Value> = all
        .iter()
        .filter(|row| row["what"].as_str().is_some_and(|what| what.contains("CPU")))
        .copied()
        .collect();
    vec![
        at_most(
            "SQLite: question round, milliseconds",
            5.0,
            all.first().and_then(|row| row["p50"].as_f64()).map(|us| us / 1000.0),
        ),
        at_most("SQLite: CPU at rest, % of a core", 0.5, most(&at_rest, "p50")),
    ]
}
