// The load generator for connections per second: C, one thread and edge-triggered epoll, as that of the
// echo benchmark (bench/echo/load.c), whose command line and output it has.
//
// conns run PORT CONNECTIONS SIZE PID
//   For each line "WARMUP_MS MEASURE_MS" on its standard input it runs a closed loop: CONNECTIONS
//   conversations are under way, and each is connect, send SIZE bytes, take them back, compare, close;
//   then the next begins. Prints a line of JSON: messages (the conversations), seconds, and the CPU
//   seconds that the server (process PID) and the generator used in just those.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

// No server is expected to leave a conversation without an answer for this long.
#define PATIENCE_MS 10000

typedef struct {
  int fd;
  int sent;         // the message has left
  size_t received;  // of its echo
} conn_t;

static struct sockaddr_in server = {.sin_family = AF_INET};
static int epoll;
static size_t size;
static char *message, *answer;

static void fail(const char *what) {
  if (errno) perror(what);
  else fprintf(stderr, "%s\n", what);
  exit(1);
}

static double seconds(clockid_t clock) {
  struct timespec t;
  if (clock_gettime(clock, &t)) fail("clock_gettime");
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void begin(conn_t *c) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
  if (fd < 0) fail("socket");
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  *c = (conn_t){.fd = fd};
  if (connect(fd, (struct sockaddr *)&server, sizeof server) && errno != EINPROGRESS) fail("connect");
  struct epoll_event e = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e)) fail("epoll_ctl");
}

// True once the whole echo is there; then the connection is closed.
static int advance(conn_t *c, unsigned events) {
  if (!c->sent && events & (EPOLLOUT | EPOLLERR)) {
    ssize_t n = send(c->fd, message, size, MSG_NOSIGNAL);
    if (n != (ssize_t)size) fail("send");
    c->sent = 1;
  }
  if (!(events & (EPOLLIN | EPOLLERR | EPOLLHUP))) return 0;
  while (c->received < size) {
    ssize_t n = recv(c->fd, answer + c->received, size - c->received, 0);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n < 0) fail("recv");
    errno = 0;
    if (n == 0) fail("the server closed a connection");
    c->received += (size_t)n;
  }
  errno = 0;
  if (memcmp(answer, message, size)) fail("the echo differs from what was sent");
  close(c->fd);
  return 1;
}

static void slice(conn_t *conns, int count, double warmup, double measure, clockid_t server_cpu) {
  clockid_t own_cpu = CLOCK_PROCESS_CPUTIME_ID;
  struct epoll_event events[512];
  enum { WARMING, MEASURING, DRAINING } phase = WARMING;
  double until = seconds(CLOCK_MONOTONIC) + warmup, started = 0, server_used = 0, own_used = 0;
  long long done = 0;
  int under_way = count;
  for (int i = 0; i < count; i++) begin(&conns[i]);
  while (under_way > 0) {
    int ready = epoll_wait(epoll, events, 512, PATIENCE_MS);
    errno = 0;
    if (ready == 0) fail("the server stopped answering");
    double now = seconds(CLOCK_MONOTONIC);
    if (now >= until && phase == WARMING) {
      phase = MEASURING;
      started = now;
      until = now + measure;
      server_used = seconds(server_cpu);
      own_used = seconds(own_cpu);
    } else if (now >= until && phase == MEASURING) {
      phase = DRAINING;
      server_used = seconds(server_cpu) - server_used;
      own_used = seconds(own_cpu) - own_used;
      printf("{\"messages\":%lld,\"seconds\":%.6f,\"serverCpu\":%.6f,\"loadCpu\":%.6f}\n", done,
             now - started, server_used, own_used);
    }
    for (int i = 0; i < ready; i++) {
      conn_t *c = events[i].data.ptr;
      if (!advance(c, events[i].events)) continue;
      if (phase == MEASURING) done++;
      if (phase == DRAINING) under_way--;
      else begin(c);
    }
  }
  fflush(stdout);
}

int main(int argc, char **argv) {
  if (argc != 6 || strcmp(argv[1], "run")) {
    fprintf(stderr, "usage: conns run PORT CONNECTIONS SIZE PID\n");
    return 2;
  }
  clockid_t server_cpu;
  errno = clock_getcpuclockid(atoi(argv[5]), &server_cpu);
  if (errno) fail("PID");
  int count = atoi(argv[3]), warmup, measure;
  server.sin_port = htons((uint16_t)atoi(argv[2]));
  server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  size = (size_t)atol(argv[4]);
  message = malloc(size);
  answer = malloc(size);
  memset(message, 'x', size);
  epoll = epoll_create1(0);
  conn_t *conns = calloc((size_t)count, sizeof *conns);
  while (scanf("%d %d", &warmup, &measure) == 2) {
    slice(conns, count, warmup / 1e3, measure / 1e3, server_cpu);
  }
  return 0;
}
