// The TypeScript SDK 1.32 with its experimental tasks: `typescript1.mjs http URL` or `typescript1.mjs stdio PORT`.
// Prints what it saw as JSON.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { CallToolResultSchema, ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const seen = {};
let asked = [];
let action = "accept";

function transport() {
  const [kind, place] = process.argv.slice(2);
  if (kind === "http") return new StreamableHTTPClientTransport(new URL(place));
  return new StdioClientTransport({ command: "python3", args: [`${import.meta.dirname}/bridge.py`, place] });
}

async function connect(capabilities = { elicitation: { form: {} } }) {
  const client = new Client({ name: "typescript1", version: "1" }, { capabilities });
  if (capabilities.elicitation) {
    client.setRequestHandler(ElicitRequestSchema, async (request) => {
      asked.push(request.params.message);
      if (request.params.mode === "url") return { action };
      return action === "accept" ? { action, content: { name: `n${asked.length}` } } : { action };
    });
  }
  await client.connect(transport());
  return client;
}

// Runs a tool as a task, and notes its statuses and its end.
async function task(client, name, args = {}) {
  const tasks = client.experimental.tasks;
  const stream = tasks.callToolStream({ name, arguments: args }, CallToolResultSchema, { task: { ttl: 60000 } });
  const found = { statuses: [], asked: (asked = []) };
  for await (const message of stream) {
    if (message.task) found.id = message.task.taskId;
    if (message.task && found.statuses.at(-1) !== message.task.status) found.statuses.push(message.task.status);
    if (message.type === "result") found.text = message.result.content[0].text;
    if (message.type === "error") found.error = message.error.message;
  }
  return found;
}

async function main() {
  const client = await connect();
  const tasks = client.experimental.tasks;
  const { tools } = await client.listTools();
  const support = (name) => tools.find((tool) => tool.name === name).execution.taskSupport;
  seen.support = Object.fromEntries(["greet", "ask_name", "fail"].map((name) => [name, support(name)]));
  seen.accept = await task(client, "ask_name");
  for (action of ["decline", "cancel"]) seen[action] = await task(client, "ask_name");
  action = "accept";
  seen.row = await task(client, "ask_many", { count: 5 });
  seen.both = await task(client, "ask_both");
  seen.fails = await task(client, "fail");
  seen.listed = (await tasks.listTasks()).tasks.some((task) => task.taskId === seen.accept.id);
  const result = await tasks.getTaskResult(seen.accept.id, CallToolResultSchema);
  seen.again = [result.content[0].text, result._meta["io.modelcontextprotocol/related-task"].taskId === seen.accept.id];
  asked = [];
  seen.foreground = (await client.callTool({ name: "ask_name", arguments: {} })).content[0].text;
  seen.greets = (await client.callTool({ name: "greet", arguments: { name: "Ada" } })).content[0].text;
  const steps = [];
  const onprogress = ({ message }) => steps.push(message);
  await client.callTool({ name: "steps", arguments: {} }, CallToolResultSchema, { onprogress });
  seen.steps = steps;
  seen.unpaged = await task(client, "ask_page");
  const working = { name: "work", arguments: { ms: 60000 } };
  for await (const message of tasks.callToolStream(working, CallToolResultSchema, { task: { ttl: 60000 } })) {
    if (message.type !== "taskCreated") continue;
    seen.cancelled = (await tasks.cancelTask(message.task.taskId)).status;
    break;
  }
  await client.close();
  const browsing = await connect({ elicitation: { form: {}, url: {} } });
  seen.page = await task(browsing, "ask_page");
  await browsing.close();
  const silent = await connect({});
  seen.unasked = await task(silent, "ask_name");
  await silent.close();
}

await main();
console.log(JSON.stringify(seen));
process.exit(0);
