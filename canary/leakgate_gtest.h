/* Checkpoints for GoogleTest: include this file in one source file of the test binary.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LEAKGATE_GTEST_H
#define LEAKGATE_GTEST_H

#include <string>

#include <gtest/gtest.h>

#include "leakgate_checkpoint.h"

namespace leakgate {

/* Ends each test with a checkpoint. */
class GTestListener : public ::testing::EmptyTestEventListener {
    static std::string name(const ::testing::TestInfo &test) {
        return std::string(test.test_suite_name()) + "." + test.name();
    }

    void OnTestProgramStart(const ::testing::UnitTest &) override { leakgate_tests_begin(); }

    void OnTestStart(const ::testing::TestInfo &test) override {
        leakgate_test_begin(name(test).c_str());
    }

    void OnTestEnd(const ::testing::TestInfo &test) override {
        leakgate_test_end(name(test).c_str());
    }
};

/* Adds the listener before main() runs. Without a checker, it does nothing. */
static const bool gtest_is_listening = [] {
    if (leakgate_checker() != 0) {
        ::testing::UnitTest::GetInstance()->listeners().Append(new GTestListener);
    }
    return true;
}();

} // namespace leakgate

#endif
