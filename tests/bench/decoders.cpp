// tokenrail-bench-decoders: the CPU that each adapter's decoder takes for one chunk of text. No network and no Kafka: a
// stream of one answer lies in memory, in events as the provider sends them, and is fed in packets as a socket gives
// them. The adapters take turns, so that a busy machine is busy for all of them.
//
//   tokenrail-bench-decoders [--chunks 20000] [--rounds 15] [--packet-bytes 0]
//
// `packet-bytes` 0: an event a packet. Prints one JSON object, nanoseconds a chunk by adapter, one number a round.
#include <array>
#include <cstdio>
#include <exception>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/providers/provider.hpp"
#include "tests/bench/instruments.hpp"

namespace {

using namespace tokenrail;

/// One answer as a provider streams it: `opening`, then `before` word `after` for each chunk, then `closing`.
struct Dialect {
  std::string_view adapter;
  std::string_view opening;
  std::string_view before;
  std::string_view after;
  std::string_view closing;
};

constexpr std::array dialects{
    Dialect{
        .adapter = "ollama",
        .opening = "",
        .before =
            R"({"model":"llama3.2:1b","created_at":"2026-11-01T13:48:22.182074Z","message":{"role":"assistant","content":")",
        .after = "\"},\"done\":false}\n",
        .closing =
            R"({"model":"llama3.2:1b","created_at":"2026-11-01T13:48:22.182074Z","message":{"role":"assistant","content":""},"done":true,"done_reason":"stop","prompt_eval_count":9,"eval_count":9})"
            "\n"},
    Dialect{
        .adapter = "openai",
        .opening =
            R"(data: {"id":"chatcmpl-CKz4pmtksE5Tg3sqmeOXcZtoQEw7O","object":"chat.completion.chunk","created":1793540000,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_560af6e559","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null})"
            "\n\n",
        .before =
            R"(data: {"id":"chatcmpl-CKz4pmtksE5Tg3sqmeOXcZtoQEw7O","object":"chat.completion.chunk","created":1793540000,"model":"gpt-4o-mini-2024-07-18","service_tier":"default","system_fingerprint":"fp_560af6e559","choices":[{"index":0,"delta":{"content":")",
        .after = "\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n",
        .closing =
            R"(data: {"id":"chatcmpl-CKz4pmtksE5Tg3sqmeOXcZtoQEw7O","object":"chat.completion.chunk","created":1793540000,"model":"gpt-4o-mini-2024-07-18","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":9,"total_tokens":18}})"
            "\n\ndata: [DONE]\n\n"},
    Dialect{
        .adapter = "openai-responses",
        .opening = R"(event: response.created
data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_6867f1cae594","object":"response","status":"in_progress","model":"gpt-5-mini","output":[]}}

event: response.output_item.added
data: {"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"msg_6867f1cae594","type":"message","status":"in_progress","content":[],"role":"assistant"}}

event: response.content_part.added
data: {"type":"response.content_part.added","sequence_number":2,"item_id":"msg_6867f1cae594","output_index":0,"content_index":0,"part":{"type":"output_text","annotations":[],"text":""}}

)",
        .before =
            "event: response.output_text.delta\n"
            R"(data: {"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_06c839edbdd88254016a3c11a93e1481908acf9bbba9834b75","output_index":0,"content_index":0,"delta":")",
        .after = "\",\"logprobs\":[],\"obfuscation\":\"qR7dk2\"}\n\n",
        .closing = R"(event: response.completed
data: {"type":"response.completed","sequence_number":9,"response":{"id":"resp_6867f1cae594","object":"response","status":"completed","model":"gpt-5-mini","output":[{"id":"msg_6867f1cae594","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],"text":"word"}]}],"usage":{"input_tokens":9,"output_tokens":9,"total_tokens":18}}}

)"},
    Dialect{.adapter = "anthropic",
            .opening = R"(event: message_start
data: {"type":"message_start","message":{"id":"msg_01XFDUDYJgAACzvnptvVoYEL","type":"message","role":"assistant","model":"claude-haiku-4-5-20251001","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":9,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

)",
            .before = "event: content_block_delta\n"
                      R"(data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":")",
            .after = "\"}}\n\n",
            .closing = R"(event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":9}}

event: message_stop
data: {"type":"message_stop"}

)"},
    Dialect{
        .adapter = "gemini",
        .opening = "",
        .before = R"(data: {"candidates": [{"content": {"parts": [{"text": ")",
        .after =
            R"("}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 9,"candidatesTokenCount": 9,"totalTokenCount": 18,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 9}]},"modelVersion": "gemini-2.5-flash","responseId": "fS2kaY3GHKyQxN8P"})"
            "\r\n\r\n",
        .closing =
            R"(data: {"candidates": [{"content": {"parts": [{"text": ""}],"role": "model"},"finishReason": "STOP","index": 0}],"usageMetadata": {"promptTokenCount": 9,"candidatesTokenCount": 9,"totalTokenCount": 18}})"
            "\r\n\r\n"},
    Dialect{.adapter = "cohere",
            .opening = R"(event: message-start
data: {"id":"2f3ab2c8","type":"message-start","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}

event: content-start
data: {"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}

)",
            .before = "event: content-delta\n"
                      R"(data: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":")",
            .after = "\"}}}}\n\n",
            .closing = R"(event: content-end
data: {"type":"content-end","index":0}

event: message-end
data: {"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":9,"output_tokens":9},"tokens":{"input_tokens":9,"output_tokens":9}}}}

)"}};

