// Tests with GoogleTest: each error and each leak has a comment.
#include <cstdlib>

#include <gtest/gtest.h>

#ifdef CHECKPOINTS
#include "leakgate_gtest.h"
#endif

static char *volatile sink;

static char *allocate(int size) { return static_cast<char *>(std::malloc(size)); }

TEST(Parser, ReadsNumbers) {
    char *text = allocate(16);
    std::free(text);
    volatile char first = text[3]; // bug: a read after the block was freed
    (void)first;
}

TEST(Parser, ReadsNames) {
    char *text = allocate(3);
    EXPECT_TRUE(text);
    std::free(text);
}

TEST(Cache, Evicts) {
    sink = allocate(33); // bug: a leak
    sink = nullptr;
}

struct Index : ::testing::Test {
    void SetUp() override { block = allocate(21); } // bug: a leak in one of the tests
    char *block = nullptr;
};

TEST_F(Index, Inserts) { block = nullptr; }

TEST_F(Index, Finds) {
    volatile int values[2];
    if (values[1] > 3) sink = nullptr; // bug: the value isn't initialized
    std::free(block);
}

class Sizes : public ::testing::TestWithParam<int> {};

TEST_P(Sizes, Fits) {
    char *text = allocate(4);
    if (GetParam() == 8) {
        volatile char last = text[4]; // bug: a read past the end, for one parameter
        (void)last;
    }
    std::free(text);
}

INSTANTIATE_TEST_SUITE_P(All, Sizes, ::testing::Values(4, 8, 16));
