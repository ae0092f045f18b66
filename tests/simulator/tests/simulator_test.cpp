// The simulator's own promises: what a directive does, which words an answer has, how each fault looks from outside,
// and what the journal says of it.
#include <chrono>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include "tests/simulator/answer.hpp"
#include "tests/simulator/running_simulator.hpp"

namespace tokenrail::simulator {
namespace {

namespace dom = simdjson::dom;
using testing::HasSubstr;
using testing::Not;

TEST(Directive, SetsKeysAndLeavesTheMessage) {
  Behaviour behaviour;
  const auto message = take_directive(
      R"( hello [[sim tokens=20 pace=5-9 fault=reset-after:3 text="a ]] \"b\"\n" utf8=on id=x arguments={"a":1} ]] there )",
      behaviour);
  ASSERT_TRUE(message) << message.error().detail;
  EXPECT_EQ(*message, "hello  there");
  EXPECT_EQ(behaviour.tokens, 20);
  EXPECT_EQ(behaviour.pace_min.count(), 5);
  EXPECT_EQ(behaviour.pace_max.count(), 9);
  EXPECT_EQ(behaviour.fault, Fault::reset);
  EXPECT_EQ(behaviour.fault_at, 3);
  EXPECT_EQ(behaviour.text, "a ]] \"b\"\n");
  EXPECT_TRUE(behaviour.utf8);
  EXPECT_EQ(behaviour.id, "x");
  EXPECT_EQ(behaviour.tool_arguments, R"({"a":1})");
}

TEST(Directive, IsRefusedWhereItIsNotUnderstood) {
  for (const auto* wrong : {"[[sim nope=1]]", "[[sim tokens=x]]", "[[sim tokens=-1]]", "[[sim fault=explode]]",
                            "[[sim pace=9-5]]", "[[sim fault=status:99]]", "[[sim fault=reset-after:x]]",
                            "[[sim tokens=3", "[[sim tokens", "[[sim utf8=maybe]]", "[[sim arguments=[1]]]"}) {
    Behaviour behaviour;
    const auto message = take_directive(wrong, behaviour);
    ASSERT_FALSE(message) << wrong;
    EXPECT_EQ(message.error().kind, ErrorKind::invalid_input);
  }
  Behaviour behaviour;
  EXPECT_EQ(take_directive("  no directive [sim] ", behaviour).value(), "no directive [sim]");
}

// The numbers stand in docs/how-to/provider-simulator.md; whoever changes them breaks tests in other languages.
TEST(AnswerText, IsTheDocumentedFunction) {
  Behaviour behaviour;
  behaviour.tokens = 3;
  EXPECT_EQ(answer_text("hello", "m", behaviour), "amber fjord cedar");
  behaviour.utf8 = true;
  EXPECT_EQ(answer_text("hello", "m", behaviour), "äther 日本 çedilla");
  behaviour.seed = 1;
  EXPECT_NE(answer_text("hello", "m", behaviour), "äther 日本 çedilla");
  behaviour.text = "{message} from {model}: {message}";
  EXPECT_EQ(answer_text("hello", "m", behaviour), "hello from m: hello");
}

std::string chat(std::string_view message, std::string_view more = "") {
  std::string body = R"({"model":"sim-chat:1b","messages":[{"role":"user","content":")";
  body += message;
  return body + "\"}]" + std::string(more) + "}";
}

/// The text of all lines of a stream that can be read.
std::string text_of(std::string_view body) {
  std::string text;
  dom::parser parser;
  while (!body.empty()) {
    const auto end = std::min(body.find('\n'), body.size());
    std::string_view content;
    if (end > 0 && parser.parse(simdjson::padded_string(body.substr(0, end)))["message"]["content"].get_string().get(
                       content) == simdjson::SUCCESS) {
      text += content;
    }
    body.remove_prefix(std::min(end + 1, body.size()));
  }
  return text;
}

class SimulatorCall : public testing::Test {
 protected:
  [[nodiscard]] CallResult ask(std::string_view message, std::string_view more = "") const {
    return simulator_.call("POST", "/api/chat", chat(message, more));
  }
  /// A field of the newest call in the journal, as JSON.
  [[nodiscard]] std::string last(std::string_view field) const {
    const auto journal = simulator_.call("GET", "/_sim/journal").body;
    dom::parser parser;
    dom::array calls;
    if (parser.parse(journal)["calls"].get_array().get(calls) != simdjson::SUCCESS || calls.size() == 0)
      return "no call";
    return simdjson::minify(calls.at(calls.size() - 1)[field].value());
  }
  [[nodiscard]] std::int64_t count(std::string_view name) const {
    const auto counts = simulator_.call("GET", "/_sim/counts").body;
    dom::parser parser;
    return parser.parse(counts)["counts"][name].get_int64();
  }
  /// Asks again and again, without pause, until it is so or a minute has gone.
  template <class Condition>
  [[nodiscard]] static bool becomes(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
    }
    return true;
  }
  const RunningSimulator simulator_{};
};

