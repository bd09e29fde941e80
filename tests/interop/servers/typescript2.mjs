// The TypeScript server 2.4 in both eras; it has no tasks: `typescript2.mjs http` or `typescript2.mjs stdio`.

import { createServer } from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { acceptedContent, createMcpHandler, inputRequired, McpServer } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { z } from "zod";

const DINNER = {
  type: "object",
  properties: { vegetarian: { type: "boolean" }, cuisine: { type: "string", minLength: 3 } },
  required: ["vegetarian", "cuisine"],
};
const WORD = { type: "object", properties: { word: { type: "string" } }, required: ["word"] };
const text = (words) => ({ content: [{ type: "text", text: words }] });
const form = (message, requestedSchema) => inputRequired.elicit({ message, requestedSchema });

function kitchen() {
  const server = new McpServer({ name: "typescript kitchen 2", version: "1" });
  server.registerTool("ask_now", {}, (context) => {
    const answer = context.mcpReq.inputResponses?.dinner;
    if (!answer) return inputRequired({ inputRequests: { dinner: form("What shall we cook?", DINNER) } });
    const { action, content } = answer;
    return text(action === "accept" ? `${content.cuisine}, vegetarian: ${content.vegetarian}` : `no dinner: ${action}`);
  });
  server.registerTool("ask_twice", {}, (context) => {
    const answers = context.mcpReq.inputResponses;
    const before = context.mcpReq.requestState();
    const first = acceptedContent(answers, "first")?.word;
    const second = acceptedContent(answers, "second")?.word;
    if (before && second) return text(`${before} ${second}`);
    if (first) {
      const inputRequests = { second: form(`And after ${first}?`, WORD) };
      return inputRequired({ inputRequests, requestState: first });
    }
    return inputRequired({ inputRequests: { first: form("First word?", WORD) } });
  });
  server.registerTool("greet", { inputSchema: z.object({ name: z.string() }) }, ({ name }) => text(`Hello, ${name}!`));
  server.registerTool("explode", {}, () => {
    throw new Error("the kitchen is on fire");
  });
  return server;
}

if (process.argv[2] === "stdio") {
  serveStdio(kitchen);
} else {
  const http = createServer(toNodeHandler(createMcpHandler(kitchen)));
  http.listen(0, "127.0.0.1", () => console.log(http.address().port));
}
