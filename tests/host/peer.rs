//! A host: it starts `mcptask mcp`, and speaks JSON-RPC with it in one era. Nothing else may be on the server's stdout, and
//! each result fits its tool's output schema.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use serde_json::{Value, json};

use crate::place::{BOUND, Place};

const LEGACY: &str = "2025-11-25";
const MODERN: &str = "2026-07-28";

/// A host with its server.
pub(crate) struct Host {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    earlier: VecDeque<Value>,
    tools: Vec<Value>,
    last_id: i64,
    /// The capabilities that each request declares, in the stateless era.
    declared: Option<Value>,
}

impl Host {
    fn start(place: &Place, arguments: &[&str], declared: Option<Value>) -> Self {
        let mut command = place.command(&[&["mcp"], arguments].concat());
        let said = std::fs::File::create(place.path().join("host-said")).expect("a file");
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(said).spawn().expect("starts");
        let (out, input) = (child.stdout.take().expect("piped"), child.stdin.take());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            // Whoever reads no more has ended.
            BufReader::new(out).lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Self { child, input, lines, earlier: VecDeque::new(), tools: Vec::new(), last_id: 0, declared }
    }

    /// A host of the era with sessions.
    pub(crate) fn legacy(place: &Place, arguments: &[&str], capabilities: &Value) -> Self {
        let mut host = Self::start(place, arguments, None);
        let params = json!({ "protocolVersion": LEGACY, "capabilities": capabilities,
            "clientInfo": { "name": "testhost", "version": "7" } });
        let initialized = host.request("initialize", params);
        assert_eq!(initialized["result"]["serverInfo"]["name"], "mcptask", "{initialized}");
        assert!(initialized["result"]["instructions"].is_string());
        host.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
        host.with_tools()
    }

    /// A host of the stateless era.
    pub(crate) fn modern(place: &Place, arguments: &[&str], capabilities: &Value) -> Self {
        let mut host = Self::start(place, arguments, Some(capabilities.clone()));
        let discovered = host.request("server/discover", json!({}));
        assert!(discovered["result"]["supportedVersions"].to_string().contains(MODERN), "{discovered}");
        host.with_tools()
    }

    fn with_tools(mut self) -> Self {
        let listed = self.request("tools/list", json!({}));
        self.tools.clone_from(listed["result"]["tools"].as_array().expect("tools"));
        self
    }

    /// What is offered.
    pub(crate) fn tools(&self) -> Vec<&str> {
        self.tools.iter().map(|tool| tool["name"].as_str().expect("a name")).collect()
    }

    /// Writes a line as it is.
    pub(crate) fn raw(&mut self, line: &str) {
        let input = self.input.as_mut().expect("open");
        input.write_all(format!("{line}\n").as_bytes()).expect("written");
        input.flush().expect("written");
    }

    pub(crate) fn send(&mut self, message: &Value) {
        self.raw(&message.to_string());
    }

    /// Sends a request; its id.
    pub(crate) fn begin(&mut self, method: &str, mut params: Value) -> i64 {
        self.last_id += 1;
        if let Some(declared) = &self.declared {
            let meta = json!({ "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientInfo": { "name": "testhost", "version": "7" },
                "io.modelcontextprotocol/clientCapabilities": declared });
            let given = params["_meta"].as_object().cloned().unwrap_or_default();
            params["_meta"] = meta;
            params["_meta"].as_object_mut().expect("an object").extend(given);
        }
        self.send(&json!({ "jsonrpc": "2.0", "id": self.last_id, "method": method, "params": params }));
        self.last_id
    }

    /// Begins a call of a tool; its id.
    pub(crate) fn begin_call(&mut self, tool: &str, arguments: &Value) -> i64 {
        self.begin("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    fn read(&mut self) -> Value {
        let line = self.lines.recv_timeout(BOUND).expect("a line in time");
        let message: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert_eq!(message["jsonrpc"], "2.0", "{message}");
        message
    }

    fn next_where(&mut self, is_meant: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.earlier.iter().position(&is_meant) {
            return self.earlier.remove(at).expect("it is there");
        }
        loop {
            let message = self.read();
            if is_meant(&message) {
                return message;
            }
            self.earlier.push_back(message);
        }
    }

    /// The response to a request.
    pub(crate) fn response(&mut self, id: i64) -> Value {
        self.next_where(|message| message["id"] == id && message.get("method").is_none())
    }

    /// The next refusal of a line whose id could not be read.
    pub(crate) fn refused(&mut self) -> Value {
        self.next_where(|message| message.get("id") == Some(&Value::Null) && message.get("error").is_some())
    }

    /// The next request or notification of the server of that method.
    pub(crate) fn next_of(&mut self, method: &str) -> Value {
        self.next_where(|message| message["method"] == method)
    }

    /// How many such messages have come and not been looked at.
    pub(crate) fn count_of(&self, method: &str) -> usize {
        self.earlier.iter().filter(|message| message["method"] == method).count()
    }

    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.begin(method, params);
        self.response(id)
    }

    /// Calls a tool; its result.
    pub(crate) fn call(&mut self, tool: &str, arguments: &Value) -> Value {
        let id = self.begin_call(tool, arguments);
        self.result(id, tool)
    }

    /// The result of a call that was begun.
    pub(crate) fn result(&mut self, id: i64, tool: &str) -> Value {
        let response = self.response(id);
        let result = response.get("result").unwrap_or_else(|| panic!("{response}")).clone();
        if result["resultType"] != "input_required" {
            let known = self.tools.iter().find(|known| known["name"] == tool).expect("a tool");
            let fits = jsonschema::validate(&known["outputSchema"], &result["structuredContent"]);
            assert!(fits.is_ok(), "{tool}: {fits:?}: {result}");
            assert!(result["content"][0]["text"].is_string(), "{result}");
        }
        result
    }

    /// Calls a tool that must do what it is to do; what it tells programs.
    pub(crate) fn ok(&mut self, tool: &str, arguments: &Value) -> Value {
        let result = self.call(tool, arguments);
        assert_ne!(result["isError"], true, "{tool} {arguments}: {result}");
        result["structuredContent"].clone()
    }

    /// Calls a tool that must fail; what it tells programs.
    pub(crate) fn fails(&mut self, tool: &str, arguments: &Value) -> Value {
        let result = self.call(tool, arguments);
        assert_eq!(result["isError"], true, "{tool} {arguments}: {result}");
        result["structuredContent"].clone()
    }

    /// Answers a request of the server.
    pub(crate) fn reply(&mut self, to: &Value, result: &Value) {
        self.send(&json!({ "jsonrpc": "2.0", "id": to["id"], "result": result }));
    }

    /// Closes the host's end.
    pub(crate) fn hang_up(&mut self) {
        self.input = None;
    }

    /// Sends the server a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        let sent = std::process::Command::new("kill").args([&format!("-{signal}"), &id]).status();
        assert!(sent.expect("kill runs").success());
    }

    /// How the server ends.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("its state can be read") {
                return status;
            }
            assert!(begun.elapsed() < BOUND, "it does not end");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
