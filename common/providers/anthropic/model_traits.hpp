// What Claude models take, by their names: data for the request body and for the call policy. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace tokenrail::providers::anthropic {

/// Whether a request may end in an assistant message that the model continues.
enum class Prefill { accepted, refused, unknown };

/// How a model is made to think.
enum class Thinking {
  none,
  budget,    ///< `thinking.budget_tokens`
  adaptive,  ///< the model decides; `output_config.effort` guides it
};

enum class Sampling {
  all,  ///< temperature and top_p together
  one,  ///< either of them
  no,   ///< neither, nor top_k
};

struct ModelTraits {
  Prefill prefill = Prefill::unknown;
  Thinking thinking = Thinking::budget;
  bool thinking_can_be_off = true;
  bool extra_high_effort = false;  ///< knows the effort "xhigh"
  Sampling sampling = Sampling::all;
  std::int64_t output_tokens_max = 0;  ///< 0: unknown
};

/// By family and version in the name ("claude-opus-4-6", "claude-3-5-sonnet-20241022", also behind a path or with
/// dots). A Claude model newer than the table is taken for one like the newest; a name that is no Claude's has the
/// defaults above.
[[nodiscard]] ModelTraits traits_of(std::string_view model);

/// For the call policy: an interrupted answer may be sent back as the last message, to be continued. Trailing blanks of
/// that message are cut, because the provider refuses them; the continuation may begin with them.
[[nodiscard]] inline bool accepts_prefill(std::string_view model) {
  return traits_of(model).prefill == Prefill::accepted;
}

}  // namespace tokenrail::providers::anthropic
