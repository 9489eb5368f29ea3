// C++ leaks whose frames have interesting names. The argument names the case.
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace shop {

struct Item {
    virtual ~Item() = default;
    std::string label = "a label that is too long to be kept inside";
    int price = 3;
};

struct Base {
    virtual ~Base() = default;
    long first = 1;
};

// A pointer to the second base points into the object, not at its start.
struct Both : Item, Base {
    long second = 2;
};

namespace {

struct Maker {
    Item *operator()(int price) const {
        auto *item = new Item;
        item->price = price;
        return item;
    }
};

void hidden() { Maker{}(5); }

} // namespace

template <typename Value, int Count> struct Shelf {
    Value *values = new Value[Count];
    template <typename Other> void fill(Other other) {
        values = new Value[Count]; // the first array is lost
        values[0] = static_cast<Value>(other);
    }
    bool operator<(const Shelf &other) const {
        auto *lost = new long[6];
        return lost < reinterpret_cast<long *>(other.values);
    }
    operator bool() const { return new char[3] != nullptr; }
};

} // namespace shop

struct Friend {
    std::shared_ptr<Friend> other;
};

static shop::Base *middle;
static shop::Item *array_of_items;
static std::string *kept_text;

static void operator_new() { new shop::Item; }

static void array_new() { std::memset(new int[25], 0, 100); }

static void templates() {
    shop::Shelf<double, 12> shelf;
    shelf.fill<unsigned char>('c');
    shop::Shelf<double, 12> other;
    if (shelf < other || shelf)
        shelf.values = nullptr;
    delete[] other.values;
}

static void lambda() {
    auto lose = [](std::size_t size) { return new char[size]; };
    std::function<char *(std::size_t)> wrapped = [lose](std::size_t size) { return lose(size + 1); };
    lose(40)[0] = 'l';
    wrapped(50)[0] = 'w';
}

static void shared_cycle() {
    auto one = std::make_shared<Friend>();
    auto two = std::make_shared<Friend>();
    one->other = two;
    two->other = one; // each keeps the other
}

static void containers() {
    auto *lost = new std::map<std::string, std::vector<int>>;
    (*lost)["the first of the keys, a long one"] = {1, 2, 3};
    (*lost)["the second of the keys, a long one"].resize(100);
}

static void in_thread() {
    std::thread worker([] { new long[9]; });
    worker.join();
}

// Blocks that memcheck's heuristics find from a pointer inside.
static void heuristics() {
    middle = new shop::Both;
    array_of_items = new shop::Item[3];
    kept_text = new std::string("a text that is too long to be kept inside");
}

static void clean() { std::vector<std::string> names(10, "x"); }

int main(int argc, char **argv) {
    struct {
        const char *name;
        void (*run)();
    } cases[] = {
        {"operator-new", operator_new}, {"array-new", array_new},   {"anonymous-namespace", shop::hidden},
        {"templates", templates},       {"lambda", lambda},         {"shared-ptr-cycle", shared_cycle},
        {"containers", containers},     {"std-thread", in_thread},  {"heuristics", heuristics},
        {"clean-cpp", clean},
    };
    for (auto &entry : cases)
        if (argc > 1 && (std::strcmp(argv[1], entry.name) == 0 || std::strcmp(argv[1], "all-cpp") == 0))
            entry.run();
    return 0;
}
