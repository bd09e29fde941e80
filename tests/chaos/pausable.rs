//! Workers in processes of their own, which the system kills and pauses as it does with any process: nothing of them goes
//! on meanwhile, their renewals and their threads in SQLite included. Each process is this test program again.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mcptask::store::Store;
use mcptask::store::redis::RedisStore;
use mcptask::store::sqlite::SqliteStore;
use mcptask::task::WorkerId;
use rustix::process::{Pid, Signal, kill_process};

use crate::harm::NAMESPACE;
use crate::killable;
use crate::protocol::soon;

/// Where the process finds its store, and who its worker is.
const STORE: &str = "MCPTASK_CHAOS_STORE";
const WORKER: &str = "MCPTASK_CHAOS_WORKER";

/// A process with a worker of [`killable::begin`]; killed when dropped.
pub(crate) struct Pausable {
    pub(crate) id: WorkerId,
    child: Arc<Mutex<Child>>,
}

impl Pausable {
    /// Starts one on a Redis' address or a SQLite file, and waits until `store` knows it.
    pub(crate) async fn start(place: &str, store: &dyn Store) -> Self {
        let id = WorkerId::generate("chaos");
        let mut program = Command::new(std::env::current_exe().expect("this program"));
        program.args(["pausable::works_until_its_input_ends", "--exact", "--ignored"]);
        program.env(STORE, place).env(WORKER, id.as_str()).stdin(Stdio::piped()).stdout(Stdio::null());
        let child = program.spawn().expect("this program starts again");
        let known = async {
            while !store.workers().await.expect("reads").rows.iter().any(|worker| worker.id == id) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        soon("the worker is known", known).await;
        Self { id: id.clone(), child: Arc::new(Mutex::new(child)) }
    }

    /// Stops the process; it goes on after that time, unless it is killed before.
    pub(crate) fn pause(&self, time: Duration) {
        signal(&self.child, Signal::STOP);
        let child = self.child.clone();
        std::thread::spawn(move || {
            std::thread::sleep(time);
            signal(&child, Signal::CONT);
        });
    }
}

/// Sends a signal to a process, unless it has ended.
fn signal(child: &Mutex<Child>, signal: Signal) {
    let mut child = locked(child);
    if child.try_wait().expect("the process is ours").is_none() {
        kill_process(Pid::from_child(&child), signal).expect("the process is ours");
    }
}

fn locked(child: &Mutex<Child>) -> MutexGuard<'_, Child> {
    child.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Drop for Pausable {
    fn drop(&mut self) {
        let mut child = locked(&self.child);
        // One that has ended by itself is found out by its tasks, which nobody runs.
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// What such a process does. Its input ends with the test that started it, however that ends.
#[test]
#[ignore = "the random runs start it as a process of its own"]
fn works_until_its_input_ends() {
    let (Ok(place), Ok(id)) = (std::env::var(STORE), std::env::var(WORKER)) else { return };
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let store: Arc<dyn Store> = if place.starts_with("redis://") {
            RedisStore::open(&place, NAMESPACE).await.expect("opens the server")
        } else {
            SqliteStore::open(place.as_ref(), NAMESPACE).await.expect("opens the file")
        };
        killable::begin(store, id.parse().expect("a worker's id")).await;
    });
    std::io::stdin().read_to_end(&mut Vec::new()).expect("the input ends");
}
