// What valgrind's core says of file descriptors.
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define APART __attribute__((noinline))

static int APART open_null(void) { return open("/dev/null", O_WRONLY); }
static void APART left_open(void) { open_null(); }
static void APART left_socket(void) { socket(AF_UNIX, SOCK_STREAM, 0); }
static void APART left_pair(void) {
    int ends[2];
    if (pipe(ends) == 0)
        close(ends[0]);
}
static void APART left_copy(void) { dup(1); }

static void APART close_twice(void) {
    const int descriptor = open_null();
    close(descriptor);
    close(descriptor);
}
static void APART write_closed(void) {
    const int descriptor = open_null();
    close(descriptor);
    write(descriptor, "x", 1);
}
static void APART write_never(void) { write(77, "x", 1); }
static void APART close_never(void) { close(78); }

int main(void) {
    close_twice();
    write_closed();
    write_never();
    close_never();
    left_open();
    left_socket();
    left_pair();
    left_copy();
    return 0;
}
