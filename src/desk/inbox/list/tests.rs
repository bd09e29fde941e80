use serde_json::json;

use super::*;

fn question(task: &str, second: i64, field: &str) -> Question {
    let key = Key { place: 0, task: task.to_owned(), question: "q1".to_owned() };
    let schema = json!({ "type": "object", "properties": { field: { "type": "string" } } });
    let asker = Asker { source: "mcptask", tool: Some("release"), session: Some("Friday"), met: Met::Kept };
    let since = (second > 0).then(|| Timestamp::from_second(second).expect("a time"));
    Question::new(key, asker, &Ask::form("Where\u{1b}[2J to?", schema), (since, None))
}

#[test]
fn a_place_is_found_by_how_it_begins() {
    let one = question("a", 0, "x");
    let has = |word: &str| one.has(&[word.to_owned()]);
    assert!(has("mcpt") && has("release") && has("elea"), "by its place, and by what it says");
    assert!(!has("ask"), "the name of the place of all is no word of it");
}

fn tasks(list: &List) -> Vec<&str> {
    list.questions().iter().map(|one| one.key.task.as_str()).collect()
}

#[test]
fn the_one_that_has_waited_longest_is_first_and_those_without_a_time_are_last() {
    let mut list = List::default();
    list.set(0, vec![question("b", 0, "x"), question("c", 9, "x"), question("a", 5, "x")], 10);
    assert_eq!(tasks(&list), ["a", "c", "b"]);
    assert!(list.add(question("d", 7, "x"), 10) && !list.add(question("d", 7, "x"), 10));
    assert_eq!((tasks(&list), list.arrived()), (vec!["a", "d", "c", "b"], 1));
    assert!(list.close(0, "d", Some("q1")) && !list.close(0, "d", None) && !list.close(1, "a", None));
    assert_eq!(tasks(&list), ["a", "c", "b"]);
}

#[test]
fn no_more_are_kept_than_there_is_room_for_and_it_is_said() {
    let mut list = List::default();
    list.set(0, vec![question("a", 1, "x"), question("b", 2, "x")], 2);
    assert!(!list.has_more() && list.add(question("c", 3, "x"), 2) && list.has_more());
    assert_eq!((tasks(&list), list.arrived()), (vec!["a", "b"], 0));
    assert!(!list.add(question("d", 3, "x"), 2), "it was said");
}

#[test]
fn a_place_that_is_read_again_leaves_the_others_as_they_are() {
    let mut list = List::default();
    let of_other = |task: &str, second: i64| {
        let mut one = question(task, second, "x");
        one.key.place = 1;
        one
    };
    list.set(0, vec![question("a", 1, "x")], 10);
    list.set(1, vec![of_other("b", 2), of_other("c", 3)], 10);
    assert_eq!((tasks(&list), list.arrived(), list.places_read()), (vec!["a", "b", "c"], 0, 2));
    list.set(1, vec![of_other("c", 3), of_other("d", 4)], 10);
    assert_eq!((tasks(&list), list.arrived()), (vec!["a", "c", "d"], 1));
    list.set(0, Vec::new(), 1);
    assert_eq!(tasks(&list), ["c"]);
    assert!(list.has_more_of(1) && !list.has_more_of(0));
}

#[test]
fn a_question_that_two_places_have_is_one_row_whoever_comes_first() {
    let long = "01234567890123456789abcdef";
    let at = |place: usize, met: Met, source: &str, task: &str| {
        let mut one = question(task, 1, "x");
        (one.key.place, one.met, one.source) = (place, met, source.to_owned());
        one
    };
    let (kept, shown) = (at(1, Met::Kept, "prod", long), at(0, Met::Shown, "127.0.0.1:8737/mcp", long));
    let row = |list: &List| {
        let all = list.questions().iter().map(|one| (one.source.clone(), one.also.join(", ")));
        all.collect::<Vec<_>>()
    };
    let both = vec![("prod".to_owned(), "127.0.0.1:8737/mcp".to_owned())];
    let mut list = List::default();
    list.set(0, vec![shown.clone()], 10);
    list.set(1, vec![kept.clone()], 10);
    assert_eq!((row(&list), list.arrived()), (both.clone(), 0));
    list.set(0, vec![shown.clone()], 10);
    list.set(1, vec![kept.clone()], 10);
    assert_eq!((row(&list), list.arrived()), (both.clone(), 0), "it is read again");
    assert!(!list.add(shown.clone(), 10) && list.close(1, long, None), "it is answered");
    assert_eq!(row(&list), []);
    assert!(list.add(shown.clone(), 10) && list.add(kept, 10), "the server was told first");
    assert_eq!((row(&list), list.arrived()), (both, 1));
    // Two servers may both have a task 1, and one may be met by FastMCP 4's server as well.
    list.set(0, vec![at(0, Met::Shown, "a", "1")], 10);
    list.set(1, vec![at(1, Met::Shown, "b", "1")], 10);
    assert_eq!(list.questions().len(), 2);
    list.set(0, vec![at(0, Met::Elsewhere, "FastMCP 4", long)], 10);
    list.set(1, vec![at(1, Met::Shown, "b", long)], 10);
    assert_eq!(row(&list), [("b".to_owned(), "FastMCP 4".to_owned())]);
}

#[test]
fn the_end_of_a_task_that_is_known_later_counts_as_well() {
    let mut list = List::default();
    let own = QuestionEnd::AnswersItself(crate::task::OnTimeout::Cancel, Timestamp::MAX);
    let mut one = question("a", 1, "x");
    one.end = Some(own);
    list.set(0, vec![one], 10);
    assert!(!list.ends(0, "b", Timestamp::UNIX_EPOCH) && !list.ends(1, "a", Timestamp::UNIX_EPOCH));
    assert!(!list.ends(0, "a", Timestamp::MAX), "nothing is earlier");
    assert!(list.ends(0, "a", Timestamp::UNIX_EPOCH));
    assert_eq!(list.questions()[0].end, Some(QuestionEnd::WithItsTask(Timestamp::UNIX_EPOCH)));
}

#[test]
fn a_task_that_is_read_again_has_what_it_asks_now() {
    let mut list = List::default();
    list.set(0, vec![question("a", 1, "x"), question("b", 2, "x")], 10);
    let mut second = question("a", 3, "x");
    second.key.question = "q2".to_owned();
    assert!(list.set_task((0, "a"), vec![second.clone()], 10));
    assert!(!list.set_task((0, "a"), vec![second], 10));
    assert_eq!(tasks(&list), ["b", "a"]);
    assert!(list.set_task((0, "a"), Vec::new(), 10));
}

#[test]
fn words_find_a_question_by_all_that_is_shown_of_it() {
    let one = question("7w3k9q2m", 1, "x");
    let has = |words: &[&str]| one.has(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
    assert!(has(&[]) && has(&["rel", "friday"]) && has(&["where", "7w3k"]) && !has(&["rel", "monday"]));
    assert!(!one.message.contains('\u{1b}'), "{:?}", one.message);
}

#[test]
fn a_form_is_known_by_its_fields_and_a_page_by_nothing() {
    assert_eq!(question("a", 1, "x").form, question("b", 2, "x").form);
    assert_ne!(question("a", 1, "x").form, question("a", 1, "y").form);
    assert_eq!(form_of(&Ask::url("Pay.", "https://pay.example/")), None);
}
