// What is wrong with a request, and who hears of it.
#include <random>
#include <string>
#include <variant>
#include <vector>

#include <gtest/gtest.h>

#include "common/events/chat_request.hpp"
#include "tests/unit/common/events/requests_for_tests.hpp"

namespace tokenrail::events {
namespace {

using tests::complaint;
using tests::with;
using tests::with_messages;

std::string why_unanswerable(std::optional<std::string_view> json, const RequestLimits& limits = {}) {
  const auto result = parse_chat_request(json, limits);
  const auto* unanswerable = std::get_if<Unanswerable>(&result);
  if (unanswerable == nullptr) {
    ADD_FAILURE() << json.value_or("(null)").substr(0, 300) << " can be answered";
    return {};
  }
  return unanswerable->reason;
}

TEST(UnanswerableRequest, SaysWhatIsMissing) {
  struct Row {
    std::optional<std::string> json;
    std::string_view reason;
  };
  const Row rows[] = {
      {std::nullopt, "no value"},
      {"", "not JSON"},
      {"   ", "not JSON"},
      {"hello", "not JSON"},
      {R"({"requestId":"r","orgId":"o")", "not JSON: at byte 28"},
      {R"({"requestId":"r","orgId":"o"} trailing)", "not JSON"},
      {"[]", "not an object"},
      {"\"text\"", "is a string, not an object"},
      {"{}", "`requestId` is missing"},
      {R"({"requestId":"r"})", "`orgId` is missing"},
      {R"({"orgId":"o"})", "`requestId` is missing"},
      {R"({"requestId":"","orgId":"o"})", "`requestId` is empty"},
      {R"({"requestId":"r","orgId":""})", "`orgId` is empty"},
      {R"({"requestId":7,"orgId":"o"})", "`requestId` is missing or not a string"},
      {R"({"requestId":null,"orgId":"o"})", "`requestId`"},
      {R"({"requestId":"r","orgId":["o"]})", "`orgId`"},
      {R"({"requestId":"r","requestId":null,"orgId":"o"})", "`requestId`"},
      {R"({"requestId":")" + std::string(257, 'x') + R"(","orgId":"o"})", "has 257 bytes; at most 256"},
      {"{\"requestId\":\"r\",\"orgId\":\"\xff\"}", "not valid UTF-8"},
      {R"({"requestid":"r","orgId":"o"})", "`requestId` is missing"},
  };
  for (const auto& row : rows) {
    EXPECT_NE(why_unanswerable(row.json).find(row.reason), std::string::npos)
        << row.json.value_or("(null)") << ": " << why_unanswerable(row.json);
  }
}

TEST(InvalidRequest, NamesWrongFieldAndExpectedValue) {
  struct Row {
    std::string json;
    std::string_view path;
    std::string_view expected;
  };
  const auto message = [](std::string_view fields) { return with_messages("[{" + std::string(fields) + "}]"); };
  const auto part = [&](std::string_view fields) {
    return message(R"("role":"user","content":[{)" + std::string(fields) + "}]");
  };
  const auto block = [&](std::string_view json) {
    return message(R"("role":"assistant","content":"a","providerBlocks":[)" + std::string(json) + "]");
  };
  const auto call = [&](std::string_view fields) {
    return message(R"("role":"assistant","toolCalls":[{)" + std::string(fields) + "}]");
  };
  const Row rows[] = {
      {R"({"requestId":"r-1","orgId":"acme"})", "messages", "at least one message, but is missing"},
      {with_messages("[]"), "messages", "at least one message, but is empty"},
      {with_messages("null"), "messages", "an array, but is null"},
      {with_messages("{}"), "messages", "an array, but is an object"},
      {with_messages("[1]"), "messages[0]", "an object, but is a number"},
      {message(R"("content":"a")"), "messages[0].role", "is missing"},
      {message(R"("role":"robot","content":"a")"), "messages[0].role", "one of system, user, assistant, tool"},
      {message(R"("role":1,"content":"a")"), "messages[0].role", "is a number"},
      {message(R"("role":null,"content":"a")"), "messages[0].role", "is null"},
      {message(R"("role":"user")"), "messages[0].content", "is missing"},
      {message(R"("role":"user","content":null)"), "messages[0].content", "is missing"},
      {message(R"("role":"user","content":[])"), "messages[0].content", "at least one part"},
      {message(R"("role":"user","content":5)"), "messages[0].content",
       "a string or an array of parts, but is a number"},
      {message(R"("role":"user","content":["a"])"), "messages[0].content[0]", "an object, but is a string"},
      {part(R"("text":"a")"), "messages[0].content[0].type", "is missing"},
      {part(R"("type":3)"), "messages[0].content[0].type", "is a number"},
      {part(R"("type":"")"), "messages[0].content[0].type", "1 to 255 bytes"},
      {part(R"("type":"text")"), "messages[0].content[0].text", "is missing"},
      {part(R"("type":"text","text":7)"), "messages[0].content[0].text", "a string, but is a number"},
      {part(R"("type":"image")"), "messages[0].content[0]", "has neither"},
      {part(R"("type":"image","data":"QUJD","url":"https://a/b")"), "messages[0].content[0]", "has both"},
      {part(R"("type":"image","data":7)"), "messages[0].content[0].data", "a string"},
      {part(R"("type":"image","data":"not base64!")"), "messages[0].content[0].data", "base64"},
      {part(R"("type":"image","data":"QUJ")"), "messages[0].content[0].data", "base64"},
      {part(R"("type":"image","data":"====")"), "messages[0].content[0].data", "base64"},
      {part(R"("type":"image","data":"data:image/png,raw")"), "messages[0].content[0].data", "another form"},
      {part(R"("type":"image","url":"http://a/b")"), "messages[0].content[0].url", "https://"},
      {part(R"("type":"image","url":"https://")"), "messages[0].content[0].url", "https://"},
      {part(R"("type":"image","url":"file:///etc/passwd")"), "messages[0].content[0].url", "https://"},
      {part(R"("type":"image","url":"data:image/png;base64,")"), "messages[0].content[0]", "has neither"},
      {part(R"("type":"image","data":"QUJD","mediaType":1)"), "messages[0].content[0].mediaType", "a string"},
      {message(R"("role":"tool","content":"a")"), "messages[0].toolCallId", "is missing"},
      {message(R"("role":"tool","content":"a","toolCallId":9)"), "messages[0].toolCallId", "a string, but is a number"},
      {message(R"("role":"user","content":"a","name":[])"), "messages[0].name", "a string, but is an array"},
      {message(R"("role":"assistant","content":"a","reasoning":1)"), "messages[0].reasoning", "a string"},
      {message(R"("role":"user","content":"a","toolCalls":[{"id":"1","name":"t"}])"), "messages[0].toolCalls",
       "absent, except"},
      {message(R"("role":"assistant","toolCalls":{})"), "messages[0].toolCalls", "an array"},
      {message(R"("role":"assistant","toolCalls":[3])"), "messages[0].toolCalls[0]", "an object"},
      {part(R"("type":"file")"), "messages[0].content[0]", "a part of type file with exactly one of"},
      {part(R"("type":"audio","data":"QUJD","url":"https://a/b")"), "messages[0].content[0]", "has both"},
      {part(R"("type":"audio","data":"QUJ")"), "messages[0].content[0].data", "base64"},
      {part(R"("type":"file","url":"http://a/b")"), "messages[0].content[0].url", "https://"},
      {part(R"("type":"file","data":"QUJD","filename":[])"), "messages[0].content[0].filename", "a string"},
      {block("7"), "messages[0].providerBlocks[0]", "an object, but is a number"},
      {block("{}"), "messages[0].providerBlocks[0].provider", "is missing"},
      {block(R"({"data":{}})"), "messages[0].providerBlocks[0].provider", "is missing"},
      {block(R"({"provider":"","data":{}})"), "messages[0].providerBlocks[0].provider", "1 to 255"},
      {block(R"({"provider":"p"})"), "messages[0].providerBlocks[0].data", "is missing"},
      {block(R"({"provider":"p","data":"{}"})"), "messages[0].providerBlocks[0].data", "but is a string"},
      {block(R"({"provider":"p","data":null})"), "messages[0].providerBlocks[0].data", "but is null"},
      {message(R"("role":"assistant","content":"a","providerBlocks":{})"), "messages[0].providerBlocks", "an array"},
      {message(R"("role":"user","content":"a","providerBlocks":[{"provider":"p","data":{}}])"),
       "messages[0].providerBlocks", "absent, except"},
      {call(R"("name":"t")"), "messages[0].toolCalls[0].id", "is missing"},
      {call(R"("id":"1")"), "messages[0].toolCalls[0].name", "is missing"},
      {call(R"("id":"","name":"t")"), "messages[0].toolCalls[0].id", "1 to 256"},
      {call(R"("id":"1","name":7)"), "messages[0].toolCalls[0].name", "a string"},
      {call(R"("id":"1","name":"t","arguments":7)"), "messages[0].toolCalls[0].arguments", "a string"},
      {call(R"("id":"1","name":"t","arguments":"{oops")"), "messages[0].toolCalls[0].arguments", "holds JSON"},
      {with(R"("userId":7)"), "userId", "a string of 1 to 256 bytes, but is a number"},
      {with(R"("userId":"")"), "userId", "has 0"},
      {with(R"("userId":")" + std::string(257, 'u') + '"'), "userId", "has 257"},
      {with(R"("modelName":7)"), "modelName", "a string"},
      {with(R"("modelName":"")"), "modelName", "1 to 255"},
      {with(R"("modelName":")" + std::string(256, 'm') + '"'), "modelName", "has 256"},
      {with(R"("modelProvider":true,"modelName":"m")"), "modelProvider", "is a boolean"},
      {with(R"("modelProvider":"ollama")"), "modelName", "given where modelProvider is"},
      {with(R"("temperature":"hot")"), "temperature", "a number from 0 to 2, but is a string"},
      {with(R"("temperature":2.01)"), "temperature", "is 2.01"},
      {with(R"("temperature":-0.1)"), "temperature", "from 0 to 2"},
      {with(R"("topP":1.1)"), "topP", "from 0 to 1"},
      {with(R"("topP":false)"), "topP", "is a boolean"},
      {with(R"("topK":0)"), "topK", "at least 1, but is 0"},
      {with(R"("topK":1.5)"), "topK", "not whole"},
      {with(R"("maxTokens":0)"), "maxTokens", "at least 1"},
      {with(R"("maxTokens":-1)"), "maxTokens", "is -1"},
      {with(R"("maxTokens":"many")"), "maxTokens", "is a string"},
      {with(R"("maxTokens":18446744073709551615)"), "maxTokens", "too large"},
      {with(R"("seed":0.5)"), "seed", "64 bits"},
      {with(R"("seed":"x")"), "seed", "is a string"},
      {with(R"("timeoutMs":0)"), "timeoutMs", "from 1 to 31536000000"},
      {with(R"("timeoutMs":31536000001)"), "timeoutMs", "31536000001"},
      {with(R"("timeoutMs":"1s")"), "timeoutMs", "is a string"},
      {with(R"("stream":"yes")"), "stream", "true or false, but is a string"},
      {with(R"("stream":1)"), "stream", "true or false"},
      {with(R"("stop":5)"), "stop", "a string or an array"},
      {with(R"("stop":"")"), "stop", "has 0"},
      {with(R"("stop":["a",5])"), "stop[1]", "is a number"},
      {with(R"("stop":[""])"), "stop[0]", "1 to 4096"},
      {with(R"("tools":{})"), "tools", "an array"},
      {with(R"("tools":["t"])"), "tools[0]", "an object"},
      {with(R"("tools":[{}])"), "tools[0].name", "is missing"},
      {with(R"("tools":[{"name":5}])"), "tools[0].name", "is a number"},
      {with(R"("tools":[{"name":"t"},{"name":"t"}])"), "tools[1].name", "appears twice"},
      {with(R"("tools":[{"name":"t","description":1}])"), "tools[0].description", "a string"},
      {with(R"("tools":[{"name":"t","parameters":"{}"}])"), "tools[0].parameters", "an object, but is a string"},
      {with(R"("tools":[{"function":{"description":"d"}}])"), "tools[0].function.name", "is missing"},
      {with(R"("toolChoice":"any")"), "toolChoice", "\"auto\", \"none\", \"required\""},
      {with(R"("toolChoice":3)"), "toolChoice", "is a number"},
      {with(R"("toolChoice":{})"), "toolChoice.name", "is missing"},
      {with(R"("toolChoice":{"name":""})"), "toolChoice.name", "1 to 255"},
      {with(R"("toolChoice":{"name":"t"})"), "toolChoice.name", "one of the tools of this request"},
      {with(R"("toolChoice":"required")"), "toolChoice", "where there are no tools"},
      {with(R"("responseFormat":"xml")"), "responseFormat", "json_schema"},
      {with(R"("responseFormat":7)"), "responseFormat", "is a number"},
      {with(R"("responseFormat":{})"), "responseFormat", "is none of these"},
      {with(R"("responseFormat":{"type":"json_schema"})"), "responseFormat.schema", "is missing"},
      {with(R"("responseFormat":{"type":"json_schema","schema":"{}"})"), "responseFormat.schema", "an object"},
      {with(R"("reasoning":"extreme")"), "reasoning", "one of none, minimal, low, medium, high, xhigh, max"},
      {with(R"("reasoning":3)"), "reasoning", "is a number"},
      {with(R"("reasoning":{"enabled":"yes"})"), "reasoning.enabled", "true or false"},
      {with(R"("reasoning":{"effort":"most"})"), "reasoning.effort", "medium, high, xhigh or max"},
      {with(R"("reasoning":{"maxTokens":0})"), "reasoning.maxTokens", "at least 1"},
      {with(R"("providerConfig":[])"), "providerConfig", "an object"},
      {with(R"("providerConfig":{"ollama":"fast"})"), "providerConfig.ollama", "an object, but is a string"},
      {with(R"("providerConfig":{"":{}})"), "providerConfig", "names of providers"},
      {with(R"("fallbacks":"a/b")"), "fallbacks", "an array"},
      {with(R"("fallbacks":[5])"), "fallbacks[0]", "\"provider/model\""},
      {with(R"("fallbacks":["/m"])"), "fallbacks[0]", "with both parts"},
      {with(R"("fallbacks":["p/"])"), "fallbacks[0]", "with both parts"},
      {with(R"("fallbacks":[""])"), "fallbacks[0]", "has 0"},
      {with(R"("fallbacks":["a/b",{"modelProvider":"p"}])"), "fallbacks[1].modelName", "is missing"},
      {with(R"("fallbacks":[{"modelName":1}])"), "fallbacks[0].modelName", "a string"},
      {with(R"("onInterrupt":"retry")"), "onInterrupt", "\"error\", \"restart\" or \"continue\""},
      {with(R"("onInterrupt":true)"), "onInterrupt", "is a boolean"},
      {with(R"("metadata":"x")"), "metadata", "an object"},
  };
  for (const auto& row : rows) {
    const auto text = complaint(row.json);
    EXPECT_TRUE(text.starts_with("`" + std::string(row.path) + "` must be ")) << row.json << "\n" << text;
    EXPECT_NE(text.find(row.expected), std::string::npos) << row.json << "\n" << text;
    EXPECT_TRUE(text.ends_with("send the request again with a new requestId.")) << text;
  }
}

TEST(InvalidRequest, TheMessageNeverRepeatsWhatTheSenderWrote) {
  for (const auto& json : {with(R"("toolChoice":"sk-canary")"), with(R"("temperature":"sk-canary")"),
                           with_messages(R"([{"role":"sk-canary","content":"x"}])"),
                           with(R"("responseFormat":{"type":"sk-canary"})"), with(R"("fallbacks":["/sk-canary"])")}) {
    EXPECT_EQ(complaint(json).find("canary"), std::string::npos) << json;
  }
}

TEST(InvalidRequest, ReportsFirstFault) {
  EXPECT_TRUE(complaint(with(R"("topK":0,"temperature":9)")).starts_with("`topK`"));
}

TEST(InvalidRequest, ReadsUserIfPossible) {
  const auto result = parse_chat_request(with(R"("topK":0,"userId":"u-7")"), {});
  ASSERT_TRUE(std::holds_alternative<InvalidRequest>(result));
  EXPECT_EQ(std::get<InvalidRequest>(result).user_id, "u-7");
}

TEST(InvalidRequest, BoundsOfAnOperatorAreKept) {
  EXPECT_TRUE(
      complaint(with_messages(R"([{"role":"user","content":"a"},{"role":"user","content":"b"}])"), {.messages_max = 1})
          .starts_with("`messages` must be an array of at most 1 elements, but has 2"));
  EXPECT_TRUE(complaint(with(R"("tools":[{"name":"a"},{"name":"b"}])"), {.tools_max = 1}).starts_with("`tools`"));
  EXPECT_TRUE(complaint(with(R"("stop":["a","b"])"), {.stop_max = 1}).starts_with("`stop`"));
  EXPECT_TRUE(complaint(with(R"("fallbacks":["a/b","c/d"])"), {.fallbacks_max = 1}).starts_with("`fallbacks`"));
  EXPECT_TRUE(complaint(with(R"("metadata":{"a":"1","b":"2"})"), {.metadata_max = 1}).starts_with("`metadata`"));
}

TEST(InvalidRequest, TooDeepIsAnswered) {
  const RequestLimits limits{.depth_max = 8};
  const auto nested = [](std::size_t levels) {
    return with(R"("x":)" + std::string(levels, '[') + '1' + std::string(levels, ']'));
  };
  EXPECT_EQ(tests::parsed(nested(7), limits).unknown_fields, 1U) << "the object itself is the first level";
  EXPECT_NE(complaint(nested(8), limits).find("9 arrays and objects inside each other; at most 8"), std::string::npos);
  EXPECT_NE(complaint(nested(100'000), limits).find("100001"), std::string::npos);
}

TEST(InvalidRequest, ANumberBeyondEveryTypeIsAnswered) {
  for (const auto* number : {"123456789012345678901234567890", "1e999", "-1e999"}) {
    const auto text = complaint(with("\"seed\":" + std::string(number)));
    EXPECT_NE(text.find("64 bits"), std::string::npos) << text;
  }
}

TEST(OversizeRequest, IsAnsweredIfItsIdsAreReadable) {
  const RequestLimits limits{.value_bytes_max = 1000};
  const std::string filler(2000, 'x');
  const auto before =
      R"({"requestId":"r-1","orgId":"acme","messages":[{"role":"user","content":")" + filler + R"("}]})";
  const auto after = R"({"messages":[{"role":"user","content":")" + filler + R"("}],"orgId":"acme","requestId":"r-1"})";
  for (const auto& json : {before, after}) {
    const auto text = complaint(json, limits);
    EXPECT_NE(text.find("at most 1000 are allowed"), std::string::npos) << text;
  }
  EXPECT_NE(why_unanswerable(R"({"requestId":"r-1","x":")" + filler + "\"}", limits).find("`orgId`"),
            std::string::npos);
  EXPECT_NE(why_unanswerable(before.substr(0, 1500), limits).find("not JSON"), std::string::npos);
  EXPECT_NE(why_unanswerable(R"({"orgId":"acme","requestId":")" + filler + "\"}", limits).find("`requestId`"),
            std::string::npos);
  EXPECT_NE(why_unanswerable("[\"" + filler + "\"]", limits).find("not an object"), std::string::npos);
}

TEST(OversizeRequest, TheUserIsKnownToo) {
  const auto json = R"({"requestId":"r-1","orgId":"acme","userId":"\u00fc","x":")" + std::string(99, 'x') + "\"}";
  const auto result = parse_chat_request(json, {.value_bytes_max = 10});
  ASSERT_TRUE(std::holds_alternative<InvalidRequest>(result));
  EXPECT_EQ(std::get<InvalidRequest>(result).user_id, "ü");
}

TEST(OversizeRequest, EscapedIdsOfTheFullLengthAreRead) {
  const RequestLimits limits{.value_bytes_max = 10, .id_bytes_max = 20};
  const auto escaped = [](std::size_t characters) {
    std::string id;
    for (std::size_t index = 0; index < characters; ++index) {
      id += "\\u0061";
    }
    return id;
  };
  const auto request = [&](std::size_t characters) {
    return R"({"requestId":")" + escaped(characters) + R"(","orgId":")" + escaped(20) + R"(","x":"filler"})";
  };
  const auto result = parse_chat_request(request(20), limits);
  ASSERT_TRUE(std::holds_alternative<InvalidRequest>(result));
  EXPECT_EQ(std::get<InvalidRequest>(result).request_id, std::string(20, 'a'));
  EXPECT_EQ(std::get<InvalidRequest>(result).org_id, std::string(20, 'a'));
  EXPECT_NE(why_unanswerable(request(21), limits).find("`requestId`"), std::string::npos);
}

TEST(OversizeRequest, AValueOfExactlyTheLimitIsTaken) {
  const auto json = with(R"("userId":"u")");
  EXPECT_TRUE(std::holds_alternative<ChatRequest>(parse_chat_request(json, {.value_bytes_max = json.size()})));
  EXPECT_NE(complaint(json, {.value_bytes_max = json.size() - 1}).find("at most"), std::string::npos);
}

TEST(OversizeRequest, FiftyMegabytesAreLookedThroughInPlace) {
  const auto json = R"({"requestId":"r-1","orgId":"acme","messages":[{"role":"user","content":")" +
                    std::string(50U * 1024 * 1024, 'x') + R"("}]})";
  EXPECT_NE(complaint(json).find("at most 8388608 are allowed"), std::string::npos);
}

TEST(AnyBytes, ReadsEveryPrefixWithoutHarm) {
  const std::string whole(tests::whole_request);
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto result = parse_chat_request(std::string_view(whole).substr(0, length), {});
    EXPECT_TRUE(std::holds_alternative<Unanswerable>(result)) << length;
  }
}

TEST(AnyBytes, MutatedRequestsAreReadOrRefusedSafely) {
  const std::string whole(tests::whole_request);
  const std::string_view pieces[] = {"null", "true", "[]", "{}", "\"\"", "-1", "1e9", "\"x\"", "\\ud83d",
                                     "\xff", ",",    "]",  "}",  "\"",   ":",  "\\",  "0",     " "};
  std::size_t kinds[3] = {0, 0, 0};
  for (unsigned seed = 1; seed <= 4000; ++seed) {
    std::mt19937 random(seed);
    std::string text = whole;
    const auto changes = 1 + random() % 4;
    for (unsigned change = 0; change < changes; ++change) {
      const auto at = random() % text.size();
      switch (random() % 5) {
        case 0:
          text[at] = static_cast<char>(random() % 256);
          break;
        case 1:
          text.erase(at, random() % 20);
          break;
        case 2:
          text.insert(at, pieces[random() % std::size(pieces)]);
          break;
        case 3: {
          // A value of another type in place of one that was right: these get past the grammar.
          const auto colon = text.find(": ", at);
          const auto end = colon == std::string::npos ? colon : text.find_first_of(",}\n", colon);
          if (end != std::string::npos) {
            text.replace(colon + 2, end - colon - 2, pieces[random() % 8]);
          }
          break;
        }
        default:
          text.insert(at, text.substr(random() % text.size(), random() % 60));
      }
    }
    const auto result = parse_chat_request(text, {});
    ++kinds[result.index()];
    if (const auto* request = std::get_if<ChatRequest>(&result)) {
      const auto json = to_json(*request);
      const auto again = parse_chat_request(json, {});
      ASSERT_TRUE(std::holds_alternative<ChatRequest>(again)) << "seed " << seed << "\n" << json;
      EXPECT_EQ(to_json(std::get<ChatRequest>(again)), json) << "seed " << seed;
    }
    if (const auto* invalid = std::get_if<InvalidRequest>(&result)) {
      EXPECT_FALSE(invalid->request_id.empty()) << "seed " << seed;
      EXPECT_FALSE(invalid->org_id.empty()) << "seed " << seed;
      EXPECT_FALSE(invalid->failure.message.empty()) << "seed " << seed;
    }
  }
  // The mutations must reach all three ways, or they prove little.
  for (const auto count : kinds) {
    EXPECT_GT(count, 100U);
  }
}

}  // namespace
}  // namespace tokenrail::events
