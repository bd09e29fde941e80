//! The command line as scripts see it: exit codes, data on stdout, talk on stderr, JSON lines.

mod answerer;
mod answering;
mod attaching;
mod bulk;
mod checking;
mod completing;
mod dashes;
mod emptied;
mod examples;
mod exit_codes;
mod exporting;
mod extending;
mod file_limits;
mod file_rights;
mod following;
mod following_on;
#[path = "../support/forms.rs"]
mod foreign_forms;
mod forms;
mod handshake;
mod help;
mod history;
mod json_lines;
#[path = "../support/shapes.rs"]
mod json_shapes;
mod kitchen;
mod outage;
mod pages;
mod pasting;
#[path = "../support/place.rs"]
mod place;
mod profiles;
mod pruning;
mod rate_limit;
mod reading;
#[path = "../support/redis.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared with test binaries that need more of it")]
mod redis;
mod redis_urls;
mod remote;
mod replica;
mod retrying;
mod rights;
mod rules;
mod rules_again;
mod safety;
mod secrets;
mod server_away;
mod server_events;
mod serving;
mod shapes;
mod showing;
#[path = "../support/situations.rs"]
mod situations;
mod stage;
mod stock;
mod suggesting;
mod table;
mod taken_away;
mod unreadable;
mod values;
mod waiting;
mod watching;
mod workers;
