// What LeakSanitizer finds, alone or inside another sanitizer. The argument names the case.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct node {
    struct node *next;
    char text[24];
};

static void *volatile hidden;
static void *kept;

static void __attribute__((noinline)) scrub(void) {
    volatile char stack[8192];
    for (size_t i = 0; i < sizeof stack; i++)
        stack[i] = 0;
}

static void __attribute__((noinline)) direct(void) {
    hidden = malloc(1337);
    hidden = NULL;
}

static void __attribute__((noinline)) indirect(void) {
    struct node *list = NULL;
    for (int i = 0; i < 3; i++) {
        struct node *node = calloc(1, sizeof *node);
        node->next = list;
        list = node;
    }
    hidden = list; // the head is lost, and the rest through it
    hidden = NULL;
}

static void __attribute__((noinline)) cycle(void) {
    struct node *one = malloc(sizeof *one), *two = malloc(sizeof *two);
    one->next = two;
    two->next = one; // only indirect leaks
    hidden = one;
    hidden = NULL;
}

static void __attribute__((noinline)) copied(void) {
    hidden = strdup("a copy that is lost");
    hidden = realloc(hidden, 64);
    hidden = NULL;
}

static void __attribute__((noinline)) known_leak(void) {
    hidden = malloc(500); // the suppression file knows this one
    hidden = NULL;
}

static void many_places(void) {
    direct();
    direct();
    indirect();
    copied();
    known_leak();
}

static void *work(void *argument) {
    hidden = malloc(48);
    hidden = NULL;
    return argument;
}

static void thread(void) {
    pthread_t id;
    pthread_create(&id, NULL, work, NULL);
    pthread_join(id, NULL);
}

static void reachable(void) {
    kept = malloc(2500); // no leak for LeakSanitizer
}

static void forked(void) {
    direct();
    if (fork() == 0) {
        known_leak();
        exit(0); // the child searches too
    }
    wait(NULL);
}

static void exits_with_nine(void) {
    direct();
    scrub();
    exit(9);
}

static void output_after(void) {
    direct();
    puts("all 12 tests passed");
}

static void clean(void) {
    free(malloc(10));
}

int main(int argc, char **argv) {
    struct { const char *name; void (*run)(void); } cases[] = {
        {"direct", direct}, {"indirect", indirect}, {"cycle", cycle}, {"copied", copied},
        {"many-places", many_places}, {"thread", thread}, {"reachable", reachable}, {"fork", forked},
        {"own-exit-status", exits_with_nine}, {"known", known_leak}, {"output-around", output_after},
        {"clean", clean},
    };
    for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof *cases; i++)
        if (strcmp(argv[1], cases[i].name) == 0)
            cases[i].run();
    scrub();
    return 0;
}
