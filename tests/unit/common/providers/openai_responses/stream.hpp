// Streams of the Responses API as tests write them.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

#include "common/providers/openai_responses/decoder.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::providers::openai_responses::test {

inline const Target target{.provider = "openai", .base_url = "https://api.openai.com/v1", .upstream_name = "gpt-5.1"};

/// One event; `fields` as JSON without braces.
inline std::string event(std::string_view type, std::string_view fields = "") {
  return fmt::format("event: {0}\ndata: {{\"type\":\"{0}\"{1}{2}}}\n\n", type, fields.empty() ? "" : ",", fields);
}

inline std::string text_delta(std::string_view text, int index = 0) {
  return event("response.output_text.delta",
               fmt::format(R"("output_index":{},"content_index":0,"item_id":"m{}","delta":"{}")", index, index, text));
}
inline std::string item_added(std::string_view item, int index = 0) {
  return event("response.output_item.added", fmt::format(R"("output_index":{},"item":{})", index, item));
}
inline std::string item_done(std::string_view item, int index = 0) {
  return event("response.output_item.done", fmt::format(R"("output_index":{},"item":{})", index, item));
}
inline std::string arguments_delta(std::string_view piece, int index = 0) {
  return event("response.function_call_arguments.delta",
               fmt::format(R"("output_index":{},"item_id":"fc{}","delta":"{}")", index, index, piece));
}
/// The terminal event, with the `output` that repeats the answer.
inline std::string completed(std::string_view output = "") {
  return event(
      "response.completed",
      fmt::format(R"("response":{{"id":"resp_1","status":"completed","output":[{}],)"
                  R"("usage":{{"input_tokens":9,"output_tokens":4,"input_tokens_details":{{"cached_tokens":5}},)"
                  R"("output_tokens_details":{{"reasoning_tokens":2}}}}}})",
                  output));
}
inline std::string incomplete(std::string_view reason) {
  return event(
      "response.incomplete",
      fmt::format(R"("response":{{"id":"resp_1","incomplete_details":{{"reason":"{}"}},"output":[]}})", reason));
}
inline std::string message(std::string_view text, std::string_view type = "output_text",
                           std::string_view key = "text") {
  return fmt::format(R"({{"id":"m0","type":"message","role":"assistant","content":[{{"type":"{}","{}":"{}"}}]}})", type,
                     key, text);
}
inline std::string call(std::string_view id, std::string_view arguments, std::string_view name = "f") {
  return fmt::format(R"({{"id":"fc_{0}","type":"function_call","call_id":"{0}","name":"{1}","arguments":"{2}"}})", id,
                     name, arguments);
}
inline std::string reasoning(std::string_view id, std::string_view summary = "") {
  return fmt::format(R"({{"id":"{}","type":"reasoning","encrypted_content":"e-{}","summary":[{}]}})", id, id,
                     summary.empty() ? "" : fmt::format(R"({{"type":"summary_text","text":"{}"}})", summary));
}

inline providers::test::AnswerRecorder decoded(std::string_view body, bool stream = true,
                                               const DecoderLimits& limits = {}) {
  providers::test::AnswerRecorder recorder;
  const auto decoder = make_decoder(stream, limits, target, 40);
  decoder->feed(body, recorder);
  decoder->end(recorder);
  return recorder;
}

}  // namespace tokenrail::providers::openai_responses::test
