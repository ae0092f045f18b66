// The simulator is proven against the recordings: it replays each byte for byte over a real socket, and what it makes
// up itself has the fields of what was recorded.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "common/providers/ollama/decoder.hpp"
#include "common/providers/ollama/ollama.hpp"
#include "tests/conformance/collection.hpp"
#include "tests/conformance/exchanges.hpp"
#include "tests/simulator/answer.hpp"
#include "tests/simulator/running_simulator.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::conformance {
namespace {

namespace dom = simdjson::dom;
using providers::test::AnswerRecorder;
using simulator::HubOptions;
using simulator::RunningSimulator;

HubOptions with_recordings() {
  HubOptions options;
  options.transcripts = transcripts_folder();
  return options;
}

class Replay : public Exchange {};

TEST_P(Replay, IsTheRecordingByteForByte) {
  const RunningSimulator simulator(with_recordings());
  const auto method = recording_.method.empty() ? std::string("GET") : recording_.method;
  const auto path = recording_.path.empty() ? std::string("/") : recording_.path;
  constexpr std::size_t single_bytes_below = 16 * 1024;  // each byte is a write to a socket
  for (const auto* const behaviour :
       {"{}", R"({"split": 300})", R"({"split": 7})",
        recording_.body.size() < single_bytes_below ? R"({"split": 1})" : R"({"split": 61})"}) {
    ASSERT_EQ(simulator.call("POST", "/_sim/behaviour?path=" + path, behaviour).status, 200);
    const auto result = simulator.call(method, path, recording_.request, {{"X-Sim-Replay", GetParam()}});
    EXPECT_TRUE(result.whole) << result.error;
    EXPECT_EQ(result.status, recording_.status);
    EXPECT_EQ(result.content_type, recording_.content_type);
    EXPECT_EQ(result.body, recording_.body) << behaviour;
    for (const auto& [name, value] : recording_.headers) {
      EXPECT_TRUE(std::ranges::any_of(result.headers, [&](const auto& header) { return header.second == value; }))
          << name << ": " << value;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Recorded, Replay, testing::ValuesIn(all_cases()), test_name);

/// The fields of a value and their types, without what they hold: {"a":1} is {a:number}.
std::string shape(const dom::element& element) {
  if (dom::object object; element.get_object().get(object) == simdjson::SUCCESS) {
    std::set<std::string> fields;
    // What a tool is called with is the model's business.
    for (const auto& [key, value] : object) {
      fields.insert(fmt::format("{}:{}", key, key == "arguments" ? "object" : shape(value)));
    }
    return fmt::format("{{{}}}", fmt::join(fields, ","));
  }
  if (dom::array array; element.get_array().get(array) == simdjson::SUCCESS) {
    std::set<std::string> elements;
    for (const auto value : array) elements.insert(shape(value));
    return fmt::format("[{}]", fmt::join(elements, ","));
  }
  return element.is_string() ? "string" : element.is_bool() ? "bool" : element.is_null() ? "null" : "number";
}

std::set<std::string> line_shapes(std::string_view body) {
  std::set<std::string> shapes;
  dom::parser parser;
  while (!body.empty()) {
    const auto end = std::min(body.find('\n'), body.size());
    dom::element element;
    if (end > 0 && parser.parse(body.data(), end).get(element) == simdjson::SUCCESS) shapes.insert(shape(element));
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return shapes;
}

/// The shapes of all recorded bodies of successful calls of that kind.
std::set<std::string> recorded_shapes(Call call, bool lines) {
  std::set<std::string> shapes;
  for (const auto& name : ollama_cases()) {
    if (name.empty()) return {};
    const auto recording = simulator::load_recording(transcripts_folder(), name);
    if (!recording || call_of(*recording) != call || recording->status != 200 || recording->lines != lines) continue;
    if (lines) {
      shapes.merge(line_shapes(recording->body));
    } else {
      dom::parser parser;
      dom::element element;
      if (parser.parse(recording->body).get(element) == simdjson::SUCCESS) shapes.insert(shape(element));
    }
  }
  return shapes;
}

std::string chat_body(std::string_view message, std::string_view more = "") {
  return fmt::format(R"({{"model":"sim-think:1b","messages":[{{"role":"user","content":"{}"}}]{}}})", message, more);
}

class SimulatorShape : public testing::Test {
 protected:
  void SetUp() override {
    if (const auto why = why_not_compared(); !why.empty()) GTEST_SKIP() << why;
  }
  const RunningSimulator simulator_{with_recordings()};
};

TEST_F(SimulatorShape, StreamedLinesHaveTheFieldsOfRecordedOnes) {
  const auto recorded = recorded_shapes(Call::chat, true);
  for (const auto* message : {"hi", "hi [[sim thinking=3 utf8=on]]", "hi [[sim tool=f tool_calls=2 tokens=0]]",
                              "hi [[sim fault=error-after:1]]"}) {
    const auto result = simulator_.call("POST", "/api/chat", chat_body(message));
    ASSERT_EQ(result.status, 200);
    EXPECT_EQ(result.content_type, "application/x-ndjson");
    for (const auto& line : line_shapes(result.body)) EXPECT_TRUE(recorded.contains(line)) << message << ": " << line;
  }
}

TEST_F(SimulatorShape, WholeAnswersHaveTheFieldsOfRecordedOnes) {
  const auto recorded = recorded_shapes(Call::chat, false);
  for (const auto* message : {"hi", "hi [[sim thinking=3]]", "hi [[sim thinking=2 tool=f tokens=0]]"}) {
    const auto result = simulator_.call("POST", "/api/chat", chat_body(message, R"(,"stream":false)"));
    dom::parser parser;
    dom::element element;
    ASSERT_EQ(parser.parse(result.body).get(element), simdjson::SUCCESS) << result.body;
    EXPECT_TRUE(recorded.contains(shape(element))) << message << ": " << shape(element);
  }
}

TEST_F(SimulatorShape, ListHasFieldsOfRecordedOne) {
  dom::parser parser;
  dom::element element;
  const auto result = simulator_.call("GET", "/api/tags");
  ASSERT_EQ(parser.parse(result.body).get(element), simdjson::SUCCESS);
  EXPECT_TRUE(recorded_shapes(Call::tags, false).contains(shape(element))) << shape(element);
}

TEST_F(SimulatorShape, ADescriptionHasOnlyFieldsOfRecordedOnes) {
  std::set<std::string> recorded;
  for (const auto& name : ollama_cases()) {
    const auto recording = simulator::load_recording(transcripts_folder(), name);
    if (!recording || call_of(*recording) != Call::show || recording->status != 200) continue;
    dom::parser parser;
    for (const auto& [key, value] : dom::object(parser.parse(recording->body).get_object())) recorded.emplace(key);
  }
  dom::parser parser;
  const auto result = simulator_.call("POST", "/api/show", R"({"model":"sim-chat:1b"})");
  for (const auto& [key, value] : dom::object(parser.parse(result.body).get_object())) {
    EXPECT_TRUE(recorded.contains(std::string(key))) << key;
  }
  const auto details = providers::ollama::parse_model_details(result.body);
  ASSERT_TRUE(details);
  EXPECT_EQ(details->context_length, 8192);
  EXPECT_TRUE(details->capabilities_known);
}

TEST_F(SimulatorShape, AnUnknownModelIsRefusedAsRecorded) {
  const auto result =
      simulator_.call("POST", "/api/chat", R"({"model":"bad_model","messages":[{"role":"user","content":"hi"}]})");
  const auto recorded = simulator::load_recording(transcripts_folder(), "ollama/error-404-model-nonstream");
  ASSERT_TRUE(recorded) << recorded.error().detail;
  EXPECT_EQ(result.status, recorded->status);
  EXPECT_EQ(result.content_type, recorded->content_type);
  EXPECT_EQ(result.body, recorded->body);
}

// Needs no recordings: what the simulator says goes through the decoder and is what its text function promises.
TEST(SimulatorAnswer, PassesTheDecoder) {
  const RunningSimulator simulator;
  for (const bool stream : {true, false}) {
    simulator::Behaviour behaviour;
    behaviour.tokens = 9;
    behaviour.utf8 = true;
    const auto result = simulator.call(
        "POST", "/api/chat",
        chat_body("  Wie geht’s? [[sim tokens=9 utf8=on thinking=2 tool=f arguments={\\\"a\\\":1} output_tokens=77]]",
                  fmt::format(",\"stream\":{}", stream)));
    AnswerRecorder answer;
    const auto decoder = providers::ollama::make_decoder(stream, {});
    decoder->feed(result.body, answer);
    decoder->end(answer);
    EXPECT_EQ(answer.text(), simulator::answer_text("Wie geht’s?", "", behaviour));
    EXPECT_EQ(answer.reasoning(), "Thinking 1");
    ASSERT_EQ(answer.tool_calls().size(), 1U);
    EXPECT_EQ(answer.tool_calls()[0].arguments, R"({"a":1})");
    EXPECT_EQ(answer.finish(), events::FinishReason::tool_calls);
    ASSERT_TRUE(answer.usage());
    EXPECT_EQ(answer.usage()->output_tokens, 77);
  }
}

}  // namespace
}  // namespace tokenrail::conformance
