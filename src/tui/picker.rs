//! One or several of many choices: typing filters them.

use std::collections::BTreeSet;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::line::Line;

/// Choices on the screen at once; the others are scrolled to.
const PAGE: usize = 8;

/// A list to choose from.
#[derive(Debug, Clone)]
pub(super) struct Picker {
    titles: Vec<String>,
    takes_several: bool,
    chosen: BTreeSet<usize>,
    filter: Line,
    /// The place among those that match.
    active: usize,
    first: usize,
}

impl Picker {
    pub(super) fn new(titles: Vec<String>, takes_several: bool, chosen: BTreeSet<usize>) -> Self {
        let active = chosen.first().copied().filter(|_| !takes_several).unwrap_or(0);
        Self { titles, takes_several, chosen, filter: Line::default(), active, first: 0 }
    }

    pub(super) fn takes_several(&self) -> bool {
        self.takes_several
    }

    pub(super) fn chosen(&self) -> &BTreeSet<usize> {
        &self.chosen
    }

    pub(super) fn count(&self) -> usize {
        self.titles.len()
    }

    /// The titles of what is chosen.
    pub(super) fn chosen_titles(&self) -> Vec<&str> {
        self.chosen.iter().filter_map(|index| self.titles.get(*index)).map(String::as_str).collect()
    }

    pub(super) fn filter(&self) -> &Line {
        &self.filter
    }

    /// Shows all of them again; whether they were filtered.
    pub(super) fn clear_filter(&mut self) -> bool {
        let was_filtered = !self.filter.is_empty();
        if was_filtered {
            let active = self.matching().get(self.active).copied().unwrap_or(0);
            self.filter.set("");
            self.active = active;
        }
        was_filtered
    }

    /// What has the filter's words in its title, whatever the case.
    pub(super) fn matching(&self) -> Vec<usize> {
        let filter = self.filter.text().to_lowercase();
        let words: Vec<&str> = filter.split_whitespace().collect();
        let matches = |title: &str| {
            let title = title.to_lowercase();
            words.iter().all(|word| title.contains(word))
        };
        (0..self.titles.len()).filter(|index| words.is_empty() || matches(&self.titles[*index])).collect()
    }

    /// Chooses the one that is pointed at, where only one is taken.
    pub(super) fn take_active(&mut self) {
        if let Some(index) = self.matching().get(self.active).filter(|_| !self.takes_several) {
            self.chosen = BTreeSet::from([*index]);
        }
    }

    /// Does what a key says. Whether it was one for a list.
    pub(super) fn press(&mut self, key: KeyEvent) -> bool {
        let matching = self.matching();
        let last = matching.len().saturating_sub(1);
        match key.code {
            KeyCode::Up => self.point((self.active + matching.len().max(1) - 1) % matching.len().max(1)),
            KeyCode::Down => self.point((self.active + 1) % matching.len().max(1)),
            KeyCode::PageUp => self.point(self.active.saturating_sub(PAGE)),
            KeyCode::PageDown => self.point((self.active + PAGE).min(last)),
            KeyCode::Home => self.point(0),
            KeyCode::End => self.point(last),
            KeyCode::Char(' ') if self.takes_several => self.toggle(&matching),
            KeyCode::Char('a') if key.modifiers.contains(KeyModifiers::CONTROL) && self.takes_several => {
                self.toggle_all(matching);
            }
            _ => {
                let before = self.filter.text().to_owned();
                let was_for_text = self.filter.press(key);
                if self.filter.text() != before {
                    (self.active, self.first) = (0, 0);
                }
                return was_for_text;
            }
        }
        true
    }

    /// What is pasted filters, too; a list has no lines.
    pub(super) fn paste(&mut self, text: &str) {
        self.filter.insert(text.lines().next().unwrap_or_default());
        (self.active, self.first) = (0, 0);
    }

    fn point(&mut self, active: usize) {
        self.active = active;
        self.take_active();
    }

    fn toggle(&mut self, matching: &[usize]) {
        if let Some(index) = matching.get(self.active)
            && !self.chosen.remove(index)
        {
            self.chosen.insert(*index);
        }
    }

    fn toggle_all(&mut self, matching: Vec<usize>) {
        if matching.iter().all(|index| self.chosen.contains(index)) {
            self.chosen.retain(|index| !matching.contains(index));
        } else {
            self.chosen.extend(matching);
        }
    }

    /// The part that is on the screen: each with its title, whether it is pointed at and whether it is chosen.
    pub(super) fn page(&mut self, most: usize) -> Vec<Shown<'_>> {
        let (matching, most) = (self.matching(), most.clamp(1, PAGE));
        self.active = self.active.min(matching.len().saturating_sub(1));
        let lowest = (self.active + 1).saturating_sub(most);
        self.first = self.first.clamp(lowest, self.active).min(matching.len().saturating_sub(most));
        let shown = matching.iter().enumerate().skip(self.first).take(most);
        let one = |(at, index): (usize, &usize)| Shown {
            title: &self.titles[*index],
            is_active: at == self.active,
            is_chosen: self.chosen.contains(index),
        };
        shown.map(one).collect()
    }
}

/// A choice on the screen.
pub(super) struct Shown<'a> {
    pub(super) title: &'a str,
    pub(super) is_active: bool,
    pub(super) is_chosen: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(picker: &mut Picker, keys: &str) {
        for key in keys.chars() {
            let code = match key {
                '+' => KeyCode::Down,
                '-' => KeyCode::Up,
                letter => KeyCode::Char(letter),
            };
            picker.press(KeyEvent::from(code));
        }
    }

    fn of(count: usize, takes_several: bool) -> Picker {
        Picker::new((0..count).map(|at| format!("Region {at:03}")).collect(), takes_several, BTreeSet::new())
    }

    #[test]
    fn a_filter_finds_one_of_many() {
        let mut picker = of(200, false);
        press(&mut picker, "19");
        assert_eq!(picker.matching().len(), 12);
        press(&mut picker, "+");
        assert_eq!(picker.chosen_titles(), ["Region 119"]);
        assert!(picker.clear_filter() && !picker.clear_filter());
        let page: Vec<_> = picker.page(8).iter().map(|one| (one.title.to_owned(), one.is_active)).collect();
        assert!(page.len() == 8 && page.contains(&("Region 119".to_owned(), true)), "{page:?}");
    }

    #[test]
    fn several_are_counted_and_stay_chosen_behind_a_filter() {
        let mut picker = of(20, true);
        press(&mut picker, " + ");
        press(&mut picker, "15 ");
        assert_eq!(picker.chosen(), &BTreeSet::from([0, 1, 15]));
        picker.press(KeyEvent::new(KeyCode::Char('a'), KeyModifiers::CONTROL));
        assert_eq!(picker.chosen(), &BTreeSet::from([0, 1]), "those that match were all chosen");
    }

    #[test]
    fn the_list_goes_round_and_is_never_left() {
        let mut picker = of(3, false);
        press(&mut picker, "-");
        assert_eq!(picker.chosen_titles(), ["Region 002"]);
        press(&mut picker, "nothing like that");
        assert!(picker.matching().is_empty() && picker.page(8).is_empty());
        press(&mut picker, "+-");
        assert_eq!(picker.chosen_titles(), ["Region 002"]);
    }
}
