#include "common/events/answer_reader.hpp"

#include <filesystem>
#include <map>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <simdjson.h>

namespace tokenrail::events {
namespace {

using Step = AnswerReader::Step;

std::string_view name_of(Step step) {
  switch (step) {
    case Step::ignored:
      return "ignored";
    case Step::accepted:
      return "accepted";
    case Step::restarted:
      return "restarted";
    case Step::gap:
      return "gap";
  }
  return "";
}

/// What a program would do with the steps: the text so far, the terminal chunk's word.
struct Heard {
  std::int64_t attempt = 0;
  std::string text{};
  std::string provider_blocks{};  ///< as JSON, one behind the other
  std::string finish_reason{};
};

std::string blocks_of(simdjson::dom::object answer) {
  std::string joined;
  simdjson::dom::array blocks;
  if (answer["providerBlocks"].get(blocks) != simdjson::SUCCESS) return joined;
  for (const simdjson::dom::element block : blocks) {
    joined += block["provider"].get_string().value();
    joined += simdjson::minify(block["data"]);
  }
  return joined;
}

// The same file is read by the readers in TypeScript and Python (docs/how-to/read-answers).
TEST(AnswerReader, ReadsWhatEveryReaderMustRead) {
  const auto path = std::filesystem::path(TOKENRAIL_SOURCE_DIR) / "tests/golden/reader/answers.json";
  simdjson::dom::parser parser;
  const simdjson::dom::array cases = parser.load(path.string());
  ASSERT_GT(cases.size(), 10U);
  for (const simdjson::dom::element entry : cases) {
    SCOPED_TRACE(std::string(entry["name"].get_string().value()));
    AnswerReader reader;
    std::map<std::pair<std::string, std::string>, Heard> heard;
    const simdjson::dom::array steps = entry["steps"];
    std::size_t at = 0;
    for (const simdjson::dom::element record : entry["chunks"].get_array()) {
      const auto chunk = parse_chunk(simdjson::minify(record));
      ASSERT_TRUE(chunk) << chunk.error().detail;
      const auto step = reader.apply(*chunk);
      EXPECT_EQ(name_of(step), steps.at(at).get_string().value()) << "chunk " << at;
      ++at;
      auto& answer = heard[{chunk->org_id, chunk->request_id}];
      const auto* const known = reader.find(chunk->org_id, chunk->request_id);
      ASSERT_NE(known, nullptr);
      if (known->attempt != answer.attempt) answer = {.attempt = known->attempt};
      if (step != Step::accepted && step != Step::restarted) continue;
      answer.text += chunk->delta.value_or("");
      for (const auto& block : chunk->provider_blocks) answer.provider_blocks += block.provider + block.data;
      if (chunk->done) answer.finish_reason = chunk->finish_reason;
      EXPECT_EQ(known->finished, chunk->done);
    }
    EXPECT_EQ(heard.size(), entry["answers"].get_array().size());
    for (const simdjson::dom::element expected : entry["answers"].get_array()) {
      const std::string org_id(expected["orgId"].get_string().value());
      const std::string request_id(expected["requestId"].get_string().value());
      const auto& answer = heard[{org_id, request_id}];
      EXPECT_EQ(answer.attempt, expected["attempt"].get_int64().value());
      EXPECT_EQ(answer.text, expected["text"].get_string().value());
      EXPECT_EQ(answer.provider_blocks, blocks_of(expected.get_object()));
      const bool finished = !expected["finishReason"].is_null();
      EXPECT_EQ(answer.finish_reason, finished ? expected["finishReason"].get_string().value() : std::string_view());
      EXPECT_EQ(reader.find(org_id, request_id)->finished, finished);
    }
  }
}

Chunk chunk(const std::string& request_id, std::int64_t attempt, std::int64_t seq, bool done = false) {
  Chunk c;
  c.org_id = "demo";
  c.request_id = request_id;
  c.attempt = attempt;
  c.seq = seq;
  c.done = done;
  return c;
}

TEST(AnswerReader, ForgetsTheOldestOfThoseThatAreOver) {
  AnswerReader reader(3);
  reader.apply(chunk("open", 5001, 0));
  for (int i = 0; i < 100; ++i) reader.apply(chunk("r" + std::to_string(i), 5001, 0, true));
  EXPECT_EQ(reader.remembered(), 4U);
  EXPECT_EQ(reader.find("demo", "r96"), nullptr);
  ASSERT_NE(reader.find("demo", "r97"), nullptr);
  EXPECT_TRUE(reader.find("demo", "r97")->finished);
  EXPECT_EQ(reader.apply(chunk("open", 5001, 1, true)), Step::accepted) << "what has not ended is kept";
}

TEST(AnswerReader, ForgetsUnreadableAnswersToo) {
  AnswerReader reader(3);
  for (int i = 0; i < 100; ++i) {
    reader.apply(chunk("r" + std::to_string(i), 5001, 7));
    reader.apply(chunk("r" + std::to_string(i), 5001, 8, true));
  }
  EXPECT_EQ(reader.remembered(), 3U);
  EXPECT_FALSE(reader.find("demo", "r99")->finished);
}

TEST(AnswerReader, RestartedAnswerIsOpenAgain) {
  AnswerReader reader(2);
  reader.apply(chunk("r", 5001, 0, true));
  EXPECT_EQ(reader.apply(chunk("r", 6001, 0)), Step::restarted);
  for (int i = 0; i < 10; ++i) reader.apply(chunk("s" + std::to_string(i), 5001, 0, true));
  EXPECT_EQ(reader.apply(chunk("r", 6001, 1, true)), Step::accepted);
}

}  // namespace
}  // namespace tokenrail::events
