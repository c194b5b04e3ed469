// The load generator of the echo benchmark. It must cost less than any server that it measures, so
// it is C, one thread and edge-triggered epoll, and it does not copy out what comes back: with
// MSG_TRUNC the kernel drops the bytes and tells how many there were. Four fifths of what is left is
// the kernel's send path, which the C loop has too (io_uring did not make it cheaper).
//
// load run PORT CONNECTIONS SIZE PID [u32 | ws [cast]] [spin]
//   Opens the connections and keeps them, since a runtime pays for new ones for some time after. For
//   each line "WARMUP_MS MEASURE_MS" on its standard input it runs a closed loop: each connection
//   has one message of SIZE bytes under way, and sends the next one when the last has come back.
//   During the warm-up every byte is compared with what was sent. Prints a line of JSON: messages,
//   seconds, and the CPU seconds that the server (process PID) and the generator used in just those.
//   With u32, a message is a frame: its first 4 bytes tell how many come behind them.
//   With ws, it is a frame of WebSocket: SIZE bytes of payload, text up to 1 KiB and binary above.
//   With cast, the first connection alone sends, and each message comes back on all of them: what is
//   counted is what comes.
//   With spin, it never sleeps, which takes a core for itself. Who sends to a sleeper pays for waking
//   it, an interrupt to another core, and that is dear on a virtual machine: the slower a server is,
//   the more often its generator would sleep. The time spent without work is not counted as used.
// load idle PORT CONNECTIONS SIZE [ws]
//   Opens the connections, sends one message of SIZE bytes on each (0 for none) and waits for its
//   echo, prints "ready", and holds them until its standard input ends.
#define _GNU_SOURCE
#include "../common/slices.h"
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>

// How many connections are opened before we wait until the server has accepted them all: fewer than
// any server's backlog, since a SYN that finds it full is sent again only after a second.
#define BATCH 64
// Messages up to SMALL bytes are counted by their events alone and taken from the kernel's queue in
// LAZY at a time, which saves a twentieth of the generator's cost. It needs each of them to come in
// one piece: the warm-up sees whether they do, and every LAZY-th message proves the count.
#define SMALL 1024
#define LAZY 16

typedef struct {
  int fd;
  size_t sent;  // of the message under way
  size_t owed;  // what the kernel has for us, or will have once that message is all back
} conn_t;

static int epoll;
static size_t least = 1;  // what a server echoes at least: a byte, or a frame
static int whole;  // small messages come in one piece
static int spinning;
static int websocket;
static int casting;

// The opening handshake of WebSocket, which shows that the connection was accepted.
static void shake_hands(int fd) {
  static const char fields[] =
      " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
  char head[4096];
  size_t n = 0;
  int length = snprintf(head, sizeof head, "GET %s%s", casting ? "/cast" : "/", fields);
  if (send(fd, head, (size_t)length, MSG_NOSIGNAL) < 0) fail("send");
  while (n < 4 || memcmp(head + n - 4, "\r\n\r\n", 4)) {
    ssize_t got = n < sizeof head ? recv(fd, head + n, 1, 0) : 0;
    if (got <= 0) fail_recv(got);
    n++;
  }
  errno = 0;
  if (strncmp(head, "HTTP/1.1 101", 12)) fail("no WebSocket is spoken there");
}

static int dial(void) {
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  struct timeval patience = {.tv_sec = PATIENCE_MS / 1000};
  if (fd < 0) fail("socket");
  // These bound the blocking connect(), and the blocking calls of echo_once().
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(fd, (struct sockaddr *)&server, sizeof server)) fail("connect");
  if (websocket) shake_hands(fd);
  return fd;
}

// Sends `length` bytes and takes them back, one after the other: it fits a message of any size,
// since the socket buffers of both sides together hold less than a big one.
static void echo_once(int fd, size_t length) {
  size_t sent = 0, received = 0;
  while (received < length) {
    struct pollfd wait = {.fd = fd, .events = (short)(POLLIN | (sent < length ? POLLOUT : 0))};
    errno = 0;
    if (poll(&wait, 1, PATIENCE_MS) != 1) fail("no echo");
    if (wait.revents & POLLOUT) {
      ssize_t n = send(fd, message + sent, length - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0 && errno != EAGAIN) fail("send");
      if (n > 0) sent += (size_t)n;
    }
    if (wait.revents & (POLLIN | POLLHUP | POLLERR)) {
      ssize_t n = recv(fd, answer, length - received, 0);
      if (n <= 0) fail_recv(n);
      compare(answer, received, (size_t)n);
      received += (size_t)n;
    }
  }
}

// Connections are accepted in order: once one more is answered, all before it have been accepted.
static void wait_until_accepted(void) {
  int probe = dial();
  echo_once(probe, least);
  close(probe);
}

static conn_t *open_all(int count) {
  conn_t *conns = calloc((size_t)count, sizeof *conns);
  for (int i = 0; i < count; i++) {
    conns[i].fd = dial();
    if (!websocket && (i % BATCH == BATCH - 1 || i == count - 1)) wait_until_accepted();
  }
  return conns;
}

static void push(conn_t *c) {
  while (c->sent < size) {
    ssize_t n = send(c->fd, message + c->sent, size - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno == EAGAIN) break;
    if (n < 0) fail("send");
    c->sent += (size_t)n;
  }
}

static void begin(conn_t *c) {
  c->sent = 0;
  c->owed += back;
  push(c);
}

// Has one message sent, which all get.
static void begin_cast(conn_t *conns, int count) {
  for (int i = 0; i < count; i++) {
    conns[i].sent = size;
    conns[i].owed += back;
  }
  conns[0].sent = 0;
  push(&conns[0]);
}

