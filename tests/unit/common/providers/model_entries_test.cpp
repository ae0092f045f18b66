// What all lists of models have in common, whatever their format.
#include "common/providers/model_entries.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace tokenrail::providers {
namespace {

/// A list with one model in the adapter's format, and `rest` behind the list.
std::string list_of(std::string_view adapter, std::string_view rest) {
  const bool data =
      adapter == "anthropic" || adapter == "openai" || adapter == "openai-responses" || adapter == "azure";
  return fmt::format(R"({{"{}":[{{"{}":"m1","endpoints":["chat"]}}]{}}})", data ? "data" : "models",
                     data ? "id" : "name", rest);
}

class ModelList : public testing::TestWithParam<std::string> {
 protected:
  [[nodiscard]] static Result<ModelPage> parse(const std::string& body) {
    const auto* const lister = find_provider(GetParam())->lister();
    return lister->parse({.provider = GetParam(), .base_url = "https://h.example"}, body);
  }
};

TEST_P(ModelList, FieldsBehindTheListAreNoHindrance) {
  const auto page = parse(list_of(GetParam(), R"(,"other":{"a":[1,null]})"));
  ASSERT_TRUE(page) << page.error().detail;
  ASSERT_EQ(page->models.size(), 1U);
  EXPECT_EQ(page->models[0].name, "m1");
}

// A parser that reads on demand does not see mistakes in what it skips.
TEST_P(ModelList, MistakeBehindTheListRefusesIt) {
  for (const auto* const rest : {R"(,"other":)", R"(,"other":{"a":})", R"(,"other":[1,2)", R"(,"other":nul)",
                                 R"(,"other":"\x")", R"(,"other" 1)", ",", R"(}{)"}) {
    EXPECT_FALSE(parse(list_of(GetParam(), rest))) << rest;
  }
}

TEST_P(ModelList, MistakeInsideAnEntryRefusesTheList) {
  for (const auto* const entry : {R"({"id":"c" "x"})", R"({"name":"bad","size":})", R"({"name":"bad",})", "{]"}) {
    auto body = list_of(GetParam(), "");
    body.insert(body.find('[') + 1, std::string(entry) + ",");
    EXPECT_FALSE(parse(body)) << body;
  }
}

TEST_P(ModelList, EveryBeginningOfItIsRefused) {
  const auto body = list_of(GetParam(), R"(,"other":{"a":[1,null]})");
  for (std::size_t end = 0; end < body.size(); ++end) EXPECT_FALSE(parse(body.substr(0, end))) << "cut at " << end;
}

std::vector<std::string> listing_adapters() {
  std::vector<std::string> names;
  for (const auto& name : adapter_names()) {
    if (find_provider(name)->lister() != nullptr) names.push_back(name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Adapters, ModelList, testing::ValuesIn(listing_adapters()), [](const auto& info) {
  auto name = info.param;
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace tokenrail::providers
