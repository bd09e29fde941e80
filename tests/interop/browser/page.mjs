// A page with the TypeScript SDK's client: `?server=URL&token=TOKEN`. Tells /seen what it saw, as JSON.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { CallToolResultSchema, ElicitRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const query = new URLSearchParams(location.search);
const seen = { asked: [] };

async function refused(token) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
  const response = await fetch(query.get("server"), { method: "POST", headers, body: "{}" });
  return { status: response.status, challenge: response.headers.get("www-authenticate") };
}

async function scenario() {
  seen.refused = await refused("wrong");
  const requestInit = { headers: { Authorization: `Bearer ${query.get("token")}` } };
  const transport = new StreamableHTTPClientTransport(new URL(query.get("server")), { requestInit });
  const client = new Client({ name: "page", version: "1" }, { capabilities: { elicitation: { form: {} } } });
  client.setRequestHandler(ElicitRequestSchema, async (request) => {
    seen.asked.push(request.params.message);
    return { action: "accept", content: { name: "Ada" } };
  });
  await client.connect(transport);
  seen.session = typeof transport.sessionId;
  seen.tools = (await client.listTools()).tools.length > 0;
  const call = await client.callTool({ name: "ask_name", arguments: {} });
  seen.call = call.content[0].text;
  const stream = client.experimental.tasks.callToolStream(
    { name: "ask_name", arguments: {} },
    CallToolResultSchema,
    { task: { ttl: 60000 } },
  );
  seen.statuses = [];
  for await (const message of stream) {
    if (message.type === "taskCreated" || message.type === "taskStatus") seen.statuses.push(message.task.status);
    if (message.type === "result") seen.task = message.result.content[0].text;
    if (message.type === "error") throw message.error;
  }
  await transport.terminateSession();
  await client.close();
}

try {
  await scenario();
} catch (error) {
  seen.error = `${error.name}: ${error.message}\n${error.stack}`;
}
await fetch("/seen", { method: "POST", body: JSON.stringify(seen) });
