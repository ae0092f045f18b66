// `tokenrail chat`: reads the question, asks, shows the answer.
#include <cstdio>
#include <random>

#include <fmt/format.h>
#include <unistd.h>

#include "cli/chat.hpp"
#include "cli/chat_session.hpp"
#include "cli/context.hpp"

namespace tokenrail::cli {
namespace {

/// A version 4 UUID.
std::string random_id() {
  std::random_device device;
  const std::uint64_t high = (std::uint64_t{device()} << 32) | device();
  const std::uint64_t low = (std::uint64_t{device()} << 32) | device();
  return fmt::format("{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}", high >> 32, (high >> 16) & 0xffff, high & 0xfff,
                     0x8000 | ((low >> 48) & 0x3fff), low & 0xffffffffffff);
}

std::string read_standard_input() {
  std::string text;
  char buffer[16 * 1024];
  // Reading on behind an end that a terminal's Ctrl-D made would wait for a second one.
  while (std::feof(stdin) == 0 && std::ferror(stdin) == 0)
    text.append(buffer, std::fread(buffer, 1, sizeof buffer, stdin));
  return text;
}

}  // namespace

int run_chat(const Context& context) {
  const Call& call = context.call;
  const bool from_input = call.arguments.empty() || call.arguments.front() == "-";
  if (call.arguments.empty() && isatty(STDIN_FILENO) == 1)
    return context.failed({ErrorKind::invalid_input, "there is no question: tokenrail chat 'Why is the sky blue?'"});
  const auto question = chat_call(call, from_input ? read_standard_input() : call.arguments.front(), random_id());
  if (!question) return context.failed(question.error());

  Terminal& terminal = context.terminal;
  AnswerView view({.json = context.json(),
                   .hold = !terminal.out_is_terminal() && !call.has("stream"),
                   .sanitise = terminal.out_is_terminal(),
                   .reasoning = terminal.out_is_terminal() && !terminal.quiet()});
  std::optional<events::Chunk> last;
  const ChatHooks hooks{.on_chunk =
                            [&](AnswerReader::Step step, const events::Chunk& chunk, std::string_view raw) {
                              const auto shown = view.show(step, chunk, raw);
                              if (!shown.reasoning.empty())
                                std::fputs(terminal.styled_err(Terminal::Style::dim, shown.reasoning).c_str(), stderr);
                              if (!shown.out.empty()) terminal.out(shown.out);
                              if (!shown.note.empty()) terminal.note(shown.note);
                              last = chunk;
                            },
                        .on_note = [&](const std::string& note) { terminal.note(note); },
                        .reader_gone = [&] { return terminal.reader_gone(); }};
  const auto end = ask(context.kafka_properties(), context.topic_names(), *question, hooks);
  const bool cut_short = !end || *end != ChatEnd::answered;
  if (cut_short && last && !last->done && terminal.out_is_terminal()) terminal.out("\n");
  if (!end) return context.failed(end.error());
  if (*end == ChatEnd::unread) return exit_unread;
  if (*end == ChatEnd::interrupted) {
    const bool confirmed = last && last->done && last->finish_reason == "cancelled";
    terminal.note(confirmed ? "cancelled" : "ended here; the router has been asked to cancel");
    return exit_interrupted;
  }
  if (*end == ChatEnd::abandoned) {
    terminal.note(
        "ended here; whether the router gets the cancellation is not known, and the answer may continue without a "
        "reader");
    return exit_interrupted;
  }
  if (*end == ChatEnd::timed_out) {
    terminal.error(
        fmt::format("no whole answer within {} s", std::chrono::ceil<std::chrono::seconds>(question->timeout).count()));
    terminal.note("'tokenrail doctor' names what is down and the remedy; --timeout waits longer");
    return exit_timed_out;
  }
  if (last->finish_reason == "error") {
    terminal.error(failure_line(*last));
    return exit_bad;
  }
  for (const std::string& warning : last->warnings)
    terminal.note(fmt::format("warning: {}", without_controls(warning)));
  terminal.note(terminal.styled_err(Terminal::Style::dim, summary_line(*last)));
  return exit_done;
}

}  // namespace tokenrail::cli
