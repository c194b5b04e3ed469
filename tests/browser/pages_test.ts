// All but the live page, in one Chromium: to load what controls it and to start it takes longer than
// most of these tests.

import "./chat.ts";
import "./listing.ts";
import "./recording.ts";
import "./wstest.ts";
