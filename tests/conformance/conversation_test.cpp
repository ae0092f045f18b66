// One conversation with two tools, held with every provider: each answer, in the provider's own format, becomes the
// same chunks; and what one provider has said is taken by every other one, in the middle of the conversation.
// TOKENRAIL_UPDATE_GOLDEN=1 rewrites tests/golden/conversation: look at the difference before committing it.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/events/chunk.hpp"
#include "tests/conformance/accepted_requests.hpp"
#include "tests/conformance/collection.hpp"
#include "tests/conformance/cuts.hpp"
#include "tests/conformance/exchanges.hpp"
#include "tests/conformance/json_tree.hpp"
#include "tests/conformance/recorded_shapes.hpp"
#include "tests/conformance/request_reading.hpp"
#include "tests/conformance/speakers.hpp"
#include "tests/support/allocations.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::conformance {
namespace {

using events::ChatRequest;
using events::Message;
using events::Role;
using providers::test::AnswerRecorder;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// What is said ------------------------------------------------------------------------------------------------------

constexpr std::string_view weather = "weather_forecast_for_one_city";
constexpr std::string_view rate = "exchange_rate";
// Results have what JSON must escape, and one is JSON itself.
constexpr std::string_view weather_result = "Regen \"stark\",\n12 °C 🌧 \\";
constexpr std::string_view rate_result = R"({"JPY":180.25,"note":"¥ \"spot\""})";

Said asking_turn(int turn) {
  return {.turn = turn,
          .reasoning = {"Both tools ", "are needed – ", "天気と為替。"},
          .calls = {{.name = weather,
                     .pieces = {"{\"ci", "ty\": \"Z\\u00fcrich \\\"Alt", "stadt\\\"\", ",
                                "\"note\": \"line\\nbreak \\\\ \\ud83c\\udf27 é\"}"}},
                    {.name = rate,
                     .pieces = {R"({"pair": {"from": "CHF",)", R"( "to": "JPY"}, "amounts": [1, )",
                                R"(2.5], "exact": true, "via": null})"}}}};
}

Said answering_turn() {
  return {.turn = 2,
          .reasoning = {"The results ", "are there."},
          .text = {"Es regnet 🌧 in Zürich. ", "1 CHF = ", "¥180 — „teuer\".\n"}};
}

Message message(Role role, std::string_view text) {
  return {.role = role, .content = {{.type = "text", .text = std::string(text)}}};
}

ChatRequest first_request() {
  ChatRequest request;
  request.request_id = "r";
  request.org_id = "o";
  request.messages = {message(Role::system, "You are a travel clerk. Use both tools at once."),
                      message(Role::user, "Wetter in Zürich, und was kostet 1 CHF in ¥?")};
  request.tools = {
      {.name = std::string(weather),
       .description = "Weather of a city",
       .parameters = R"({"type":"object","properties":{"city":{"type":"string"},"note":{"type":"string"}}})"},
      {.name = std::string(rate),
       .description = "Price of money",
       .parameters = R"({"type":"object","properties":{"pair":{"type":"object"},"amounts":{"type":"array"}}})"}};
  request.tokens_max = 4'096;
  return request;
}

providers::ChatCall call_of(const Speaker& speaker, const ChatRequest& request) {
  auto call = speaker.adapter().chat(request, speaker.target(), {});
  EXPECT_TRUE(call) << speaker.provider << ": " << call.error().detail;
  return call ? std::move(*call) : providers::ChatCall{};
}

AnswerRecorder answer_of(const Speaker& speaker, const Said& said, bool stream) {
  auto request = first_request();
  request.stream = stream;
  AnswerRecorder answer;
  const auto call = call_of(speaker, request);
  call.decoder->feed(answer_body(speaker, said, stream), answer);
  call.decoder->end(answer);
  return answer;
}

/// The answer as a sender sends it back.
void add_answer(ChatRequest& request, const AnswerRecorder& answer, std::string_view text_beside = "") {
  Message said{.role = Role::assistant,
               .tool_calls = answer.tool_calls(),
               .reasoning = answer.reasoning(),
               .provider_blocks = answer.blocks()};
  const auto text = std::string(text_beside) + answer.text();
  if (!text.empty()) said.content.push_back({.type = "text", .text = text});
  request.messages.push_back(std::move(said));
}