constexpr std::array<std::string_view, 8> words{" amber", " brook", " cedar", " delta", " of", " the", ",", " orchard"};

std::vector<std::string> packets_of(const Dialect& dialect, std::int64_t chunks, std::size_t packet_bytes) {
  std::vector<std::string> events{std::string(dialect.opening)};
  for (std::int64_t i = 0; i < chunks; ++i) {
    events.push_back(
        fmt::format("{}{}{}", dialect.before, words[static_cast<std::size_t>(i) % words.size()], dialect.after));
  }
  events.emplace_back(dialect.closing);
  if (packet_bytes == 0) return events;
  std::string all;
  for (const auto& event : events) all += event;
  std::vector<std::string> packets;
  for (std::size_t at = 0; at < all.size(); at += packet_bytes) packets.push_back(all.substr(at, packet_bytes));
  return packets;
}

class Counter final : public providers::AnswerSink {
 public:
  void on_event(providers::AnswerEvent event) override {
    if (std::holds_alternative<providers::TextDelta>(event)) ++chunks;
    if (std::holds_alternative<providers::AnswerFinished>(event)) finished = true;
  }
  std::int64_t chunks = 0;
  bool finished = false;
};

double decode_ns_per_chunk(const Dialect& dialect, const std::vector<std::string>& packets, std::int64_t chunks) {
  events::ChatRequest request;
  request.stream = true;
  request.messages.push_back({.role = events::Role::user, .content = {{.type = "text", .text = "go on"}}});
  const providers::Target target{.provider = std::string(dialect.adapter),
                                 .base_url = "http://127.0.0.1:1",
                                 .upstream_name = "model",
                                 .credential = {}};
  const auto call = providers::find_provider(dialect.adapter)->chat(request, target, {});
  if (!call) throw std::runtime_error(fmt::format("{}: {}", dialect.adapter, call.error().detail));

  Counter counter;
  const auto before = bench::own_cpu_ns();
  for (const auto& packet : packets) call->decoder->feed(packet, counter);
  call->decoder->end(counter);
  const auto spent = bench::own_cpu_ns() - before;
  if (!counter.finished || counter.chunks != chunks) {
    throw std::runtime_error(
        fmt::format("{}: {} of {} chunks, finished: {}", dialect.adapter, counter.chunks, chunks, counter.finished));
  }
  return static_cast<double>(spent) / static_cast<double>(chunks);
}

int run(const bench::Arguments& arguments) {
  const auto chunks = arguments.number("chunks", 20'000);
  const auto rounds = arguments.number("rounds", 15);
  const auto packet_bytes = static_cast<std::size_t>(arguments.number("packet-bytes", 0));

  std::map<std::string, std::vector<std::string>> packets;
  std::map<std::string, std::vector<double>> costs;
  for (const auto& dialect : dialects) {
    packets[std::string(dialect.adapter)] = packets_of(dialect, chunks, packet_bytes);
    decode_ns_per_chunk(dialect, packets[std::string(dialect.adapter)], chunks);  // the caches warm up once
  }
  for (std::int64_t round = 0; round < rounds; ++round) {
    for (const auto& dialect : dialects) {
      const std::string adapter(dialect.adapter);
      costs[adapter].push_back(decode_ns_per_chunk(dialect, packets[adapter], chunks));
    }
  }
  std::vector<std::string> members;
  for (const auto& [adapter, values] : costs) {
    members.push_back(fmt::format("\"{}\":[{:.1f}]", adapter, fmt::join(values, ",")));
  }
  std::puts(fmt::format("{{{}}}", fmt::join(members, ",")).c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(bench::Arguments(argc, argv, {"chunks", "rounds", "packet-bytes"}));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tokenrail-bench-decoders: %s\n", error.what());
    return 1;
  }
}
