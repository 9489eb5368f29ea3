#include "pool.h"

#include <stdlib.h>

void *pool_take(size_t size) {
    return malloc(size);
}

static void *raw(size_t size) {
    return malloc(size);
}

void *pool_wrapped(size_t size) {
    return raw(size);
}

void *pool_deep(int depth, size_t size) {
    return depth ? pool_deep(depth - 1, size) : malloc(size);
}

void *pool_call(void *(*maker)(size_t), size_t size) {
    return maker(size);
}

void pool_touch(volatile char *block) {
    *block = 1;
}
