// Loaded before `node:test`, which else follows each promise and each timer through async_hooks, to know
// the test of an error that nobody catches. That takes a tenth to a half of the processor time of a
// test file. The tests of a file run one after the other: tests/support/runner.node.ts knows which runs.

import hooks from "node:async_hooks";
import { syncBuiltinESMExports } from "node:module";

const none = { enable: () => none, disable: () => none };
hooks.createHook = () => none;
syncBuiltinESMExports();
