// The load generator for connections per second: C, one thread and edge-triggered epoll, as that of the
// echo benchmark (bench/echo/load.c), whose command line and output it has.
//
// conns run PORT CONNECTIONS SIZE PID
//   For each line "WARMUP_MS MEASURE_MS" on its standard input it runs a closed loop: CONNECTIONS
//   conversations are under way, and each is connect, send SIZE bytes, take them back, compare, close;
//   then the next begins. Prints a line of JSON: messages (the conversations), seconds, and the CPU
//   seconds that the server (process PID) and the generator used in just those.
#define _GNU_SOURCE
#include "../common/slices.h"
#include <netinet/tcp.h>
#include <sys/epoll.h>

typedef struct {
  int fd;
  int sent;         // the message has left
  size_t received;  // of its echo
} conn_t;

static int epoll;

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
    ssize_t n = recv(c->fd, answer, size - c->received, 0);
    if (n < 0 && errno == EAGAIN) return 0;
    if (n <= 0) fail_recv(n);
    compare(answer, c->received, (size_t)n);
    c->received += (size_t)n;
  }
  close(c->fd);
  return 1;
}

static void run_slice(conn_t *conns, int count, slice_t s) {
  struct epoll_event events[EVENTS];
  int under_way = count;
  for (int i = 0; i < count; i++) begin(&conns[i]);
  while (under_way > 0) {
    int ready = epoll_wait(epoll, events, EVENTS, PATIENCE_MS);
    errno = 0;
    if (ready == 0) fail("the server stopped answering");
    turn(&s);
    for (int i = 0; i < ready; i++) {
      conn_t *c = events[i].data.ptr;
      if (!advance(c, events[i].events)) continue;
      if (s.phase == MEASURING) s.messages++;
      if (s.phase == DRAINING) under_way--;
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
  clockid_t server_cpu = cpu_of(atoi(argv[5]));
  int count = atoi(argv[3]), warmup, measure;
  prepare(atoi(argv[2]), (size_t)atol(argv[4]));
  epoll = epoll_create1(0);
  conn_t *conns = calloc((size_t)count, sizeof *conns);
  while (scanf("%d %d", &warmup, &measure) == 2) {
    run_slice(conns, count, slice_of(warmup, measure, server_cpu));
  }
  return 0;
}
