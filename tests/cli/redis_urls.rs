//! Redis URLs as people type them, and what is shown of them.

use crate::place::Place;
use crate::redis::RedisServer;

#[test]
fn a_password_that_has_to_be_escaped_is_refused_and_no_piece_of_it_is_shown() {
    let place = Place::new();
    let passwords =
        ["42#Qz7topfx", "42/Qz7topfx", "42?Qz7topfx", "p@ss/Qz7topfx", "Qz#7topfx", "Qz7topfx%zz"];
    for password in passwords {
        for user in ["default", ""] {
            let url = format!("redis://{user}:{password}@127.0.0.1:1/0");
            for way in [&["list", "--redis", &url][..], &["doctor", "-vv", "--redis", &url]] {
                let ran = place.run(way);
                assert_eq!(ran.code, 2, "{ran:?}");
                assert!(ran.err.contains(" as %"), "says what to write: {ran:?}");
                let shown = ran.out + &ran.err;
                for piece in password.split(['#', '/', '?', '@']).filter(|piece| piece.len() > 2) {
                    assert!(!shown.contains(piece), "{piece} of {password} is shown: {shown}");
                }
            }
            let mut by_variable = place.command(&["list", "--json"]);
            let output = by_variable.env("MCPTASK_REDIS_URL", &url).output().expect("runs");
            let shown = String::from_utf8_lossy(&output.stderr);
            assert!(shown.contains("MCPTASK_REDIS_URL") && !shown.contains("7topfx"), "{shown}");
        }
    }
}

#[test]
fn a_database_that_the_redis_has_not_is_a_wrong_value() {
    let (place, redis) = (Place::new(), RedisServer::start());
    let url = |database: &str| format!("redis://127.0.0.1:{}/{database}", redis.port());
    for command in [&["list"][..], &["tools"], &["submit", "plan_dinner"], &["worker"], &["watch"]] {
        let ran = place.run(&[command, &["--redis", &url("99")]].concat());
        assert_eq!(ran.code, 2, "{command:?}: {ran:?}");
        assert!(ran.err.contains("there is no database 99 in this Redis"), "{command:?}: {ran:?}");
        assert!(ran.err.contains("0 to 15"), "says which there are: {ran:?}");
    }
    for database in ["-1", "x", "1/2", "99999999999999999999"] {
        let ran = place.run(&["list", "--redis", &url(database)]);
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.err.contains("no number of a database"), "{ran:?}");
    }
    for database in ["1?db=99", "?db=1"] {
        let ran = place.run(&["list", "--redis", &url(database)]);
        assert!(ran.code == 2 && ran.err.contains("its database stands behind the host"), "{ran:?}");
    }
    let ran = place.run(&["list", "--redis", &url("15")]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn what_answers_and_is_no_redis_is_called_so() {
    let place = Place::new();
    let server = place.serve(&[]);
    let url = server.url().replace("http://", "redis://").replace("/mcp", "");
    let ran = place.run(&["list", "--redis", &url]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.err.contains("does not speak as a Redis does"), "{ran:?}");
}
