// A library of our own, so that stacks pass through an object that is not the program.
#pragma once
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

void *pool_take(size_t size);
void *pool_wrapped(size_t size);
void *pool_deep(int depth, size_t size);
void *pool_call(void *(*maker)(size_t), size_t size);
void pool_touch(volatile char *block);

#ifdef __cplusplus
}
#endif
