// Values that were never set, or are no more, in C++. The argument names the case.
#include <cstdlib>
#include <cstring>
#include <new>
#include <sanitizer/msan_interface.h>

static volatile int sink;

static void __attribute__((noinline)) branch(const volatile int *value) {
    if (*value > 3) // decides on bytes that nobody set
        sink = 1;
}

static void __attribute__((noinline)) test(const volatile char *byte) {
    if (*byte) // the same, elsewhere
        sink = 2;
}

static void goes_on() {
    int local;
    char *block = static_cast<char *>(malloc(4));
    branch(&local);
    test(block);
    sink = static_cast<int>(strlen(block));
    free(block);
}

struct Holder {
    int value = 5;
    ~Holder() { sink = 0; }
};
static void after_destructor() {
    alignas(Holder) char bytes[sizeof(Holder)];
    Holder *holder = new (bytes) Holder;
    holder->~Holder();
    branch(&holder->value); // its members are gone
}

static void poisoned() {
    int value = 1;
    __msan_poison(&value, sizeof value);
    branch(&value);
}

static void too_large() { sink = malloc(static_cast<size_t>(-1) - 4096) != nullptr; }

static void null_read() {
    int *volatile none = nullptr;
    sink = *none;
}

int main(int argc, char **argv) {
    struct {
        const char *name;
        void (*run)();
    } cases[] = {
        {"goes-on", goes_on}, {"after-destructor", after_destructor}, {"poisoned", poisoned},
        {"too-large", too_large}, {"segv", null_read},
    };
    for (auto &entry : cases)
        if (argc > 1 && std::strcmp(argv[1], entry.name) == 0)
            entry.run();
    return 0;
}
