//! How all tasks of a server are followed: it is heard where it tells of them, and they are looked at where it does not,
//! the more seldom the longer nothing changes.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::client::{Era, Heard, Hearing, Occurrence, TaskView};
use crate::desk::failure::Failure;
use crate::desk::server::{BadTask, Server, ServerTask, Tasks, Unseen};

/// How often a task is looked at that the server does not tell of: so often while it is new or has just changed, else after
/// a tenth of the time that it has not changed, and no more seldom than that.
const EVERY: Duration = Duration::from_secs(2);
const SELDOM: Duration = Duration::from_secs(15);

/// How often one task is looked at of all that the server tells of, each in its turn: a connection may break without a word.
const ONE_EVERY: Duration = Duration::from_secs(30);

/// How long a server that has said that it tells of a task may take to show it, before it is looked at.
const SHOWS_WITHIN: Duration = Duration::from_secs(1);

/// How often it is looked for a task that its server did not know: another database may be served for a while.
const UNKNOWN_EVERY: Duration = Duration::from_secs(300);

/// How long the server may take at first to say that it tells.
const PROMISES_WITHIN: Duration = Duration::from_secs(1);

/// How often one of those is looked at whose turn never comes.
const TOLD_EVERY: Duration = Duration::from_secs(300);

/// How long it has to be so before it is said that the server tells, or does so no more.
const SAID_AFTER: Duration = Duration::from_secs(5);

/// Looks that are due within that of each other are one.
const MOMENT: Duration = Duration::from_millis(20);

/// Tasks of a server that are followed.
const MOST: usize = 500;

/// What a look at tasks brings.
pub(super) enum Look {
    Task(Box<ServerTask>),
    /// Something that the server has told of a task, as an event.
    Told(Box<Occurrence>),
    /// Something that is to be said once.
    Warning(String),
}

/// When a task is looked at.
struct Pace {
    tool: Option<String>,
    /// What stands for what was seen of it last, and since when that is so.
    print: u64,
    since: Instant,
    looked_at: Instant,
    next: Instant,
    /// The server's time of the last change that it told of.
    updated: Option<Timestamp>,
}

/// The tasks of a server as they are followed.
pub(super) struct Looking {
    server: Arc<Server>,
    hearing: Hearing,
    paces: HashMap<String, Pace>,
    /// Those that change no more, those that the server does not know and when it is asked again, and those of which it was
    /// said that they cannot be looked at.
    over: HashSet<String>,
    unknown: HashMap<String, Instant>,
    unseen: HashSet<String>,
    /// When it is seen next whether others were launched, and what a legacy server lists.
    next: Instant,
    /// Since when nothing of all of it has changed.
    since: Instant,
    one_next: Instant,
    /// How it hears of them, as it was said, and since when it is otherwise.
    said: String,
    differs: Option<Instant>,
    /// What was told before anybody took it, and before when nothing is looked at, since a look has failed.
    early: Vec<Look>,
    rest: Instant,
}

impl Looking {
    /// Looks at all tasks that can be known of, and asks the server to tell of them; what there is, and how it is followed.
    pub(super) async fn begin(server: &Arc<Server>) -> Result<(Self, Tasks<ServerTask>), Failure> {
        let now = Instant::now();
        let mut looking = Self {
            server: server.clone(),
            hearing: server.hearing(),
            paces: HashMap::new(),
            over: HashSet::new(),
            unknown: HashMap::new(),
            unseen: HashSet::new(),
            next: now,
            since: now,
            one_next: now + ONE_EVERY,
            said: String::new(),
            differs: None,
            early: Vec::new(),
            rest: now,
        };
        let tasks = looking.look().await?;
        looking.unseen = tasks.bad.iter().map(|one| one.id.clone()).collect();
        looking.await_promise().await;
        looking.said = looking.way();
        server.is_heard(&looking.said);
        Ok((looking, tasks))
    }

    /// How it hears of the tasks, in words.
    pub(super) fn way(&self) -> String {
        let whose = match self.server.era() {
            Era::Modern => "the tasks that were launched from here",
            _ => "the server's tasks",
        };
        let told = self.hearing.count();
        if told > 0 && told == self.paces.len() {
            return format!("the server tells of {whose} by subscription");
        }
        let looks = format!(
            "looked at every {} s, more seldom the longer nothing changes; what comes and goes in between is missed",
            EVERY.as_secs()
        );
        match told {
            0 => format!("{whose} are {looks}"),
            told => format!("the server tells of {told} of {whose} by subscription; the others are {looks}"),
        }
    }

