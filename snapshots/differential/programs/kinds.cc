// Kinds of error that only newer valgrinds know, and one that takes strings.
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>

#define APART __attribute__((noinline))

static volatile long sink;

static void APART overlap() {
    char text[32] = "0123456789abcdef";
    std::strcpy(text, text + 1);
    sink = text[0];
}
static void APART realloc_zero() {
    sink = reinterpret_cast<long>(std::realloc(std::malloc(51), 0));
}
static void APART bad_alignment() {
    std::free(std::aligned_alloc(7, 52));
}
static void APART bad_size() {
    std::free(std::aligned_alloc(16, 0));
}
static void APART size_mismatch() {
    void *block = ::operator new(16);
    ::operator delete(block, std::size_t(8));
}
static void APART align_mismatch() {
    void *block = ::operator new(32, std::align_val_t(64));
    ::operator delete(block, std::align_val_t(32));
}

int main() {
    overlap();
    realloc_zero();
    bad_alignment();
    bad_size();
    size_mismatch();
    align_mismatch();
    return 0;
}
