/* Checkpoints for doctest: include this file in one source file of the test binary.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LEAKGATE_DOCTEST_H
#define LEAKGATE_DOCTEST_H

#include <doctest/doctest.h>

#include "leakgate_checkpoint.h"

namespace leakgate {

/* Ends each test case with a checkpoint. */
struct DoctestListener : doctest::IReporter {
    explicit DoctestListener(const doctest::ContextOptions &) {}

    void test_run_start() override { leakgate_tests_begin(); }

    void test_case_start(const doctest::TestCaseData &test) override {
        name = test.m_name;
        leakgate_test_begin(name);
    }

    void test_case_end(const doctest::CurrentTestCaseStats &) override { leakgate_test_end(name); }

    void report_query(const doctest::QueryData &) override {}
    void test_run_end(const doctest::TestRunStats &) override {}
    void test_case_reenter(const doctest::TestCaseData &) override {}
    void test_case_exception(const doctest::TestCaseException &) override {}
    void subcase_start(const doctest::SubcaseSignature &) override {}
    void subcase_end() override {}
    void log_assert(const doctest::AssertData &) override {}
    void log_message(const doctest::MessageData &) override {}
    void test_case_skipped(const doctest::TestCaseData &) override {}

    const char *name = "";
};

REGISTER_LISTENER("leakgate", 1, DoctestListener);

} // namespace leakgate

#endif
