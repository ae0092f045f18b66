// The recorded exchanges of OpenAI's Chat Completions API and of the servers that speak it, and a second, naive reading
// of their answers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/providers/target.hpp"
#include "tests/conformance/exchanges.hpp"

namespace tokenrail::conformance {

/// Every recording of these folders.
[[nodiscard]] std::vector<std::string> chat_completions_cases();

enum class ChatCall { chat, models, embeddings, other };
[[nodiscard]] ChatCall chat_call_of(const Recording& recording);

/// Where the exchange of that name went.
[[nodiscard]] providers::Target target_of(std::string_view name);
/// "azure" or "openai".
[[nodiscard]] std::string_view adapter_of(std::string_view name);

/// What an answer says, read without any of the decoder's code: whole lines, each as a tree.
struct ChatReading {
  std::string text{};
  std::string reasoning{};
  struct Call {
    std::optional<std::int64_t> index{};
    std::string id{};
    std::string name{};
    std::string arguments{};
  };
  std::vector<Call> calls{};
  bool choices = false;
  bool refused = false;
  bool done = false;
  bool error = false;
  std::string error_text{};
  std::string finish{};
  std::optional<std::int64_t> input_tokens{};
  std::optional<std::int64_t> output_tokens{};
  std::optional<std::int64_t> cached_tokens{};
  std::optional<std::int64_t> reasoning_tokens{};
  std::size_t needed = 0;  ///< bytes from which on the answer may be whole

  [[nodiscard]] bool is_whole() const { return choices && !error && (done || !finish.empty()); }
};
[[nodiscard]] ChatReading chat_reading_of(std::string_view body, bool stream);

}  // namespace tokenrail::conformance
