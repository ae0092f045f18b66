#include "cli/chat.hpp"

#include <charconv>
#include <iterator>

#include <fmt/format.h>

#include "cli/terminal.hpp"

namespace tokenrail::cli {
namespace {

using namespace std::chrono_literals;

std::unexpected<Error> wrong(std::string detail) {
  return fail(ErrorKind::invalid_input, std::move(detail));
}

std::optional<double> parse_number(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

events::Message message(events::Role role, std::string text) {
  events::Message out{.role = role};
  out.content.push_back(events::ContentPart{.text = std::move(text)});
  return out;
}

std::string seconds(std::int64_t ms) {
  return fmt::format("{:.2f} s", static_cast<double>(ms) / 1000.0);
}

}  // namespace

Result<ChatCall> chat_call(const Call& call, std::string text, std::string request_id) {
  if (text.find_first_not_of(" \t\r\n") == std::string::npos)
    return wrong("there is no question: tokenrail chat 'Why is the sky blue?'");
  ChatCall out;
  auto& request = out.request;
  request.org_id = call.value("org").value_or("demo");
  request.user_id = call.value("user").value_or("");
  if (request.org_id.empty()) return wrong("--org needs a name");
  // A request that lacks usable ids, or has a larger key, gets no answer.
  const events::RequestLimits limits;
  const auto fits = [](std::string_view flag, std::string_view value, std::size_t most) -> Result<void> {
    if (value.size() <= most) return {};
    return wrong(fmt::format("{} has {} bytes; at most {} are allowed", flag, value.size(), most));
  };
  if (auto ok = fits("--org", request.org_id, limits.id_bytes_max); !ok) return std::unexpected(ok.error());
  if (auto ok = fits("--user", request.user_id, limits.id_bytes_max); !ok) return std::unexpected(ok.error());
  out.key = request_id;
  request.request_id = std::move(request_id);

  if (const auto model = call.value("model")) {
    const auto name = parse_model_name(*model);
    if (!name)
      return wrong(
          fmt::format("--model {}: provider/name or an alias is needed; 'tokenrail registry list' shows them", *model));
    request.model = events::ModelReference{.provider = name->provider, .name = name->name};
  }
  if (const auto conversation = call.value("conversation")) {
    if (conversation->empty()) return wrong("--conversation needs an id");
    if (auto ok = fits("--conversation", *conversation, limits.key_bytes_max); !ok) return std::unexpected(ok.error());
    out.key = *conversation;
    request.metadata["conversationId"] = *conversation;
  }
  if (const auto system = call.value("system")) request.messages.push_back(message(events::Role::system, *system));
  request.messages.push_back(message(events::Role::user, std::move(text)));
  if (const auto tokens = call.value("max-tokens")) {
    const auto count = parse_count(*tokens);
    if (!count) return wrong(fmt::format("--max-tokens {}: a whole number above 0 is needed", *tokens));
    request.tokens_max = *count;
  }
  if (const auto temperature = call.value("temperature")) {
    request.temperature = parse_number(*temperature);
    if (!request.temperature || !(*request.temperature >= 0 && *request.temperature <= 2))
      return wrong(fmt::format("--temperature {}: a number from 0 to 2 is needed", *temperature));
  }
  if (call.has("stream") && call.has("no-stream")) return wrong("--stream and --no-stream exclude each other");
  request.stream = !call.has("no-stream");

  const auto timeout = duration_flag("timeout", call.value("timeout").value_or("5m"));
  if (!timeout) return std::unexpected(timeout.error());
  out.timeout = *timeout;
  request.timeout = *timeout;
  return out;
}

AnswerView::Shown AnswerView::show(AnswerReader::Step step, const events::Chunk& chunk, std::string_view raw) {
  Shown shown;
  if (step == AnswerReader::Step::ignored || step == AnswerReader::Step::gap) return shown;
  if (mode_.json) {
    // Who reads JSON sees the attempt in every line and applies the rule himself.
    shown.out = fmt::format("{}\n", raw);
    return shown;
  }
  if (step == AnswerReader::Step::restarted) {
    held_.clear();
    if (!ends_with_line_) shown.out += '\n';
    ends_with_line_ = true;
    if (any_text_) shown.note = "the answer was interrupted and begins again; ignore the text above";
    any_text_ = false;
  }
  if (mode_.reasoning && !chunk.reasoning.empty()) {
    shown.reasoning = without_controls(chunk.reasoning);
    reasoning_open_ = true;
  }
  const std::string text = mode_.sanitise ? without_controls(chunk.delta.value_or("")) : chunk.delta.value_or("");
  if (reasoning_open_ && (!text.empty() || chunk.done)) {
    shown.reasoning += "\n\n";
    reasoning_open_ = false;
  }
  held_ += text;
  if (mode_.hold && !chunk.done) return shown;
  // A file must not hold a piece that looks like an answer.
  if (mode_.hold && chunk.finish_reason == "error") held_.clear();
  if (!held_.empty()) {
    shown.out += held_;
    any_text_ = true;
    ends_with_line_ = held_.back() == '\n';
    held_.clear();
  }
  if (chunk.done && !ends_with_line_) {
    shown.out += '\n';
    ends_with_line_ = true;
  }
  return shown;
}

std::string summary_line(const events::Chunk& terminal) {
  std::string out;
  const auto add = [&](const std::string& part) {
    if (!out.empty()) out += " · ";
    out += part;
  };
  if (terminal.model) add(fmt::format("{}/{}", terminal.model->provider, terminal.model->name));
  const auto& timing = terminal.timing;
  if (terminal.usage)
    add(fmt::format("{}{} tokens in, {} out", terminal.usage->estimated ? "about " : "", terminal.usage->input_tokens,
                    terminal.usage->output_tokens));
  if (timing.first_token_ms) add(fmt::format("first token {}", seconds(*timing.first_token_ms)));
  add(seconds(timing.total_ms));
  if (terminal.usage && timing.first_token_ms && timing.total_ms > *timing.first_token_ms &&
      terminal.usage->output_tokens > 1) {
    const auto spoken_seconds = static_cast<double>(timing.total_ms - *timing.first_token_ms) / 1000.0;
    add(fmt::format("{:.0f} tokens/s", static_cast<double>(terminal.usage->output_tokens) / spoken_seconds));
  }
  if (terminal.cost_micros) add(fmt::format("${:.6f}", static_cast<double>(*terminal.cost_micros) / 1e6));
  if (terminal.finish_reason != "stop" && !terminal.finish_reason.empty())
    add(fmt::format("ended by: {}", terminal.finish_reason));
  return without_controls(out);
}

std::string failure_line(const events::Chunk& terminal) {
  return without_controls(fmt::format("{}: {}{}", terminal.error_code, terminal.error_message,
                                      terminal.error_retryable ? " (asking again may help)" : ""));
}

}  // namespace tokenrail::cli