// Takes what has come back; true once the message is complete. The events are edge-triggered: one
// comes whenever bytes arrive, whatever lies in the queue already.
static int pull(conn_t *c, phase_t phase) {
  int lazy = whole && phase == MEASURING;
  if (lazy && c->owed < LAZY * back) return 1;
  int flags = MSG_DONTWAIT | (phase == WARMING ? 0 : MSG_TRUNC);
  ssize_t n = recv(c->fd, answer, c->owed, flags);
  if (n < 0 && errno == EAGAIN && !lazy) return 0;
  if (n <= 0) fail_recv(n);
  if (phase == WARMING) compare(answer, back - c->owed, (size_t)n);
  c->owed -= (size_t)n;
  errno = 0;
  if (lazy && c->owed) fail("a message came in pieces, though none did in the warm-up");
  if (c->owed) whole = 0;
  return c->owed == 0;
}

static int next_events(struct epoll_event *events) {
  int ready = epoll_wait(epoll, events, EVENTS, spinning ? 0 : PATIENCE_MS);
  if (ready != 0 || !spinning) return ready;
  double began = seconds(CLOCK_PROCESS_CPUTIME_ID), now = began;
  while (ready == 0 && now < began + PATIENCE_MS / 1e3) {
    ready = epoll_wait(epoll, events, EVENTS, 0);
    now = seconds(CLOCK_PROCESS_CPUTIME_ID);
  }
  idle += now - began;
  return ready;
}

static void run_slice(conn_t *conns, int count, slice_t s) {
  struct epoll_event events[EVENTS];
  int under_way = count, last = 0;
  whole = size <= SMALL;
  if (casting) begin_cast(conns, count);
  else for (int i = 0; i < count; i++) begin(&conns[i]);
  while (under_way > 0) {
    int ready = next_events(events);
    errno = 0;
    if (ready == 0) fail("the server stopped answering");
    turn(&s);
    for (int i = 0; i < ready; i++) {
      conn_t *c = events[i].data.ptr;
      if (c->sent < size) push(c);
      if (!(events[i].events & ~EPOLLOUT) || !pull(c, s.phase)) continue;
      if (s.phase == MEASURING) s.messages++;
      if (casting || s.phase == DRAINING) under_way--;
      else begin(c);
    }
    if (casting && under_way == 0 && !last) {
      // One more, whose events take out what the lazy ones have left.
      last = s.phase == DRAINING;
      under_way = count;
      begin_cast(conns, count);
    }
  }
  fflush(stdout);
}

static void run(int count, pid_t pid) {
  clockid_t server_cpu = cpu_of(pid);
  conn_t *conns = open_all(count);
  epoll = epoll_create1(0);
  for (int i = 0; i < count; i++) {
    struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = &conns[i]};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, conns[i].fd, &e)) fail("epoll_ctl");
  }
  int warmup, measure;
  while (scanf("%d %d", &warmup, &measure) == 2) {
    run_slice(conns, count, slice_of(warmup, measure, server_cpu));
  }
}

static void hold(int count) {
  conn_t *conns = open_all(count);
  for (int i = 0; i < count && size > 0; i++) echo_once(conns[i].fd, size);
  printf("ready\n");
  fflush(stdout);
  while (read(0, answer, 1) > 0) continue;
}

// Makes the message a frame that a client sends (RFC 6455 section 5.2), and the answer one of a server.
static void frame_message(void) {
  size_t length = size;
  size_t head = length < 126 ? 2 : length < 65536 ? 4 : 10;
  unsigned char mask[4] = {0x37, 0xfa, 0x21, 0x3d};
  char *payload = malloc(length);
  for (size_t i = 0; i < length; i++) payload[i] = (char)(length <= SMALL ? 'a' + i % 26 : i * 31);
  back = head + length;
  size = back + 4;
  message = malloc(size);
  expected = malloc(back);
  answer = malloc(LAZY * back);
  memset(expected, 0, head);
  expected[0] = (char)(length <= SMALL ? 0x81 : 0x82);
  if (head == 2) expected[1] = (char)length;
  else expected[1] = head == 4 ? 126 : 127;
  for (size_t i = head - 1, rest = length; head > 2 && i > 1; i--, rest >>= 8) {
    expected[i] = (char)(rest & 0xff);
  }
  memcpy(message, expected, head);
  message[1] = (char)(message[1] | 0x80);
  memcpy(message + head, mask, 4);
  for (size_t i = 0; i < length; i++) message[head + 4 + i] = (char)(payload[i] ^ mask[i % 4]);
  memcpy(expected + head, payload, length);
  free(payload);
}

int main(int argc, char **argv) {
  int running = argc >= 6 && !strcmp(argv[1], "run"), framed = 0, at = 6;
  if (!running) at = 5;
  if (running && at < argc && !strcmp(argv[at], "u32")) framed = 1, at++;
  if (at < argc && !strcmp(argv[at], "ws")) websocket = 1, at++;
  if (running && websocket && at < argc && !strcmp(argv[at], "cast")) casting = 1, at++;
  if (running && at < argc && !strcmp(argv[at], "spin")) spinning = 1, at++;
  if (at != argc || (!running && (argc < 5 || strcmp(argv[1], "idle")))) {
    fprintf(stderr, "usage: load run PORT CONNECTIONS SIZE PID [u32 | ws [cast]] [spin]\n"
                    "       load idle PORT CONNECTIONS SIZE [ws]\n");
    return 2;
  }
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  prepare(atoi(argv[2]), (size_t)atol(argv[4]));
  if (framed) {
    uint32_t length = htonl((uint32_t)(size - 4));
    memcpy(message, &length, 4);
    least = size;
  }
  if (websocket && size > 0) frame_message();
  if (running) run(atoi(argv[3]), atoi(argv[5]));
  else hold(atoi(argv[3]));
  return 0;
}
