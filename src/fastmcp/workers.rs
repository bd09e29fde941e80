//! A deployment's workers, as they show themselves in Docket's keys.

use jiff::Timestamp;

use super::docket::RunState;
use super::{Component, DeployedTask, Deployment, FastmcpResult};

/// Functions that every worker of Docket knows, whatever its server offers.
const BUILT_IN: [&str; 3] = ["trace", "fail", "sleep"];

/// A worker of a docket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeployedWorker {
    /// `host#pid`, or its configured name.
    pub name: String,
    /// The docket.
    pub docket: String,
    /// Its last sign of life.
    pub heartbeat: Timestamp,
    /// Whether that was lately.
    pub alive: bool,
    /// What it runs: names of FastMCP's components, and functions of others as Docket calls them. Empty of one that has been
    /// dead for long.
    pub tools: Vec<String>,
}

impl DeployedWorker {
    /// Machine and process, where it has the name that Docket gives to one that has none.
    pub fn process(&self) -> Option<(&str, u32)> {
        let (host, process) = self.name.rsplit_once('#')?;
        Some((host, process.parse().ok()?))
    }
}

impl Deployment {
    /// The workers that live, and those whose death no other one has noticed yet, by name.
    pub async fn deployed_workers(&self) -> FastmcpResult<Vec<DeployedWorker>> {
        let workers = self.workers().await?;
        if workers.beats.is_empty() {
            return Ok(Vec::new());
        }
        let functions = self.functions_of(workers.beats.keys()).await?;
        let found =
            workers.beats.iter().zip(functions).map(|((name, heartbeat), functions)| DeployedWorker {
                name: name.clone(),
                docket: self.docket().to_owned(),
                heartbeat: *heartbeat,
                alive: workers.is_fresh(*heartbeat),
                tools: tools(functions),
            });
        Ok(found.collect())
    }

    /// The functions that each of these workers knows, as Docket calls them.
    pub(super) async fn functions_of(
        &self,
        workers: impl Iterator<Item = impl AsRef<str>> + Clone,
    ) -> FastmcpResult<Vec<Vec<String>>> {
        let mut reads = redis::pipe();
        for name in workers.clone() {
            reads.cmd("SMEMBERS").arg(self.docket.key(&format!("worker-tasks:{}", name.as_ref())));
        }
        let (mut replies, mut notes) = (self.link.read(reads).await?, Vec::new());
        let mut found = Vec::new();
        for _ in workers {
            let functions: Option<Vec<String>> = replies.next("SMEMBERS", &mut notes)?;
            found.push(functions.unwrap_or_default());
        }
        Ok(found)
    }
}

/// The names of what a worker knows, in order.
fn tools(functions: Vec<String>) -> Vec<String> {
    let named = |function: String| match Component::of_function(&function) {
        Some(component) => Some(component.name),
        None => Some(function).filter(|function| !BUILT_IN.contains(&function.as_str())),
    };
    let mut tools: Vec<String> = functions.into_iter().filter_map(named).collect();
    tools.sort();
    tools.dedup();
    tools
}

impl DeployedTask {
    /// Whether a worker has it now.
    pub fn is_running(&self) -> bool {
        self.signs.run.state == Some(RunState::Running)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(name: &str) -> DeployedWorker {
        let (name, docket) = (name.to_owned(), "fastmcp".to_owned());
        DeployedWorker { name, docket, heartbeat: Timestamp::UNIX_EPOCH, alive: true, tools: Vec::new() }
    }

    #[test]
    fn a_name_tells_machine_and_process_where_docket_gave_it() {
        assert_eq!(worker("kitchen#4711").process(), Some(("kitchen", 4711)));
        assert_eq!(worker("a#b#7").process(), Some(("a#b", 7)));
        assert_eq!(worker("cook").process(), None);
        assert_eq!(worker("cook#one").process(), None);
    }

    #[test]
    fn what_is_no_component_is_named_as_docket_does() {
        let functions = ["tool:dinner@", "fail", "sleep", "trace", "nightly", "prompt:dinner@2"];
        assert_eq!(tools(functions.map(str::to_owned).into()), ["dinner", "nightly"]);
    }
}
