//! list: filters and pages.

use mcptask::store::{PageCursor, Store, TaskFilter};
use mcptask::task::{NewTask, Outcome, Scope, Task, TaskId, TaskStatus};

use crate::support::bench::Bench;
use crate::support::{ask, claim, get, key, new_task, session, submit};

contract! {
    an_empty_store_has_one_empty_page,
    tasks_come_in_the_order_of_creation,
    every_filter_admits_exactly_its_tasks,
    a_task_moves_between_statuses,
    pages_follow_each_other_without_a_gap,
    pages_are_stable_while_tasks_come_and_go,
    a_page_is_bounded_by_what_it_takes_in_memory,
}

async fn ids(store: &dyn Store, filter: &TaskFilter) -> Vec<TaskId> {
    let page = store.list(filter, None, 1000).await.expect("lists");
    assert_eq!(page.next, None);
    page.tasks.iter().map(|task| task.id().clone()).collect()
}

/// All tasks that a filter admits, read in pages of `size`.
async fn in_pages(store: &dyn Store, filter: &TaskFilter, size: usize) -> Vec<Task> {
    let (mut tasks, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(filter, after.as_ref(), size).await.expect("lists");
        assert!(page.tasks.len() <= size);
        tasks.extend(page.tasks);
        after = match page.next {
            Some(next) => {
                assert_eq!(Some(&next), tasks.last().map(PageCursor::at).as_ref());
                Some(next)
            }
            None => return tasks,
        };
    }
}

/// Tasks of two scopes, two sessions, two tools and four statuses, some hidden.
async fn fill(store: &dyn Store) -> Vec<Task> {
    let mut made = Vec::new();
    for number in 0..48 {
        let new = NewTask {
            scope: if number % 2 == 0 { Scope::anonymous() } else { Scope::named("alice") },
            session: [None, Some(session("s1")), Some(session("s2"))][number % 3].clone(),
            hidden: number % 5 == 0,
            ..new_task(if number % 4 < 2 { "dinner" } else { "lunch" })
        };
        submit(store, &new).await;
        if number % 6 != 0 {
            let task = claim(store, &new.tool).await;
            let held = key(&task);
            match number % 3 {
                0 => drop(ask(store, &held, 1, "one").await),
                1 => store.finish(&held, &Outcome::text("eaten")).await.expect("finishes"),
                _ => store.cancel(&held.task, "not hungry").await.expect("cancels"),
            }
            made.push(get(store, &held.task).await);
        } else {
            store.cancel(&new.id, "not hungry").await.expect("cancels");
            made.push(get(store, &new.id).await);
        }
    }
    made.sort_by_key(|task| (task.created_at, task.id().clone()));
    made
}

fn filters() -> Vec<TaskFilter> {
    let mut filters = Vec::new();
    for scope in [None, Some(Scope::anonymous()), Some(Scope::named("alice")), Some(Scope::named("nobody"))] {
        for session in [None, Some(session("s1")), Some(session("none"))] {
            for status in [None].into_iter().chain(TaskStatus::ALL.map(Some)) {
                for tool in [None, Some("lunch".to_owned())] {
                    let (scope, session) = (scope.clone(), session.clone());
                    let filter = TaskFilter { scope, session, status, tool, ..TaskFilter::default() };
                    filters.push(TaskFilter { hidden: true, ..filter.clone() });
                    filters.push(filter);
                }
            }
        }
    }
    filters
}

async fn an_empty_store_has_one_empty_page(bench: Bench) {
    let store = bench.store().await;
    for filter in filters() {
        let page = store.list(&filter, None, 10).await.expect("lists");
        assert_eq!((page.tasks, page.next), (Vec::new(), None));
    }
}

async fn tasks_come_in_the_order_of_creation(bench: Bench) {
    let store = bench.store().await;
    let made = fill(&*store).await;
    let oldest_first = TaskFilter { hidden: true, oldest_first: true, ..TaskFilter::default() };
    assert_eq!(store.list(&oldest_first, None, 100).await.expect("lists").tasks, made);
    let newest_first = TaskFilter { oldest_first: false, ..oldest_first };
    let mut listed = store.list(&newest_first, None, 100).await.expect("lists").tasks;
    listed.reverse();
    assert_eq!(listed, made);
}

