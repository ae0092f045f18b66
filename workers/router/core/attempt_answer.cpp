// What the provider says: decoded events become chunks in the same loop turn, each of a size that its topic takes.
#include <algorithm>
#include <utility>
#include <variant>

#include "common/events/json_writer.hpp"
#include "common/events/utf8.hpp"
#include "common/providers/token_counts.hpp"
#include "common/release.hpp"
#include "workers/router/core/attempt.hpp"
#include "workers/router/core/partition.hpp"
#include "workers/router/core/services.hpp"

namespace tokenrail::router {

namespace {

using events::ErrorCode;
using events::Failure;
using events::FinishReason;

constexpr std::size_t warnings_max = 32;
constexpr std::size_t warning_bytes_max = 512;
constexpr std::size_t request_id_bytes_max = 256;
// The widest that JSON escaping makes one byte: \u00XX.
constexpr std::size_t escaped_bytes_per_byte_max = 6;

/// Bytes that a tool call takes in a chunk.
std::size_t bytes_of(const events::ToolCall& call) {
  constexpr std::string_view around = R"({"id":,"name":,"arguments":},)";
  return around.size() + events::json_string_bytes(call.id) + events::json_string_bytes(call.name) +
         events::json_string_bytes(call.arguments);
}

/// The same of a provider block.
std::size_t bytes_of(const events::ProviderBlock& block) {
  constexpr std::string_view around = R"({"provider":,"data":},)";
  return around.size() + events::json_string_bytes(block.provider) + block.data.size();
}

}  // namespace

void Attempt::on_answer(ProviderCall& call, providers::AnswerEvent event) {
  if (hedging_ && !take_of_two(call, event)) return;
  std::visit([this](auto& one) { take(one); }, event);
}

void Attempt::on_progress(ProviderCall& call) {
  if (hedging_) decide_between_two(call);
  first_token();
}

bool Attempt::on_bytes(ProviderCall& call) {
  if (&call == call_.get()) clocks_.bytes_decoded();
  account();
  return !partition_.congested();
}

void Attempt::first_token() {
  const auto now = services_.environment.now().steady;
  const auto token = clocks_.token(now);
  if (token.first_of_attempt) {
    services_.metrics.first_token_ms.observe(static_cast<double>(clocks_.running_for(now).count()));
  }
  // From here on the idle clock runs, which may be due before the one it takes over from.
  if (token.first_of_call) partition_.schedule(job_, due());
}

void Attempt::take(const providers::TextDelta& delta) {
  if (continuation_.proven()) return say(delta.text);
  if (delta.text.empty()) return;
  first_token();
  switch (continuation_.judge(delta.text)) {
    case Continuation::Verdict::unknown:
      break;
    case Continuation::Verdict::goes_on:
      say_unproven();
      break;
    case Continuation::Verdict::begins_again:
      begins_again();
      break;
  }
}

void Attempt::say_unproven() {
  say(continuation_.take_unproven());
}

void Attempt::say(std::string_view words) {
  const auto text = continuation_.without_repetition(words);
  if (text.empty()) return;
  first_token();
  said_.append(text);
  if (stream_wanted()) {
    if (request() != nullptr && request()->on_interrupt == events::OnInterrupt::resume) continuation_.published(text);
    publish_pieces(text, false);
  } else {
    text_.append(text);
  }
}

void Attempt::take(const providers::ReasoningDelta& delta) {
  const auto text = delta.text;
  if (text.empty()) return;
  first_token();
  if (stream_wanted()) {
    publish_pieces(text, true);
  } else {
    reasoning_.append(text);
  }
}

void Attempt::take(providers::ToolCallDone& done) {
  auto& call = done.call;
  say_unproven();
  first_token();
  ++tool_call_count_;
  if (bytes_of(call) + writer_.overhead_bytes() > services_.hub.whole_chunk_bytes_max()) {
    end_transfer();
    note_call(*call_, "response_too_large");
    finish(FinishReason::error,
           Failure::of(ErrorCode::response_too_large,
                       "The model called the tool '" + std::string(events::utf8_prefix(call.name, 64)) +
                           "' with arguments that do not fit into one record. Ask for smaller arguments, or have the "
                           "operator raise max.message.bytes of chat.chunks and router.record_bytes_max."));
    return;
  }
  if (stream_wanted()) {
    const std::vector<events::ToolCall> one{std::move(call)};
    publish({.tool_calls = &one});
  } else {
    gathered_bytes_ += sizeof call + call.id.size() + call.name.size() + call.arguments.size();
    tool_calls_.push_back(std::move(call));
  }
}

void Attempt::take(providers::OpaqueBlock& opaque) {
  auto& block = opaque.block;
  first_token();
  if (bytes_of(block) + writer_.overhead_bytes() > services_.hub.whole_chunk_bytes_max()) {
    // The answer is whole without it; only the next request cannot give it back.
    warn(
        "A block that only the provider can read does not fit into one record and was left out; the next request of "
        "this conversation goes without it.");
    return;
  }
  if (stream_wanted()) {
    const std::vector<events::ProviderBlock> one{std::move(block)};
    publish({.provider_blocks = &one});
  } else {
    gathered_bytes_ += sizeof block + block.provider.size() + block.data.size();
    provider_blocks_.push_back(std::move(block));
  }
}

void Attempt::publish_pieces(std::string_view text, bool reasoning) {
  const auto room = chunk_bytes_max() - writer_.overhead_bytes();
  while (!text.empty()) {
    const auto piece = events::utf8_prefix(text, room / escaped_bytes_per_byte_max);
    publish(reasoning ? events::ChunkWriter::Delta{.reasoning = piece} : events::ChunkWriter::Delta{.text = piece});
    text.remove_prefix(piece.size());
  }
}

void Attempt::publish(const events::ChunkWriter::Delta& delta) {
  auto& buffer = partition_.scratch();
  writer_.write(buffer, seq_, delta);
  largest_chunk_ = std::max(largest_chunk_, buffer.size());
  partition_.produce_chunk(job_, buffer, seq_ == 0);
  ++seq_;
}

/// Each of them fits into a record; all of them need not.
template <class Part>
void Attempt::publish_gathered(std::vector<Part>& parts, const std::vector<Part>* events::ChunkWriter::Delta::* field) {
  std::vector<Part> together;
  std::size_t bytes = 0;
  const auto send = [&] {
    events::ChunkWriter::Delta delta{};
    delta.*field = &together;
    publish(delta);
    together.clear();
    bytes = 0;
  };
  for (auto& part : parts) {
    const auto more = bytes_of(part);
    if (!together.empty() && bytes + more + writer_.overhead_bytes() > chunk_bytes_max()) send();
    bytes += more;
    together.push_back(std::move(part));
  }
  if (!together.empty()) send();
}

void Attempt::publish_gathered() {
  publish_pieces(reasoning_, true);
  publish_pieces(text_, false);
  publish_gathered(tool_calls_, &events::ChunkWriter::Delta::tool_calls);
  publish_gathered(provider_blocks_, &events::ChunkWriter::Delta::provider_blocks);
  drop_gathered();
}

void Attempt::drop_gathered() {
  release(text_);
  release(reasoning_);
  tool_calls_.clear();
  provider_blocks_.clear();
  gathered_bytes_ = 0;
  continuation_.release_text();
}

/// Tells what this answer takes by now, and ends as many of the largest answers as are needed to stay within the bound:
/// this one may be among them.
void Attempt::account() {
  // Nothing more is taken of an answer that is over.
  for (auto* const call : {call_.get(), hedge_.get()}) {
    if (call != nullptr && call->over()) call->release_decoder();
  }
  const auto of_calls = call_->held_bytes() + (hedge_ ? hedge_->held_bytes() : 0);
  const auto held = of_calls + held_by(text_) + held_by(reasoning_) + continuation_.held_bytes() + gathered_bytes_;
  services_.answers.hold(*this, held);
  while (auto* const largest = services_.answers.one_too_many()) static_cast<Attempt*>(largest)->end_as_too_much();
}

void Attempt::end_as_too_much() {
  const bool running = phase_ == Phase::calling && !call_->over();
  if (call_) {
    if (running) end_transfer();
    call_->release_decoder();
    if (hedge_) hedge_->release_decoder();
  }
  drop_gathered();
  services_.answers.hold(*this, 0);
  // One that has ended and waits for its records to be acknowledged only gives its memory back.
  if (!running) return;
  note_calls("response_too_large");
  auto failure = Failure::of(ErrorCode::response_too_large,
                             "The answers that this router holds in memory together became too many bytes, and this "
                             "one was the largest of the organisation that held the most. Ask for a streamed answer or "
                             "a shorter one, or have the operator "
                             "raise router.answers_bytes_max.");
  failure.provider = target().deployment.provider;
  services_.metrics.answers_ended.add();
  finish(FinishReason::error, std::move(failure));
}

void Attempt::warn(std::string_view text) {
  add_warning(warnings_, text);
}

void Attempt::add_warning(std::vector<std::string>& to, std::string_view text) {
  if (to.size() < warnings_max) to.emplace_back(events::utf8_prefix(text, warning_bytes_max));
}

/// What the adapter left out of that call's request.
std::vector<std::string> Attempt::first_warnings(const ProviderCall& call) {
  std::vector<std::string> out;
  for (const auto& warning : call.warnings()) add_warning(out, warning);
  return out;
}

/// The call's part of the answer stays, and so do its warnings.
void Attempt::keep_call_warnings() {
  for (const auto& warning : std::exchange(call_warnings_, {})) warn(warning);
}

void Attempt::take(const providers::ProviderRequestId& id) {
  provider_request_id_ = kept_request_id(id.id);
}

std::string Attempt::kept_request_id(std::string_view id) {
  return std::string(events::utf8_prefix(id, request_id_bytes_max));
}

void Attempt::take(const providers::UsageReport& report) {
  if (!providers::believable(report.usage)) {
    warn(usage_not_believed);
    return;
  }
  usage_ = report.usage;
  usage_is_last_ = report.last;
  // What the calls that broke off had used is not known.
  usage_->estimated = usage_->estimated || continuation_.count() > 0;
}

void Attempt::take(const providers::AnswerFinished& finished) {
  say_unproven();
  note_call(*call_, "");
  note_health(target(), true);
  // Of several keys the one that answers may rest all the same, because this answer used up its limit.
  if (key_count(target()) < 2) services_.keys.works(key_owner(target().deployment), call_->key());
  if (!stream_wanted()) publish_gathered();
  finish(finished.reason, std::nullopt);
}

}  // namespace tokenrail::router
