//! What a deployment's living workers can run.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Component, Deployment, FastmcpResult};

/// Something that can be run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeployedComponent {
    /// What it is.
    #[serde(flatten)]
    pub component: Component,
    /// The docket.
    pub docket: String,
    /// The living workers that know it.
    pub workers: Vec<String>,
}

impl Deployment {
    /// What the living workers can run, by name. Arguments are kept by FastMCP's server only.
    pub async fn components(&self) -> FastmcpResult<Vec<DeployedComponent>> {
        let workers = self.workers().await?;
        let alive: Vec<&str> = workers.alive().collect();
        if alive.is_empty() {
            return Ok(Vec::new());
        }
        let functions = self.functions_of(alive.iter()).await?;
        let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (worker, functions) in alive.into_iter().zip(functions) {
            for function in functions {
                found.entry(function).or_default().push(worker.to_owned());
            }
        }
        let docket = self.docket();
        let component = |(function, workers): (String, Vec<String>)| {
            let docket = docket.to_owned();
            Some(DeployedComponent { component: Component::of_function(&function)?, docket, workers })
        };
        Ok(found.into_iter().filter_map(component).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_read_and_others_passed_over() {
        let read = |text: &str| Component::of_function(text).map(|one| (one.kind, one.name, one.version));
        let of = |kind: &str, name: &str, version: Option<&str>| {
            Some((kind.to_owned(), name.to_owned(), version.map(str::to_owned)))
        };
        assert_eq!(read("tool:dinner@"), of("tool", "dinner", None));
        assert_eq!(read("tool:dinner@2.0"), of("tool", "dinner", Some("2.0")));
        assert_eq!(read("resource:data://a@b/c@"), of("resource", "data://a@b/c", None));
        assert_eq!(read("tool:dinner"), of("tool", "dinner", None));
        assert_eq!(read("trace"), None);
        assert_eq!(read("docket:perpetual@"), None);
    }
}
