#include "tests/conformance/accepted_requests.hpp"

namespace tokenrail::conformance {

namespace {

/// Fields of requests that no recording has and that the API's documentation names.
struct Documented {
  Wire wire;
  std::string_view provider;  ///< empty: each
  std::string_view path;
};
constexpr Documented documented[] = {
    {Wire::ollama, "", "messages[system].role:string"},
    {Wire::ollama, "", "messages[system].content:string"},
    {Wire::ollama, "", "truncate:bool"},
    {Wire::responses, "", "instructions:string"},
    {Wire::responses, "", "input[user].content:string"},
    {Wire::responses, "", "input[assistant].type:string"},
    {Wire::responses, "", "input[assistant].role:string"},
    {Wire::responses, "", "input[assistant].content[output_text].type:string"},
    {Wire::responses, "", "input[assistant].content[output_text].text:string"},
    {Wire::responses, "", "input[reasoning].type:string"},
    {Wire::responses, "", "input[reasoning].id:string"},
    {Wire::responses, "", "input[reasoning].encrypted_content:string"},
    {Wire::responses, "", "input[reasoning].summary[summary_text].type:string"},
    {Wire::responses, "", "input[reasoning].summary[summary_text].text:string"},
    {Wire::responses, "", "input[user].content[input_file].type:string"},
    {Wire::responses, "", "input[user].content[input_file].filename:string"},
    {Wire::responses, "", "input[user].content[input_file].file_data:string"},
    {Wire::chat, "mistral", "messages[user].content[document_url].type:string"},
    {Wire::chat, "mistral", "messages[user].content[document_url].document_url:string"},
    {Wire::chat, "mistral", "response_format.json_schema.name:string"},
    {Wire::chat, "mistral", "response_format.json_schema.schema:object"},
    {Wire::chat, "mistral", "response_format.json_schema.strict:bool"},
    {Wire::chat, "tgi", "response_format.type:string"},
    {Wire::chat, "tgi", "response_format.value.type:string"},
    {Wire::cohere, "", "response_format.type:string"},
    {Wire::cohere, "", "response_format.json_schema.type:string"},
    {Wire::chat, "mistral", "messages[system].role:string"},
    {Wire::cohere, "", "messages[system].role:string"},
    {Wire::chat, "mistral", "messages[system].content:string"},
    {Wire::chat, "mistral", "messages[assistant].content[text].text:string"},
    {Wire::chat, "mistral", "messages[assistant].content[text].type:string"},
    {Wire::chat, "mistral", "messages[assistant].content[thinking].thinking[text].text:string"},
    {Wire::chat, "mistral", "messages[assistant].content[thinking].thinking[text].type:string"},
    {Wire::chat, "mistral", "messages[assistant].content[thinking].type:string"},
    {Wire::chat, "mistral", "messages[tool].content:string"},
    {Wire::chat, "", "messages[assistant].content:string"},
    {Wire::chat, "openrouter", "messages[assistant].reasoning:string"},
    {Wire::chat, "openrouter", "messages[assistant].reasoning_details[reasoning.text].type:string"},
    {Wire::chat, "openrouter", "messages[assistant].reasoning_details[reasoning.text].text:string"},
    {Wire::chat, "openrouter", "messages[assistant].reasoning_details[reasoning.text].signature:string"},
    {Wire::chat, "openrouter", "messages[assistant].reasoning_details[reasoning.text].format:string"},
    {Wire::chat, "openrouter", "messages[assistant].reasoning_details[reasoning.text].index:number"},
    {Wire::chat, "llamacpp", "messages[assistant].reasoning_content:string"},
    {Wire::chat, "deepseek", "messages[assistant].reasoning_content:string"},
    {Wire::chat, "vllm", "messages[assistant].reasoning:string"},
    {Wire::chat, "ollama-openai", "messages[assistant].reasoning:string"},
    {Wire::ollama, "", "messages[assistant].thinking:string"},
    {Wire::anthropic, "", "messages[assistant].content[thinking].type:string"},
    {Wire::anthropic, "", "messages[assistant].content[thinking].thinking:string"},
    {Wire::anthropic, "", "messages[assistant].content[thinking].signature:string"},
    {Wire::cohere, "", "messages[assistant].content:string"},
    {Wire::cohere, "", "messages[assistant].content[thinking].type:string"},
    {Wire::cohere, "", "messages[assistant].content[thinking].thinking:string"},
    {Wire::cohere, "", "messages[assistant].tool_plan:string"},
    {Wire::cohere, "", "messages[system].content:string"},
    {Wire::cohere, "", "messages[user].content:string"},
    {Wire::cohere, "", "messages[tool].content:string"},
};

}  // namespace

Paths accepted_requests(const Speaker& speaker) {
  auto out = recorded_requests(speaker.provider == "mistral" ? "mistral" : speaker.recorded);
  for (const auto& row : documented) {
    if (row.wire == speaker.wire && (row.provider.empty() || row.provider == speaker.provider)) out.emplace(row.path);
  }
  return out;
}

}  // namespace tokenrail::conformance
