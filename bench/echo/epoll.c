// One thread, one epoll loop, one 64 KiB buffer: the yardstick for the echo servers.
// Listens at a port of 127.0.0.1 that the kernel chooses, and prints it.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static char buffer[64 * 1024];

// Waits for the peer when its window is full: a closed-loop client reads all that it is sent, so
// the others do not wait long, and a queue for each connection would not make it faster.
static int write_all(int fd, size_t length) {
  size_t sent = 0;
  while (sent < length) {
    ssize_t n = send(fd, buffer + sent, length - sent, MSG_NOSIGNAL);
    if (n > 0) {
      sent += (size_t)n;
    } else if (errno == EAGAIN) {
      struct pollfd room = {.fd = fd, .events = POLLOUT};
      poll(&room, 1, -1);
    } else if (errno != EINTR) {
      return -1;
    }
  }
  return 0;
}

int main(void) {
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;  // as Deno and Node do
  setrlimit(RLIMIT_NOFILE, &files);

  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof addr;
  if (bind(listener, (struct sockaddr *)&addr, size) || listen(listener, 511) ||
      getsockname(listener, (struct sockaddr *)&addr, &size)) {
    perror("listen");
    return 1;
  }
  printf("%d\n", ntohs(addr.sin_port));
  fflush(stdout);

  int epoll = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, events[512];
  epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int ready = epoll_wait(epoll, events, 512, -1);
    for (int i = 0; i < ready; i++) {
      int fd = events[i].data.fd;
      if (fd == listener) {
        int conn = accept4(listener, 0, 0, SOCK_NONBLOCK), one = 1;
        if (conn < 0) continue;
        setsockopt(conn, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        event.data.fd = conn;
        epoll_ctl(epoll, EPOLL_CTL_ADD, conn, &event);
        continue;
      }
      ssize_t n = recv(fd, buffer, sizeof buffer, 0);
      if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
      if (n <= 0 || write_all(fd, (size_t)n)) close(fd);
    }
  }
}