async fn every_filter_admits_exactly_its_tasks(bench: Bench) {
    let store = bench.store().await;
    let made = fill(&*store).await;
    for filter in filters() {
        for oldest_first in [true, false] {
            let filter = TaskFilter { oldest_first, ..filter.clone() };
            let mut expected: Vec<Task> = made.iter().filter(|task| filter.admits(task)).cloned().collect();
            if !oldest_first {
                expected.reverse();
            }
            assert_eq!(in_pages(&*store, &filter, 7).await, expected, "{filter:?}");
        }
    }
}

async fn a_task_moves_between_statuses(bench: Bench) {
    let store = bench.store().await;
    let new = new_task("dinner");
    submit(&*store, &new).await;
    let check = async |now: TaskStatus| {
        for status in TaskStatus::ALL {
            for scope in [None, Some(Scope::anonymous())] {
                let filter = TaskFilter { status: Some(status), scope, ..TaskFilter::default() };
                let expected = if status == now { vec![new.id.clone()] } else { vec![] };
                assert_eq!(ids(&*store, &filter).await, expected, "{filter:?} while {now}");
            }
        }
    };
    check(TaskStatus::Working).await;
    let claim = key(&claim(&*store, "dinner").await);
    check(TaskStatus::Working).await;
    ask(&*store, &claim, 1, "one").await;
    check(TaskStatus::InputRequired).await;
    store.answer(&new.id, &crate::support::q(1), &crate::support::decline()).await.expect("answers");
    check(TaskStatus::Working).await;
    store.finish(&claim, &Outcome::text("eaten")).await.expect("finishes");
    check(TaskStatus::Completed).await;
}

async fn pages_follow_each_other_without_a_gap(bench: Bench) {
    let store = bench.store().await;
    let made = fill(&*store).await;
    for oldest_first in [true, false] {
        for size in [1, 5, 47, 48, 49] {
            let filter = TaskFilter { hidden: true, oldest_first, ..TaskFilter::default() };
            let mut listed = in_pages(&*store, &filter, size).await;
            if !oldest_first {
                listed.reverse();
            }
            assert_eq!(listed, made, "pages of {size}");
        }
    }
}

async fn pages_are_stable_while_tasks_come_and_go(bench: Bench) {
    let (here, there) = (bench.store().await, bench.store().await);
    let filter = TaskFilter { oldest_first: true, ..TaskFilter::default() };
    let mut made = Vec::new();
    for number in 0..30 {
        let ttl_ms = (number % 3 == 0).then_some(1);
        made.push(submit(&*here, &NewTask { ttl_ms, ..new_task("dinner") }).await);
    }
    made.sort_by_key(|task| (task.created_at, task.id().clone()));
    let (mut listed, mut after) = (Vec::new(), None);
    loop {
        let page = here.list(&filter, after.as_ref(), 4).await.expect("lists");
        listed.extend(page.tasks.iter().map(|task| task.id().clone()));
        let Some(next) = page.next else { break };
        // Between two pages, the last task of this one may go, and one more come at the end.
        there.expire(&next.task).await.expect("expires or does nothing");
        if listed.len() < 30 {
            submit(&*there, &new_task("dinner")).await;
        }
        after = Some(next);
    }
    listed.retain(|id| made.iter().any(|task| task.id() == id));
    let expected: Vec<TaskId> = made.iter().map(|task| task.id().clone()).collect();
    assert_eq!(listed, expected);
}

/// Many small values take a hundred times their bytes once they are read.
async fn a_page_is_bounded_by_what_it_takes_in_memory(bench: Bench) {
    let store = bench.store().await;
    let many = serde_json::json!({ "a": vec![1; 100_000] }).as_object().expect("an object").clone();
    for _ in 0..6 {
        submit(&*store, &NewTask { arguments: many.clone(), ..new_task("dinner") }).await;
    }
    let (mut sizes, mut after) = (Vec::new(), None);
    loop {
        let page = store.list(&TaskFilter::default(), after.as_ref(), 100).await.expect("lists");
        sizes.push(page.tasks.len());
        let Some(next) = page.next else { break };
        after = Some(next);
    }
    assert_eq!(sizes, [2, 2, 2]);
}
