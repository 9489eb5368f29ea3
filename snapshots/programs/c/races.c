// What helgrind and drd look for. The argument names the case.
#define _GNU_SOURCE
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int counter;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ready = PTHREAD_COND_INITIALIZER;

static void *count(void *argument) {
    counter++; // nobody holds a lock
    return argument;
}

static void race(void) {
    pthread_t one, two;
    pthread_create(&one, NULL, count, NULL);
    pthread_create(&two, NULL, count, NULL);
    pthread_join(one, NULL);
    pthread_join(two, NULL);
}

static void *write_heap(void *block) {
    pthread_setname_np(pthread_self(), "writer");
    ((int *)block)[2] = 7;
    return NULL;
}

static void heap_race(void) {
    int *block = calloc(4, sizeof(int));
    pthread_t id;
    pthread_create(&id, NULL, write_heap, block);
    block[2] = 8; // at the same time as the thread
    pthread_join(id, NULL);
    free(block);
}

static void *locked_count(void *argument) {
    pthread_mutex_lock(&a);
    counter++;
    pthread_mutex_unlock(&a);
    return argument;
}

static void half_locked(void) {
    pthread_t id;
    pthread_create(&id, NULL, locked_count, NULL);
    pthread_mutex_lock(&b); // the wrong lock
    counter++;
    pthread_mutex_unlock(&b);
    pthread_join(id, NULL);
}

static void *b_then_a(void *argument) {
    pthread_mutex_lock(&b);
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    return argument;
}

static void lock_order(void) {
    pthread_t id;
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&b);
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    pthread_create(&id, NULL, b_then_a, NULL); // the other way round
    pthread_join(id, NULL);
}

static void unlock_unlocked(void) {
    pthread_mutex_unlock(&a);
}

static void *hold_a(void *argument) {
    pthread_mutex_lock(&a);
    return argument;
}

static void unlock_foreign(void) {
    pthread_t id;
    pthread_create(&id, NULL, hold_a, NULL);
    pthread_join(id, NULL);
    pthread_mutex_unlock(&a); // the thread that is gone holds it
}

static void unlock_bogus(void) {
    char bytes[sizeof(pthread_mutex_t)];
    memset(bytes, 0x55, sizeof bytes);
    pthread_mutex_unlock((pthread_mutex_t *)bytes); // no mutex at all
}

static void destroy_held(void) {
    pthread_mutex_t *mutex = malloc(sizeof *mutex);
    pthread_mutex_init(mutex, NULL);
    pthread_mutex_lock(mutex);
    pthread_mutex_destroy(mutex);
    free(mutex);
}

static void free_held(void) {
    pthread_mutex_t *mutex = malloc(sizeof *mutex);
    pthread_mutex_init(mutex, NULL);
    pthread_mutex_lock(mutex);
    free(mutex); // the memory of a lock that is held
}

static void exit_holding(void) {
    pthread_t id;
    pthread_create(&id, NULL, hold_a, NULL);
    pthread_join(id, NULL);
}

static void api_error(void) {
    pthread_mutex_t checked;
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&checked, &kind);
    pthread_mutex_lock(&checked);
    pthread_mutex_lock(&checked); // EDEADLK
    pthread_mutex_unlock(&checked);
    pthread_mutex_destroy(&checked);
}

static void *wait_ready(void *argument) {
    pthread_mutex_lock(&a);
    pthread_cond_wait(&ready, &a);
    pthread_mutex_unlock(&a);
    return argument;
}

static void signal_unlocked(void) {
    pthread_t id;
    pthread_create(&id, NULL, wait_ready, NULL);
    sleep(1);
    pthread_cond_signal(&ready); // without the mutex that the other thread waits with
    pthread_join(id, NULL);
}

static void bad_semaphore(void) {
    static sem_t semaphore;
    sem_init(&semaphore, 0, 1);
    sem_init(&semaphore, 0, 1); // it is one already
}

static void bad_rwlock(void) {
    pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
    pthread_rwlock_rdlock(&lock);
    pthread_rwlock_unlock(&lock);
    pthread_rwlock_unlock(&lock); // once too often
}

static void clean(void) {
    pthread_t id;
    pthread_create(&id, NULL, locked_count, NULL);
    pthread_join(id, NULL);
}

int main(int argc, char **argv) {
    struct { const char *name; void (*run)(void); } cases[] = {
        {"data-race", race}, {"heap-race", heap_race}, {"half-locked", half_locked},
        {"lock-order", lock_order}, {"unlock-unlocked", unlock_unlocked},
        {"unlock-foreign", unlock_foreign}, {"unlock-bogus", unlock_bogus},
        {"destroy-held", destroy_held}, {"free-held", free_held}, {"exit-holding", exit_holding},
        {"api-error", api_error}, {"signal-unlocked", signal_unlocked},
        {"bad-semaphore", bad_semaphore}, {"bad-rwlock", bad_rwlock}, {"clean", clean},
    };
    for (size_t i = 0; argc > 1 && i < sizeof cases / sizeof *cases; i++)
        if (strcmp(argv[1], cases[i].name) == 0)
            cases[i].run();
    return 0;
}
