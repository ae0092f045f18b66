// Where the program writes: results to standard output, everything else to standard error; colours only for a person
// who looks at a terminal and did not ask for none.
#pragma once

#include <string>
#include <string_view>

namespace tokenrail::cli {

struct TerminalFacts {
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  bool no_color = false;  ///< NO_COLOR is set and not empty, TERM is "dumb", or --no-color
  bool quiet = false;
};

class Terminal {
 public:
  explicit Terminal(TerminalFacts facts) : facts_(facts) {}

  /// What the process really has.
  static TerminalFacts facts_of_process(bool no_color_flag, bool quiet_flag);

  /// A result, as it is, flushed.
  void out(std::string_view text);
  void out_line(std::string_view line);
  /// A message for people; left out when quiet.
  void note(std::string_view line);
  /// Always written: what went wrong and what to do about it.
  void error(std::string_view line);

  /// The errno of the first result that could not be written, or 0: a full disk must not look like success.
  [[nodiscard]] int out_error() const { return out_error_; }
  /// Whether standard output is a pipe whose reader has gone (`| head`). Also true before anything is written.
  [[nodiscard]] bool reader_gone() const;

  [[nodiscard]] bool out_is_terminal() const { return facts_.out_is_terminal; }
  [[nodiscard]] bool quiet() const { return facts_.quiet; }

  enum class Style { plain, dim, bold, good, bad, warning };
  [[nodiscard]] std::string styled_out(Style style, std::string_view text) const;
  [[nodiscard]] std::string styled_err(Style style, std::string_view text) const;

 private:
  TerminalFacts facts_;
  int out_error_ = 0;
};

/// Text from elsewhere made safe for a terminal: control characters (ESC among them, and the C1 set) are dropped, so
/// that no model can move the cursor or retitle a window; tab and line feed stay. `text` is UTF-8.
[[nodiscard]] std::string without_controls(std::string_view text);

}  // namespace tokenrail::cli
