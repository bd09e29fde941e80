//! What a server tells of many tasks without being asked.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt as _, OptionFuture};
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::Instant;

use super::{Client, TaskView};

/// The most tasks that a server is asked to tell of at once: servers have bounds of their own, ours 1000.
const MOST_HEARD: usize = 500;

/// The pauses before a server is asked again that has ceased to tell, doubled from the first to the longest; one that
/// told for longer than that is asked at once.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What was heard.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A task as it is now.
    Task(Box<TaskView>),
    /// Something happened to that task, and only a look at it tells what.
    Change(String),
    /// There are other tasks than before of which the server tells, or none.
    Others,
    /// Something was missed, whichever task it was about.
    Missed,
}

/// Hears what a server tells. A modern one is asked to tell of the tasks that are wanted, in one request for all; a
/// legacy one tells in its session or not at all.
pub(crate) struct Hearing {
    client: Arc<Client>,
    changed: broadcast::Receiver<Arc<TaskView>>,
    promised: broadcast::Receiver<Arc<BTreeSet<String>>>,
    /// The request in which a modern server tells; whether it may be made anew when it has ended.
    listening: Option<BoxFuture<'static, bool>>,
    wanted: BTreeSet<String>,
    /// Those that the request names, and those of them that the server has said it tells of.
    asked: BTreeSet<String>,
    told: BTreeSet<String>,
    /// Whether the server may be asked to tell, when, and after which pause.
    may_ask: bool,
    begun: Instant,
    next: Instant,
    pause: Duration,
}

impl Hearing {
    /// Over that connection.
    pub(crate) fn new(client: &Arc<Client>) -> Self {
        let (client, now) = (client.clone(), Instant::now());
        let (changed, promised) = (client.changed.subscribe(), client.promised.subscribe());
        let may_ask = client.modern;
        let [wanted, asked, told] = [(); 3].map(|()| BTreeSet::new());
        let (listening, pause) = (None, FIRST_PAUSE);
        Self {
            client,
            changed,
            promised,
            listening,
            wanted,
            asked,
            told,
            may_ask,
            begun: now,
            next: now,
            pause,
        }
    }

    /// Whether it is over that connection.
    pub(crate) fn is_over(&self, client: &Arc<Client>) -> bool {
        Arc::ptr_eq(&self.client, client)
    }

    /// Wants to hear of these tasks, of no more than [`MOST_HEARD`]. One that has come makes the request anew; one that has
    /// gone costs nothing there.
    pub(crate) fn want(&mut self, wanted: impl Iterator<Item = String>) {
        self.wanted = wanted.take(MOST_HEARD).collect();
        if self.listening.is_some() && !self.wanted.is_subset(&self.asked) {
            self.listening = None;
        }
        self.told.retain(|id| self.wanted.contains(id));
    }

    /// Whether the server tells of that task.
    pub(crate) fn tells_of(&self, id: &str) -> bool {
        self.told.contains(id)
    }

    /// Of how many tasks the server tells.
    pub(crate) fn count(&self) -> usize {
        self.told.len()
    }

    /// Whether it is still open if the server will tell: it was asked and has said nothing yet.
    pub(crate) fn is_asking(&self) -> bool {
        self.may_ask && !self.wanted.is_empty() && self.told.is_empty() && self.next <= Instant::now()
    }

    /// Waits for what comes. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Heard {
        loop {
            let is_to_ask = self.listening.is_none() && self.may_ask && !self.wanted.is_empty();
            if is_to_ask && self.next <= Instant::now() {
                self.ask();
            }
            tokio::select! {
                biased;
                promised = self.promised.recv() => {
                    if let Some(heard) = self.promises(promised) {
                        return heard;
                    }
                }
                changed = self.changed.recv() => {
                    if let Some(heard) = self.changes(changed).await {
                        return heard;
                    }
                }
                Some(again) = OptionFuture::from(self.listening.as_mut()) => {
                    self.ceases(again);
                    return Heard::Others;
                }
                () = tokio::time::sleep_until(self.next), if is_to_ask && self.listening.is_none() => {}
            }
        }
    }

    fn ask(&mut self) {
        let (client, ids) = (self.client.clone(), self.wanted.iter().cloned().collect::<Vec<_>>());
        self.asked = self.wanted.clone();
        self.begun = Instant::now();
        self.listening = Some(async move { client.listen(&ids).await }.boxed());
    }

    /// The server tells no more. One that breaks off again and again is asked more and more seldom.
    fn ceases(&mut self, again: bool) {
        (self.listening, self.may_ask) = (None, again);
        self.told.clear();
        let now = Instant::now();
        if self.begun.elapsed() > LONGEST_PAUSE {
            self.pause = FIRST_PAUSE;
        }
        self.next = now + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
    }

    fn promises(&mut self, promised: Result<Arc<BTreeSet<String>>, RecvError>) -> Option<Heard> {
        let promised = promised.ok().filter(|_| self.listening.is_some())?;
        let told = promised.intersection(&self.asked).filter(|id| self.wanted.contains(*id));
        let told: Vec<String> = told.cloned().collect();
        let is_any = !told.is_empty();
        self.told.extend(told);
        is_any.then_some(Heard::Others)
    }

    async fn changes(&self, changed: Result<Arc<TaskView>, RecvError>) -> Option<Heard> {
        match changed {
            Ok(view) if self.client.modern && !view.is_whole() => Some(Heard::Change(view.id.clone())),
            Ok(view) => Some(Heard::Task(Box::new(Arc::unwrap_or_clone(view)))),
            Err(RecvError::Lagged(_)) => Some(Heard::Missed),
            // The connection has its sender for as long as it is held here.
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}
