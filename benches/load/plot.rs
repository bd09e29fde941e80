//! Plots as plain SVG: lines over logarithmic axes, readable on light and on dark pages.

use std::fmt::Write as _;

use serde_json::Value;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 420.0;
/// Left, top, right, bottom.
const MARGINS: [f64; 4] = [76.0, 48.0, 230.0, 56.0];
const COLOURS: [&str; 6] = ["#2f81f7", "#d9822b", "#3fa45b", "#b05fd0", "#d1495b", "#7d8590"];

const STYLE: &str = "
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-size: 16px; font-weight: 600 }
  .page { fill: #ffffff } .grid { stroke: #d0d7de; stroke-width: 1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .page { fill: #0d1117 } .grid { stroke: #30363d }
  }";

/// A line: its name and its points.
type Series = (String, Vec<(f64, f64)>);

struct Chart {
    title: &'static str,
    across: &'static str,
    up: &'static str,
    series: Vec<Series>,
}

/// All plots that the figures are there for, by file name.
pub(crate) fn all(sheet: &Value) -> Vec<(&'static str, String)> {
    let charts = [
        ("latency", latency(sheet)),
        ("throughput", throughput(sheet)),
        (
            "rest",
            columns(
                sheet,
                "rest",
                "Memory of a waiting question",
                "waiting questions",
                "bytes each",
                &["server bytes each", "worker bytes each", "Redis bytes each"],
            ),
        ),
        (
            "growth",
            columns(sheet, "growth", "Beside finished tasks", "finished tasks", "milliseconds", &GROWTH),
        ),
        (
            "namespaces",
            columns(sheet, "namespaces", "Beside other namespaces", "namespaces", "milliseconds", &GROWTH),
        ),
        (
            "watch",
            columns(
                sheet,
                "watch",
                "watch behind its writers",
                "events per second",
                "microseconds",
                &["p50", "p95", "p99"],
            ),
        ),
        (
            "readers",
            columns(
                sheet,
                "readers",
                "One event to all readers of a log",
                "readers",
                "microseconds",
                &["p50 µs to all", "p95 µs to all"],
            ),
        ),
    ];
    let drawable =
        charts.into_iter().filter(|(_, chart)| chart.series.iter().any(|(_, points)| points.len() > 1));
    drawable.map(|(name, chart)| (name, chart.svg())).collect()
}

const GROWTH: [&str; 6] = ["list", "show", "watch --task", "respond", "event → watch", "question round"];

fn rows<'a>(sheet: &'a Value, section: &str) -> Vec<&'a Value> {
    sheet[section]["rows"].as_array().into_iter().flatten().collect()
}

fn points(rows: &[&Value], across: &str, up: &str) -> Vec<(f64, f64)> {
    let points = rows.iter().filter_map(|row| Some((row[across].as_f64()?, row[up].as_f64()?)));
    points.filter(|(x, y)| *x > 0.0 && *y > 0.0).collect()
}

fn columns(
    sheet: &Value,
    section: &str,
    title: &'static str,
    across: &'static str,
    up: &'static str,
    names: &[&str],
) -> Chart {
    let rows = rows(sheet, section);
    let series = names.iter().map(|name| ((*name).to_owned(), points(&rows, across, name)));
    Chart { title, across, up, series: series.collect() }
}

fn latency(sheet: &Value) -> Chart {
    let all = rows(sheet, "latency");
    let mut series = Vec::new();
    for client in ["lean", "mcptask", "FastMCP"] {
        let of: Vec<&Value> = all
            .iter()
            .filter(|row| row["client"] == client && row["leg"] == "whole round")
            .filter(|row| row["workers"] == "in the server")
            .copied()
            .collect();
        series.push((format!("mcptask, {client} client"), points(&of, "open", "p50")));
        series.push((format!("FastMCP, {client} client"), points(&of, "open", "FastMCP p50")));
    }
    let title = "A question's whole round, median";
    Chart { title, across: "tasks asking at once", up: "microseconds", series }
}

fn throughput(sheet: &Value) -> Chart {
    let all = rows(sheet, "throughput");
    let mut series: Vec<Series> = Vec::new();
    for workers in ["in the server", "1 process", "2 processes", "4 processes"] {
        let of: Vec<&Value> = all.iter().filter(|row| row["workers"] == workers).copied().collect();
        series.push((format!("mcptask, {workers}"), points(&of, "in flight", "per second")));
    }
    series.push(("FastMCP, in the server".to_owned(), points(&all, "in flight", "FastMCP per second")));
    let title = "Tasks with one question each";
    Chart { title, across: "tasks in flight", up: "tasks per second", series }
}

