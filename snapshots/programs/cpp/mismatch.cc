// Memory given back in another way than it was taken. The argument names the case.
#include <cstdlib>
#include <cstring>
#include <new>

static void new_free() { std::free(new int(3)); }

static void array_delete() { // new[] and delete
    int *volatile array = new int[4];
    delete array;
}

static void malloc_delete() {
    int *volatile block = static_cast<int *>(std::malloc(4));
    delete block;
}

static void sized_delete() { // a size that is not the block's
    void *block = ::operator new(24);
    ::operator delete(block, static_cast<std::size_t>(16));
}

static void aligned_delete() { // an alignment that is not the block's
    void *block = ::operator new(64, std::align_val_t(64));
    ::operator delete(block, std::align_val_t(32));
}

int main(int argc, char **argv) {
    struct {
        const char *name;
        void (*run)();
    } cases[] = {
        {"new-and-free", new_free},         {"array-new-and-delete", array_delete},
        {"malloc-and-delete", malloc_delete}, {"sized-delete", sized_delete},
        {"aligned-delete", aligned_delete},
    };
    for (auto &entry : cases)
        if (argc > 1 && std::strcmp(argv[1], entry.name) == 0)
            entry.run();
    return 0;
}
