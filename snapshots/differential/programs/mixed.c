// Many records in one process, each with a size or a function of its own.
// `leaks` leaves out the errors, for checkers that stop at the first one.
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pool.h"

#ifdef WITH_REQUESTS
#include <valgrind/memcheck.h>
#endif

#define APART __attribute__((noinline))

struct node {
    struct node *next;
    char text[32];
};

static void *kept;
static char *interior;
static volatile long sink;
static int nowhere; // a descriptor of /dev/null

// Removes what earlier calls left on the stack, so that no stale pointer keeps a block.
static void APART scrub(void) {
    volatile char stack[8192];
    for (size_t i = 0; i < sizeof stack; i++)
        stack[i] = 0;
}

// ---- leaks

static void APART work(void) { sink = (long)malloc(11); }
static void APART work_more(void) { sink = (long)calloc(1, 12); }
static void APART rework(void) { sink = (long)realloc(NULL, 13); }
static void APART copy_text(void) { sink = (long)strdup("seven.."); }
static void APART take(void) { sink = (long)pool_take(14); }
static void APART take_wrapped(void) { sink = (long)pool_wrapped(15); }
static void APART take_deep(void) { sink = (long)pool_deep(3, 16); }
static void APART take_deepest(void) { sink = (long)pool_deep(20, 17); }

static void *APART made_here(size_t size) { return malloc(size); }
static void APART take_back(void) { sink = (long)pool_call(made_here, 18); }

static void *APART down(int depth) {
    if (depth == 0)
        return malloc(19);
    return down(depth - 1);
}
static void APART recursion(void) { sink = (long)down(4); }

static void *APART pong(int depth);
static void *APART ping(int depth) { return depth ? pong(depth - 1) : malloc(21); }
static void *APART pong(int depth) { return depth ? ping(depth - 1) : malloc(22); }
static void APART rally(void) { sink = (long)ping(4); }

// The first is lost, the second through it, the third through the second.
static struct node *APART new_first(void) { return calloc(1, sizeof(struct node)); }
static struct node *APART new_second(void) { return calloc(1, 24); }
static struct node *APART new_third(void) { return calloc(1, 25); }
static void APART list(void) {
    struct node *first = new_first();
    first->next = new_second();
    first->next->next = new_third();
    sink = (long)first;
}

static void APART inside(void) { interior = (char *)malloc(64) + 16; }
static void APART reachable(void) { kept = malloc(50); }

static void APART aligned(void) {
    void *block = NULL;
    if (posix_memalign(&block, 64, 65) == 0)
        sink = (long)block;
}

static int compare(const void *key, const void *element) {
    sink = (long)malloc(26); // called from within libc
    return *(const int *)key - *(const int *)element;
}
static void APART search(void) {
    const int table[1] = {7};
    const int key = 7;
    sink = bsearch(&key, table, 1, sizeof *table, compare) != NULL;
}

static void *in_thread(void *argument) {
    sink = (long)malloc(27);
    sink = 0;
    return argument;
}
static void APART thread(void) {
    pthread_t id;
    pthread_create(&id, NULL, in_thread, NULL);
    pthread_join(id, NULL);
}

static void at_the_end(void) {
    sink = (long)malloc(28);
    sink = 0;
}
static void __attribute__((constructor)) before_main(void) {
    sink = (long)malloc(29);
    sink = 0;
}

static void APART leaks(void) {
    void (*all[])(void) = {work,      work_more, rework, copy_text, take,   take_wrapped, take_deep, take_deepest, take_back,
                           recursion, rally,     list,   inside,    search, aligned,      thread,    reachable};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        all[i]();
        scrub();
    }
    sink = 0;
}

// ---- errors

static volatile char *APART freed(size_t size) {
    char *block = malloc(size);
    free(block);
    return block;
}

static void APART read_1(void) { sink = *freed(31); }
static void APART read_2(void) { sink = *(volatile short *)freed(32); }
static void APART read_4(void) { sink = *(volatile int *)freed(33); }
static void APART read_8(void) { sink = *(volatile long *)freed(34); }
static void APART read_16(void) {
    volatile char *block = freed(64);
    __asm__ volatile("movups (%0), %%xmm0" ::"r"(block) : "xmm0");
}
static void APART write_1(void) { *freed(36) = 1; }
static void APART write_2(void) { *(volatile short *)freed(37) = 1; }
static void APART write_4(void) { *(volatile int *)freed(38) = 1; }
static void APART write_8(void) { *(volatile long *)freed(39) = 1; }
static void APART write_in_pool(void) { pool_touch(freed(41)); }

static void APART cond(void) {
    int *block = malloc(42);
    if (block[1] == 3)
        sink = 1;
    free(block);
}
static void APART value(void) {
    static int table[256];
    unsigned char *block = malloc(43);
    sink = table[block[2]];
    free(block);
}
static void APART param_buffer(void) {
    char *block = malloc(44);
    sink = write(nowhere, block, 4);
    free(block);
}
static void APART param_count(void) {
    size_t *block = malloc(45);
    sink = write(nowhere, block + 1, *block & 1);
    free(block);
}
static void APART free_again(void) {
    char *block = malloc(46);
    free(block);
    free(block);
}
static void APART free_inside(void) {
    char *block = malloc(47);
    free(block + 8);
    free(block);
}
static void APART overlap(void) {
    char *block = calloc(1, 48);
    volatile size_t length = 16;
    memcpy(block + 2, block, length);
    free(block);
}
static void APART fishy(void) {
    free(malloc((size_t)-3 + sink * 0));
    free(calloc((size_t)-5 + sink * 0, 1));
}

static sigjmp_buf back;
static void leave(int number) {
    siglongjmp(back, number);
}
static void APART jump(void) {
    void (*volatile target)(void) = NULL;
    if (sigsetjmp(back, 1) == 0)
        target();
}

#ifdef WITH_REQUESTS
static void APART request(void) {
    char *block = malloc(49);
    sink = VALGRIND_CHECK_MEM_IS_DEFINED(block, 1);
    free(block);
}
#endif

static void APART errors(void) {
    signal(SIGSEGV, leave);
    nowhere = open("/dev/null", O_WRONLY);
    read_1();
    read_2();
    read_4();
    read_8();
    read_16();
    write_1();
    write_2();
    write_4();
    write_8();
    write_in_pool();
    cond();
    value();
    param_buffer();
    param_count();
    free_again();
    free_inside();
    overlap();
    fishy();
    jump();
#ifdef WITH_REQUESTS
    request();
#endif
}

int main(int count, char **arguments) {
    atexit(at_the_end);
    if (count < 2 || strcmp(arguments[1], "leaks") != 0)
        errors();
    leaks();
    scrub();
    return 0;
}