void add_results(ChatRequest& request, const AnswerRecorder& answer, bool turned_round = false) {
  std::vector<Message> results;
  for (const auto& call : answer.tool_calls()) {
    auto result = message(Role::tool, call.name == weather ? weather_result : rate_result);
    result.tool_call_id = call.id;
    results.push_back(std::move(result));
  }
  if (turned_round) std::ranges::reverse(results);
  request.messages.insert(request.messages.end(), results.begin(), results.end());
}

/// The conversation right after the first results: where a fallback happens.
ChatRequest after_results(const Speaker& speaker) {
  auto request = first_request();
  const auto answer = answer_of(speaker, asking_turn(1), true);
  add_answer(request, answer);
  add_results(request, answer);
  return request;
}

/// Two rounds later, with text beside calls and results in another order.
ChatRequest after_two_rounds(const Speaker& speaker) {
  auto request = after_results(speaker);
  add_answer(request, answer_of(speaker, answering_turn(), true));
  request.messages.push_back(message(Role::user, "Und morgen?"));
  const auto again = answer_of(speaker, asking_turn(3), true);
  add_answer(request, again, "Einen Moment …");
  add_results(request, again, true);
  return request;
}

// What a reader gets ------------------------------------------------------------------------------------------------

/// Writes chunks as a router does. What differs between providers by nature (ids, blocks) is named or left out.
class Chunks final : public providers::AnswerSink {
 public:
  explicit Chunks(bool stream) : stream_(stream) {}
  void on_event(providers::AnswerEvent event) override {
    std::visit([this](auto& one) { take(one); }, event);
  }
  [[nodiscard]] const std::string& lines() const { return lines_; }

 private:
  void take(const providers::TextDelta& delta) {
    if (!stream_) text_ += delta.text;
    if (stream_) write({.text = delta.text});
  }
  void take(const providers::ReasoningDelta& delta) {
    if (!stream_) reasoning_ += delta.text;
    if (stream_) write({.reasoning = delta.text});
  }
  void take(providers::ToolCallDone& done) {
    done.call.id = fmt::format("call-{}", ++calls_seen_);
    // Formats that have arguments as an object leave the spelling of its JSON open.
    done.call.arguments = tree::canonical(done.call.arguments).value_or("not JSON");
    calls_.push_back(std::move(done.call));
    if (!stream_) return;
    write({.tool_calls = &calls_});
    calls_.clear();
  }
  void take(const providers::UsageReport& report) { usage_ = report.usage; }
  void take(const providers::AnswerFinished& finished) {
    if (!stream_) {
      if (!reasoning_.empty()) write({.reasoning = reasoning_});
      if (!text_.empty()) write({.text = text_});
      if (!calls_.empty()) write({.tool_calls = &calls_});
    }
    events::TerminalChunk terminal{.seq = seq_, .finish_reason = finished.reason, .usage = usage_};
    if (terminal.usage) {
      terminal.usage->cached_input_tokens.reset();
      terminal.usage->reasoning_tokens.reset();
    }
    writer_.write(buffer_, terminal);
    lines_ += buffer_ + "\n";
  }
  void take(const providers::AnswerFailed& failed) { lines_ += "failed: " + failed.failure.failure.message + "\n"; }
  void take(const providers::OpaqueBlock& /*block*/) {}
  void take(const providers::ProviderRequestId& /*id*/) {}
  void take(const providers::AnswerWarning& warning) { lines_ += fmt::format("warning: {}\n", warning.text); }
  void write(const events::ChunkWriter::Delta& delta) {
    writer_.write(buffer_, seq_++, delta);
    lines_ += buffer_ + "\n";
  }

  const bool stream_;
  const events::ChunkWriter writer_{"r", "o", 1};
  std::string buffer_{};
  std::string lines_{};
  std::string text_{};
  std::string reasoning_{};
  std::vector<events::ToolCall> calls_{};
  std::optional<events::Usage> usage_{};
  int calls_seen_ = 0;
  std::int64_t seq_ = 0;
};

