// `tokenrail tail`: answers as they come, each once.
#include <chrono>
#include <cstdio>

#include <fmt/format.h>

#include "cli/answer_tail.hpp"
#include "cli/context.hpp"
#include "cli/log_walk.hpp"

namespace tokenrail::cli {
namespace {

constexpr std::chrono::minutes looks_back{10};

struct TailCall {
  AnswerTail::Wanted wanted{};
  std::string conversation{};
  LogWalk walk{};
};

Result<TailCall> tail_call(const Context& context) {
  const Call& call = context.call;
  const auto wrong = [](std::string text) { return fail(ErrorKind::invalid_input, std::move(text)); };
  TailCall tail;
  tail.wanted = {.org_id = call.value("org").value_or(""), .request_id = call.value("request").value_or("")};
  tail.conversation = call.value("conversation").value_or("");
  if (tail.wanted.request_id.empty() == tail.conversation.empty())
    return wrong("say whose answer: either --request ID or --conversation KEY");

  tail.walk.topic = context.topic_names().chunks;
  tail.walk.from_beginning = call.has("from-beginning");
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  if (const auto text = call.value("since")) {
    if (tail.walk.from_beginning) return wrong("--from-beginning and --since exclude each other");
    const auto since = moment_flag("since", *text, now.count());
    if (!since) return std::unexpected(since.error());
    tail.walk.since_ms = *since;
  } else if (!tail.walk.from_beginning && !tail.wanted.request_id.empty()) {
    // An answer that is asked for by name has mostly begun.
    tail.walk.since_ms = now.count() - std::chrono::milliseconds(looks_back).count();
  }
  if (const auto text = call.value("timeout")) {
    const auto timeout = duration_flag("timeout", *text);
    if (!timeout) return std::unexpected(timeout.error());
    tail.walk.timeout = *timeout;
  }
  return tail;
}

void show(Terminal& terminal, const AnswerTail::Told& told) {
  for (const auto& note : told.notes) terminal.note(note);
  if (!told.shown.note.empty()) terminal.note(told.shown.note);
  if (!told.shown.reasoning.empty())
    std::fputs(terminal.styled_err(Terminal::Style::dim, told.shown.reasoning).c_str(), stderr);
  if (!told.shown.out.empty()) terminal.out(told.shown.out);
}

void show_end(const Context& context, const events::Chunk& ended) {
  Terminal& terminal = context.terminal;
  if (context.json()) return;
  if (ended.finish_reason == "error") {
    terminal.error(failure_line(ended));
  } else if (ended.finish_reason == "duplicate") {
    terminal.note(
        fmt::format("a duplicate: the request at offset {} has the answer", ended.duplicate_of_offset.value_or(-1)));
  } else {
    terminal.note(terminal.styled_err(Terminal::Style::dim, summary_line(ended)));
  }
}

}  // namespace

int run_tail(const Context& context) {
  auto tail = tail_call(context);
  if (!tail) return context.failed(tail.error());
  Terminal& terminal = context.terminal;
  const bool one = !tail->wanted.request_id.empty();
  AnswerTail answers(tail->wanted, {.json = context.json(),
                                    .hold = !terminal.out_is_terminal(),
                                    .sanitise = terminal.out_is_terminal(),
                                    .reasoning = terminal.out_is_terminal() && !terminal.quiet()});
  bool caught_up = false;
  bool heard = false;
  std::optional<events::Chunk> last;  // the end of the one answer, until a higher attempt displaces it
  std::optional<std::string> missing;

  // The log may contain a higher attempt already, so the one answer ends when the log has been read to that end.
  tail->walk.on_caught_up = [&] {
    caught_up = true;
    if (one && !heard && !missing) terminal.note("no chunk of it yet; waiting (Ctrl-C ends)");
    return !(one && (last || missing));
  };
  const auto end = walk_log(context.kafka_properties(), tail->walk, [&](const kafka::Record& record) {
    if (!record.value || (!tail->conversation.empty() && record.key != tail->conversation)) return true;
    const auto told = answers.take(*record.value);
    if (told.missing) {
      if (!one) terminal.note(*told.missing);
      last.reset();
      missing = told.missing;
      return !(one && caught_up);
    }
    if (!told.shown.out.empty() || told.ended || answers.in_the_middle()) heard = true;
    if (told.ended) {
      missing.reset();
      last = told.ended;
    }
    show(terminal, told);
    if (terminal.out_error() != 0) return false;
    if (told.ended && !one) show_end(context, *told.ended);
    if (!told.ended && one && last && answers.in_the_middle()) last.reset();
    return !(one && last && caught_up);
  });
  if (answers.in_the_middle() && terminal.out_is_terminal()) terminal.out("\n");
  if (!end) return context.failed(end.error());
  if (terminal.out_error() != 0) return exit_bad;
  if (*end == WalkEnd::interrupted) return exit_interrupted;
  if (*end == WalkEnd::timed_out) {
    terminal.error(one ? "no whole answer in time" : "the time is up");
    return exit_timed_out;
  }
  if (missing && !last) {
    terminal.error(fmt::format("{}; --from-beginning reads from the oldest chunk on", *missing));
    return exit_bad;
  }
  show_end(context, *last);
  return last->finish_reason == "error" ? exit_bad : exit_done;
}

}  // namespace tokenrail::cli
