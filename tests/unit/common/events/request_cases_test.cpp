// The reader of requests and schemas/chat-request.schema.json are held to one table, tests/golden/requests/cases.json:
// here the reader, in tests/unit/schemas the schema.
#include <filesystem>
#include <set>
#include <string>
#include <variant>

#include <gtest/gtest.h>
#include <simdjson.h>

#include "common/events/chat_request.hpp"
#include "tests/unit/common/events/requests_for_tests.hpp"

namespace tokenrail::events {
namespace {

/// A case gives the whole request as text, or one part of it, the rest being the least that a request needs.
std::string request_of(simdjson::dom::object entry) {
  simdjson::dom::element element;
  if (entry["request"].get(element) == simdjson::SUCCESS) return std::string(element.get_string().value());
  if (entry["fields"].get(element) == simdjson::SUCCESS) {
    const auto fields = simdjson::minify(element);
    return tests::with(std::string_view(fields).substr(1, fields.size() - 2));
  }
  if (entry["message"].get(element) == simdjson::SUCCESS) {
    return tests::with_messages("[" + simdjson::minify(element) + "]");
  }
  return tests::with_messages(R"([{"role":"user","content":[)" + simdjson::minify(entry["part"]) + "]}]");
}

TEST(RequestCases, ReaderAgreesWithTheTable) {
  const auto path = std::filesystem::path(TOKENRAIL_SOURCE_DIR) / "tests/golden/requests/cases.json";
  simdjson::dom::parser parser;
  const simdjson::dom::object groups = parser.load(path.string());
  std::set<std::string_view> seen;
  for (const auto [group, entries] : groups) {
    seen.insert(group);
    const bool refused = group == "both refuse" || group == "only the router refuses";
    for (const simdjson::dom::object entry : entries.get_array()) {
      const auto json = request_of(entry);
      SCOPED_TRACE(std::string(entry["name"].get_string().value()) + "\n" + json.substr(0, 500));
      const auto result = parse_chat_request(json, {});
      const auto* invalid = std::get_if<InvalidRequest>(&result);
      EXPECT_EQ(invalid != nullptr, refused) << (invalid != nullptr ? invalid->failure.message : "");
      EXPECT_FALSE(std::holds_alternative<Unanswerable>(result));
    }
  }
  EXPECT_EQ(seen, (std::set<std::string_view>{"both take", "both refuse", "only the router refuses",
                                              "only the schema refuses"}));
}

}  // namespace
}  // namespace tokenrail::events
