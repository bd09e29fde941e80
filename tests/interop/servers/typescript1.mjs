// The TypeScript SDK 1.32 as a server, with its experimental tasks: `typescript1.mjs http` or `typescript1.mjs stdio`.

import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { InMemoryTaskMessageQueue, InMemoryTaskStore } from "@modelcontextprotocol/sdk/experimental/tasks/stores/in-memory.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { ElicitResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";

const DINNER = {
  type: "object",
  properties: { vegetarian: { type: "boolean" }, cuisine: { type: "string", minLength: 3 } },
  required: ["vegetarian", "cuisine"],
};
const WORD = { type: "object", properties: { word: { type: "string" } }, required: ["word"] };

// Tasks of no session: whoever knows one may look at it.
class SharedTasks extends InMemoryTaskStore {
  createTask(options, requestId, request) {
    return super.createTask(options, requestId, request);
  }
}

const taskStore = new SharedTasks();
const taskMessageQueue = new InMemoryTaskMessageQueue();
const text = (words) => ({ content: [{ type: "text", text: words }] });

function dinner({ action, content }) {
  return text(action === "accept" ? `${content.cuisine}, vegetarian: ${content.vegetarian}` : `no dinner: ${action}`);
}

// A tool whose `work` runs behind its task, and asks through it.
function taskTool(server, name, inputSchema, work) {
  server.experimental.tasks.registerToolTask(name, { inputSchema, execution: { taskSupport: "required" } }, {
    async createTask(args, extra) {
      const task = await extra.taskStore.createTask({ ttl: extra.taskRequestedTtl, pollInterval: 100 });
      const relatedTask = { taskId: task.taskId };
      const ask = async (message, requestedSchema) => {
        const request = { method: "elicitation/create", params: { mode: "form", message, requestedSchema } };
        const answer = await extra.sendRequest(request, ElicitResultSchema, { relatedTask });
        await extra.taskStore.updateTaskStatus(task.taskId, "working");
        return answer;
      };
      work(ask, args).then(
        (result) => extra.taskStore.storeTaskResult(task.taskId, "completed", result),
        (error) => extra.taskStore.storeTaskResult(task.taskId, "failed", { ...text(error.message), isError: true }),
      ).catch((error) => console.error(error));
      return { task };
    },
    getTask: (_, extra) => extra.taskStore.getTask(extra.taskId),
    getTaskResult: (_, extra) => extra.taskStore.getTaskResult(extra.taskId),
  });
}

function kitchen() {
  const info = { name: "typescript kitchen 1", version: "1" };
  const tasks = { list: {}, cancel: {}, requests: { tools: { call: {} } } };
  const server = new McpServer(info, { capabilities: { tasks }, taskStore, taskMessageQueue });
  taskTool(server, "plan_dinner", {}, async (ask) => dinner(await ask("What shall we cook?", DINNER)));
  taskTool(server, "survey", { count: z.number().int() }, async (ask, { count }) => {
    const words = [];
    for (let number = 0; number < count; number++) {
      const { action, content } = await ask(`Word ${number}?`, WORD);
      words.push(action === "accept" ? content.word : action);
    }
    return text(words.join(" "));
  });
  taskTool(server, "explode", {}, async () => {
    throw new Error("the kitchen is on fire");
  });
  taskTool(server, "linger", {}, () => new Promise((resolve) => setTimeout(() => resolve(text("at last")), 3600000)));
  taskTool(server, "hello", { name: z.string() }, async (_, { name }) => text(`Hello, ${name}!`));
  server.registerTool("ask_now", {}, async () =>
    dinner(await server.server.elicitInput({ mode: "form", message: "What shall we cook?", requestedSchema: DINNER })),
  );
  server.registerTool("greet", { inputSchema: { name: z.string() } }, ({ name }) => text(`Hello, ${name}!`));
  return server;
}

if (process.argv[2] === "stdio") {
  await kitchen().connect(new StdioServerTransport());
} else {
  const sessions = new Map();
  const http = createServer(async (request, response) => {
    let transport = sessions.get(request.headers["mcp-session-id"]);
    if (!transport) {
      const onsessioninitialized = (id) => sessions.set(id, transport);
      transport = new StreamableHTTPServerTransport({ sessionIdGenerator: randomUUID, onsessioninitialized });
      await kitchen().connect(transport);
    }
    await transport.handleRequest(request, response);
  });
  http.listen(0, "127.0.0.1", () => console.log(http.address().port));
}