TEST_F(SimulatorCall, SaysTheTimeOfSendingWhereAskedTo) {
  constexpr std::size_t size = 20;  // '@' and 19 digits
  constexpr std::int64_t pace_ns = 30'000'000;
  const auto now = [] { return std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1); };
  const auto before = now();
  const auto text = text_of(ask("hello [[sim tokens=2 pace=30 stamp=on]]").body);
  const auto after = now();
  ASSERT_EQ(text.size(), 2 * size) << text;
  ASSERT_EQ(text[0], '@');
  ASSERT_EQ(text[size], '@');
  const std::int64_t first = std::stoll(text.substr(1, size - 1));
  const std::int64_t second = std::stoll(text.substr(size + 1));
  EXPECT_GE(first, before);
  EXPECT_GE(second, first + pace_ns);
  EXPECT_LE(second, after);
}

TEST_F(SimulatorCall, StreamsTheDocumentedWordsAndRemembersThem) {
  const auto result = ask("hello [[sim tokens=3 id=call-7]]");
  EXPECT_EQ(result.status, 200);
  EXPECT_TRUE(result.whole);
  EXPECT_EQ(text_of(result.body), "amber fjord cedar");
  EXPECT_THAT(result.body, HasSubstr(R"("done":true,"done_reason":"stop")"));
  EXPECT_EQ(last("text"), "\"amber fjord cedar\"");
  EXPECT_EQ(last("ending"), "\"complete\"");
  EXPECT_EQ(last("id"), "\"call-7\"");
  EXPECT_EQ(last("model"), "\"sim-chat:1b\"");
  EXPECT_EQ(last("tokensSent"), "3");
  EXPECT_EQ(last("lastUserMessage"), "\"hello [[sim tokens=3 id=call-7]]\"");
  EXPECT_EQ(last("bytesSent"), std::to_string(result.body.size()));
  EXPECT_EQ(count("complete"), 1);
}

TEST_F(SimulatorCall, AnswersInOneObjectWhereNoStreamIsWanted) {
  const auto result = ask("hello [[sim tokens=3]]", R"(,"stream":false)");
  EXPECT_THAT(result.content_type, HasSubstr("application/json"));
  EXPECT_EQ(text_of(result.body), "amber fjord cedar");
  EXPECT_EQ(std::count(result.body.begin(), result.body.end(), '\n'), 0);
}

TEST_F(SimulatorCall, CutsTheAnswerAtNumPredict) {
  const auto result = ask("hello [[sim tokens=9]]", R"(,"options":{"num_predict":2})");
  EXPECT_EQ(text_of(result.body), "amber fjord");
  EXPECT_THAT(result.body, HasSubstr(R"("done_reason":"length")"));
}

struct FaultCase {
  const char* fault;
  int status;
  bool whole;
  const char* text;
  const char* ending;
};
TEST_F(SimulatorCall, BreaksOffAsTold) {
  for (const auto& row : {
           FaultCase{"reset-after:2", 200, false, "amber fjord", "fault"},
           FaultCase{"reset-after:0", 200, false, "", "fault"},
           FaultCase{"close-after:2", 200, false, "amber fjord", "fault"},
           FaultCase{"eof-after:1", 200, true, "amber", "fault"},
           FaultCase{"error-after:1", 200, true, "amber", "fault"},
           FaultCase{"malformed-after:1", 200, true, "amber", "fault"},
           FaultCase{"close-after:99", 200, false, "amber fjord cedar", "fault"},
           FaultCase{"status:503", 503, true, "", "fault"},
           FaultCase{"slow-headers:1", 200, true, "amber fjord cedar", "fault"},
           FaultCase{"none", 200, true, "amber fjord cedar", "complete"},
       }) {
    const auto result = ask(fmt::format("hello [[sim tokens=3 fault={}]]", row.fault));
    EXPECT_EQ(result.status, row.status) << row.fault;
    EXPECT_EQ(result.whole, row.whole) << row.fault << ": " << result.error;
    EXPECT_EQ(text_of(result.body), row.text) << row.fault;
    EXPECT_EQ(last("ending"), fmt::format("\"{}\"", row.ending)) << row.fault;
    const bool done = result.body.find("\"done\":true") != std::string::npos;
    EXPECT_EQ(done, std::string_view(row.text) == "amber fjord cedar" && row.whole) << row.fault;
  }
}

