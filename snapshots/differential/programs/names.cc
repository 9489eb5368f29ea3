// C++ names of every sort in stacks, each with a size of its own. `leaks` leaves out the errors.
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "pool.h"

#define APART __attribute__((noinline))

static volatile long sink;
template <class T> static void lose(T *block) {
    sink = reinterpret_cast<long>(block);
}

static void APART scrub() {
    volatile char stack[8192];
    for (auto &byte : stack)
        byte = 0;
}

namespace ns {

struct Widget {
    int last = 102;
    APART Widget() { lose(new char[101]); }
    APART Widget(int size) { lose(new char[size]); }
    APART virtual ~Widget() { lose(new char[last]); }
    APART virtual void work() { lose(new char[103]); }
    APART void work(int, const char *) const { lose(new char[104]); }
    APART static void make() { lose(new char[105]); }
    APART int operator()(int size) { return lose(new char[size]), size; }
    APART Widget &operator+=(int size) { return lose(new char[size]), *this; }
    APART operator bool() const { return lose(new char[106]), true; }
};

struct Gadget : Widget {
    APART Gadget() : Widget(107) { last = 113; } // the constructor of a base: C2
    APART ~Gadget() override { lose(new char[108]); }
    APART void work() override { lose(new char[109]); }
};

namespace {
APART void hidden() { lose(new char[111]); }
struct Secret {
    APART void keep() { lose(new char[112]); }
};
} // namespace

namespace deep::er {
template <class T, int N> struct Box {
    APART void fill() { lose(new T[N]); }
    template <class U> APART U pour(U size) { return lose(new char[size]), size; }
};
APART void work() { lose(new char[114]); }
} // namespace deep::er

template <class T> APART T *make(int count) {
    return new T[count];
}

APART void use_hidden() {
    hidden();
    Secret().keep();
}
} // namespace ns

struct Counted {
    char text[115];
    APART static void *operator new(std::size_t size) { return std::malloc(size); }
};

static APART void work() { lose(new char[116]); }
static APART void work(int size) { lose(new char[size]); }
static inline void folded() { lose(new char[118]); }
static inline void folded_twice() { folded(); }
static inline void *folded_pool() { return pool_take(119); }
extern "C" APART void plain_c() { lose(std::malloc(121)); }
APART std::string text(std::size_t size) { return std::string(size, 'x'); }

struct Global {
    Global() { lose(new char[122]); }
};
static Global before_main;

static APART void containers() {
    lose(new std::vector<int>(31)); // 24 bytes, and 124 through them
    lose(new std::string(text(125)));
    lose(new std::map<int, std::string>{{1, "short"}});
    auto shared = std::make_shared<std::pair<long, ns::deep::er::Box<long, 16>>>();
    lose(new std::shared_ptr<std::pair<long, ns::deep::er::Box<long, 16>>>(shared));
}

static APART void classes() {
    {
        ns::Widget widget;
        ns::Gadget gadget;
        ns::Widget *base = &gadget;
        base->work();
        widget.work(1, "");
        widget(126);
        widget += 127;
        sink = widget ? 1 : 0;
    }
    ns::Widget::make();
    lose(new Counted);
    ns::use_hidden();
}

static APART void templates() {
    ns::deep::er::Box<short, 65> shorts;
    shorts.fill();
    shorts.pour(131L);
    lose(ns::make<double>(17));
    ns::deep::er::work();
}

static APART void lambdas() {
    const auto lambda = [](int size) APART { lose(new char[size]); };
    lambda(132);
    std::function<void(int)> held = [](int size) { lose(new char[size]); };
    held(133);
}

static APART void inlined() {
    folded_twice();
    lose(static_cast<char *>(folded_pool()));
}

static APART void last() {
    work(117);
}

static APART void leaks() {
    void (*all[])() = {containers, classes, templates, lambdas, inlined, plain_c, work, last};
    for (const auto one : all) {
        one();
        scrub();
    }
    sink = 0;
}

namespace ns {
APART void read_freed() {
    auto *block = new long[18];
    delete[] block;
    sink = *static_cast<volatile long *>(block);
}
template <class T> APART void write_past(T *block, int at) {
    static_cast<volatile T *>(block)[at] = 1;
}
} // namespace ns

static APART void errors() {
    ns::read_freed();
    auto *shorts = new short[19];
    ns::write_past(shorts, 19);
    if (static_cast<volatile short *>(shorts)[2] == 3)
        sink = 1;
    delete[] shorts;
    auto *mismatched = new char[146];
    sink = reinterpret_cast<long>(mismatched);
    std::free(reinterpret_cast<void *>(sink));
}

int main(int count, char **arguments) {
    if (count < 2 || std::strcmp(arguments[1], "leaks") != 0)
        errors();
    leaks();
    scrub();
    return 0;
}
