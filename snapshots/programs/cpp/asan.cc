// Each error that AddressSanitizer tells apart. The argument names the case.
#include <sanitizer/asan_interface.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <chrono>
#include <malloc.h>
#include <new>
#include <pthread.h>
#include <string>
#include <sys/resource.h>
#include <thread>
#include <vector>

// gcc 12 comes without the header that declares it.
extern "C" std::size_t __sanitizer_get_allocated_size(const volatile void *block);

static volatile int sink;
static int table[10];
static char label[12] = "a label";

// The compiler must not see through these.
static volatile int ten = 10;
static volatile int minus_one = -1;
template <typename Pointer> static Pointer opaque(Pointer pointer) {
    asm volatile("" : "+r"(pointer));
    return pointer;
}

static void heap_overflow() {
    int *array = new int[10];
    sink = opaque(array)[ten]; // one past the end
    delete[] array;
}

static void heap_underflow() {
    char *block = static_cast<char *>(std::malloc(16));
    opaque(block)[minus_one] = 'x'; // one before the start
    std::free(block);
}

static void after_free() {
    auto *numbers = new std::vector<int>(3);
    delete numbers;
    sink = static_cast<int>(opaque(numbers)->size());
}

static void after_free_in_thread() {
    int *block = new int(4);
    std::thread worker([block] { delete block; });
    worker.join();
    sink = *opaque(block); // freed by the other thread
}

static void stack_overflow_read() {
    int before[4] = {1}, array[10] = {0};
    sink = opaque(array)[ten] + before[0];
}

static void stack_underflow() {
    int array[10] = {0};
    opaque(array)[minus_one] = 1;
    sink = array[0];
}

static void dynamic_stack() {
    int length = ten;
    char *array = static_cast<char *>(__builtin_alloca(length));
    array[length] = 'x'; // one past what was asked for
    sink = array[0];
}

static int *escaped;
static void __attribute__((noinline)) leave() {
    int local = ten;
    escaped = opaque(&local);
}
static void after_return() {
    leave();
    sink = *escaped; // the frame is gone
}

static void after_scope() {
    int *inner;
    {
        int local = ten;
        inner = opaque(&local);
    }
    sink = *inner; // the scope is left
}

static void global_overflow() { sink = opaque(table)[ten]; }

static void global_string() { sink = static_cast<int>(std::strlen(opaque(std::strcpy(label, "a longer label than that")))); }

static void container() {
    std::vector<int> numbers = {1, 2, 3};
    numbers.reserve(20);
    sink = opaque(numbers.data())[5]; // there is room, but no element
}

static void annotated_container() { // what a container of one's own would say
    char *buffer = new char[64];
    __sanitizer_annotate_contiguous_container(buffer, buffer + 64, buffer + 64, buffer + 20);
    sink = opaque(buffer)[30];
}

static void bad_annotation() {
    char *buffer = new char[64];
    __sanitizer_annotate_contiguous_container(buffer, buffer + 64, buffer + 128, buffer + 20);
    delete[] buffer;
}

static void poisoned() {
    char *block = new char[64];
    ASAN_POISON_MEMORY_REGION(block + 16, 32);
    sink = opaque(block)[20];
}

static void double_free() {
    void *block = std::malloc(30);
    std::free(block);
    std::free(opaque(block));
}

static void bad_free() {
    int local[4];
    std::free(opaque(local)); // never came from malloc
}

static void inner_free() {
    char *block = static_cast<char *>(std::malloc(30));
    std::free(opaque(block) + 5); // not where the block starts
}

static void new_and_free() { std::free(opaque(new int(3))); }

static void array_new_and_delete() {
    int *array = opaque(new int[4]);
    delete array;
}

static void sized_delete() {
    struct Small {
        char bytes[8];
    };
    struct Large {
        char bytes[88];
    };
    delete reinterpret_cast<Small *>(opaque(new Large));
}

static void null_read() { sink = *opaque(static_cast<int *>(nullptr)); }

static void null_write() { *opaque(reinterpret_cast<int *>(0x10)) = 1; }

static void wild_write() { *opaque(reinterpret_cast<int *>(0x5000dead0000)) = 1; }

static void high_read() { sink = *opaque(reinterpret_cast<int *>(0xdeadbeefdeadbeef)); }

static void bad_call() { opaque(reinterpret_cast<void (*)()>(0x1234))(); }

static void null_call() { opaque(reinterpret_cast<void (*)()>(0))(); }

static void divide() {
    volatile int zero = 0;
    sink = ten / zero;
}

static void aborts() { std::abort(); }

static void illegal() { __builtin_trap(); }

static int __attribute__((noinline)) down(int depth) {
    volatile char frame[4096];
    frame[depth % 4096] = 1;
    return depth < 0 ? 0 : down(depth + 1) + frame[0];
}
static void endless_recursion() { sink = down(1); }

static void huge_size() { sink = std::malloc(static_cast<std::size_t>(opaque(INT64_MAX))) != nullptr; }

static void calloc_product() { sink = std::calloc(opaque(SIZE_MAX), 2) != nullptr; }

static void realloc_product() { sink = reallocarray(nullptr, opaque(SIZE_MAX), 2) != nullptr; }

static void pvalloc_product() { sink = pvalloc(opaque(SIZE_MAX)) != nullptr; }

