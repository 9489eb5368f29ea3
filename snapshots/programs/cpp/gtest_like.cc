// Prints what a test framework would, with leaks in the second of three tests.
#include <cstdio>
#include <cstring>

static void passes() {}

static void loses() {
    char *lost = new char[25];
    std::strcpy(lost, "lost by a test");
}

int main() {
    struct {
        const char *name;
        void (*run)();
    } tests[] = {{"Shop.Opens", passes}, {"Shop.Sells", loses}, {"Shop.Closes", passes}};
    for (auto &test : tests) {
        std::printf("[ RUN      ] %s\n", test.name);
        test.run();
        std::printf("[       OK ] %s (0 ms)\n", test.name);
    }
    std::printf("[  PASSED  ] 3 tests.\n");
    std::fflush(stdout);
    return 0;
}
