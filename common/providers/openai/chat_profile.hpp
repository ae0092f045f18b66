// How providers of the OpenAI Chat Completions API differ, as data. Pure.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace tokenrail::providers::openai {

enum class ToolChoices {
  full,        ///< words, and one tool by its name
  words_only,  ///< a named tool is asked for as the only tool, with the word for "required"
  none,        ///< the model decides, always
};

enum class Schemas {
  openai,  ///< response_format.json_schema
  tgi,     ///< response_format.value
  none,    ///< JSON without a schema only
};

enum class Files {
  none,
  data,          ///< inside the request
  data_or_url,   ///< file_data may be a URL
  document_url,  ///< a part "document_url", as data URL or URL
};

/// How the reasoning of earlier answers is sent back.
enum class Replay {
  none,
  reasoning,          ///< message.reasoning
  reasoning_content,  ///< message.reasoning_content
  tool_turns,         ///< message.reasoning_content, in messages with tool calls, where it must not be missing
  content_parts,      ///< a part "thinking" of message.content
  details,            ///< message.reasoning_details as they came, and message.reasoning
};

/// A conversation that ends with an assistant message: whether the answer goes on from it.
enum class Prefill {
  none,          ///< it does not, or the server refuses it
  last_message,  ///< it does
  switched,      ///< it does where the request says so: vLLM's continue_final_message
  marked,        ///< it does where the message is marked as a prefix; the answer repeats that text first (Mistral)
};

/// A top-level field that switches reasoning on and off, its values as JSON.
struct Switch {
  std::string_view field{};
  std::string_view on{};
  std::string_view off{};
};

struct ChatProfile {
  std::string_view provider;  ///< Target::provider
  std::string_view tokens_max = "max_tokens";
  bool asks_for_usage = true;      ///< stream_options.include_usage; false: usage comes anyway
  std::string_view seed = "seed";  ///< empty: not taken
  bool top_k = false;
  std::size_t stop_max = 0;  ///< 0: no limit known
  std::string_view tool_required = "required";
  ToolChoices tool_choices = ToolChoices::full;
  bool tool_names = false;            ///< results carry the tool's name
  bool short_call_ids = false;        ///< ids of tool calls are nine letters and digits
  std::size_t call_id_bytes_max = 0;  ///< of ids of tool calls; 0: no limit known
  Schemas schemas = Schemas::openai;
  bool image_urls = true;
  Files files = Files::none;
  bool audio = false;
  std::span<const std::string_view> efforts{};  ///< words for reasoning_effort, rising; empty: not taken
  std::string_view effort_on{};                 ///< for "on" without an effort; empty: reasoning is on by itself
  Switch reasoning{};
  bool reasoning_object = false;        ///< reasoning {effort | max_tokens | enabled}
  std::string_view reasoning_budget{};  ///< field for a bound on reasoning alone
  Replay replay = Replay::none;
  Prefill prefill = Prefill::none;
  bool answers_unknown_models = false;  ///< with the model that it has loaded; only the answer names that one
  std::string_view embedding_dimensions = "dimensions";
};

/// The row of that provider; of an unknown one the row of any server that speaks this API.
[[nodiscard]] const ChatProfile& chat_profile(std::string_view provider);
[[nodiscard]] std::span<const ChatProfile> chat_profiles();

}  // namespace tokenrail::providers::openai
