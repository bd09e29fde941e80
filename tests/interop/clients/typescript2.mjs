// The TypeScript client 2.4 with ext-tasks: `typescript2.mjs http URL` or `typescript2.mjs stdio PORT`, once in each
// era. Prints what it saw as JSON.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { createApplicationInputHandler, createTaskSessionFromClient } from "@modelcontextprotocol/ext-tasks/client";

const clientInfo = { name: "typescript2", version: "1" };
const seen = {};
let asked = [];
let action = "accept";

function transport() {
  const [kind, place] = process.argv.slice(2);
  if (kind === "http") return new StreamableHTTPClientTransport(new URL(place));
  return new StdioClientTransport({ command: "python3", args: [`${import.meta.dirname}/bridge.py`, place] });
}

function answer(params) {
  asked.push(params.message);
  if (params.mode === "url") return { action };
  return action === "accept" ? { action, content: { name: `n${asked.length}` } } : { action };
}

// What ext-tasks wants of its host: requests whose results the SDK has no types for, sent beside it.
function beside(transport) {
  const waiting = new Map();
  const others = transport.onmessage;
  transport.onmessage = (message, extra) => {
    const resolve = waiting.get(message.id);
    if (!resolve || message.method) return others?.(message, extra);
    waiting.delete(message.id);
    return resolve(message.error ? { kind: "error", error: message.error } : { kind: "result", result: message.result });
  };
  return (request, options) =>
    new Promise((resolve, reject) => {
      const id = `beside-${crypto.randomUUID()}`;
      waiting.set(id, resolve);
      transport.send({ jsonrpc: "2.0", id, ...request }, { headers: options?.context?.headers }).catch(reject);
    });
}

async function connect(mode, clientCapabilities) {
  const client = new Client(clientInfo, { capabilities: clientCapabilities, versionNegotiation: { mode } });
  if (clientCapabilities.elicitation) client.setRequestHandler("elicitation/create", (request) => answer(request.params));
  const wire = transport();
  await client.connect(wire);
  const framing = { protocolVersion: client.getNegotiatedProtocolVersion(), clientInfo, clientCapabilities };
  const raw = { rawDispatch: beside(wire), v2RequestFraming: framing };
  return { client, raw };
}

async function tasks({ client, raw }) {
  const { tools } = await client.listTools();
  const declared = (tool) => ({ ...tool, taskSupport: tool.execution?.taskSupport });
  return createTaskSessionFromClient(client, {
    endpointId: "mcptask",
    ...(client.getProtocolEra() === "modern" ? raw : {}),
    tools: { currentTool: (name) => tools.filter((tool) => tool.name === name).map(declared)[0] },
    onInputRequest: createApplicationInputHandler({
      elicitation: async (request) => answer(request.params),
      sampling: async () => { throw new Error("not asked for"); },
      roots: async () => ({ roots: [] }),
    }),
  });
}

// Runs a tool as a task, and notes its statuses and its end.
async function run(session, name, args = {}) {
  const found = { statuses: [], asked: (asked = []) };
  const execution = await session.callTool(name, args, { task: { preference: "prefer" } });
  found.kind = execution.kind;
  const onEvent = ({ task }) => {
    if (task && found.statuses.at(-1) !== task.status) found.statuses.push(task.status);
  };
  const { outcome } = await execution.settle({ onEvent });
  found.status = outcome.status;
  found.text = outcome.result?.content[0].text;
  found.is_error = outcome.result?.isError;
  found.error = outcome.error?.message;
  return found;
}

async function era(mode) {
  const found = {};
  const connected = await connect(mode, { elicitation: { form: {} } });
  const { client } = connected;
  found.era = client.getProtocolEra();
  asked = [];
  found.foreground = (await client.callTool({ name: "ask_name", arguments: {} })).content[0].text;
  found.greets = (await client.callTool({ name: "greet", arguments: { name: "Ada" } })).content[0].text;
  const steps = [];
  const onprogress = ({ message }) => steps.push(message);
  await client.callTool({ name: "steps", arguments: {} }, { onprogress });
  found.steps = steps;
  const session = await tasks(connected);
  found.accept = await run(session, "ask_name");
  for (action of ["decline", "cancel"]) found[action] = await run(session, "ask_name");
  action = "accept";
  found.row = await run(session, "ask_many", { count: 5 });
  found.both = await run(session, "ask_both");
  found.fails = await run(session, "fail");
  found.unpaged = await run(session, "ask_page");
  found.breaks = await run(session, "break");
  const working = await session.callTool("work", { ms: 60000 }, { task: { preference: "prefer" } });
  await working.cancel();
  found.cancelled = (await working.settle()).outcome.status;
  await session.close();
  await client.close();
  const browsing = await connect(mode, { elicitation: { form: {}, url: {} } });
  found.called_page = (await browsing.client.callTool({ name: "ask_page", arguments: {} })).content[0].text;
  const paged = await tasks(browsing);
  found.page = await run(paged, "ask_page");
  await paged.close();
  await browsing.client.close();
  const silent = await connect(mode, {});
  const unasked = await tasks(silent);
  found.unasked = await run(unasked, "ask_name");
  await unasked.close();
  await silent.client.close();
  return found;
}

seen.legacy = await era("legacy");
seen.modern = await era("auto");
console.log(JSON.stringify(seen));
process.exit(0);
