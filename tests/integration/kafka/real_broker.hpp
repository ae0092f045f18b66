// The broker that TOKENRAIL_TEST_KAFKA_BOOTSTRAP names, for tests of what only a real one shows.
#pragma once

#include <cstdlib>
#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "common/kafka/admin.hpp"

namespace tokenrail::kafka::testing {

/// Skips where there is no broker: a SetUp() behind this one has to look at IsSkipped().
class RealBroker : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* servers = std::getenv("TOKENRAIL_TEST_KAFKA_BOOTSTRAP");
    if (servers == nullptr || *servers == '\0')
      GTEST_SKIP()
          << "no broker: start one with `./dev kafka start` and set TOKENRAIL_TEST_KAFKA_BOOTSTRAP to what it prints";
    properties = {{"bootstrap.servers", servers}};
    auto connected = Admin::connect(properties);
    ASSERT_TRUE(connected.has_value()) << connected.error().detail;
    admin = std::move(*connected);
  }

  Properties properties{};
  std::unique_ptr<Admin> admin{};
};

}  // namespace tokenrail::kafka::testing