std::string chunks_of(const Speaker& speaker, const Said& said, bool stream) {
  auto request = first_request();
  request.stream = stream;
  Chunks chunks(stream);
  const auto call = call_of(speaker, request);
  call.decoder->feed(answer_body(speaker, said, stream), chunks);
  call.decoder->end(chunks);
  return chunks.lines();
}

void expect_golden(const std::string& name, const std::string& lines) {
  const auto path = std::filesystem::path(TOKENRAIL_SOURCE_DIR) / "tests/golden/conversation" / name;
  if (std::getenv("TOKENRAIL_UPDATE_GOLDEN") != nullptr) std::ofstream(path, std::ios::binary) << lines;
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file.is_open()) << path << " is missing; TOKENRAIL_UPDATE_GOLDEN=1 writes it";
  std::ostringstream text;
  text << file.rdbuf();
  EXPECT_EQ(lines, text.str()) << path;
}

std::string name_of_speaker(const testing::TestParamInfo<Speaker>& info) {
  std::string name(info.param.provider);
  std::ranges::replace(name, '-', '_');
  return name;
}

class Conversation : public testing::TestWithParam<Speaker> {};

TEST_P(Conversation, AnswersBecomeTheSameChunks) {
  const auto& speaker = GetParam();
  std::string lines;
  for (const bool stream : {true, false}) {
    lines += chunks_of(speaker, asking_turn(1), stream) + chunks_of(speaker, answering_turn(), stream);
  }
  expect_golden(speaker.reasons() ? "with-reasoning.jsonl" : "without-reasoning.jsonl", lines);
}

TEST_P(Conversation, AnswersAreTheSameForEveryCut) {
  const auto& speaker = GetParam();
  for (const bool stream : {true, false}) {
    ChatRequest short_request;  // thousands of decoders are made
    short_request.messages = {message(Role::user, "hi")};
    short_request.stream = stream;
    const auto make = [&] { return call_of(speaker, short_request).decoder; };
    for (const auto& said : {asking_turn(1), answering_turn()}) {
      expect_same_for_every_cut(make, answer_body(speaker, said, stream));
    }
  }
}

/// What a whole answer has may have been recorded only as a part of a stream.
bool is_recorded(const Paths& recorded, std::string path) {
  if (recorded.contains(path) || recorded.contains("response." + path)) return true;
  if (path.starts_with("content[thinking].")) return recorded.contains("content_block" + path.substr(path.find('.')));
  if (const auto at = path.find(".message."); at != std::string::npos) path.replace(at, 9, ".delta.");
  return recorded.contains(path);
}

TEST_P(Conversation, AnswersHaveTheShapeOfRecordedOnes) {
  const auto& speaker = GetParam();
  if (const auto why = why_not_compared(); !why.empty()) GTEST_SKIP() << why;
  const auto& recorded = recorded_answers(speaker.recorded);
  for (const bool stream : {true, false}) {
    for (const auto& said : {asking_turn(1), answering_turn()}) {
      for (const auto& path : paths_of(answer_body(speaker, said, stream))) {
        EXPECT_TRUE(is_recorded(recorded, path)) << path << " is in no recorded answer";
      }
    }
  }
}

TEST_P(Conversation, PieceOfTextAllocatesNothing) {
  if (!tests::allocations_are_told) GTEST_SKIP() << "needs a sanitizer's allocator";
  const auto& speaker = GetParam();
  constexpr std::string_view piece = "A piece of text that does not fit into a short string, whatever its library.";
  Said said{.reasoning = {"hm"}};
  said.text.assign(200, piece);
  const auto body = answer_body(speaker, said, true);
  // From the end of one item to that of another, both far from the beginning and the end.
  const auto end_of_piece = [&](int number) {
    std::size_t at = 0;
    for (int i = 0; i < number; ++i) at = body.find(piece, at) + piece.size();
    const std::string_view item_end = speaker.wire == Wire::ollama   ? "\n"
                                      : speaker.wire == Wire::gemini ? "\r\n\r\n"
                                                                     : "\n\n";
    return body.find(item_end, at) + item_end.size();
  };
  const auto begin = end_of_piece(50);
  const auto end = end_of_piece(150);
  class Counter final : public providers::AnswerSink {
   public:
    void on_event(providers::AnswerEvent event) override {
      if (std::holds_alternative<providers::TextDelta>(event)) ++pieces;
    }
    std::size_t pieces = 0;
  } sink;
  const auto call = call_of(speaker, first_request());
  const std::string_view bytes = body;
  call.decoder->feed(bytes.substr(0, begin), sink);
  const auto before = sink.pieces;
  const tests::AllocationCount count;
  call.decoder->feed(bytes.substr(begin, end - begin), sink);
  EXPECT_EQ(count.since(), 0U);
  EXPECT_EQ(sink.pieces - before, 100U);
}

