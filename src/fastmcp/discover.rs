//! Finding deployments, and the tasks of one, by what is in the keyspace. A Redis may hold a million keys, so each look
//! is one pass over them at most.

use std::collections::{BTreeMap, BTreeSet};

use super::docket::{Docket, GROUP};
use super::identity::Identity;
use super::link::{Link, literally};
use super::{FastmcpError, FastmcpResult};

/// What stands between a docket's prefix and a task's own keys.
const TASK: &str = ":fastmcp:task:";

/// What stands between a docket's prefix and a FastMCP key.
const MARKS: [&str; 2] = [TASK, ":fastmcp:notifications:"];

/// What stands between a docket's prefix and the key of a run.
const RUN: &str = ":runs:";

/// How the name of the stream ends that each docket has.
const STREAM: &str = ":stream";

/// The one pattern that fits what follows a docket's prefix in all of those: `:fastmcp…`, `:runs…` and `:stream…`. What
/// else it fits is sorted out here. SCAN takes one pattern, and a pass for each would hold others up for as long again.
const TOLD_BY: &str = ":[frs][aut][snr][tse]*";

/// Keys that are looked at in one round trip.
const AT_ONCE: usize = 500;

/// The keys of one docket that tell its tasks.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// Docket's keys of runs.
    runs: Vec<String>,
    /// FastMCP's own keys of tasks.
    own: Vec<String>,
}

/// The dockets of a Redis, those with FastMCP keys and those that had workers but no task yet, each with the keys that
/// tell its tasks: they were met on the way.
pub(super) async fn dockets(link: &Link) -> FastmcpResult<Vec<(Docket, Keys)>> {
    let keys = link.scan(&format!("*{TOLD_BY}")).await?;
    let mut found: BTreeMap<&str, Keys> = keys.iter().filter_map(|key| prefix(key)).map(empty).collect();
    let streams = keys.iter().filter_map(|key| key.strip_suffix(STREAM));
    let unknown: Vec<&str> = streams.filter(|prefix| !found.contains_key(prefix)).collect();
    found.extend(with_workers(link, &unknown).await?.into_iter().map(empty));
    for key in &keys {
        sort_in(&mut found, key);
    }
    Ok(found.into_iter().map(|(prefix, keys)| (Docket::new(prefix), keys)).collect())
}

fn empty(prefix: &str) -> (&str, Keys) {
    (prefix, Keys::default())
}

/// The docket's prefix in a key of FastMCP's own: before the first mark from the left, since a docket may be named
/// `fastmcp` itself.
fn prefix(key: &str) -> Option<&str> {
    let first = MARKS.iter().filter_map(|mark| key.find(mark)).min();
    first.filter(|at| *at > 0).map(|at| &key[..at])
}

/// Puts a key to the docket that it belongs to, if it tells a task.
fn sort_in(found: &mut BTreeMap<&str, Keys>, key: &str) {
    if let Some(docket) = prefix(key)
        && let Some(keys) = found.get_mut(docket)
    {
        let is_own = key[docket.len()..].starts_with(TASK) && is_place(key);
        keys.own.extend(is_own.then(|| key.to_owned()));
        return;
    }
    // A docket's name may have the mark in it, so that each place where it stands is tried.
    for (at, _) in key.match_indices(RUN) {
        if let Some(keys) = found.get_mut(&key[..at]) {
            keys.runs.push(key[at + RUN.len()..].to_owned());
        }
    }
}

/// The docket of that name in this Redis, told without a pass over its keys: by its stream, under the prefixes that it
/// can have. `None` where that does not tell it.
pub(super) async fn named(link: &Link, name: &str) -> FastmcpResult<Option<Docket>> {
    let clustered = format!("{{{name}}}");
    for prefix in [name, &clustered] {
        match with_workers(link, &[prefix]).await {
            Ok(found) if found.is_empty() => {}
            // It lies on another node of the cluster.
            Err(FastmcpError::Refuses { code, .. }) if matches!(code.as_str(), "MOVED" | "ASK") => {}
            found => return Ok(found?.first().copied().map(Docket::new)),
        }
    }
    Ok(None)
}

