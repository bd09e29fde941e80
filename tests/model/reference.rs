//! The model: what each verb shall do, in memory and in one thread.

use mcptask::task::TaskStatus;
use proptest::prelude::*;
use proptest_state_machine::ReferenceStateMachine;

/// Attempts that a task may use up.
pub(crate) const MOST_ATTEMPTS: u32 = 2;

/// One verb, with its arguments as indexes: the task is the n-th submitted.
#[derive(Debug, Clone)]
pub(crate) enum Verb {
    Submit,
    Claim,
    /// Asks the next question under the claim of that attempt.
    Ask {
        task: usize,
        attempt: u32,
        message: u8,
    },
    /// Asks again at a place where there is a question already.
    AskAgain {
        task: usize,
        attempt: u32,
        position: usize,
        same: bool,
    },
    Answer {
        task: usize,
        position: usize,
    },
    Finish {
        task: usize,
        attempt: u32,
    },
    Cancel {
        task: usize,
    },
    Requeue {
        task: usize,
        attempt: u32,
        counts: bool,
    },
}

/// What a verb came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    Done,
    Lost,
    Ended,
    AlreadyAnswered,
    NoQuestion,
    Differs,
}

#[derive(Debug, Clone)]
pub(crate) struct ModelTask {
    pub(crate) status: TaskStatus,
    pub(crate) attempt: u32,
    pub(crate) claimed: bool,
    pub(crate) failures: u32,
    /// Each question's message, and whether it is answered.
    pub(crate) questions: Vec<(u8, bool)>,
}

impl ModelTask {
    fn may_write(&self, attempt: u32) -> bool {
        self.claimed && self.attempt == attempt && !self.status.is_final()
    }

    fn open(&self) -> usize {
        self.questions.iter().filter(|(_, answered)| !answered).count()
    }

    fn weigh(&mut self) {
        self.status = if self.open() > 0 { TaskStatus::InputRequired } else { TaskStatus::Working };
    }

    fn end(&mut self, status: TaskStatus) {
        self.status = status;
        self.claimed = false;
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Model {
    pub(crate) tasks: Vec<ModelTask>,
    /// The ready queue: which tasks, oldest first.
    pub(crate) ready: Vec<usize>,
    /// What the last verb came to.
    pub(crate) came: Option<Came>,
    /// The task of the last claim.
    pub(crate) claimed: Option<usize>,
}

impl Model {
    fn do_verb(&mut self, verb: &Verb) -> Came {
        match *verb {
            Verb::Submit => self.submit(),
            Verb::Claim => self.claim(),
            Verb::Ask { task, attempt, message } => self.under(task, attempt, |task| {
                task.questions.push((message, false));
                task.weigh();
                Came::Done
            }),
            Verb::AskAgain { task, attempt, same, .. } => {
                self.under(task, attempt, |_| if same { Came::Done } else { Came::Differs })
            }
            Verb::Answer { task, position } => self.answer(task, position),
            Verb::Finish { task, attempt } => self.under(task, attempt, |task| {
                task.end(TaskStatus::Completed);
                Came::Done
            }),
            Verb::Cancel { task } => self.cancel(task),
            Verb::Requeue { task, attempt, counts } => self.requeue(task, attempt, counts),
        }
    }

    fn under(&mut self, task: usize, attempt: u32, change: impl FnOnce(&mut ModelTask) -> Came) -> Came {
        let task = &mut self.tasks[task];
        if task.may_write(attempt) { change(task) } else { Came::Lost }
    }

    fn submit(&mut self) -> Came {
        let new = ModelTask {
            status: TaskStatus::Working,
            attempt: 0,
            claimed: false,
            failures: 0,
            questions: Vec::new(),
        };
        self.ready.push(self.tasks.len());
        self.tasks.push(new);
        Came::Done
    }

    fn claim(&mut self) -> Came {
        let at = self.ready.remove(0);
        let task = &mut self.tasks[at];
        task.attempt += 1;
        task.claimed = true;
        self.claimed = Some(at);
        Came::Done
    }

    fn answer(&mut self, at: usize, position: usize) -> Came {
        let task = &mut self.tasks[at];
        match task.questions.get(position) {
            None => return Came::NoQuestion,
            Some((_, true)) => return Came::AlreadyAnswered,
            Some(_) if task.status.is_final() => return Came::Ended,
            Some(_) => task.questions[position].1 = true,
        }
        task.weigh();
        if task.open() == 0 && !task.claimed {
            self.ready.push(at);
        }
        Came::Done
    }

    fn cancel(&mut self, at: usize) -> Came {
        if self.tasks[at].status.is_final() {
            return Came::Ended;
        }
        self.tasks[at].end(TaskStatus::Cancelled);
        self.ready.retain(|ready| *ready != at);
        Came::Done
    }

    fn requeue(&mut self, at: usize, attempt: u32, counts: bool) -> Came {
        let task = &mut self.tasks[at];
        if !task.may_write(attempt) {
            return Came::Lost;
        }
        task.failures += u32::from(counts);
        if counts && task.failures >= MOST_ATTEMPTS {
            task.end(TaskStatus::Failed);
            return Came::Done;
        }
        task.claimed = false;
        if task.open() == 0 {
            self.ready.push(at);
        }
        Came::Done
    }
}

impl ReferenceStateMachine for Model {
    type State = Self;
    type Transition = Verb;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(state: &Self) -> BoxedStrategy<Verb> {
        if state.tasks.is_empty() {
            return Just(Verb::Submit).boxed();
        }
        let task = 0..state.tasks.len();
        // Mostly the present claim, sometimes an older one or one that never was.
        let writer = task.clone().prop_flat_map({
            let attempts: Vec<u32> = state.tasks.iter().map(|task| task.attempt).collect();
            move |at| {
                (Just(at), prop_oneof![4 => Just(attempts[at]), 1 => Just(attempts[at].saturating_sub(1))])
            }
        });
        let again = (writer.clone(), 0..3_usize, any::<bool>())
            .prop_map(|((task, attempt), position, same)| Verb::AskAgain { task, attempt, position, same });
        let ask = (writer.clone(), 0..3_u8).prop_map(|((task, attempt), message)| Verb::Ask {
            task,
            attempt,
            message,
        });
        let requeue = (writer.clone(), any::<bool>()).prop_map(|((task, attempt), counts)| Verb::Requeue {
            task,
            attempt,
            counts,
        });
        prop_oneof![
            2 => Just(Verb::Submit),
            4 => Just(Verb::Claim),
            4 => ask,
            2 => again,
            4 => (task.clone(), 0..3_usize).prop_map(|(task, position)| Verb::Answer { task, position }),
            2 => writer.prop_map(|(task, attempt)| Verb::Finish { task, attempt }),
            1 => task.prop_map(|task| Verb::Cancel { task }),
            2 => requeue,
        ]
        .boxed()
    }

    fn preconditions(state: &Self, verb: &Verb) -> bool {
        match *verb {
            Verb::Submit => state.tasks.len() < 6,
            // A claim without work would wait.
            Verb::Claim => !state.ready.is_empty(),
            Verb::AskAgain { task, position, .. } => {
                state.tasks.get(task).is_some_and(|task| position < task.questions.len())
            }
            Verb::Ask { task, .. }
            | Verb::Answer { task, .. }
            | Verb::Finish { task, .. }
            | Verb::Cancel { task }
            | Verb::Requeue { task, .. } => task < state.tasks.len(),
        }
    }

    fn apply(mut state: Self, verb: &Verb) -> Self {
        state.came = Some(state.do_verb(verb));
        state
    }
}
