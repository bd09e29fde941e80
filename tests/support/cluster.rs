//! A real Redis Cluster for one test.

use super::redis::{RedisServer, free_port};

/// The number of a cluster's slots.
const SLOTS: usize = 16_384;

/// The cluster; its nodes are killed on drop.
#[derive(Debug)]
pub struct RedisCluster {
    /// The masters, then their replicas: the first one replicates the first master, and so on.
    pub nodes: Vec<RedisServer>,
}

impl RedisCluster {
    /// Starts so many masters that share the slots, and so many replicas, and waits until all agree.
    pub fn start(masters: usize, replicas: usize) -> Self {
        let nodes: Vec<_> = (0..masters + replicas).map(|_| node()).collect();
        let share = SLOTS.div_ceil(masters);
        for (at, node) in nodes[..masters].iter().map(|(node, _)| node).enumerate() {
            let (first, last) = (at * share, ((at + 1) * share).min(SLOTS) - 1);
            let range = ["CLUSTER", "ADDSLOTSRANGE", &first.to_string(), &last.to_string()];
            node.ask::<()>(&range).expect("takes its slots");
        }
        for (node, bus) in &nodes[1..] {
            let (port, bus) = (node.port().to_string(), bus.to_string());
            nodes[0].0.ask::<()>(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).expect("meets");
        }
        let cluster = Self { nodes: nodes.into_iter().map(|(node, _)| node).collect() };
        cluster.agree(masters);
        for (replica, master) in cluster.nodes[masters..].iter().zip(&cluster.nodes) {
            let id: String = master.ask(&["CLUSTER", "MYID"]).expect("has an id");
            replica.ask::<()>(&["CLUSTER", "REPLICATE", &id]).expect("replicates");
            master.until(&["INFO", "replication"], |state: &String| state.contains("state=online"));
        }
        cluster
    }

    /// Waits until every node knows every slot's master and all other nodes.
    fn agree(&self, masters: usize) {
        let known = format!("cluster_known_nodes:{}", self.nodes.len());
        for node in &self.nodes {
            node.until(&["CLUSTER", "INFO"], |state: &String| {
                state.contains("cluster_state:ok") && state.contains(&known)
            });
            node.until(&["CLUSTER", "SLOTS"], |slots: &Vec<redis::Value>| slots.len() == masters);
        }
    }

    /// The node that has a key.
    pub fn owner(&mut self, key: &str) -> &mut RedisServer {
        let at = self.nodes.iter().position(|node| {
            // The others say MOVED; a replica does too.
            node.ask::<redis::Value>(&["EXISTS", key]).is_ok()
        });
        &mut self.nodes[at.expect("one of them")]
    }

    /// The address of all of its nodes.
    pub fn url(&self) -> String {
        let hosts: Vec<_> = self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.port())).collect();
        format!("redis+cluster://{}", hosts.join(","))
    }
}

/// A node, and its second port, which would else be its first plus 10,000, which may be none.
fn node() -> (RedisServer, u16) {
    let bus = free_port();
    let options = ["--cluster-enabled", "yes", "--cluster-port", &bus.to_string()];
    let quick = ["--cluster-node-timeout", "1000", "--appendonly", "yes", "--appendfsync", "always"];
    (RedisServer::start_with(&[&options[..], &quick].concat()), bus)
}
