// Every recorded list of models and every recorded embedding in OpenAI's form, and the account of what is not spoken.
#include <cmath>
#include <numeric>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "common/providers/openai/openai.hpp"
#include "tests/conformance/chat_completions.hpp"
#include "tests/conformance/cuts.hpp"

namespace tokenrail::conformance {
namespace {

namespace dom = simdjson::dom;

class ChatCompletionsListing : public Exchange {};

TEST_P(ChatCompletionsListing, NamesEveryModelOfTheBody) {
  if (chat_call_of(recording_) != ChatCall::models || recording_.status != 200) return;
  const auto page = providers::openai::parse_model_list(recording_.body, "openai");
  ASSERT_TRUE(page) << page.error().detail;
  EXPECT_EQ(page->skipped, 0U) << page->first_skipped;
  dom::parser parser;
  dom::element root;
  ASSERT_EQ(parser.parse(recording_.body).get(root), simdjson::SUCCESS);
  dom::array entries;
  if (!root.is_array()) {
    dom::element list;
    ASSERT_TRUE(root["data"].get(list) == simdjson::SUCCESS || root["models"].get(list) == simdjson::SUCCESS);
    root = list;
  }
  ASSERT_EQ(root.get_array().get(entries), simdjson::SUCCESS);
  std::size_t index = 0;
  for (const auto entry : entries) {
    std::string_view name;
    if (entry["id"].get_string().get(name) != simdjson::SUCCESS) {
      ASSERT_EQ(entry["key"].get_string().get(name), simdjson::SUCCESS);
    }
    bool active = true;
    if (entry["active"].get_bool().get(active) == simdjson::SUCCESS && !active) continue;
    ASSERT_LT(index, page->models.size());
    const auto& listed = page->models[index++];
    EXPECT_EQ(listed.name, name);
    for (const auto* const field : {"context_length", "context_window", "max_context_length"}) {
      std::int64_t count = 0;
      if (entry[field].get_int64().get(count) == simdjson::SUCCESS && count > 0) {
        EXPECT_EQ(listed.context_length, count) << name;
      }
    }
  }
  EXPECT_EQ(index, page->models.size());
}

TEST_P(ChatCompletionsListing, EmbedsEveryText) {
  if (chat_call_of(recording_) != ChatCall::embeddings || recording_.status != 200) return;
  const auto answer = providers::openai::parse_embeddings(recording_.body);
  ASSERT_TRUE(answer) << answer.error().detail;
  dom::parser parser;
  dom::element root;
  ASSERT_EQ(parser.parse(recording_.body).get(root), simdjson::SUCCESS);
  ASSERT_EQ(answer->vectors.size(), dom::array(root["data"].get_array()).size());
  EXPECT_EQ(answer->input_tokens, std::int64_t(root["usage"]["prompt_tokens"].get_int64()));
  for (const auto& vector : answer->vectors) {
    // These models give vectors of length one, so a number that was read wrongly shows.
    const double squares = std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0);
    EXPECT_NEAR(std::sqrt(squares), 1.0, 0.01);
    EXPECT_GE(vector.size(), 768U);
  }
}

INSTANTIATE_TEST_SUITE_P(Recorded, ChatCompletionsListing, testing::ValuesIn(chat_completions_cases()), test_name);

// Silence must not count as coverage: what no test takes is named in the summary.
TEST(ChatCompletionsExchanges, AreSpokenOrNamedAsNotSpoken) {
  const auto cases = chat_completions_cases();
  if (cases.front().empty()) GTEST_SKIP() << "there are no recorded exchanges in " << transcripts_folder();
  int spoken = 0;
  for (const auto& name : cases) {
    const auto recording = simulator::load_recording(transcripts_folder(), name);
    ASSERT_TRUE(recording) << recording.error().detail;
    if (chat_call_of(*recording) != ChatCall::other || recording->status >= 300) {
      ++spoken;
    } else {
      note_skipped(name, fmt::format("{} {} is not of chat completions", recording->method, recording->path));
    }
  }
  fmt::print("[  SPOKEN  ] {} of {} exchanges of chat completions\n", spoken, cases.size());
  EXPECT_GT(spoken, 0);
}

}  // namespace
}  // namespace tokenrail::conformance
