//! Pages: a question on a page of its own, as raw HTTP sees it and as a browser shows it.

#[path = "../support/place.rs"]
mod place;
#[path = "../notify/receiver.rs"]
#[allow(dead_code, reason = "shared with the tests of notifiers, which need more of it")]
mod receiver;
#[path = "../support/redis.rs"]
#[allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]
mod redis;
#[path = "../support/shapes.rs"]
mod shapes;
#[path = "../notify/stage.rs"]
#[allow(dead_code, reason = "shared with the tests of notifiers, which need more of it")]
mod stage;

mod browser;
mod command;
mod http;
mod inbox;
mod inbox_browser;
mod kinds;
mod links;
mod notices;
mod pages;
mod streams;
