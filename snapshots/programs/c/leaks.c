// Leaks of every kind that memcheck tells apart. The argument names the case.
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct node {
    struct node *next;
    char text[24];
};

// What these hold is still reachable, or possibly lost, when the program ends.
static void *kept;
static char *interior;

static struct node *new_node(struct node *next) {
    struct node *node = malloc(sizeof *node);
    node->next = next;
    return node;
}

// Removes what earlier calls left on the stack, so that no stale pointer keeps a block.
static void __attribute__((noinline)) scrub(void) {
    volatile char stack[4096];
    for (size_t i = 0; i < sizeof stack; i++)
        stack[i] = 0;
}

static void __attribute__((noinline)) definite(void) {
    char *lost = malloc(100);
    strcpy(lost, "nobody frees this");
}

static void __attribute__((noinline)) indirect(void) {
    struct node *list = NULL;
    for (int i = 0; i < 4; i++)
        list = new_node(list);
    list->text[0] = 'x'; // the head is lost, the other three are lost through it
}

static void __attribute__((noinline)) possible(void) {
    interior = (char *)malloc(64) + 16; // only a pointer into the middle is left
}

static void __attribute__((noinline)) reachable(void) {
    kept = malloc(2500);
}

static void __attribute__((noinline)) cycle(void) {
    struct node *a = new_node(NULL);
    a->next = new_node(a); // two blocks that only know each other
}

static void __attribute__((noinline)) large(void) {
    void *lost = calloc(1500, 1000); // numbers with thousands separators
    memset(lost, 1, 8);
}

static void __attribute__((noinline)) grown(void) {
    char *text = malloc(10);
    text = realloc(text, 300); // what realloc returned is lost
    text[0] = 'g';
}

static void __attribute__((noinline)) aligned(void) {
    void *lost = NULL;
    if (posix_memalign(&lost, 64, 192) == 0)
        memset(lost, 0, 192);
    lost = aligned_alloc(32, 96);
    memset(lost, 0, 96);
}

static void __attribute__((noinline)) strings(void) {
    char *copy = strdup("a copy that is lost");
    copy[0] = 'A';
}

static void *work(void *argument) {
    char *lost = malloc(48);
    lost[0] = *(char *)argument;
    return NULL;
}

static void __attribute__((noinline)) thread(void) {
    pthread_t id;
    pthread_create(&id, NULL, work, "t");
    pthread_join(id, NULL);
}

static void *sleeper(void *argument) {
    pause();
    return argument;
}

static void __attribute__((noinline)) detached(void) {
    pthread_t id; // never joined: its thread-local storage is possibly lost
    pthread_create(&id, NULL, sleeper, NULL);
    usleep(50000);
}

static void __attribute__((noinline)) again(int times) {
    for (int i = 0; i < times; i++)
        definite(); // many blocks, one place
}

static void __attribute__((noinline)) deep(int levels) {
    if (levels > 0)
        deep(levels - 1);
    else
        definite();
    scrub();
}

static void __attribute__((noinline)) descriptors(void) {
    int pair[2];
    open("/dev/null", O_RDONLY);
    socket(AF_INET, SOCK_DGRAM, 0);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
    close(pair[0]);
    pipe(pair);
}

static void __attribute__((noinline)) bad_close(void) {
    int fd = open("/dev/null", O_RDONLY);
    close(fd);
    close(fd); // closed already
    char byte;
    if (read(fd, &byte, 1) < 0 && write(77, &byte, 0) < 0) // closed already; never opened
        interior = NULL;
}

static void clean(void) {
    free(malloc(10));
}

static void mixed(void) {
    definite();
    indirect();
    possible();
    reachable();
    cycle();
    large();
}

int main(int argc, char **argv) {
    const char *name = argc > 1 ? argv[1] : "mixed";
    struct { const char *name; void (*run)(void); } cases[] = {
        {"definite", definite}, {"indirect", indirect}, {"possible", possible}, {"reachable", reachable},
        {"cycle", cycle}, {"large", large}, {"grown", grown}, {"aligned", aligned}, {"strings", strings},
        {"thread", thread}, {"detached-thread", detached}, {"open-descriptors", descriptors},
        {"bad-close", bad_close}, {"clean", clean}, {"mixed", mixed},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (strcmp(name, cases[i].name) == 0)
            cases[i].run();
    if (strcmp(name, "same-place") == 0)
        again(7);
    if (strcmp(name, "recursion") == 0)
        deep(40);
    if (strcmp(name, "no-newline") == 0) {
        definite();
        fputs("working on it... ", stderr); // the checker's next line follows on this one
    }
    scrub();
    return 0;
}
