#include "common/events/chunk.hpp"

#include <random>
#include <string>

#include <gtest/gtest.h>
#include <simdjson.h>

namespace tokenrail::events {
namespace {

const std::string nasty[] = {
    "plain",
    "\"quoted\" \\ back",
    "line\nbreak\r\t",
    std::string("nul\0inside", 10),
    "é€😀 \u2028\u2029",
    "</script><!--",
    "{\"delta\":\"x\",\"done\":true}",
    "\x7f\x01\x1f",
    std::string(100'000, 'y'),
    "\\u0041",
    "\xEF\xBB\xBF bom",
};

Chunk read(const std::string& json) {
  auto chunk = parse_chunk(json);
  EXPECT_TRUE(chunk.has_value()) << json.substr(0, 300);
  return chunk.value_or(Chunk{});
}

TEST(ChunkWriter, ADeltaComesBackAsItWas) {
  std::string out = "what was there before";
  std::int64_t seq = 0;
  for (const auto& id : nasty) {
    const ChunkWriter writer(id, "org " + id, 1'700'000'000'001);
    for (const auto& text : nasty) {
      writer.write(out, ++seq, {.text = text, .reasoning = text});
      const auto chunk = read(out);
      EXPECT_EQ(chunk.request_id, id);
      EXPECT_EQ(chunk.org_id, "org " + id);
      EXPECT_EQ(chunk.attempt, 1'700'000'000'001);
      EXPECT_EQ(chunk.seq, seq);
      EXPECT_EQ(chunk.delta, text);
      EXPECT_EQ(chunk.reasoning, text);
      EXPECT_FALSE(chunk.done);
    }
  }
}

TEST(ChunkWriter, NoTextIsANullDelta) {
  std::string out;
  const ChunkWriter writer("r", "o", 1);
  writer.write(out, 0, {.reasoning = "hm"});
  EXPECT_EQ(out, R"({"requestId":"r","orgId":"o","attempt":1,"seq":0,"delta":null,"reasoning":"hm","done":false})");
  EXPECT_FALSE(read(out).delta.has_value());
}

TEST(ChunkWriter, ToolCallsCarryTheirArgumentsAsText) {
  std::string out;
  const std::vector<ToolCall> calls{{.id = "c\"1", .name = "look_up", .arguments = R"({"a":"\n"})"},
                                    {.id = "c2", .name = "t", .arguments = "{}"}};
  ChunkWriter("r", "o", 1).write(out, 2, {.text = "x", .tool_calls = &calls});
  const auto chunk = read(out);
  ASSERT_EQ(chunk.tool_calls.size(), 2U);
  EXPECT_EQ(chunk.tool_calls[0].id, "c\"1");
  EXPECT_EQ(chunk.tool_calls[0].arguments, R"({"a":"\n"})");
  EXPECT_EQ(chunk.tool_calls[1].name, "t");
}

TEST(ChunkWriter, ProviderBlocksComeBackInOrder) {
  std::string out;
  const std::vector<ProviderBlock> blocks{{.provider = "a\"b", .data = R"({"signature":"x\"y","n":[1,2.5,null]})"},
                                          {.provider = "b", .data = R"([{"z":1,"a":2}])"}};
  ChunkWriter("r", "o", 1).write(out, 2, {.provider_blocks = &blocks});
  EXPECT_EQ(out,
            R"({"requestId":"r","orgId":"o","attempt":1,"seq":2,"delta":null,"providerBlocks":[{"provider":"a\"b",)"
            R"("data":{"signature":"x\"y","n":[1,2.5,null]}},{"provider":"b","data":[{"z":1,"a":2}]}],"done":false})");
  const auto chunk = read(out);
  ASSERT_EQ(chunk.provider_blocks.size(), 2U);
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    EXPECT_EQ(chunk.provider_blocks[i].provider, blocks[i].provider);
    EXPECT_EQ(chunk.provider_blocks[i].data, blocks[i].data);
  }
}

TEST(ChunkWriter, NoProviderBlocksIsNoField) {
  std::string out;
  const std::vector<ProviderBlock> none;
  ChunkWriter("r", "o", 1).write(out, 0, {.text = "x", .provider_blocks = &none});
  EXPECT_EQ(out, R"({"requestId":"r","orgId":"o","attempt":1,"seq":0,"delta":"x","done":false})");
}

TEST(ParseChunk, UnreadableBlockKeepsTheOthers) {
  const auto chunk =
      read(R"({"requestId":"r","orgId":"o","attempt":1,"seq":0,"delta":null,"providerBlocks":[7,{"provider":"p"},)"
           R"({"provider":"p","data":"text"},{"provider":"p","data":[]}],"done":false})");
  ASSERT_EQ(chunk.provider_blocks.size(), 1U);
  EXPECT_EQ(chunk.provider_blocks[0].data, "[]");
}

