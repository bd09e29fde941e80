//! The list of the second tab: lines to be read, among them tasks that the cursor goes through. It stays with its task,
//! whatever comes and goes around it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::text::Line;

use super::sheet::SheetLine;
use crate::desk::inbox::TaskKey;
use crate::tui::header::Rows;

/// A line, and the task that it is of; only one line is a task's own.
#[derive(Debug, Clone)]
pub(crate) struct TaskLine {
    pub(crate) line: SheetLine,
    pub(crate) task: Option<TaskKey>,
}

/// The lines, and where somebody is among them.
#[derive(Debug, Default)]
pub(super) struct Tasks {
    lines: Vec<TaskLine>,
    /// The task of the cursor, and which of the lines that was last.
    at: Option<(TaskKey, usize)>,
    /// The first row on the screen, and how many there are.
    top: usize,
    page: usize,
    /// Whether the cursor has to be on the screen: not where somebody has scrolled away from it.
    follows: bool,
    /// The first rows of the tasks that were on the screen, for the keys that go by pages.
    starts: Vec<(usize, usize)>,
}

impl Tasks {
    /// What there is now in place of what there was.
    pub(super) fn set(&mut self, lines: Vec<TaskLine>) {
        self.lines = lines;
        let Some((task, before)) = self.at.take() else { return };
        let same = self.lines.iter().position(|line| line.task.as_ref() == Some(&task));
        // Where it is gone, the next one is at hand.
        self.at = same.map(|line| (task, line)).or_else(|| self.nearest(before));
    }

    /// The task that the cursor is at, with what its line says.
    pub(super) fn here(&self) -> Option<(&TaskKey, &str)> {
        let (task, line) = self.at.as_ref()?;
        Some((task, self.lines.get(*line)?.line.words.as_str()))
    }

    /// The first task from that line on, else the last one before it.
    fn nearest(&self, line: usize) -> Option<(TaskKey, usize)> {
        self.first_from(line).or_else(|| self.last_before(line))
    }

    fn first_from(&self, line: usize) -> Option<(TaskKey, usize)> {
        (line..self.lines.len()).find_map(|at| self.task_at(at))
    }

    fn last_before(&self, line: usize) -> Option<(TaskKey, usize)> {
        (0..line.min(self.lines.len())).rev().find_map(|at| self.task_at(at))
    }

    fn task_at(&self, line: usize) -> Option<(TaskKey, usize)> {
        Some((self.lines.get(line)?.task.clone()?, line))
    }

    /// Whether the key goes anywhere.
    pub(super) fn press(&mut self, key: KeyEvent) -> bool {
        if !(key.modifiers - KeyModifiers::SHIFT).is_empty() {
            return false;
        }
        match key.code {
            KeyCode::Down | KeyCode::Char('j') => self.step(true),
            KeyCode::Up | KeyCode::Char('k') => self.step(false),
            KeyCode::PageDown | KeyCode::Char(' ') => self.turn(self.top + self.page.max(1)),
            KeyCode::PageUp => self.turn(self.top.saturating_sub(self.page.max(1))),
            KeyCode::Home | KeyCode::Char('g') => self.turn(0),
            KeyCode::End | KeyCode::Char('G') => self.turn(usize::MAX / 2),
            _ => return false,
        }
        true
    }

    /// To the next task, or the one before; beyond the last one, and above the first, the text scrolls.
    fn step(&mut self, is_down: bool) {
        let next = match (&self.at, is_down) {
            (None, _) => self.first_from(0),
            (Some((_, line)), true) => self.first_from(line + 1),
            (Some((_, line)), false) => self.last_before(*line),
        };
        self.follows = next.is_some();
        match next {
            Some(next) => self.at = Some(next),
            None if is_down => self.top += 1,
            None => self.top = self.top.saturating_sub(1),
        }
    }

    /// A page further, with the cursor at the first task there.
    fn turn(&mut self, top: usize) {
        (self.top, self.follows) = (top, false);
        let line = self.starts.iter().find(|(_, row)| *row >= top).or(self.starts.last());
        if let Some((line, _)) = line {
            self.at = self.nearest(*line);
        }
    }