/// Those of the prefixes that have a stream with Docket's consumer group: other programs have keys called `…:stream` too.
async fn with_workers<'a>(link: &Link, prefixes: &[&'a str]) -> FastmcpResult<Vec<&'a str>> {
    let mut found = Vec::new();
    for some in prefixes.chunks(AT_ONCE) {
        let mut reads = redis::pipe();
        for prefix in some {
            reads.cmd("XINFO").arg("GROUPS").arg(format!("{prefix}{STREAM}"));
        }
        let mut replies = link.read(reads).await?;
        for prefix in some {
            let groups: Option<Vec<BTreeMap<String, redis::Value>>> =
                replies.next("XINFO GROUPS", &mut Vec::new())?;
            found.extend(groups.is_some_and(|groups| groups.iter().any(is_dockets)).then_some(*prefix));
        }
    }
    Ok(found)
}

fn is_dockets(group: &BTreeMap<String, redis::Value>) -> bool {
    let name = group.get("name").and_then(|name| redis::from_redis_value_ref::<String>(name).ok());
    name.is_some_and(|name| name == GROUP)
}

/// The keys that tell the tasks of a docket as they are now.
pub(super) async fn keys(link: &Link, docket: &Docket) -> FastmcpResult<Keys> {
    let prefix = docket.prefix();
    let keys = link.scan(&format!("{}{TOLD_BY}", literally(prefix))).await?;
    let mut found = BTreeMap::from([empty(prefix)]);
    for key in &keys {
        sort_in(&mut found, key);
    }
    Ok(found.remove(prefix).unwrap_or_default())
}

/// The tasks that a docket's keys tell: Docket's records of their runs and FastMCP's own keys, since each may outlive
/// the other.
pub(super) async fn tasks(link: &Link, docket: &Docket, keys: Keys) -> FastmcpResult<Vec<Identity>> {
    let runs = keys.runs.iter().filter_map(|key| Identity::parse(key));
    let mut found: BTreeMap<_, _> = runs.map(|identity| (identity.key.clone(), identity)).collect();
    let known: BTreeSet<String> = found.values().map(|identity| docket.key(&identity.place)).collect();
    let own: Vec<_> = keys.own.into_iter().filter(|key| !known.contains(key)).collect();
    for identity in pointed_at(link, &own).await? {
        found.insert(identity.key.clone(), identity);
    }
    Ok(found.into_values().collect())
}

/// The task of that whole id, where it can be told without a pass over the keys: it was launched by nobody in
/// particular, and FastMCP's own key of it lives.
pub(super) async fn anonymous(link: &Link, docket: &Docket, id: &str) -> FastmcpResult<Option<Identity>> {
    let key = docket.key(&format!("fastmcp:task:anon:{id}"));
    if !is_place(&key) {
        return Ok(None);
    }
    Ok(pointed_at(link, &[key]).await?.pop())
}

/// Whether `…:fastmcp:task:…` ends in a task's id, as only the task's own key does.
fn is_place(key: &str) -> bool {
    let last = key.rsplit(':').next().unwrap_or_default();
    matches!(last.len(), 36 | 43)
        && last.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// The tasks whose own keys these are.
async fn pointed_at(link: &Link, keys: &[String]) -> FastmcpResult<Vec<Identity>> {
    let mut found = Vec::new();
    for some in keys.chunks(AT_ONCE) {
        let mut reads = redis::pipe();
        for key in some {
            reads.cmd("GET").arg(key);
        }
        let mut replies = link.read(reads).await?;
        for key in some {
            let value: Option<String> = replies.next(key, &mut Vec::new())?;
            found.extend(value.as_deref().and_then(Identity::parse).filter(|one| key.ends_with(&one.place)));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "3f4d4108-205e-4640-ae64-bcd84f74d563";

    #[test]
    fn keys_go_to_the_docket_they_belong_to() {
        let mut found = BTreeMap::from(["a", "a:runs:b", "{c}"].map(empty));
        for key in [
            format!("a:fastmcp:task:anon:{UUID}"),
            format!("a:fastmcp:task:anon:{UUID}:created_at"),
            format!("a:runs:anon:{UUID}:tool:tool%3Ax%40"),
            format!("a:runs:b:runs:anon:{UUID}:tool:tool%3Ax%40"),
            format!("{{c}}:fastmcp:task:anon:{UUID}"),
            "other:runs:1".to_owned(),
            "fastmcp:stream".to_owned(),
        ] {
            sort_in(&mut found, &key);
        }
        let counts: Vec<_> = found.values().map(|keys| (keys.own.len(), keys.runs.len())).collect();
        // What is told twice is no task of the other docket when it is read.
        assert_eq!(counts, [(1, 2), (0, 1), (1, 0)]);
    }
}