static void no_memory() {
    unsigned long pages = 0; // what there is already, and a little more
    if (std::FILE *file = std::fopen("/proc/self/statm", "r")) {
        sink = std::fscanf(file, "%lu", &pages);
        std::fclose(file);
    }
    rlimit limit = {pages * 4096 + (256 << 20), RLIM_INFINITY};
    setrlimit(RLIMIT_AS, &limit);
    sink = opaque(std::malloc(1 << 30)) != nullptr;
}

static void rss_limit() {
    for (;;) {
        std::memset(opaque(std::malloc(1 << 20)), 1, 1 << 20);
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
}

static void aligned_alloc_alignment() { sink = aligned_alloc(opaque(std::size_t{7}), 70) != nullptr; }

static void posix_alignment() {
    void *block = nullptr;
    sink = posix_memalign(&block, opaque(std::size_t{3}), 8);
}

static void memalign_alignment() { sink = memalign(opaque(std::size_t{17}), 8) != nullptr; }

static void copy_overlap() {
    char text[32] = "0123456789abcdef";
    std::memcpy(opaque(text) + 4, text, static_cast<std::size_t>(ten));
    sink = text[5];
}

static void cat_overlap() {
    char text[32] = "0123456789";
    std::strcat(opaque(text), text + 2);
    sink = text[5];
}

static void negative_size() {
    char from[16] = {0}, to[16];
    std::memmove(opaque(to), from, static_cast<std::size_t>(minus_one));
    sink = to[0];
}

static void pointer_pair() {
    char *one = new char[16], *two = new char[16];
    sink = opaque(one) < opaque(two); // pointers into different blocks
    delete[] one;
    delete[] two;
}

static void usable_size() { sink = static_cast<int>(malloc_usable_size(opaque(table))); }

static void allocated_size() { sink = static_cast<int>(__sanitizer_get_allocated_size(opaque(table))); }

class Guarded {
  public:
    int first[4];
    std::string second;
    virtual ~Guarded() = default;
};
static void intra_object() {
    auto *object = new Guarded;
    opaque(&object->first[0])[4] = 1; // into another field
    delete object;
}

static void in_thread() {
    std::thread worker([] {
        pthread_setname_np(pthread_self(), "work thr(1)");
        heap_overflow();
    });
    worker.join();
}

static void leak() {
    std::memset(opaque(new char[77]), 0, 77);
    auto **outer = opaque(new int *);
    *outer = new int[5]; // lost through the other one
}

namespace {
template <typename Value> struct Ring {
    std::vector<Value> values = std::vector<Value>(4);
    template <typename Index> Value &operator[](Index index) { return opaque(values.data())[index]; }
};
} // namespace
static void cpp_names() {
    Ring<long> ring;
    sink = [](auto &from) { return static_cast<int>(from[ten]); }(ring);
}

static void several() { // goes on after each, where that was asked for
    heap_overflow();
    stack_overflow_read();
    global_overflow();
    leak();
}

static void clean() { delete opaque(new int(5)); }

int main(int argc, char **argv) {
    struct {
        const char *name;
        void (*run)();
    } cases[] = {
        {"heap-buffer-overflow", heap_overflow}, {"heap-buffer-underflow", heap_underflow},
        {"heap-use-after-free", after_free}, {"use-after-free-in-thread", after_free_in_thread},
        {"stack-buffer-overflow", stack_overflow_read}, {"stack-buffer-underflow", stack_underflow},
        {"dynamic-stack-buffer-overflow", dynamic_stack}, {"stack-use-after-return", after_return},
        {"stack-use-after-scope", after_scope}, {"global-buffer-overflow", global_overflow},
        {"global-string-overflow", global_string}, {"container-overflow", container},
        {"annotated-container", annotated_container}, {"bad-annotation", bad_annotation},
        {"use-after-poison", poisoned}, {"double-free", double_free}, {"bad-free", bad_free},
        {"inner-free", inner_free}, {"new-and-free", new_and_free},
        {"array-new-and-delete", array_new_and_delete}, {"new-delete-type-mismatch", sized_delete},
        {"segv-null-read", null_read}, {"segv-null-write", null_write}, {"segv-wild-write", wild_write},
        {"segv-high-address", high_read}, {"segv-bad-call", bad_call}, {"segv-null-call", null_call},
        {"fpe", divide}, {"abort", aborts}, {"illegal-instruction", illegal},
        {"stack-overflow", endless_recursion}, {"allocation-size-too-big", huge_size},
        {"calloc-overflow", calloc_product}, {"reallocarray-overflow", realloc_product},
        {"pvalloc-overflow", pvalloc_product}, {"out-of-memory", no_memory},
        {"rss-limit-exceeded", rss_limit}, {"invalid-aligned-alloc-alignment", aligned_alloc_alignment},
        {"invalid-posix-memalign-alignment", posix_alignment},
        {"invalid-allocation-alignment", memalign_alignment}, {"memcpy-param-overlap", copy_overlap},
        {"strcat-param-overlap", cat_overlap}, {"negative-size-param", negative_size},
        {"invalid-pointer-pair", pointer_pair}, {"bad-malloc_usable_size", usable_size},
        {"bad-allocated-size", allocated_size}, {"intra-object-overflow", intra_object},
        {"in-named-thread", in_thread}, {"leak", leak}, {"cpp-names", cpp_names}, {"several", several},
        {"clean", clean},
    };
    for (auto &entry : cases)
        if (argc > 1 && std::strcmp(argv[1], entry.name) == 0)
            entry.run();
    return 0;
}