    /// The rows that fit, the row of the cursor among them, and how many there are above and below.
    pub(super) fn window(&mut self, mut rows: Rows, room: usize) -> Window {
        let look = rows.look;
        self.starts.clear();
        let mut here = None;
        for (at, TaskLine { line, task }) in self.lines.iter().enumerate() {
            let first = rows.lines.len();
            let is_here = self.at.as_ref().is_some_and(|(_, here)| *here == at);
            if task.is_some() {
                self.starts.push((at, first));
            }
            if is_here {
                let lead = line.lead.replacen("  ", "> ", 1);
                rows.wrapped(&lead, &line.words, |row| look.pressed(row));
                here = Some((first, rows.lines.len()));
            } else {
                line.drawn(&mut rows);
            }
        }
        let count = rows.lines.len();
        if let Some((first, end)) = here.filter(|_| self.follows) {
            self.top = self.top.max(end.saturating_sub(room)).min(first);
        }
        (self.page, self.top) = (room.saturating_sub(1), self.top.min(count.saturating_sub(room)));
        let shown: Vec<_> = rows.lines.into_iter().skip(self.top).take(room).collect();
        let cursor = here.and_then(|(first, _)| first.checked_sub(self.top)).filter(|row| *row < shown.len());
        let below = count - self.top - shown.len();
        Window { shown, cursor, above: self.top, below }
    }
}

/// What is seen of a list.
pub(super) struct Window {
    pub(super) shown: Vec<Line<'static>>,
    /// The cursor's row.
    pub(super) cursor: Option<usize>,
    pub(super) above: usize,
    pub(super) below: usize,
}

#[cfg(test)]
mod tests {
    use super::super::sheet::Tone;
    use super::*;
    use crate::tui::look::Look;

    fn line(task: Option<&str>) -> TaskLine {
        let words = task.unwrap_or("words").to_owned();
        let task = task.map(|task| TaskKey { place: 0, task: task.to_owned() });
        TaskLine { line: SheetLine::new("  ", words, Tone::Plain), task }
    }

    fn here(tasks: &Tasks) -> &str {
        tasks.here().map_or("", |(key, _)| key.task.as_str())
    }

    fn press(tasks: &mut Tasks, keys: &str) {
        for key in keys.chars() {
            assert!(tasks.press(KeyEvent::new(KeyCode::Char(key), KeyModifiers::NONE)));
            tasks.window(Rows::new(Look { is_coloured: false }, 40), 3);
        }
    }

    #[test]
    fn the_cursor_goes_through_the_tasks_and_stays_with_its_own() {
        let mut tasks = Tasks::default();
        tasks.set(vec![line(None), line(None), line(Some("a")), line(None), line(Some("b")), line(None)]);
        assert_eq!(here(&tasks), "");
        press(&mut tasks, "j");
        assert_eq!((here(&tasks), tasks.top), ("a", 0));
        press(&mut tasks, "j");
        assert_eq!((here(&tasks), tasks.top), ("b", 2));
        // Beyond the last one what stands there can be read.
        press(&mut tasks, "j");
        assert_eq!((here(&tasks), tasks.top), ("b", 3));
        tasks.set(vec![line(Some("c")), line(None), line(Some("b"))]);
        assert_eq!(here(&tasks), "b");
        tasks.set(vec![line(Some("c")), line(None)]);
        assert_eq!(here(&tasks), "c");
        tasks.set(Vec::new());
        assert_eq!(here(&tasks), "");
        press(&mut tasks, "jkgG");
    }

    #[test]
    fn pages_take_the_cursor_along() {
        let mut tasks = Tasks::default();
        let names: Vec<String> = (0..9).map(|at| format!("t{at}")).collect();
        tasks.set(names.iter().map(|name| line(Some(name))).collect());
        tasks.window(Rows::new(Look { is_coloured: false }, 40), 3);
        press(&mut tasks, " ");
        assert_eq!((here(&tasks), tasks.top), ("t2", 2));
        press(&mut tasks, "G");
        assert_eq!((here(&tasks), tasks.top), ("t8", 6));
        press(&mut tasks, "g");
        assert_eq!((here(&tasks), tasks.top), ("t0", 0));
    }
}