TEST_F(SimulatorCall, BreaksOffAnAnswerThatIsNotStreamed) {
  for (const auto* fault : {"reset-after:0", "close-after:0"}) {
    const auto result = ask(fmt::format("hello [[sim fault={}]]", fault), R"(,"stream":false)");
    EXPECT_FALSE(result.whole) << fault;
    EXPECT_THAT(result.body, Not(HasSubstr("\"done\":true"))) << fault;
  }
  EXPECT_EQ(ask("hello [[sim fault=error-after:0]]", R"(,"stream":false)").status, 500);
}

TEST_F(SimulatorCall, SaysWhenToComeBack) {
  const auto result = ask(R"(hello [[sim fault=status:429 retry_after=7 body=\"no\"]])");
  EXPECT_EQ(result.status, 429);
  EXPECT_THAT(result.headers, testing::Contains(testing::Pair("Retry-After", "7")));
  EXPECT_EQ(result.body, "no");
}

TEST_F(SimulatorCall, FailsTheFirstTimesOnly) {
  const auto message = "hello [[sim tokens=3 fault=status:503 times=2]]";
  EXPECT_EQ(ask(message).status, 503);
  EXPECT_EQ(ask("another [[sim tokens=3 fault=status:503 times=2]]").status, 503);
  EXPECT_EQ(ask(message).status, 503);
  EXPECT_EQ(ask(message).status, 200);
  EXPECT_EQ(last("fault"), "\"\"");
}

TEST_F(SimulatorCall, SeesAClientLeaveWhatHangs) {
  for (const auto* fault : {"hang", "hang-after:1", "newlines:1", "endless"}) {
    const auto gone = count("clientGone");
    {
      OpenCall call(simulator_.port(), "POST", "/api/chat", chat(fmt::format("hello [[sim pace=1 fault={}]]", fault)));
      if (std::string_view(fault) == "hang") {
        ASSERT_TRUE(becomes([&] { return count("open") == 1; }));
      } else {
        ASSERT_TRUE(call.read_until(std::string_view(fault) == "newlines:1" ? "1\r\n\n\r\n1\r\n\n\r\n" : "amber"));
      }
      EXPECT_EQ(last("ending"), "\"open\"") << fault;
    }
    EXPECT_TRUE(becomes([&] { return count("clientGone") == gone + 1; })) << fault;
    EXPECT_EQ(count("open"), 0);
    EXPECT_EQ(last("ending"), "\"client_gone\"") << fault;
  }
}

TEST_F(SimulatorCall, SendsOneHugeLine) {
  const auto result = ask("hello [[sim tokens=1 fault=huge-line:3]]");
  EXPECT_TRUE(result.whole);
  EXPECT_GT(result.body.find('\n'), 3'000'000U);
  EXPECT_EQ(text_of(result.body).size(), 3'000'000U + 5);
}

TEST_F(SimulatorCall, KeepsAliveWhileTheFirstTokenIsAwaited) {
  const auto result = ask("hello [[sim tokens=1 first=20 keepalive=5]]");
  EXPECT_TRUE(result.body.starts_with("\n\n\n{")) << result.body;
  EXPECT_EQ(text_of(result.body), "amber");
}

TEST_F(SimulatorCall, TakesItsTime) {
  const auto result = ask("hello [[sim tokens=4 first=10 pace=5-6]]");
  EXPECT_EQ(text_of(result.body), "amber fjord cedar harbor");
  dom::parser parser;
  EXPECT_GE(std::stoi(last("firstTokenMs")), 10);
  EXPECT_GE(std::stoi(last("endedMs")), 10 + 4 * 5);
}

TEST_F(SimulatorCall, ServesManyCallsOnOneConnection) {
  const auto results = simulator_.calls_on_one_connection(
      "POST", "/api/chat",
      {chat("a [[sim tokens=2]]"), chat("b [[sim fault=status:500]]"), chat("c [[sim tokens=1 pace=1]]")});
  ASSERT_EQ(results.size(), 3U);
  for (const auto& result : results) EXPECT_TRUE(result.whole) << result.error;
  EXPECT_EQ(results[1].status, 500);
  EXPECT_EQ(count("calls"), 3);
  EXPECT_EQ(count("open"), 0);
}

TEST_F(SimulatorCall, StreamsManyAnswersAtOnce) {
  constexpr std::size_t streams = 300;
  std::vector<OpenCall> calls;
  for (std::size_t i = 0; i < streams; ++i) {
    calls.emplace_back(simulator_.port(), "POST", "/api/chat",
                       chat(fmt::format("m{} [[sim tokens=5 first=500 pace=1-9]]", i)));
  }
  for (auto& call : calls) EXPECT_TRUE(call.read_until("\r\n0\r\n\r\n"));
  EXPECT_EQ(count("complete"), std::int64_t{streams});
  EXPECT_GT(count("openMax"), 1);
}

