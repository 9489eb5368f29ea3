// Many records of helgrind and drd in one process, each from a function of its own.
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <unistd.h>

#include "pool.h"

#define APART __attribute__((noinline))

static char byte;
static short pair;
static int word;
static long wide;
static char pooled;
static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t second = PTHREAD_MUTEX_INITIALIZER;

// The thread and its creator touch the same thing, one after the other and without a lock.
static void APART against(void *(*one)(void *), void (*other)(void)) {
    pthread_t id;
    pthread_create(&id, NULL, one, NULL);
    usleep(1000);
    other();
    pthread_join(id, NULL);
}

static void APART set_byte(void) { byte = 1; }
static void APART set_pair(void) { pair = 1; }
static void APART set_word(void) { word = 1; }
static void APART set_wide(void) { wide = 1; }
static void APART set_pooled(void) { pool_touch(&pooled); }
static void *thread_byte(void *nothing) { return set_byte(), nothing; }
static void *thread_pair(void *nothing) { return set_pair(), nothing; }
static void *thread_word(void *nothing) { return set_word(), nothing; }
static void *thread_wide(void *nothing) { return set_wide(), nothing; }
static void *thread_pooled(void *nothing) { return set_pooled(), nothing; }

static void APART take_both(pthread_mutex_t *one, pthread_mutex_t *other) {
    pthread_mutex_lock(one);
    pthread_mutex_lock(other);
    pthread_mutex_unlock(other);
    pthread_mutex_unlock(one);
}
static void APART lock_order(void) {
    take_both(&first, &second);
    take_both(&second, &first);
}

static void APART unlock_unlocked(void) {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_unlock(&mutex);
}

static void *unlock_it(void *mutex) {
    pthread_mutex_unlock(mutex);
    return NULL;
}
static void APART unlock_foreign(void) {
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_t id;
    pthread_mutex_lock(&mutex);
    pthread_create(&id, NULL, unlock_it, &mutex);
    pthread_join(id, NULL);
}

static void APART destroy_locked(void) {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&mutex);
    pthread_mutex_destroy(&mutex);
}

static void APART free_locked(void) {
    pthread_mutex_t *mutex = malloc(sizeof *mutex);
    pthread_mutex_init(mutex, NULL);
    pthread_mutex_lock(mutex);
    free(mutex);
}

static void APART wrong_join(void) {
    pthread_t id;
    pthread_create(&id, NULL, thread_byte, NULL);
    pthread_detach(id);
    usleep(1000);
    pthread_join(id, NULL);
}

static void APART wait_unlocked(void) {
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
    struct timespec past = {0, 0};
    pthread_cond_timedwait(&ready, &mutex, &past);
}

static void APART signal_unlocked(void) {
    static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;
    pthread_cond_signal(&ready);
}

static void APART bad_semaphore(void) {
    sem_t semaphore;
    sem_init(&semaphore, 0, (unsigned)-1);
}

static void APART holds_long(void) {
    pthread_mutex_lock(&first);
    usleep(60000);
    pthread_mutex_unlock(&first);
}

int main(void) {
    against(thread_byte, set_byte);
    against(thread_pair, set_pair);
    against(thread_word, set_word);
    against(thread_wide, set_wide);
    against(thread_pooled, set_pooled);
    lock_order();
    unlock_unlocked();
    unlock_foreign();
    destroy_locked();
    free_locked();
    wait_unlocked();
    signal_unlocked();
    bad_semaphore();
    holds_long();
    wrong_join();
    return 0;
}
