//! The sheet of all figures: kept as JSON, shown as text, published as Markdown tables and plots.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use crate::options::Options;
use crate::{marks, plot};

/// One table: rows are JSON objects with the same keys.
#[derive(Debug, Clone)]
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) rows: Vec<Value>,
}

/// All tables, of this run and of those before.
pub(crate) struct Sheet {
    all: Value,
    quick: bool,
    json: PathBuf,
    plots: Option<PathBuf>,
    report: Option<PathBuf>,
}

impl Sheet {
    pub(crate) fn open(options: &Options) -> Self {
        let kept = std::fs::read(&options.json).ok().and_then(|text| serde_json::from_slice(&text).ok());
        Self {
            all: kept.unwrap_or_else(|| json!({})),
            quick: options.quick,
            json: options.json.clone(),
            plots: options.plots.clone(),
            report: options.report.clone(),
        }
    }

    pub(crate) fn put(&mut self, section: &Section) {
        self.all[section.name] = json!({ "title": section.title, "quick": self.quick, "machine": machine(),
            "rows": section.rows });
    }

    /// Holds all figures, those of earlier runs too, against the marks.
    pub(crate) fn hold_against_marks(&mut self) -> Section {
        let section = marks::section(&self.all);
        self.put(&section);
        section
    }

    pub(crate) fn save(&self) {
        let text = serde_json::to_string_pretty(&self.all).expect("values serialise");
        std::fs::write(&self.json, text + "\n")
            .unwrap_or_else(|error| panic!("{}: {error}", self.json.display()));
    }

    /// Draws the plots and writes the tables, where that is wanted.
    pub(crate) fn publish(&self) {
        if let Some(folder) = &self.plots {
            std::fs::create_dir_all(folder).expect("the plots' folder");
            for (name, svg) in plot::all(&self.all) {
                std::fs::write(folder.join(format!("{name}.svg")), svg).expect("a plot can be written");
            }
        }
        if let Some(path) = &self.report {
            let mut text = std::fs::read_to_string(path).expect("the report can be read");
            for (name, section) in self.all.as_object().into_iter().flatten() {
                text = between(&text, name, &markdown(section));
            }
            std::fs::write(path, text).expect("the report can be written");
        }
    }
}

/// What the figures were measured on.
fn machine() -> Value {
    let first = |path: &str, key: &str| {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default();
        line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
    json!({ "processor": first("/proc/cpuinfo", "model name"), "cores": cores,
        "memory": first("/proc/meminfo", "MemTotal"), "build": profile })
}

/// Replaces what stands between a section's marks.
fn between(text: &str, name: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- figures: {name} -->"), format!("<!-- end: {name} -->"));
    let Some((before, rest)) = text.split_once(&begin) else { return text.to_owned() };
    let Some((_, after)) = rest.split_once(&end) else { return text.to_owned() };
    format!("{before}{begin}\n\n{table}\n{end}{after}")
}

fn markdown(section: &Value) -> String {
    let rows = cells(&section["rows"]);
    let mut lines: Vec<String> = rows.iter().map(|row| format!("| {} |", row.join(" | "))).collect();
    if let Some(first) = rows.first() {
        let rules: Vec<&str> = first.iter().map(|name| if is_word(name) { "---" } else { "---:" }).collect();
        lines.insert(1, format!("|{}|", rules.join("|")));
    }
    if section["quick"] == true {
        lines.insert(0, "From a quick run: small sizes on a busy machine.\n".to_owned());
    }
    lines.join("\n") + "\n"
}

/// Columns of words; all others are numbers.
fn is_word(column: &str) -> bool {
    ["client", "leg", "what", "workers", "command", "wanted", "met"].contains(&column)
}

pub(crate) fn text(section: &Section) -> String {
    let rows = cells(&Value::Array(section.rows.clone()));
    let mut text = format!("\n{}\n", section.title);
    let columns = rows.first().map_or(0, Vec::len);
    let wide = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(wide).collect();
    for row in &rows {
        let padded = row.iter().zip(&widths).zip(&rows[0]).map(|((cell, width), name)| {
            if is_word(name) { format!("{cell:width$}") } else { format!("{cell:>width$}") }
        });
        text += padded.collect::<Vec<_>>().join("  ").trim_end();
        text.push('\n');
    }
    text
}

/// The header and the rows. Columns come in the order in which rows first name them.
fn cells(rows: &Value) -> Vec<Vec<String>> {
    let rows: Vec<&Map<String, Value>> =
        rows.as_array().into_iter().flatten().filter_map(Value::as_object).collect();
    let mut columns: Vec<String> = Vec::new();
    for name in rows.iter().flat_map(|row| row.keys()) {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    let line = |row: &&Map<String, Value>| columns.iter().map(|name| cell(row.get(name))).collect();
    let lines: Vec<Vec<String>> = rows.iter().map(line).collect();
    [columns].into_iter().chain(lines).collect()
}

fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        // Floats without a fraction read better without it.
        Some(Value::Number(number)) => {
            let value = number.as_f64().unwrap_or(0.0);
            if value.fract() == 0.0 { format!("{value:.0}") } else { number.to_string() }
        }
        Some(other) => other.to_string(),
    }
}
