// Each error that memcheck knows, one per case. The argument names the case.
#define _GNU_SOURCE
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <valgrind/memcheck.h>

static volatile int sink;
static char global[16];

static void invalid_read(void) {
    int *array = malloc(10 * sizeof(int));
    sink = array[10]; // one past the end
    free(array);
}

static void invalid_write(void) {
    char *block = malloc(4096);
    ((volatile char *)block)[-1] = 1; // one before the start
    free(block);
}

static void use_after_free(void) {
    int *block = malloc(sizeof(int));
    free(block);
    sink = *(volatile int *)block;
}

static void after_realloc(void) {
    char *old = malloc(20);
    char *new = realloc(old, 5000);
    sink = ((volatile char *)old)[3]; // the block has moved
    free(new);
}

static void uninit_condition(void) {
    int *value = malloc(sizeof(int));
    if (*value > 3)
        sink = 1;
    free(value);
}

static void uninit_value(void) {
    int index[1];
    volatile int *unset = index;
    sink = global[*unset & 7]; // an unset value used as an address
}

static void syscall_uninit(void) {
    char *buffer = malloc(8);
    int fd = open("/dev/null", O_WRONLY);
    if (write(fd, buffer, 8) < 0) // the bytes were never set
        sink = 1;
    close(fd);
    free(buffer);
}

static void syscall_unaddressable(void) {
    char *buffer = malloc(4);
    int fd = open("/dev/zero", O_RDONLY);
    if (read(fd, buffer, 9) < 0) // five bytes too many
        sink = 1;
    close(fd);
    free(buffer);
}

static void exit_uninit(void) {
    int *status = malloc(sizeof(int));
    _exit(*status); // Syscall param exit_group(status)
}

static void double_free(void) {
    char *block = malloc(32);
    free(block);
    free(block);
}

static void invalid_free(void) {
    free(global + 4); // never came from malloc
}

static void inner_free(void) {
    char *block = malloc(32);
    free(block + 8); // not where the block starts
}

static void overlap(void) {
    char text[32] = "0123456789abcdef";
    volatile size_t length = 10;
    memcpy(text + 4, text, length);
    strcpy(text, text + 1);
}

static void bad_jump(void) {
    void (*nowhere)(void) = (void (*)(void))(uintptr_t)0x1234;
    nowhere();
}

static void null_read(void) {
    int *nothing = NULL;
    sink = *(volatile int *)nothing;
}

static void divide(void) {
    volatile int zero = 0;
    sink = 10 / zero;
}

static void illegal(void) {
    __asm__ volatile("ud2");
}

static void aborts(void) {
    char *lost = malloc(77);
    lost[0] = 1;
    abort();
}

static void read_only(void) {
    char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ((volatile char *)page)[0] = 1;
}

static int __attribute__((noinline)) down(volatile int depth) {
    volatile char frame[65536];
    frame[depth % 100] = 1;
    return depth > 100000 ? frame[0] : down(depth + 1) + frame[depth % 100];
}

static void endless_recursion(void) {
    sink = down(0); // until the stack is full
}

static void fishy_size(void) {
    volatile long size = -3;
    sink = malloc(size) != NULL;
    sink = calloc(size, 1) != NULL;
}

static void client_check(void) {
    char *block = malloc(8);
    sink = VALGRIND_CHECK_MEM_IS_DEFINED(block, 8) != 0;
    sink = VALGRIND_CHECK_MEM_IS_ADDRESSABLE(block, 12) != 0;
    free(block);
}

static void below_stack(void) {
    volatile char here;
    volatile char *under = &here - 100000; // nobody's part of the stack
    sink = *under;
}

static void other_stack(void) {
    char local[16];
    VALGRIND_MAKE_MEM_NOACCESS(local, 16);
    sink = ((volatile char *)local)[2];
    VALGRIND_MAKE_MEM_DEFINED(local, 16);
}

static void global_noaccess(void) {
    VALGRIND_MAKE_MEM_NOACCESS(global, 16);
    sink = ((volatile char *)global)[5];
    VALGRIND_MAKE_MEM_DEFINED(global, 16);
}

static void realloc_zero(void) {
    char *block = malloc(8);
    block = realloc(block, 0);
    sink = block != NULL;
}

static void bad_alignment(void) {
    void *block = NULL;
    volatile size_t three = 3;
    sink = posix_memalign(&block, three, 8);
    sink = memalign(three, 0) != NULL;
}

static void *worker(void *block) {
    pthread_setname_np(pthread_self(), "worker (1)");
    sink = ((volatile int *)block)[4]; // past the end, in a thread with a name
    return NULL;
}

static void in_thread(void) {
    int *block = malloc(4 * sizeof(int));
    pthread_t id;
    pthread_create(&id, NULL, worker, block);
    pthread_join(id, NULL);
    free(block);
}

static void handler(int number) {
    char *block = malloc(6);
    sink = ((volatile char *)block)[6] + number; // past the end, in a signal handler
    free(block);
}

static void in_handler(void) {
    signal(SIGUSR1, handler);
    raise(SIGUSR1);
}

static void many(void) {
    char *block = malloc(1);
    for (volatile int i = 0; i < 5; i++)
        sink = ((volatile char *)block)[1]; // one place, five times
    free(block);
    use_after_free();
    uninit_condition();
}

int main(int argc, char **argv) {
    struct { const char *name; void (*run)(void); } cases[] = {
        {"invalid-read", invalid_read}, {"invalid-write", invalid_write}, {"use-after-free", use_after_free},
        {"after-realloc", after_realloc}, {"uninit-condition", uninit_condition},
        {"uninit-value", uninit_value}, {"syscall-uninit", syscall_uninit},
        {"syscall-unaddressable", syscall_unaddressable}, {"exit-uninit", exit_uninit},
        {"double-free", double_free}, {"invalid-free", invalid_free}, {"inner-free", inner_free},
        {"overlap", overlap}, {"bad-jump", bad_jump}, {"null-read", null_read}, {"divide-by-zero", divide},
        {"illegal-instruction", illegal}, {"abort", aborts}, {"read-only-page", read_only},
        {"endless-recursion", endless_recursion}, {"fishy-size", fishy_size}, {"client-check", client_check},
        {"below-stack", below_stack}, {"on-stack", other_stack}, {"data-symbol", global_noaccess},
        {"realloc-zero", realloc_zero}, {"bad-alignment", bad_alignment}, {"in-thread", in_thread},
        {"in-signal-handler", in_handler}, {"several", many},
    };
    for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof *cases; i++)
        if (strcmp(argv[1], cases[i].name) == 0)
            cases[i].run();
    return 0;
}