    /// Waits a moment for the server to say of which tasks it tells.
    async fn await_promise(&mut self) {
        let until = Instant::now() + PROMISES_WITHIN;
        while self.hearing.is_asking() {
            match tokio::time::timeout_at(until, self.hearing.next()).await {
                Ok(Heard::Task(view)) => {
                    let look = self.told(*view);
                    self.early.extend(look);
                }
                Ok(heard) => self.takes(&heard),
                Err(_) => return,
            }
        }
    }

    /// Follows them for as long as anybody takes what it sees.
    pub(super) async fn run(mut self, send: mpsc::UnboundedSender<Result<Look, Failure>>) {
        loop {
            let looked = match self.step().await {
                Ok(looks) => looks.into_iter().map(Ok).collect(),
                Err(failure) => {
                    self.rest = Instant::now() + EVERY;
                    vec![Err(failure)]
                }
            };
            if looked.into_iter().any(|one| send.send(one).is_err()) {
                return;
            }
        }
    }

    async fn step(&mut self) -> Result<Vec<Look>, Failure> {
        if !self.early.is_empty() {
            return Ok(std::mem::take(&mut self.early));
        }
        let wakes = self.wakes();
        let heard = tokio::select! {
            heard = self.hearing.next() => heard,
            () = tokio::time::sleep_until(wakes) => return self.looks().await,
        };
        if let Heard::Task(view) = heard {
            return Ok(self.told(*view).into_iter().collect());
        }
        self.takes(&heard);
        Ok(Vec::new())
    }

    /// When something is to be looked at.
    fn wakes(&self) -> Instant {
        let dues = self.paces.values().map(|pace| pace.next);
        let next = dues.chain([self.next, self.one_next]).min().unwrap_or(self.next);
        next.max(Instant::now() + MOMENT).max(self.rest)
    }

    /// Notes what follows from something that was heard.
    fn takes(&mut self, heard: &Heard) {
        match heard {
            Heard::Task(_) => {}
            Heard::Change(id) => self.is_due(id),
            Heard::Missed => self.paces.values_mut().for_each(|pace| pace.next = Instant::now()),
            Heard::Others => self.others(),
        }
    }

    fn is_due(&mut self, id: &str) {
        if let Some(pace) = self.paces.get_mut(id) {
            pace.next = Instant::now();
        }
    }

    /// The server tells of other tasks than before. Those that it has just begun to tell of are looked at, unless it shows
    /// them by itself; those that it tells no more of are looked at as well.
    fn others(&mut self) {
        let now = Instant::now();
        for (id, pace) in &mut self.paces {
            let after = if self.hearing.tells_of(id) { SHOWS_WITHIN } else { Duration::ZERO };
            pace.next = now + after;
        }
    }

    /// A task that the server tells of; nothing where it has shown something newer before, or where it is none of these.
    fn told(&mut self, view: TaskView) -> Option<Look> {
        let is_legacy = self.server.era() == Era::Legacy;
        let Some(pace) = self.paces.get_mut(&view.id) else {
            // A legacy server tells of one that was launched just now.
            if is_legacy && !self.over.contains(&view.id) {
                self.next = Instant::now();
            }
            return None;
        };
        let updated = view.updated();
        if updated.is_some() && updated < pace.updated {
            return None;
        }
        pace.updated = updated;
        let tool = pace.tool.clone();
        let task = self.server.told(view, tool);
        self.note(&task);
        Some(Look::Task(Box::new(task)))
    }

    /// Looks at what is due.
    async fn looks(&mut self) -> Result<Vec<Look>, Failure> {
        let Tasks { rows, mut bad } = self.look().await?;
        bad.retain(|one| self.unseen.insert(one.id.clone()));
        let warning = Unseen::of(&bad).in_words();
        let warnings = warning.into_iter().chain(self.says_otherwise()).map(Look::Warning);
        Ok(warnings.chain(rows.into_iter().map(Box::new).map(Look::Task)).collect())
    }

