#include "common/events/call_defaults.hpp"

#include <gtest/gtest.h>

namespace tokenrail::events {
namespace {

struct Read {
  CallDefaults defaults;
  std::vector<InvalidDefault> invalid;
};

Read read(std::string_view json) {
  Read out;
  out.defaults = read_call_defaults(json, out.invalid);
  return out;
}

TEST(CallDefaults, ComeBackAsTheyWereWritten) {
  const std::string json = R"({"temperature":0.7,"topP":0.9,"topK":40,"maxTokens":2048,"stop":["a","b"],"numCtx":8192,)"
                           R"("keepAlive":"1h30m","providerConfig":{"options":{"mirostat":2}}})";
  const auto [defaults, invalid] = read(json);
  EXPECT_TRUE(invalid.empty());
  EXPECT_EQ(to_json(defaults), json);
  EXPECT_FALSE(defaults.empty());
  EXPECT_EQ(to_json(read("{}").defaults), "{}");
  EXPECT_TRUE(read("{}").defaults.empty());
}

TEST(CallDefaults, BoundsAreThoseOfARequestsFields) {
  for (const auto* json :
       {R"({"temperature":0})", R"({"temperature":2})", R"({"topP":1})", R"({"topK":1})", R"({"maxTokens":2147483647})",
        R"({"stop":"one"})", R"({"keepAlive":-1})", R"({"keepAlive":0})", R"({"keepAlive":"-1s"})",
        R"({"keepAlive":"1.5h"})", R"({"temperature":null})"}) {
    EXPECT_TRUE(read(json).invalid.empty()) << json;
  }
  for (const auto* json : {R"({"temperature":-0.1})",
                           R"({"temperature":2.1})",
                           R"({"temperature":"1"})",
                           R"({"topP":1.1})",
                           R"({"topK":0})",
                           R"({"topK":1.5})",
                           R"({"maxTokens":0})",
                           R"({"maxTokens":2147483648})",
                           R"({"numCtx":0})",
                           R"({"stop":""})",
                           R"({"stop":[""]})",
                           R"({"stop":[1]})",
                           R"({"stop":7})",
                           R"({"keepAlive":-2})",
                           R"({"keepAlive":"soon"})",
                           R"({"keepAlive":"5"})",
                           R"({"keepAlive":"m"})",
                           R"({"keepAlive":""})",
                           R"({"keepAlive":"1.m"})",
                           R"({"keepAlive":true})",
                           R"({"providerConfig":[]})",
                           R"({"warmth":1})"}) {
    const auto [defaults, invalid] = read(json);
    ASSERT_EQ(invalid.size(), 1U) << json;
    EXPECT_TRUE(std::string_view(json).contains('"' + invalid[0].key + '"')) << json;
    EXPECT_TRUE(defaults.empty()) << json;
  }
}

TEST(CallDefaults, AnInvalidValueCostsItselfOnly) {
  const auto [defaults, invalid] = read(R"({"temperature":9,"topK":40,"providerConfig":{"model":"x","mirostat":2}})");
  EXPECT_EQ(defaults, (CallDefaults{.top_k = 40, .provider_config = R"({"mirostat":2})"}));
  ASSERT_EQ(invalid.size(), 2U);
  EXPECT_EQ(to_text(invalid[0]), "temperature must be a number from 0 to 2");
  EXPECT_EQ(to_text(invalid[1]), "providerConfig.model is the request's own");
}

TEST(CallDefaults, UnreadableWholeIsOneProblem) {
  for (const auto& json : {std::string("["), std::string("[]"), std::string(), std::string("7"),
                           "{\"stop\":\"" + std::string(call_defaults_bytes_max, 'x') + "\"}"}) {
    const auto [defaults, invalid] = read(json);
    ASSERT_EQ(invalid.size(), 1U) << json.substr(0, 20);
    EXPECT_EQ(invalid[0].key, "");
    EXPECT_TRUE(defaults.empty());
  }
}

TEST(CallDefaults, StopTextsHaveABound) {
  std::string list;
  for (int i = 0; i < 64; ++i) list += (i == 0 ? "\"s\"" : ",\"s\"");
  EXPECT_EQ(read("{\"stop\":[" + list + "]}").defaults.stop.size(), 64U);
  EXPECT_EQ(read("{\"stop\":[" + list + ",\"s\"]}").invalid.size(), 1U);
  EXPECT_EQ(read("{\"stop\":\"" + std::string(4096, 'x') + "\"}").defaults.stop.size(), 1U);
  EXPECT_EQ(read("{\"stop\":\"" + std::string(4097, 'x') + "\"}").invalid.size(), 1U);
}

}  // namespace
}  // namespace tokenrail::events
