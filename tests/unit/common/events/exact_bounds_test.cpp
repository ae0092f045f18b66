// Every bound of a request at exactly its value, where it is taken, and one beyond it.
#include <string>
#include <variant>

#include <gtest/gtest.h>

#include "common/events/chat_request.hpp"
#include "tests/unit/common/events/requests_for_tests.hpp"

namespace tokenrail::events {
namespace {

using tests::with;
using tests::with_messages;

std::string repeated(std::string_view what, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all.append(i == 0 ? "" : ",").append(what);
  return all;
}

struct Bound {
  const char* name;
  std::size_t most;
  std::string (*request)(std::size_t);
};

class ExactBound : public ::testing::TestWithParam<Bound> {};

TEST_P(ExactBound, TakesBoundAndRefusesMore) {
  const auto& bound = GetParam();
  const auto at = parse_chat_request(bound.request(bound.most), {});
  const auto* const invalid = std::get_if<InvalidRequest>(&at);
  EXPECT_TRUE(std::holds_alternative<ChatRequest>(at)) << (invalid == nullptr ? "" : invalid->failure.message);
  EXPECT_FALSE(std::holds_alternative<ChatRequest>(parse_chat_request(bound.request(bound.most + 1), {})));
}

const RequestLimits limits{};

INSTANTIATE_TEST_SUITE_P(
    Requests, ExactBound,
    ::testing::Values(
        Bound{"request_id", limits.id_bytes_max,
              [](std::size_t n) {
                return R"({"requestId":")" + std::string(n, 'r') +
                       R"(","orgId":"o","messages":[{"role":"user","content":"Hi"}]})";
              }},
        Bound{"org_id", limits.id_bytes_max,
              [](std::size_t n) {
                return R"({"requestId":"r","orgId":")" + std::string(n, 'o') +
                       R"(","messages":[{"role":"user","content":"Hi"}]})";
              }},
        Bound{"user_id", limits.id_bytes_max,
              [](std::size_t n) { return with(R"("userId":")" + std::string(n, 'u') + '"'); }},
        Bound{"provider", limits.name_bytes_max,
              [](std::size_t n) { return with(R"("modelName":"m","modelProvider":")" + std::string(n, 'p') + '"'); }},
        Bound{"model", limits.name_bytes_max,
              [](std::size_t n) { return with(R"("modelName":")" + std::string(n, 'm') + '"'); }},
        Bound{"tool_name", limits.name_bytes_max,
              [](std::size_t n) { return with(R"("tools":[{"name":")" + std::string(n, 't') + R"("}])"); }},
        Bound{"metadata_name", limits.name_bytes_max,
              [](std::size_t n) { return with(R"("metadata":{")" + std::string(n, 'k') + R"(":"v"})"); }},
        Bound{"provider_config_name", limits.name_bytes_max,
              [](std::size_t n) { return with(R"("providerConfig":{")" + std::string(n, 'k') + R"(":{}})"); }},
        Bound{"fallback", 2 * limits.name_bytes_max + 1,
              [](std::size_t n) {
                return with(R"("fallbacks":[")" + std::string(limits.name_bytes_max, 'p') + '/' +
                            std::string(n - limits.name_bytes_max - 1, 'm') + R"("])");
              }},
        Bound{"stop_text", 4'096, [](std::size_t n) { return with(R"("stop":")" + std::string(n, 's') + '"'); }},
        Bound{"stop_text_of_several", 4'096,
              [](std::size_t n) { return with(R"("stop":[")" + std::string(n, 's') + R"("])"); }},
        Bound{"messages", limits.messages_max,
              [](std::size_t n) { return with_messages('[' + repeated(R"({"role":"user","content":"a"})", n) + ']'); }},
        Bound{"tools", limits.tools_max,
              [](std::size_t n) {
                std::string tools;
                for (std::size_t i = 0; i < n; ++i)
                  tools += (i == 0 ? R"({"name":"t)" : R"(,{"name":"t)") + std::to_string(i) + R"("})";
                return with(R"("tools":[)" + tools + ']');
              }},
        Bound{"provider_blocks", limits.provider_blocks_max,
              [](std::size_t n) {
                return with_messages(R"([{"role":"assistant","content":"a","providerBlocks":[)" +
                                     repeated(R"({"provider":"p","data":{}})", n) + "]}]");
              }},
        Bound{"provider_of_a_block", limits.name_bytes_max,
              [](std::size_t n) {
                return with_messages(R"([{"role":"assistant","content":"a","providerBlocks":[{"provider":")" +
                                     std::string(n, 'p') + R"(","data":{}}]}])");
              }},
        Bound{"stops", limits.stop_max,
              [](std::size_t n) { return with(R"("stop":[)" + repeated(R"("s")", n) + ']'); }},
        Bound{"fallbacks", limits.fallbacks_max,
              [](std::size_t n) { return with(R"("fallbacks":[)" + repeated(R"("p/m")", n) + ']'); }},
        Bound{"metadata", limits.metadata_max,
              [](std::size_t n) {
                std::string entries;
                for (std::size_t i = 0; i < n; ++i)
                  entries += (i == 0 ? R"("k)" : R"(,"k)") + std::to_string(i) + R"(":"v")";
                return with(R"("metadata":{)" + entries + '}');
              }},
        Bound{"depth", limits.depth_max - 1,
              [](std::size_t n) { return with(R"("x":)" + std::string(n, '[') + '1' + std::string(n, ']')); }},
        Bound{"timeout", static_cast<std::size_t>(limits.timeout_max.count()),
              [](std::size_t n) { return with(R"("timeoutMs":)" + std::to_string(n)); }},
        Bound{"size", limits.value_bytes_max,
              [](std::size_t n) {
                const auto empty = with(R"("x":"")").size();
                return with(R"("x":")" + std::string(n - empty, 'x') + '"');
              }}),
    [](const auto& info) { return std::string(info.param.name); });

// An id may be written with an escape for each of its characters, also where the value is too large to be parsed.
TEST(ExactBounds, ReadsEscapedIdsOfOversizeRequest) {
  const auto oversize = [](std::size_t id_bytes) {
    std::string id;
    for (std::size_t i = 0; i < id_bytes; ++i) id += R"(\u0041)";
    return R"({"requestId":")" + id + R"(","orgId":")" + id + R"(","x":")" + std::string(50'000, 'x') + "\"}";
  };
  const RequestLimits small{.value_bytes_max = 10'000};
  const auto at = parse_chat_request(oversize(small.id_bytes_max), small);
  ASSERT_TRUE(std::holds_alternative<InvalidRequest>(at));
  EXPECT_EQ(std::get<InvalidRequest>(at).request_id, std::string(small.id_bytes_max, 'A'));
  EXPECT_EQ(std::get<InvalidRequest>(at).org_id, std::string(small.id_bytes_max, 'A'));
  EXPECT_TRUE(std::holds_alternative<Unanswerable>(parse_chat_request(oversize(small.id_bytes_max + 1), small)));
}

}  // namespace
}  // namespace tokenrail::events
