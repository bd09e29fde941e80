//! A server that is killed while its question is on the screen, and started again.

use crate::fields::{cuisine, vegetarian};
use crate::place::{Background, Place};
use crate::redis::{RedisServer, free_port};
use crate::screen::{Screen, words};
use crate::terminal::{CTRL_C, ENTER};

const AWAY: &str = "waiting until it is back, Ctrl-C ends this";

fn serve(place: &Place, port: u16) -> Background {
    let listen = format!("127.0.0.1:{port}");
    place.background(&["serve", "--json", "--workers", "0", "--listen", &listen])
}

fn submit(place: &Place, port: u16, era: &str) -> Screen {
    let url = format!("http://127.0.0.1:{port}/mcp");
    let screen = Screen::run(place, &["submit", "plan_dinner", "--wait", "--server", &url, "--era", era]);
    screen.sees(" asks");
    // A legacy server asks nobody but this client, so nothing stays open there for others.
    screen.sees(if era == "legacy" { "Esc leave without an answer" } else { "Esc leave it open" });
    screen
}

/// Each answer is the client's: none was given by a rule meanwhile.
fn all_by_the_client(place: &Place) {
    let id = place.json(&["list"])[0]["id"].as_str().expect("an id").to_owned();
    let events = place.json(&["watch", "--task", &id, "--since", "1h", "--no-follow"]);
    let answered: Vec<_> = events.iter().filter(|event| event["event"] == "answered").collect();
    assert!(answered.len() == 2 && answered.iter().all(|event| event["by"] == "client"), "{answered:?}");
}

#[test]
fn a_question_of_a_server_that_was_started_again_is_asked_again_where_its_session_is_lost() {
    let redis = RedisServer::start();
    let place = Place::on_redis(&redis.url());
    let (port, _worker) = (free_port(), place.worker());
    let server = serve(&place, port);
    let mut screen = submit(&place, port, "legacy");
    screen.press("Gre");
    screen.sees("> Cuisine  Gre");
    server.kill();
    let _server = serve(&place, port);
    // What was typed is said, and the question is asked again with it.
    screen.sees("what you had filled in: cuisine=Gre");
    screen.at_form("> Cuisine  Gre");
    screen.press("ek\r");
    screen.at("Cuisine  Greek", ENTER);
    screen.at("> Vegetarian", "n");
    let (rest, code) = screen.ends();
    assert!(code == 0 && rest.contains("A Greek dinner for 2:"), "{rest}");
    all_by_the_client(&place);
}

#[test]
fn a_question_of_a_server_that_somebody_else_answers_keeps_its_form_until_that_was_read() {
    for era in ["legacy", "modern"] {
        let place = Place::new();
        let (port, _worker) = (free_port(), place.worker());
        let _server = serve(&place, port);
        let mut screen = submit(&place, port, era);
        screen.press("Gre");
        screen.sees("> Cuisine  Gre");
        place.ok(&["respond", "--next", "--set", "cuisine=Mexican"]);
        let shown = screen.sees("This form is closed");
        assert!(words(&shown).contains("the question is open here no more"), "{era}: {shown}");
        // What is typed on goes nowhere, and its Enter does not leave the form.
        screen.press("ek");
        screen.press(ENTER);
        let shown = screen.sees("nor does an Enter of the first moment");
        assert!(shown.contains("Cuisine  Gre\n"), "{era}: {shown}");
        screen.at("Enter or Esc leaves it", ENTER);
        screen.sees("what you had filled in: cuisine=Gre");
        screen.at("> Vegetarian", "n");
        screen.sees("A Mexican dinner for 2:");
        assert_eq!(screen.ends().1, 0, "{era}");
    }
}

#[test]
fn who_interrupts_at_a_form_that_was_closed_ends_the_command() {
    let place = Place::new();
    let (port, _worker) = (free_port(), place.worker());
    let _server = serve(&place, port);
    let mut screen = submit(&place, port, "modern");
    place.ok(&["respond", "--next", "--set", "cuisine=Mexican"]);
    screen.at("This form is closed", CTRL_C);
    let (rest, code) = screen.ends();
    assert!(code == 130 && screen.cursor().1 && !rest.contains("[ Send ]"), "{rest}");
}

#[test]
fn a_question_without_a_session_stays_on_the_screen_while_its_server_is_away() {
    let redis = RedisServer::start();
    let place = Place::on_redis(&redis.url());
    let (port, _worker) = (free_port(), place.worker());
    let server = serve(&place, port);
    let mut screen = submit(&place, port, "modern");
    server.kill();
    cuisine(&mut screen);
    screen.sees(AWAY);
    let _server = serve(&place, port);
    vegetarian(&mut screen);
    all_by_the_client(&place);
}

#[test]
fn an_answer_that_its_server_did_not_live_to_take_is_sent_again() {
    let place = Place::new();
    let (port, _worker) = (free_port(), place.worker());
    let server = serve(&place, port);
    let mut screen = submit(&place, port, "legacy");
    server.kill();
    cuisine(&mut screen);
    screen.sees(AWAY);
    let _server = serve(&place, port);
    screen.sees("the answer was lost with the connection, and is sent again");
    vegetarian(&mut screen);
    all_by_the_client(&place);
}

#[test]
fn a_question_stays_on_the_screen_while_the_store_behind_its_server_is_away() {
    for era in ["legacy", "modern"] {
        let mut redis = RedisServer::persistent();
        let place = Place::on_redis(&redis.url());
        let (port, _worker) = (free_port(), place.worker());
        let _server = serve(&place, port);
        let mut screen = submit(&place, port, era);
        redis.kill();
        cuisine(&mut screen);
        screen.sees(AWAY);
        redis.restart();
        vegetarian(&mut screen);
        all_by_the_client(&place);
    }
}