impl Chart {
    fn svg(&self) -> String {
        let all = || self.series.iter().flat_map(|(_, points)| points.iter().copied());
        let (x, y) = (Axis::over(all().map(|point| point.0)), Axis::over(all().map(|point| point.1)));
        let [left, top, right, bottom] = MARGINS;
        let (wide, high) = (WIDTH - left - right, HEIGHT - top - bottom);
        let at = |px: f64, py: f64| (left + x.share(px) * wide, top + (1.0 - y.share(py)) * high);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\">\n\
             <title>{}</title>\n<style>{STYLE}\n</style>\n\
             <rect class=\"page\" width=\"100%\" height=\"100%\"/>\n\
             <text class=\"title\" x=\"{left}\" y=\"28\">{}</text>\n",
            self.title, self.title
        );
        for mark in x.marks() {
            let (px, _) = at(mark, y.low);
            let (from, to) = (top, top + high);
            let _ = writeln!(svg, "<path class=\"grid\" d=\"M{px:.1} {from}V{to}\"/>");
            let _ = writeln!(
                svg,
                "<text x=\"{px:.1}\" y=\"{}\" text-anchor=\"middle\">{}</text>",
                to + 18.0,
                shown(mark)
            );
        }
        for mark in y.marks() {
            let (_, py) = at(x.low, mark);
            let _ = writeln!(svg, "<path class=\"grid\" d=\"M{left} {py:.1}H{}\"/>", left + wide);
            let _ = writeln!(
                svg,
                "<text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>",
                left - 8.0,
                py + 4.0,
                shown(mark)
            );
        }
        let (middle, foot) = (left + wide / 2.0, HEIGHT - 14.0);
        let _ =
            writeln!(svg, "<text x=\"{middle}\" y=\"{foot}\" text-anchor=\"middle\">{}</text>", self.across);
        let (side, centre) = (16.0, top + high / 2.0);
        let _ = writeln!(
            svg,
            "<text x=\"{side}\" y=\"{centre}\" text-anchor=\"middle\" transform=\"rotate(-90 {side} {centre})\">{}</text>",
            self.up
        );
        let drawn = self.series.iter().filter(|(_, points)| !points.is_empty());
        for (number, (name, points)) in drawn.enumerate() {
            let colour = COLOURS[number % COLOURS.len()];
            let places: Vec<_> = points.iter().map(|(px, py)| at(*px, *py)).collect();
            let path: Vec<_> = places.iter().map(|(px, py)| format!("{px:.1},{py:.1}")).collect();
            let _ = writeln!(
                svg,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                path.join(" ")
            );
            for (px, py) in places {
                let _ = writeln!(svg, "<circle cx=\"{px:.1}\" cy=\"{py:.1}\" r=\"3.5\" fill=\"{colour}\"/>");
            }
            let (key, line) = (left + wide + 14.0, top + 10.0 + 22.0 * number as f64);
            let _ = writeln!(
                svg,
                "<rect x=\"{key}\" y=\"{}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>",
                line - 10.0
            );
            let _ = writeln!(svg, "<text x=\"{}\" y=\"{line}\">{name}</text>", key + 18.0);
        }
        svg + "</svg>\n"
    }
}

/// A logarithmic axis over whole powers of ten.
struct Axis {
    low: f64,
    decades: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64> + Clone) -> Self {
        let low = values.clone().fold(f64::INFINITY, f64::min).log10().floor();
        let high = values.fold(0.0, f64::max).log10().ceil();
        Self { low: 10_f64.powf(low), decades: (high - low).max(1.0) }
    }

    fn share(&self, value: f64) -> f64 {
        (value / self.low).log10() / self.decades
    }

    fn marks(&self) -> Vec<f64> {
        (0..=self.decades as i32).map(|decade| self.low * 10_f64.powi(decade)).collect()
    }
}

/// A power of ten as people read it.
fn shown(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{:.0} M", v / 1e6),
        v if v >= 1e3 => format!("{:.0} k", v / 1e3),
        v if v >= 1.0 => format!("{v:.0}"),
        v => format!("{v}"),
    }
}
