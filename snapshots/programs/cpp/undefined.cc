// Undefined behaviour of the kinds that ubsan.cc leaves out. The argument names the case.
#include <climits>
#include <cstddef>
#include <cstdlib>
#include <cstring>

static volatile int sink, zero = 0, one = 1, five = 5, least = INT_MIN;
static volatile unsigned all_ones = UINT_MAX;
static volatile double huge = 1e30;

static void negation() { sink = -least; }

static void quotient() { sink = least / (zero - one); }

static void shift_base() { sink = (zero - one) << one; }

static void wrap() { all_ones = all_ones + 1u; }

static void truncation() {
    volatile signed char small = static_cast<int>(five * 60);
    sink = small;
}

static void sign_change() { all_ones = zero - one; }

static void to_int() { sink = static_cast<int>(huge); }

enum Colour { red, green };
static void bad_enum() {
    int number = 77;
    Colour value;
    std::memcpy(&value, &number, sizeof value);
    sink = *static_cast<volatile Colour *>(&value);
}

static void variable_length() {
    volatile int length = zero - one;
    char bytes[length];
    sink = sizeof bytes;
}

static int no_value(int number) {
    if (number > 100)
        return 1;
} // nothing is returned
static void missing_return() { sink = no_value(five); }

static void unreachable() {
    if (five)
        __builtin_unreachable();
}

static void leading_zeros() { sink = __builtin_clz(static_cast<unsigned>(zero)); }

__attribute__((nonnull)) static void take(const char *text) { sink = text != nullptr; }
static void null_argument() {
    const char *volatile none = nullptr;
    take(none);
}

__attribute__((returns_nonnull, noinline)) static char *give() {
    char *volatile none = nullptr;
    return none;
}
static void null_return() { sink = give() != nullptr; }

static void null_offset() {
    char *volatile none = nullptr;
    char *moved = none + five;
    sink = moved != nullptr;
}

static void pointer_wraps() {
    char bytes[4] = {0};
    char *volatile start = bytes;
    volatile size_t far = static_cast<size_t>(-1) / 2 + 4096;
    char *moved = start + far + far;
    sink = moved != nullptr;
}

static void promised_alignment() {
    alignas(16) char bytes[32] = {0};
    char *volatile odd = bytes + one;
    sink = *static_cast<char *>(__builtin_assume_aligned(odd, 16));
}

static void number(int value) { sink = value; }
static void other_type() {
    auto call = reinterpret_cast<void (*volatile)(double)>(number);
    call(1.0);
}

struct Animal {
    virtual ~Animal() = default;
};
struct Cat : Animal {
    int lives = 9;
};
static void downcast() {
    Animal animal;
    Animal *volatile some = &animal;
    sink = static_cast<Cat *>(some) != nullptr;
}

static void store_null() {
    int *volatile none = nullptr;
    *none = 1;
}

int main(int argc, char **argv) {
    struct {
        const char *name;
        void (*run)();
    } cases[] = {
        {"negation", negation}, {"quotient", quotient}, {"shift-base", shift_base}, {"wrap", wrap},
        {"truncation", truncation}, {"sign-change", sign_change}, {"to-int", to_int}, {"enum", bad_enum},
        {"variable-length", variable_length}, {"leading-zeros", leading_zeros}, {"null-argument", null_argument},
        {"null-return", null_return}, {"null-offset", null_offset}, {"pointer-wraps", pointer_wraps},
        {"promised-alignment", promised_alignment}, {"other-type", other_type}, {"downcast", downcast},
        {"unreachable", unreachable}, {"missing-return", missing_return}, {"store-null", store_null},
    };
    bool all = argc > 1 && std::strcmp(argv[1], "all") == 0;
    for (auto &entry : cases)
        if (argc > 1 && (all ? entry.run != quotient && entry.run != unreachable && entry.run != missing_return && entry.run != store_null
                             : std::strcmp(argv[1], entry.name) == 0))
            entry.run();
    return 0;
}