    async fn look(&mut self) -> Result<Tasks<ServerTask>, Failure> {
        let now = Instant::now();
        let asked = RefCell::new(HashSet::new());
        let skips = |id: &str| {
            let is_due = self.is_to_be_seen(id, now);
            if is_due {
                asked.borrow_mut().insert(id.to_owned());
            }
            !is_due
        };
        let tasks = self.server.tasks(MOST, skips, Some).await?;
        self.saw(&tasks, &asked.into_inner());
        self.next = Instant::now() + self.pause_of_all();
        self.in_turn();
        if !self.server.is_over(&self.hearing) {
            self.hearing = self.server.hearing();
            self.others();
        }
        self.hearing.want(self.paces.keys().cloned());
        Ok(tasks)
    }

    /// A legacy server's list costs a request, what was launched from here none.
    fn pause_of_all(&self) -> Duration {
        if self.server.era() == Era::Legacy { pause(self.since) } else { EVERY }
    }

    fn is_to_be_seen(&self, id: &str, now: Instant) -> bool {
        let is_unknown = self.unknown.get(id).is_some_and(|next| *next > now);
        let is_later = self.paces.get(id).is_some_and(|pace| pace.next > now);
        let has_room = self.paces.len() < MOST || self.paces.contains_key(id);
        has_room && !is_unknown && !is_later && !self.over.contains(id)
    }

    /// Takes note of what a look at these has shown.
    fn saw(&mut self, tasks: &Tasks<ServerTask>, asked: &HashSet<String>) {
        tasks.rows.iter().for_each(|task| self.note(task));
        let now = Instant::now();
        let shown: HashSet<&str> = tasks.rows.iter().map(|task| task.view.id.as_str()).collect();
        let bad: HashSet<&str> = tasks.bad.iter().map(|one: &BadTask| one.id.as_str()).collect();
        for id in asked.iter().filter(|id| !shown.contains(id.as_str())) {
            if bad.contains(id.as_str()) {
                let pace = self.paces.entry(id.clone()).or_insert_with(|| Pace::new(None, now));
                pace.next = now + pause(pace.since);
            } else {
                self.paces.remove(id);
                self.unknown.insert(id.clone(), now + UNKNOWN_EVERY);
            }
        }
    }

    /// A task is so now.
    fn note(&mut self, task: &ServerTask) {
        let (id, now) = (&task.view.id, Instant::now());
        self.unknown.remove(id);
        if task.view.status.is_final() {
            if self.over.insert(id.clone()) {
                self.since = now;
            }
            self.paces.remove(id);
            return;
        }
        let pace = self.paces.entry(id.clone()).or_insert_with(|| Pace::new(task.tool.clone(), now));
        let print = print(&task.view);
        if pace.print != print {
            (pace.print, pace.since, self.since) = (print, now, now);
        }
        pace.looked_at = now;
        let is_told = self.hearing.tells_of(id);
        pace.next = now + if is_told { TOLD_EVERY } else { pause(pace.since) };
    }

    /// One of those that the server tells of is looked at next, the one that was not for the longest time.
    fn in_turn(&mut self) {
        let now = Instant::now();
        if self.one_next > now {
            return;
        }
        self.one_next = now + ONE_EVERY;
        let hearing = &self.hearing;
        let told = self.paces.iter_mut().filter(|(id, _)| hearing.tells_of(id)).map(|(_, pace)| pace);
        if let Some(pace) = told.min_by_key(|pace| pace.looked_at) {
            pace.next = now;
        }
    }

    /// What is to be said where the tasks are heard of in another way than was said, and that for some time.
    fn says_otherwise(&mut self) -> Option<String> {
        let way = self.way();
        if way == self.said || self.paces.is_empty() {
            self.differs = None;
            return None;
        }
        let since = *self.differs.get_or_insert_with(Instant::now);
        (since.elapsed() >= SAID_AFTER).then(|| {
            self.differs = None;
            self.server.is_heard(&way);
            self.said.clone_from(&way);
            way
        })
    }
}

impl Pace {
    fn new(tool: Option<String>, now: Instant) -> Self {
        Self { tool, print: 0, since: now, looked_at: now, next: now, updated: None }
    }
}

/// How long nothing is looked at that has not changed since then.
fn pause(since: Instant) -> Duration {
    (since.elapsed() / 10).clamp(EVERY, SELDOM)
}

/// What stands for what is to be seen of a task.
fn print(view: &TaskView) -> u64 {
    let mut hasher = DefaultHasher::new();
    view.status.as_str().hash(&mut hasher);
    view.status_message.hash(&mut hasher);
    view.input_requests.keys().for_each(|key| key.hash(&mut hasher));
    hasher.finish()
}
