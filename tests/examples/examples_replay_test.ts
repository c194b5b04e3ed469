// The example is a test.

import "../../examples/replay_test.ts";