// What the next provider gets ---------------------------------------------------------------------------------------

/// The conversation as the reader of a request must find it.
void expect_conversation(const ChatRequest& request, const RequestReading& reading) {
  std::size_t at = 0;
  for (const auto& message : request.messages) {
    if (message.role == Role::tool) continue;
    ASSERT_LT(at, reading.turns.size());
    const auto& turn = reading.turns[at++];
    EXPECT_EQ(turn.role, events::name_of(message.role));
    EXPECT_EQ(turn.text, message.content.empty() ? "" : message.content.front().text);
    ASSERT_EQ(turn.calls.size(), message.tool_calls.size());
    for (std::size_t i = 0; i < turn.calls.size(); ++i) {
      const auto& call = message.tool_calls[i];
      EXPECT_EQ(turn.calls[i].name, call.name);
      EXPECT_EQ(turn.calls[i].arguments, tree::canonical(call.arguments));
      EXPECT_EQ(turn.calls[i].result, call.name == weather ? weather_result : rate_result);
    }
  }
  EXPECT_EQ(at, reading.turns.size());
}

void expect_accepted(const Speaker& from, const Speaker& to, const ChatRequest& request) {
  SCOPED_TRACE(fmt::format("from {} to {}", from.provider, to.provider));
  const auto call = call_of(to, request);
  const auto& body = call.request.body;
  const auto reading = read_request(to, body);
  EXPECT_THAT(reading.problems, IsEmpty()) << body;
  expect_conversation(request, reading);
  // Signed and encrypted reasoning goes back to its own provider unchanged, and to no other.
  for (const auto& message : request.messages) {
    for (const auto& block : message.provider_blocks) {
      const auto begin = block.data.find("SIGNED+");
      ASSERT_NE(begin, std::string::npos) << block.data;
      const auto signature = block.data.substr(begin, block.data.find("==", begin) + 2 - begin);
      if (from.provider == to.provider) {
        EXPECT_THAT(body, HasSubstr(signature));
      } else {
        EXPECT_THAT(body, Not(HasSubstr(signature)));
      }
    }
    if (from.provider != to.provider && !message.provider_blocks.empty() && !message.reasoning.empty()) {
      EXPECT_THAT(body, Not(HasSubstr(message.reasoning))) << "the text of another provider's reasoning";
    }
  }
  if (from.provider != to.provider) {
    EXPECT_THAT(body, Not(HasSubstr("SIGNED+")));
  }
}

TEST_P(Conversation, EachOtherProviderTakesItOver) {
  const auto& from = GetParam();
  for (const auto& to : speakers()) {
    expect_accepted(from, to, after_results(from));
    expect_accepted(from, to, after_two_rounds(from));
    auto thinking = after_two_rounds(from);
    thinking.reasoning = events::Reasoning{.enabled = true};
    expect_accepted(from, to, thinking);
  }
}

TEST_P(Conversation, RequestsHaveTheShapeOfRecordedOnes) {
  const auto& to = GetParam();
  if (const auto why = why_not_compared(); !why.empty()) GTEST_SKIP() << why;
  const auto accepted = accepted_requests(to);
  for (const auto& from : speakers()) {
    for (const auto& path : paths_of(call_of(to, after_two_rounds(from)).request.body)) {
      EXPECT_TRUE(accepted.contains(path)) << path << " is in no recorded request; history from " << from.provider;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Held, Conversation, testing::ValuesIn(speakers()), name_of_speaker);

}  // namespace
}  // namespace tokenrail::conformance
