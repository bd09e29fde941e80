//! Finding deployments, and the tasks of one, by what is in the keyspace.

use std::collections::{BTreeMap, BTreeSet};

use super::FastmcpResult;
use super::docket::{Docket, GROUP};
use super::identity::Identity;
use super::link::{Link, literally};

/// What stands between a docket's prefix and a FastMCP key.
const MARKS: [&str; 2] = [":fastmcp:task:", ":fastmcp:notifications:"];

/// The dockets of a Redis: those with FastMCP keys, and those that had workers but no task yet.
pub(super) async fn dockets(link: &Link) -> FastmcpResult<Vec<Docket>> {
    let mut prefixes = BTreeSet::new();
    for key in link.scan("*:fastmcp:*").await? {
        // The first mark from the left: a docket may be named `fastmcp` itself.
        let found = MARKS.iter().filter_map(|mark| key.find(mark)).min();
        prefixes.extend(found.filter(|at| *at > 0).map(|at| key[..at].to_owned()));
    }
    for key in link.scan("*:stream").await? {
        if let Some(prefix) = key.strip_suffix(":stream")
            && !prefixes.contains(prefix)
            && is_docket(link, prefix).await?
        {
            prefixes.insert(prefix.to_owned());
        }
    }
    Ok(prefixes.into_iter().map(Docket::new).collect())
}

/// Whether there is a stream with Docket's consumer group: other programs have keys called `…:stream` too.
async fn is_docket(link: &Link, prefix: &str) -> FastmcpResult<bool> {
    let mut reads = redis::pipe();
    reads.cmd("XINFO").arg("GROUPS").arg(format!("{prefix}:stream"));
    let groups: Option<Vec<BTreeMap<String, redis::Value>>> =
        link.read(reads).await?.next("XINFO GROUPS", &mut Vec::new())?;
    let named = |group: &BTreeMap<String, redis::Value>| {
        group
            .get("name")
            .is_some_and(|name| redis::from_redis_value_ref::<String>(name).is_ok_and(|name| name == GROUP))
    };
    Ok(groups.is_some_and(|groups| groups.iter().any(named)))
}

/// The tasks of a docket, told by Docket's records of their runs and by FastMCP's own keys: each may outlive
/// the other.
pub(super) async fn tasks(link: &Link, docket: &Docket) -> FastmcpResult<Vec<Identity>> {
    let mut found = BTreeMap::new();
    for key in link.scan(&format!("{}*", literally(&docket.runs("")))).await? {
        if let Some(identity) = key.strip_prefix(&docket.runs("")).and_then(Identity::parse) {
            found.insert(identity.key.clone(), identity);
        }
    }
    let above = docket.key("");
    let known: BTreeSet<String> = found.values().map(|identity| identity.place.clone()).collect();
    let places: Vec<String> = link
        .scan(&format!("{}*", literally(&docket.key("fastmcp:task:"))))
        .await?
        .into_iter()
        .filter(|key| key.strip_prefix(&above).is_some_and(|place| is_place(place) && !known.contains(place)))
        .collect();
    for identity in pointed_at(link, &places).await? {
        found.insert(identity.key.clone(), identity);
    }
    Ok(found.into_values().collect())
}

/// Whether `fastmcp:task:…` ends in a task's id, as only the task's own key does.
fn is_place(place: &str) -> bool {
    let last = place.rsplit(':').next().unwrap_or_default();
    matches!(last.len(), 36 | 43)
        && last.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// The tasks whose own keys these are.
async fn pointed_at(link: &Link, keys: &[String]) -> FastmcpResult<Vec<Identity>> {
    let mut reads = redis::pipe();
    for key in keys {
        reads.cmd("GET").arg(key);
    }
    let mut replies = link.read(reads).await?;
    let mut found = Vec::new();
    for key in keys {
        let value: Option<String> = replies.next(key, &mut Vec::new())?;
        found.extend(value.as_deref().and_then(Identity::parse).filter(|one| key.ends_with(&one.place)));
    }
    Ok(found)
}
