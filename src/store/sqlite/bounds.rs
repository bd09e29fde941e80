//! What the numbers of a row can be. Only somebody else writes others into the file; a row that has one is not believed.

use rusqlite::Row as Columns;
use rusqlite::types::ValueRef;

use super::row::Row;
use crate::task::TaskStatus;

/// The last time that timestamps can say, in milliseconds: the end of the year 9999.
pub(super) const LAST_MS: i64 = 253_402_207_200_999;

/// No task is begun, asks or tells more often.
const MOST_COUNTED: u32 = 100_000_000;

/// The longest lease, in milliseconds: a year. One that ends later was not given by this program, and is none.
pub(super) const LONGEST_LEASE_MS: i64 = 366 * 24 * 3600 * 1000;

/// How often something happened, where that can be.
pub(super) fn counted(number: i64) -> Option<u32> {
    u32::try_from(number).ok().filter(|count| *count <= MOST_COUNTED)
}

/// Whether that can be a time.
pub(super) fn is_time(millis: i64) -> bool {
    (0..=LAST_MS).contains(&millis)
}

/// The numbers of a row, as they are read, and what is wrong with the first one that cannot be.
pub(super) struct Numbers<'a, 'stmt> {
    columns: &'a Columns<'stmt>,
    /// What is wrong.
    pub(super) problem: Option<String>,
}

impl<'a, 'stmt> Numbers<'a, 'stmt> {
    pub(super) fn of(columns: &'a Columns<'stmt>, problem: Option<String>) -> Self {
        Self { columns, problem }
    }

    fn complain(&mut self, at: usize, what: &str) {
        let name = self.columns.as_ref().column_name(at).unwrap_or("column").to_owned();
        self.problem.get_or_insert_with(|| format!("its {name:?} is {what}, which it cannot be"));
    }

    /// A whole number of any size that there may be.
    pub(super) fn whole(&mut self, at: usize) -> rusqlite::Result<Option<i64>> {
        match self.columns.get_ref(at)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => Ok(Some(number)),
            other => {
                self.complain(at, &format!("of the type {}", other.data_type()));
                Ok(None)
            }
        }
    }

    /// A whole number that the row has to have.
    fn required(&mut self, at: usize) -> rusqlite::Result<i64> {
        let number = self.whole(at)?;
        if number.is_none() {
            self.complain(at, "not there");
        }
        Ok(number.unwrap_or_default())
    }

    /// A time that there may be.
    pub(super) fn time(&mut self, at: usize) -> rusqlite::Result<Option<i64>> {
        let millis = self.whole(at)?;
        if let Some(millis) = millis.filter(|millis| !is_time(*millis)) {
            self.complain(at, &millis.to_string());
        }
        Ok(millis)
    }

    /// A time that the row has to have.
    pub(super) fn required_time(&mut self, at: usize) -> rusqlite::Result<i64> {
        let millis = self.required(at)?;
        if !is_time(millis) {
            self.complain(at, &millis.to_string());
        }
        Ok(millis)
    }

    /// A number that there may be, up to `most`.
    pub(super) fn place(&mut self, at: usize, most: i64) -> rusqlite::Result<Option<i64>> {
        let number = self.whole(at)?;
        if let Some(number) = number.filter(|number| !(1..=most).contains(number)) {
            self.complain(at, &number.to_string());
        }
        Ok(number)
    }

    /// How often something happened; 0 where that cannot be.
    pub(super) fn count(&mut self, at: usize) -> rusqlite::Result<u32> {
        let number = self.required(at)?;
        Ok(counted(number).unwrap_or_else(|| {
            self.complain(at, &number.to_string());
            0
        }))
    }

    /// How often something may happen; 0 where that cannot be.
    pub(super) fn limit(&mut self, at: usize) -> rusqlite::Result<u32> {
        let number = self.required(at)?;
        Ok(u32::try_from(number).unwrap_or_else(|_| {
            self.complain(at, &number.to_string());
            0
        }))
    }

    /// A switch, which is 0 or 1.
    pub(super) fn switch(&mut self, at: usize) -> rusqlite::Result<bool> {
        let number = self.required(at)?;
        if !(0..=1).contains(&number) {
            self.complain(at, &number.to_string());
        }
        Ok(number != 0)
    }
}

/// What of a task's row contradicts itself: then no transition of this program left it so, and nobody would ever take it
/// up, or two would.
pub(super) fn contradiction(row: &Row) -> Option<String> {
    let ended = row.status.is_final();
    let places = [row.worker.is_some(), row.queued.is_some(), row.resume_ms.is_some()];
    let places = places.into_iter().filter(|is_there| *is_there).count();
    let expected = if row.open > 0 { TaskStatus::InputRequired } else { TaskStatus::Working };
    let problem = if ended != row.finished_ms.is_some() {
        format!("it is {} and {} a time of its end", row.status, if ended { "lacks" } else { "has" })
    } else if ended && places > 0 {
        format!("it is {} and held or queued all the same", row.status)
    } else if places > 1 {
        "it is held, queued or delayed at the same time".to_owned()
    } else if !ended && places == 0 && row.open == 0 {
        "nobody holds it, it waits for no answer, and it is in no queue".to_owned()
    } else if row.worker.is_some() && row.attempt == 0 {
        "it is held, and was never taken".to_owned()
    } else if row.open > row.asked {
        format!("it has {} questions open of the {} that it has asked", row.open, row.asked)
    } else if !ended && row.status != expected {
        format!("it is {} with {} questions open", row.status, row.open)
    } else if is_kept_too_long(row) {
        "it is kept for longer than its ttl".to_owned()
    } else {
        return None;
    };
    Some(problem)
}

/// Whether it would be deleted later than its ttl says, or never.
fn is_kept_too_long(row: &Row) -> bool {
    let end = row.ttl_ms.and_then(|ttl| row.created_ms.checked_add_unsigned(ttl));
    end.is_some_and(|end| row.expires_ms.is_none_or(|expires| expires > end))
}
