// What HWAddressSanitizer finds beside wrong uses of a heap block. The argument names the case.
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static volatile int sink;
static char table[16];

static void *opaque(void *pointer) {
    __asm__ volatile("" : "+r"(pointer));
    return pointer;
}

static void write_behind(void) {
    char *block = malloc(32);
    *(volatile char *)opaque(block + 33) = 1; // behind the block
    free(block);
}

static void __attribute__((no_sanitize("hwaddress"))) over_the_tail(char *block) {
    for (int i = 0; i < 4; i++)
        ((volatile char *)block)[20 + i] = 'A'; // nobody watches this
}

static void tail(void) {
    char *block = malloc(20);
    over_the_tail(opaque(block));
    free(block); // here it is noticed
}

static void *read_freed(void *block) {
    sink = *(volatile char *)block;
    return NULL;
}

static void in_thread(void) {
    char *block = malloc(10);
    pthread_t id;
    free(block);
    pthread_create(&id, NULL, read_freed, block);
    pthread_join(id, NULL);
}

static void too_large(void) {
    sink = malloc((size_t)-1 - 4096) != NULL;
}

static void wild_free(void) {
    free(opaque(table)); // no block of the heap
}

static void null_read(void) {
    sink = *(volatile int *)opaque(NULL);
}

static void leak(void) {
    char *volatile block = malloc(77); // nobody frees it
    block = NULL;
}

static void several(void) {
    char *block = malloc(10);
    free(block);
    read_freed(block);
    sink = ((volatile char *)opaque(block))[5];
}

int main(int argc, char **argv) {
    struct { const char *name; void (*run)(void); } cases[] = {
        {"write-behind", write_behind}, {"tail", tail}, {"in-thread", in_thread}, {"too-large", too_large},
        {"wild-free", wild_free}, {"segv", null_read}, {"leak", leak}, {"several", several},
    };
    for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof *cases; i++)
        if (strcmp(argv[1], cases[i].name) == 0)
            cases[i].run();
    return 0;
}
