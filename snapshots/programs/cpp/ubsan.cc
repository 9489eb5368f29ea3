// Undefined behaviour of several kinds. The argument names the case.
#include <climits>
#include <cstring>
#include <cstdlib>

static volatile int sink;
static volatile int large = INT_MAX, one = 1, five = 5;

static void overflow() { sink = large + one; }

static void shift() { sink = one << (five * 8 + one); }

static void bounds() {
    int array[4] = {0};
    sink = array[five];
}

static void misaligned() {
    alignas(8) char bytes[16] = {0};
    sink = *reinterpret_cast<int *>(bytes + one);
}

static void bad_bool() {
    unsigned char three = 3;
    bool *value = reinterpret_cast<bool *>(&three);
    sink = *value;
}

static void divide() {
    volatile int zero = 0;
    sink = five / zero;
}

struct Point {
    int x, y;
};
static void null_member() {
    Point *volatile nothing = nullptr;
    sink = nothing->y;
}

struct A {
    virtual ~A() = default;
    virtual int number() { return 1; }
};
struct B {
    virtual ~B() = default;
    virtual int number() { return 2; }
};
static void wrong_type() {
    B object;
    A *volatile other = reinterpret_cast<A *>(&object);
    sink = other->number();
}

static void several() {
    overflow();
    shift();
    bounds();
    misaligned();
    bad_bool();
}

int main(int argc, char **argv) {
    struct {
        const char *name;
        void (*run)();
    } cases[] = {
        {"signed-overflow", overflow}, {"shift", shift}, {"bounds", bounds}, {"misaligned", misaligned},
        {"bool", bad_bool}, {"divide-by-zero", divide}, {"null-member", null_member},
        {"vptr", wrong_type}, {"several", several},
    };
    for (auto &entry : cases)
        if (argc > 1 && std::strcmp(argv[1], entry.name) == 0)
            entry.run();
    return 0;
}
