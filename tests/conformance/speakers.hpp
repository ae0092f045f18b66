// Providers as one conversation meets them: where its requests go, and what the provider's answers look like on the
// wire. The answers are written here, in the shape that recorded exchanges have.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/providers/provider.hpp"

namespace tokenrail::conformance {

enum class Wire { ollama, chat, responses, anthropic, gemini, cohere };

/// How a server of chat completions sends reasoning.
enum class ReasoningForm {
  none,
  field,    ///< message.<reasoning_field>
  parts,    ///< parts "thinking" of the content
  details,  ///< message.reasoning and signed reasoning_details
  own,      ///< not chat completions: as the format has it
};

struct Speaker {
  std::string_view provider;  ///< as profiles name it, and the folder of its recordings
  Wire wire;
  std::string_view model;
  std::string_view call_id;  ///< of a call, with {} for its number in the conversation; empty: the format has none
  ReasoningForm reasoning = ReasoningForm::own;
  std::string_view reasoning_field{};
  bool fragments = true;      ///< arguments of calls come in pieces
  std::string_view recorded;  ///< folders that hold its format, separated by blanks

  [[nodiscard]] providers::Target target() const;
  [[nodiscard]] const providers::Provider& adapter() const;
  /// Signed or encrypted reasoning, as text; empty: the provider sends none.
  [[nodiscard]] std::string signature(int turn) const;
  [[nodiscard]] bool reasons() const { return reasoning != ReasoningForm::none; }
};
[[nodiscard]] const std::vector<Speaker>& speakers();

struct SaidCall {
  std::string_view name;
  std::vector<std::string_view> pieces;  ///< of the arguments' JSON text
  [[nodiscard]] std::string arguments() const;
};

/// What the model says in one turn, whatever the provider.
struct Said {
  int turn = 1;
  std::vector<std::string_view> reasoning{};
  std::vector<std::string_view> text{};
  std::vector<SaidCall> calls{};
};
/// Of all answers.
inline constexpr int input_tokens = 40;
inline constexpr int output_tokens = 17;

/// The body of the provider's answer.
[[nodiscard]] std::string answer_body(const Speaker& speaker, const Said& said, bool stream);

}  // namespace tokenrail::conformance