TEST_F(SimulatorCall, ModelsAreReplaced) {
  EXPECT_EQ(
      simulator_
          .call("POST", "/_sim/models",
                R"(["a:1b",{"name":"b:latest","digest":"d2","capabilities":["completion"],"contextLength":4096}])")
          .status,
      200);
  const auto tags = simulator_.call("GET", "/api/tags").body;
  EXPECT_THAT(tags, HasSubstr(R"("name":"a:1b")"));
  EXPECT_THAT(tags, HasSubstr(R"("digest":"d2")"));
  EXPECT_THAT(tags, Not(HasSubstr("sim-chat")));
  EXPECT_THAT(simulator_.call("POST", "/api/show", R"({"model":"b"})").body,
              HasSubstr(R"("llama.context_length":4096)"));
  EXPECT_EQ(ask("hello").status, 404);
  const auto tools = simulator_.call(
      "POST", "/api/chat",
      R"({"model":"b","messages":[{"role":"user","content":"x"}],"tools":[{"function":{"name":"f"}}]})");
  EXPECT_EQ(tools.status, 400);
  EXPECT_THAT(tools.body, HasSubstr("does not support tools"));
  EXPECT_EQ(simulator_.call("POST", "/_sim/reset").status, 200);
  EXPECT_EQ(ask("hello").status, 200);
  EXPECT_EQ(count("calls"), 1);
}

TEST_F(SimulatorCall, OtherPathsCanFailToo) {
  ASSERT_EQ(simulator_.call("POST", "/_sim/behaviour?path=/api/tags", R"({"fault":"status:500"})").status, 200);
  EXPECT_EQ(simulator_.call("GET", "/api/tags").status, 500);
  EXPECT_THAT(simulator_.call("GET", "/_sim/models").body, HasSubstr("sim-chat"));
  ASSERT_EQ(simulator_.call("POST", "/_sim/behaviour?path=/api/tags", R"({"fault":"close-after:0"})").status, 200);
  EXPECT_FALSE(simulator_.call("GET", "/api/tags").whole);
  ASSERT_EQ(simulator_.call("POST", "/_sim/behaviour?path=/api/tags", "{}").status, 200);
  EXPECT_EQ(simulator_.call("GET", "/api/tags").status, 200);
}

TEST_F(SimulatorCall, RulesAreTriedBeforeThePathsBehaviour) {
  const auto* script = R"({"models":["sim-chat:1b"],"behaviour":{"tokens":2},
    "rules":[{"contains":"storm","behaviour":{"fault":"status:503"}},{"model":"sim-chat:1b","contains":"long","behaviour":{"tokens":4}}]})";
  ASSERT_EQ(simulator_.call("POST", "/_sim/script", script).status, 200);
  EXPECT_EQ(ask("a storm").status, 503);
  EXPECT_THAT(ask("hello").body, HasSubstr(R"("eval_count":2)"));
  EXPECT_THAT(ask("a long one").body, HasSubstr(R"("eval_count":4)"));
  EXPECT_THAT(ask("a long one [[sim tokens=1]]").body, HasSubstr(R"("eval_count":1)"));
  for (const auto* wrong :
       {"[]", R"({"nope":1})", R"({"behaviour":{"tokens":"x"}})", R"({"rules":[{}]})", R"({"models":[7]})"}) {
    EXPECT_EQ(simulator_.call("POST", "/_sim/script", wrong).status, 400) << wrong;
  }
}

TEST_F(SimulatorCall, SpeaksTheRestOfTheApi) {
  EXPECT_EQ(simulator_.call("GET", "/").body, "Ollama is running");
  const auto head = simulator_.call("HEAD", "/");
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.body, "");
  EXPECT_THAT(simulator_.call("GET", "/api/version").body, HasSubstr("version"));
  EXPECT_EQ(simulator_.call("GET", "/error/path").status, 404);
  EXPECT_EQ(simulator_.call("GET", "/error/path").body, "404 page not found");
  EXPECT_EQ(simulator_.call("POST", "/api/show", R"({"model":"nobody"})").status, 404);
  EXPECT_EQ(simulator_.call("POST", "/api/chat", "not json").status, 400);
  EXPECT_EQ(simulator_.call("POST", "/api/chat", "{}").status, 400);
  EXPECT_THAT(simulator_.call("POST", "/api/chat", R"({"model":"sim-chat:1b","messages":[]})").body,
              HasSubstr(R"("done_reason":"load")"));
}

}  // namespace
}  // namespace tokenrail::simulator
