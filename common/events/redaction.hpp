// Taking secrets out of text that is going to be kept: keys of known providers, bearer tokens, private keys, values of
// fields called password and the like. It errs on the side of taking too much. Time grows linearly with the text. Pure.
#pragma once

#include <string>
#include <string_view>

namespace tokenrail::events {

inline constexpr std::string_view redaction_mark = "[redacted]";

struct Redacted {
  std::string text;
  bool redacted = false;
};
[[nodiscard]] Redacted redact_secrets(std::string_view text);

}  // namespace tokenrail::events
