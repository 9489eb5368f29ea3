// What ThreadSanitizer finds beside plain races and wrong orders of locks. The argument names the case.
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <pthread.h>
#include <sanitizer/tsan_interface.h>
#include <sys/wait.h>
#include <unistd.h>

static int counter, other;
static bool flag;
static pthread_mutex_t a = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t b = PTHREAD_MUTEX_INITIALIZER;
static volatile long lock_word;

static pthread_t start(void *(*run)(void *), void *argument = nullptr) {
    pthread_t id;
    pthread_create(&id, nullptr, run, argument);
    return id;
}

static void *under_a(void *) {
    pthread_setname_np(pthread_self(), "keeper of a");
    pthread_mutex_lock(&a);
    counter++;
    pthread_mutex_unlock(&a);
    return nullptr;
}

static void wrong_lock() {
    pthread_t id = start(under_a);
    pthread_mutex_lock(&b); // not the lock that the thread holds
    counter++;
    pthread_mutex_unlock(&b);
    pthread_join(id, nullptr);
}

static void *set_flag(void *) {
    __atomic_store_n(&flag, true, __ATOMIC_RELAXED);
    return nullptr;
}

static void half_atomic() {
    pthread_t id = start(set_flag);
    flag = false; // one side is atomic, the other is not
    pthread_join(id, nullptr);
}

struct Base {
    virtual void work() {}
    virtual ~Base() { usleep(100000); }
};
struct Derived : Base {
    void work() override { other++; }
};

static void *call_virtual(void *object) {
    static_cast<Base *>(object)->work();
    return nullptr;
}

static void vptr() {
    Base *object = new Derived;
    pthread_t id = start(call_virtual, object);
    delete object; // while the thread calls it
    pthread_join(id, nullptr);
}

static void *read_block(void *block) {
    usleep(100000);
    counter = *static_cast<int *>(block);
    return nullptr;
}

static void use_after_free() {
    int *block = static_cast<int *>(malloc(16));
    *block = 1;
    pthread_t id = start(read_block, block);
    free(block); // the thread still reads it
    pthread_join(id, nullptr);
}

static void *nothing(void *) { return nullptr; }

static void thread_leak() {
    for (int i = 0; i < 3; i++)
        start(nothing); // nobody joins them
    sleep(1);
}

static void *take(void *lock) {
    __tsan_mutex_pre_lock(lock, 0);
    __tsan_mutex_post_lock(lock, 0, 0);
    return nullptr;
}

static void double_lock() {
    void *lock = const_cast<long *>(&lock_word);
    __tsan_mutex_create(lock, 0);
    take(lock);
    pthread_join(start(take, lock), nullptr); // it is held already
}

static void read_lock() {
    void *lock = const_cast<long *>(&lock_word);
    __tsan_mutex_create(lock, 0);
    __tsan_mutex_pre_lock(lock, 0);
    __tsan_mutex_post_lock(lock, 0, 0);
    __tsan_mutex_pre_lock(lock, __tsan_mutex_read_lock);
    __tsan_mutex_post_lock(lock, __tsan_mutex_read_lock, 0); // it is held for writing
}

static void read_unlock() {
    void *lock = const_cast<long *>(&lock_word);
    __tsan_mutex_create(lock, 0);
    __tsan_mutex_pre_lock(lock, 0);
    __tsan_mutex_post_lock(lock, 0, 0);
    __tsan_mutex_pre_unlock(lock, __tsan_mutex_read_lock); // it is held for writing
    __tsan_mutex_post_unlock(lock, __tsan_mutex_read_lock);
}

static void invalid_mutex() {
    pthread_mutex_t mutex;
    pthread_mutex_init(&mutex, nullptr);
    pthread_mutex_destroy(&mutex);
    pthread_mutex_lock(&mutex); // gone
}

static void allocate(int) { free(malloc(100)); }

static void spoil(int) { errno = EDOM; }

static void by_signal(void (*handler)(int)) {
    struct sigaction action = {};
    action.sa_handler = handler;
    sigaction(SIGUSR1, &action, nullptr);
    kill(getpid(), SIGUSR1);
    usleep(100000);
}

static void unsafe_call() { by_signal(allocate); }

static void spoilt_errno() {
    signal(SIGALRM, spoil);
    ualarm(10000, 0);
    for (int i = 0; i < 10; i++)
        usleep(20000); // the signal comes here
}

static void *write_file(void *file) {
    write(*static_cast<int *>(file), "x", 1);
    return nullptr;
}

static void closed_file() {
    int file = open("/dev/null", O_WRONLY);
    pthread_t id = start(write_file, &file);
    usleep(50000);
    close(file); // nothing says that the thread has written
    pthread_join(id, nullptr);
}

static void *b_then_a(void *) {
    pthread_mutex_lock(&b);
    pthread_mutex_lock(&a);
    pthread_mutex_unlock(&a);
    pthread_mutex_unlock(&b);
    return nullptr;
}

static void lock_order() {
    pthread_mutex_lock(&a);
    pthread_mutex_lock(&b);
    pthread_mutex_unlock(&b);
    pthread_mutex_unlock(&a);
    pthread_join(start(b_then_a), nullptr); // the other way round
}

static void *count(void *) {
    counter++;
    return nullptr;
}

static void race() {
    pthread_t one = start(count), two = start(count);
    pthread_join(one, nullptr);
    pthread_join(two, nullptr);
}

static void several() {
    race();
    lock_order();
    half_atomic();
}

static void in_child() {
    pid_t child = fork();
    race();
    if (child > 0)
        waitpid(child, nullptr, 0);
}

static void null_read() {
    int *volatile none = nullptr;
    counter = *none;
}

static void too_large() { counter = malloc(static_cast<size_t>(-1) - 4096) != nullptr; }

int main(int argc, char **argv) {
    struct {
        const char *name;
        void (*run)();
    } cases[] = {
        {"wrong-lock", wrong_lock}, {"half-atomic", half_atomic}, {"vptr", vptr}, {"use-after-free", use_after_free},
        {"thread-leak", thread_leak}, {"double-lock", double_lock}, {"read-lock", read_lock},
        {"read-unlock", read_unlock}, {"invalid-mutex", invalid_mutex}, {"unsafe-call", unsafe_call},
        {"spoilt-errno", spoilt_errno}, {"closed-file", closed_file}, {"lock-order", lock_order},
        {"several", several}, {"in-child", in_child}, {"segv", null_read}, {"too-large", too_large},
    };
    for (auto &entry : cases)
        if (argc > 1 && std::strcmp(argv[1], entry.name) == 0)
            entry.run();
    return 0;
}