TEST(ChunkWriter, ReplacesBytesThatAreNotUtf8) {
  std::string out;
  ChunkWriter("r", "o", 1).write(out, 0, {.text = "a\xff"});
  EXPECT_EQ(read(out).delta, "a\xEF\xBF\xBD");
}

TEST(ChunkWriter, ReusesTheStringItIsGiven) {
  const ChunkWriter writer("request", "org", 5);
  std::string out;
  writer.write(out, 0, {.text = std::string(500, 'x')});
  const auto* place = out.data();
  const auto capacity = out.capacity();
  for (std::int64_t seq = 1; seq < 100; ++seq) {
    writer.write(out, seq, {.text = "some \"text\" é"});
  }
  EXPECT_EQ(out.data(), place);
  EXPECT_EQ(out.capacity(), capacity);
}

TEST(ChunkWriter, OverheadBoundsBytesAroundADelta) {
  const ChunkWriter writer("request", "org", INT64_MAX);
  std::string out;
  writer.write(out, INT64_MAX, {.text = "x"});
  EXPECT_LE(out.size(), writer.overhead_bytes() + 1);
}

TEST(TerminalChunk, SaysEverythingThatIsKnown) {
  TerminalChunk terminal{.seq = 41,
                         .finish_reason = FinishReason::error,
                         .usage = Usage{.input_tokens = 10,
                                        .output_tokens = 20,
                                        .cached_input_tokens = 3,
                                        .cache_write_input_tokens = 2,
                                        .reasoning_tokens = 4,
                                        .estimated = true},
                         .model = AnsweringModel{.provider = "ollama", .name = "llama3.2:1b"},
                         .timing = {.queued_ms = 1, .first_token_ms = 2, .total_ms = 3},
                         .source_offset = 77,
                         .cost_micros = 12,
                         .price_version = "2026-01",
                         .provider_request_id = "req_1",
                         .warnings = {"topK is ignored", "b"},
                         .recovered = true,
                         .duplicate_of_offset = 70,
                         .duplicate_of_attempt = 1001,
                         .reply_topic = "replies",
                         .failure = Failure{.code = ErrorCode::provider_unavailable,
                                            .message = "Start it.",
                                            .retryable = true,
                                            .provider = "ollama",
                                            .status = 503}};
  std::string out;
  ChunkWriter("r", "o", 1001).write(out, terminal);
  EXPECT_NE(out.find(R"("chunks":42)"), std::string::npos);
  const auto chunk = read(out);
  EXPECT_TRUE(chunk.done);
  EXPECT_FALSE(chunk.delta.has_value());
  EXPECT_EQ(chunk.seq, 41);
  EXPECT_EQ(chunk.finish_reason, "error");
  ASSERT_TRUE(chunk.usage.has_value());
  EXPECT_EQ(chunk.usage->input_tokens, 10);
  EXPECT_EQ(chunk.usage->output_tokens, 20);
  EXPECT_EQ(chunk.usage->cached_input_tokens, 3);
  EXPECT_EQ(chunk.usage->cache_write_input_tokens, 2);
  EXPECT_EQ(chunk.usage->reasoning_tokens, 4);
  EXPECT_TRUE(chunk.usage->estimated);
  ASSERT_TRUE(chunk.model.has_value());
  EXPECT_EQ(chunk.model->provider, "ollama");
  EXPECT_EQ(chunk.model->name, "llama3.2:1b");
  EXPECT_EQ(chunk.timing.queued_ms, 1);
  EXPECT_EQ(chunk.timing.first_token_ms, 2);
  EXPECT_EQ(chunk.timing.total_ms, 3);
  EXPECT_EQ(chunk.source_offset, 77);
  EXPECT_EQ(chunk.cost_micros, 12);
  EXPECT_EQ(chunk.price_version, "2026-01");
  EXPECT_EQ(chunk.provider_request_id, "req_1");
  EXPECT_EQ(chunk.warnings, (std::vector<std::string>{"topK is ignored", "b"}));
  EXPECT_TRUE(chunk.recovered);
  EXPECT_EQ(chunk.duplicate_of_offset, 70);
  EXPECT_EQ(chunk.duplicate_of_attempt, 1001);
  EXPECT_EQ(chunk.reply_topic, "replies");
  EXPECT_EQ(chunk.error_code, "PROVIDER_UNAVAILABLE");
  EXPECT_EQ(chunk.error_message, "Start it.");
  EXPECT_TRUE(chunk.error_retryable);
  EXPECT_EQ(chunk.error_provider, "ollama");
  EXPECT_EQ(chunk.error_status, 503);
}

