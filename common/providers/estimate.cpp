#include "common/providers/estimate.hpp"

namespace tokenrail::providers {

std::size_t prompt_bytes(const events::ChatRequest& request) {
  std::size_t bytes = 0;
  for (const auto& message : request.messages) {
    bytes += message.reasoning.size();
    for (const auto& part : message.content) bytes += part.text.size();
    for (const auto& call : message.tool_calls) bytes += call.name.size() + call.arguments.size();
  }
  for (const auto& tool : request.tools) bytes += tool.name.size() + tool.description.size() + tool.parameters.size();
  if (request.response_format) bytes += request.response_format->schema.size();
  return bytes;
}

std::int64_t estimated_tokens(std::size_t bytes) {
  return static_cast<std::int64_t>((bytes + 3) / 4);
}

events::Usage estimated_usage(std::size_t prompt_bytes, std::size_t answer_bytes) {
  events::Usage usage{.input_tokens = estimated_tokens(prompt_bytes), .output_tokens = estimated_tokens(answer_bytes)};
  usage.estimated = true;
  return usage;
}

}  // namespace tokenrail::providers
