#include "common/http/client_options.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/config/settings.hpp"

namespace tokenrail::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

config::Values with(const std::string& name_servers) {
  auto loaded = config::load({.settings = config::common_settings(),
                              .arguments = {},
                              .environment = {{"TOKENRAIL_PROVIDERS_NAME_SERVERS", name_servers}},
                              .file_text = {},
                              .file_name = {}});
  EXPECT_TRUE(loaded.has_value()) << loaded.error().detail;
  return std::move(loaded->values);
}

TEST(ClientOptions, NameServersHaveAPort) {
  EXPECT_THAT(client_options_from(with("")).names.servers, IsEmpty());
  const auto values = with("10.0.0.2, 10.0.0.3:5353,fd00::2,[fd00::2]:5353,[fd00::3]");
  EXPECT_TRUE(check_client_options(values).has_value());
  EXPECT_THAT(client_options_from(values).names.servers,
              ElementsAre("10.0.0.2:53", "10.0.0.3:5353", "[fd00::2]:53", "[fd00::2]:5353", "[fd00::3]:53"));
}

TEST(ClientOptions, WhatIsNoNameServerIsAnError) {
  for (const auto* const wrong : {"ns.example", "10.0.0.2:", "10.0.0.2:0", "10.0.0.2:65536", "10.0.0.2:5x", "10.0.0",
                                  "[10.0.0.2]:53", "[fd00::2", "[fd00::2]53", "[]:53", ":53"}) {
    const auto values = with(wrong);
    const auto checked = check_client_options(values);
    ASSERT_FALSE(checked.has_value()) << wrong;
    EXPECT_THAT(checked.error().detail, HasSubstr(std::string("providers.name_servers: '") + wrong + "'"));
    EXPECT_THAT(client_options_from(values).names.servers, IsEmpty());
  }
}

}  // namespace
}  // namespace tokenrail::http