TEST(TerminalChunk, LeavesOutWhatIsNotKnown) {
  std::string out;
  ChunkWriter("r", "o", 1).write(out, TerminalChunk{.seq = 0, .source_offset = 5});
  EXPECT_EQ(out, R"({"requestId":"r","orgId":"o","attempt":1,"seq":0,"delta":null,"done":true,"finishReason":"stop",)"
                 R"("timing":{"queuedMs":0,"totalMs":0},"chunks":1,"sourceOffset":5})");
}

TEST(TerminalChunk, IsCutToFitItsRecord) {
  constexpr std::size_t bytes_max = 16 * 1024;
  const ChunkWriter writer("r", "o", 1);
  TerminalChunk terminal{.finish_reason = FinishReason::error,
                         .warnings = std::vector<std::string>(32, std::string(512, '\x01')),
                         .failure = Failure::of(ErrorCode::internal, "why")};
  std::string out;
  writer.write_within(out, terminal, bytes_max);
  EXPECT_LE(out.size(), bytes_max);
  EXPECT_GT(out.size(), bytes_max - 512 * 6 - 8);
  EXPECT_EQ(terminal.failure->message, "why");
  EXPECT_EQ(parse_chunk(out)->warnings.size(), terminal.warnings.size());

  terminal.failure->message = std::string(20'000, '\x01');
  writer.write_within(out, terminal, bytes_max);
  EXPECT_LE(out.size(), bytes_max);
  EXPECT_TRUE(terminal.warnings.empty());
  EXPECT_EQ(parse_chunk(out)->error_code, "INTERNAL");
}

TEST(TerminalChunk, CarriesNumberOfTheSpecification) {
  std::string out;
  ChunkWriter("r", "o", 1).write(out, TerminalChunk{.failure = Failure::of(ErrorCode::model_not_found, "m")});
  EXPECT_NE(out.find(R"("code":"MODEL_NOT_FOUND","number":"E4001")"), std::string::npos) << out;
}

TEST(TerminalChunk, TheMessageNeverHoldsASecret) {
  std::string out;
  ChunkWriter("r", "o", 1)
      .write(out,
             TerminalChunk{.failure = Failure::of(ErrorCode::provider_auth, "refused sk-proj-abcdefghijklmnop1234")});
  EXPECT_EQ(out.find("abcdefgh"), std::string::npos) << out;
}

TEST(ParseChunk, ReadsTolerantly) {
  const auto chunk = read(
      R"({"requestId":"r","orgId":"o","attempt":1,"seq":2,"delta":5,"toolCalls":[1,{"id":"a"}],"done":true,)"
      R"("finishReason":"of a later version","usage":"none","model":[],"timing":7,"warnings":[1,"w"],"new":{"x":1}})");
  EXPECT_FALSE(chunk.delta.has_value());
  EXPECT_EQ(chunk.tool_calls.size(), 1U);
  EXPECT_EQ(chunk.finish_reason, "of a later version");
  EXPECT_FALSE(chunk.usage.has_value());
  EXPECT_FALSE(chunk.model.has_value());
  EXPECT_EQ(chunk.warnings, std::vector<std::string>{"w"});
  EXPECT_EQ(chunk.source_offset, -1);
}

TEST(ParseChunk, RefusesWhatBelongsToNoAnswer) {
  for (const auto* json :
       {"", "no", "[]", "{}", R"({"requestId":"r","orgId":"o","attempt":1})",
        R"({"requestId":"r","orgId":"o","seq":1})", R"({"requestId":"r","attempt":1,"seq":1})",
        R"({"orgId":"o","attempt":1,"seq":1})", R"({"requestId":"r","orgId":"o","attempt":"1","seq":1})"}) {
    const auto chunk = parse_chunk(json);
    ASSERT_FALSE(chunk.has_value()) << json;
    EXPECT_EQ(chunk.error().kind, ErrorKind::invalid_input);
  }
}

TEST(ParseChunk, AnyBytesAreReadWithoutHarm) {
  std::string whole;
  ChunkWriter("r", "o", 1)
      .write(whole,
             TerminalChunk{.usage = Usage{}, .warnings = {"w"}, .failure = Failure::of(ErrorCode::internal, "m")});
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(parse_chunk(whole.substr(0, length)).has_value()) << length;
  }
  std::size_t read_anyway = 0;
  for (unsigned seed = 1; seed <= 3000; ++seed) {
    std::mt19937 random(seed);
    auto text = whole;
    text[random() % text.size()] = static_cast<char>(random() % 256);
    text.erase(random() % text.size(), random() % 3);
    read_anyway += parse_chunk(text).has_value() ? 1U : 0U;
  }
  EXPECT_GT(read_anyway, 100U);
}

}  // namespace
}  // namespace tokenrail::events
