#include "cli/terminal.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include <poll.h>
#include <unistd.h>

namespace tokenrail::cli {
namespace {

std::string styled(bool colours, Terminal::Style style, std::string_view text) {
  if (!colours || style == Terminal::Style::plain) return std::string(text);
  std::string_view code;
  switch (style) {
    case Terminal::Style::plain:
      break;
    case Terminal::Style::dim:
      code = "2";
      break;
    case Terminal::Style::bold:
      code = "1";
      break;
    case Terminal::Style::good:
      code = "32";
      break;
    case Terminal::Style::bad:
      code = "31";
      break;
    case Terminal::Style::warning:
      code = "33";
      break;
  }
  std::string out = "\x1b[";
  out += code;
  out += 'm';
  out += text;
  out += "\x1b[0m";
  return out;
}

bool write(std::FILE* file, std::string_view text, bool line) {
  const bool whole = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const bool ended = !line || std::fputc('\n', file) != EOF;
  return std::fflush(file) == 0 && whole && ended;
}

}  // namespace

TerminalFacts Terminal::facts_of_process(bool no_color_flag, bool quiet_flag) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool dumb = term != nullptr && std::string_view(term) == "dumb";
  return {.out_is_terminal = isatty(STDOUT_FILENO) == 1,
          .err_is_terminal = isatty(STDERR_FILENO) == 1,
          .no_color = no_color_flag || dumb || (no_color != nullptr && *no_color != '\0'),
          .quiet = quiet_flag};
}

void Terminal::out(std::string_view text) {
  if (!write(stdout, text, false) && out_error_ == 0) out_error_ = errno;
}
void Terminal::out_line(std::string_view line) {
  if (!write(stdout, line, true) && out_error_ == 0) out_error_ = errno;
}
bool Terminal::reader_gone() const {
  if (out_error_ == EPIPE) return true;
  pollfd out{.fd = STDOUT_FILENO, .events = 0, .revents = 0};
  return !facts_.out_is_terminal && poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}
void Terminal::note(std::string_view line) {
  if (!facts_.quiet) write(stderr, line, true);
}
void Terminal::error(std::string_view line) {
  write(stderr, styled_err(Style::bad, "error: ") + std::string(line), true);
}

std::string Terminal::styled_out(Style style, std::string_view text) const {
  return styled(facts_.out_is_terminal && !facts_.no_color, style, text);
}
std::string Terminal::styled_err(Style style, std::string_view text) const {
  return styled(facts_.err_is_terminal && !facts_.no_color, style, text);
}

std::string without_controls(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte == '\n' || byte == '\t') {
      out += text[i];
    } else if (byte < 0x20 || byte == 0x7f) {
      continue;
    } else if (byte == 0xc2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      ++i;  // U+0080 to U+009F: a terminal may take them for escape sequences
    } else {
      out += text[i];
    }
  }
  return out;
}

}  // namespace tokenrail::cli
