// What the load generators have in common: the server and the message, how they fail, and how they
// cut a closed loop into a warm-up, a measured slice and its end.
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// No server is expected to leave a connection without an answer for this long.
#define PATIENCE_MS 10000
// How many events are taken at once.
#define EVENTS 512

static struct sockaddr_in server = {.sin_family = AF_INET};
static size_t size;  // of a message
static size_t back;  // of what answers a message
static char *message, *answer;
static char *expected;  // the answer to a message
static double idle;  // seconds that were spun away

static void fail(const char *what) {
  if (errno) perror(what);
  else fprintf(stderr, "%s\n", what);
  exit(1);
}

static void fail_recv(ssize_t n) {
  if (n < 0) fail("recv");
  errno = 0;
  fail("the server closed a connection");
}

static double seconds(clockid_t clock) {
  struct timespec t;
  if (clock_gettime(clock, &t)) fail("clock_gettime");
  return t.tv_sec + t.tv_nsec / 1e9;
}

static clockid_t cpu_of(pid_t pid) {
  clockid_t clock;
  errno = clock_getcpuclockid(pid, &clock);
  if (errno) fail("PID");
  return clock;
}

// The server's port at 127.0.0.1, and a message of `length` bytes to send to it.
static void prepare(int port, size_t length) {
  server.sin_port = htons((uint16_t)port);
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  size = back = length;
  expected = message = malloc(size + 1);
  answer = malloc(size + 1);
  for (size_t i = 0; i <= size; i++) message[i] = (char)(i * 31 + i / 256 + 7);
}

static void compare(const char *got, size_t offset, size_t length) {
  errno = 0;
  if (memcmp(got, expected + offset, length)) fail("the echo differs from what was sent");
}

// In the last phase nothing new begins: all that is under way comes back, and silence is left.
typedef enum { WARMING, MEASURING, DRAINING } phase_t;

typedef struct {
  phase_t phase;
  double until;    // when the phase ends
  double measure;  // seconds of the second phase
  clockid_t server_cpu;
  double started, server_used, own_used;
  long long messages;
} slice_t;

static slice_t slice_of(int warmup_ms, int measure_ms, clockid_t server_cpu) {
  return (slice_t){
    .until = seconds(CLOCK_MONOTONIC) + warmup_ms / 1e3,
    .measure = measure_ms / 1e3,
    .server_cpu = server_cpu,
  };
}

// Goes on to the next phase when it is time, and prints the totals at the end of the second.
static void turn(slice_t *s) {
  double now = seconds(CLOCK_MONOTONIC);
  if (s->phase == DRAINING || now < s->until) return;
  double server_used = seconds(s->server_cpu) - s->server_used;
  double own_used = seconds(CLOCK_PROCESS_CPUTIME_ID) - idle - s->own_used;
  if (s->phase == WARMING) {
    s->phase = MEASURING;
    s->started = now;
    s->until = now + s->measure;
    s->server_used = server_used;
    s->own_used = own_used;
  } else {
    s->phase = DRAINING;
    printf("{\"messages\":%lld,\"seconds\":%.6f,\"serverCpu\":%.6f,\"loadCpu\":%.6f}\n", s->messages,
           now - s->started, server_used, own_used);
  }
}
