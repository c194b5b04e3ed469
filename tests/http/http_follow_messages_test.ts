import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { followMessages } from "../../lib/http/message/follow_messages.ts";

test("following HTTP: a response to HEAD has no content, whatever its length says", () => {
  const { requests, responses } = followMessages();
  requests(Buffer.from("HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"));
  const head = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
  const passed = responses(Buffer.from(`${head}${head}hi`));
  assert.deepEqual(passed.map(({ type }) => type), ["head", "head", "content"]);
});

test("following HTTP: responses are followed no more once 1,024 requests wait for theirs", () => {
  const { requests, responses } = followMessages();
  const request = Buffer.from("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  const response = Buffer.from("HTTP/1.1 204 No Content\r\n\r\n");
  for (let i = 0; i < 1024; i++) assert.equal(requests(request).length, 1);
  assert.equal(responses(response)[0].type, "head");
  for (let i = 0; i < 2; i++) assert.equal(requests(request).length, 1);
  assert.equal(responses(response)[0].type, "other");
});
