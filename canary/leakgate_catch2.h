/* Checkpoints for Catch2, versions 2 and 3: include this file in one source file of the test
 * binary, after the header of Catch2.
 *
 * SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef LEAKGATE_CATCH2_H
#define LEAKGATE_CATCH2_H

#include <string>

#if __has_include(<catch2/reporters/catch_reporter_registrars.hpp>)
#include <catch2/catch_test_case_info.hpp>
#include <catch2/reporters/catch_reporter_event_listener.hpp>
#include <catch2/reporters/catch_reporter_registrars.hpp>
namespace leakgate {
using Catch2Base = Catch::EventListenerBase;
}
#else
#include <catch2/catch.hpp>
namespace leakgate {
using Catch2Base = Catch::TestEventListenerBase;
}
#endif

#include "leakgate_checkpoint.h"

namespace leakgate {

/* Ends each test case with a checkpoint. */
struct Catch2Listener : Catch2Base {
    using Catch2Base::Catch2Base;

    void testCaseStarting(Catch::TestCaseInfo const &test) override {
        if (is_first) leakgate_tests_begin();
        is_first = false;
        name = test.name;
        leakgate_test_begin(name.c_str());
    }

    void testCaseEnded(Catch::TestCaseStats const &) override { leakgate_test_end(name.c_str()); }

    bool is_first = true;
    std::string name;
};

CATCH_REGISTER_LISTENER(Catch2Listener)

} // namespace leakgate

#endif
