// What decoders of server-sent events have in common: framing, limits, JSON, the end of a stream, and an item that
// cannot be read. An adapter says what an item means. Included by .cpp files only. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "common/events/json_document.hpp"
#include "common/http/framing.hpp"
#include "common/providers/answer.hpp"
#include "common/providers/classification.hpp"
#include "common/providers/tool_calls.hpp"

namespace tokenrail::providers {

class EventDecoder : public AnswerDecoder {
 public:
  /// `title`: how messages name the provider; `adapter`: how they name the wire format. Both live as long as the
  /// process. `stream`: what was asked for; the Content-Type of the answer overrules it.
  EventDecoder(bool stream, const DecoderLimits& limits, std::string title, std::string_view adapter);

  void head(const http::ResponseHead& head, AnswerSink& sink) override;
  void feed(std::string_view bytes, AnswerSink& sink) override;
  void end(AnswerSink& sink) override;
  [[nodiscard]] std::size_t held_bytes() const override;
  [[nodiscard]] std::uint64_t piece_bytes() const final { return piece_bytes_; }
  /// A second one fails the answer.
  [[nodiscard]] std::size_t skipped_events() const final { return passed_over() ? 1 : 0; }

 protected:
  /// One item of a stream: `type` is that of the server-sent event ("message" where it has none), `json` its text.
  virtual void take_event(std::string_view type, const events::ObjectReader& item, std::string_view json,
                          AnswerSink& sink) = 0;
  /// The body of an answer that is not a stream.
  virtual void take_whole(const events::ObjectReader& answer, std::string_view json, AnswerSink& sink) = 0;
  /// `data: [DONE]`.
  virtual void take_done(AnswerSink& /*sink*/) {}
  /// An item of a stream cannot be read: what is put together from several items may lack a piece.
  virtual void missed(std::string_view /*type*/) {}
  /// Whether an item of a stream that cannot be read may have been a tool call, or a part of one. It fails the answer:
  /// without it a call would be lost, or would mean something else. By default no item may.
  [[nodiscard]] virtual bool may_hold_call(std::string_view /*type*/) const { return false; }
  /// The body ended and nothing has finished the answer. By default the stream is truncated.
  virtual void take_end(AnswerSink& sink) { truncated(sink); }

  /// The item or answer that take_event() or take_whole() is at.
  [[nodiscard]] simdjson::dom::element root() const { return root_; }
  [[nodiscard]] bool over() const { return over_; }
  [[nodiscard]] bool streams() const { return stream_; }
  [[nodiscard]] std::size_t items() const { return items_; }
  /// An item of the stream could not be read and was passed over.
  [[nodiscard]] bool passed_over() const { return unreadable_ > 0; }
  [[nodiscard]] const std::string& title() const { return title_; }

  // Deliver. Empty text is left out. Each returns false once the answer is over, also where it has become too large.
  bool text(std::string_view text, AnswerSink& sink);
  bool reasoning(std::string_view text, AnswerSink& sink);
  bool tool_call(events::ToolCall call, AnswerSink& sink);
  /// Delivers what was assembled. A call that cannot be used is left out with a warning where `reason` cuts calls off,
  /// else it fails the answer. `reason` becomes tool_calls where there are any and no content filter ended the answer:
  /// a refused answer is not to be acted on.
  bool tool_calls(ToolCallAssembler& calls, events::FinishReason& reason, AnswerSink& sink);
  /// Whether an answer may end for that reason in the middle of a tool call.
  [[nodiscard]] static bool cuts_calls(events::FinishReason reason) {
    return reason == events::FinishReason::length || reason == events::FinishReason::content_filter;
  }
  /// Warns of a call that is left out because `reason` cut it off.
  static void warn_of_cut_call(events::FinishReason reason, AnswerSink& sink);
  /// Counts a piece of what is delivered whole later; see piece_bytes().
  void count_piece(std::size_t bytes) { piece_bytes_ += bytes; }
  /// Fails an answer that has more tool calls than tool_calls_max. False.
  bool too_many_calls(AnswerSink& sink);
  void finish(events::FinishReason reason, AnswerSink& sink);
  void fail(CallFailure failure, AnswerSink& sink);
  void truncated(AnswerSink& sink);
  /// Fails an answer of which an item could not be read that may have been a part of a tool call.
  void lost_call(AnswerSink& sink);
  /// One item that cannot be read is passed over, with a warning in the answer; a second one fails it. In an answer
  /// that is not a stream the first fails it.
  void unreadable(std::string_view problem, AnswerSink& sink);
  /// Accounts for what the answer takes, parts that are held back too. False: it has become too large.
  bool hold(std::size_t bytes, AnswerSink& sink);

  // For formats with a framing of their own, which override feed() and end().
  /// One item, whatever framed it: calls take_event() or take_whole() with what is JSON.
  void take(std::string_view type, std::string_view json, AnswerSink& sink);
  /// An item is longer than DecoderLimits::item_bytes_max.
  void too_large(AnswerSink& sink);
  /// Whether what follows are server-sent events or one text.
  void reads_stream(bool stream) { stream_ = stream; }

 private:
  /// False, and nothing done, where repairing the strings of `json` may make it readable.
  bool take_json(std::string_view type, std::string_view json, bool repaired, AnswerSink& sink);

  bool stream_;
  const DecoderLimits limits_;
  const std::string title_;
  const std::string_view adapter_;
  http::SseFramer events_;
  std::string body_{};  ///< of an answer that is not a stream
  simdjson::dom::element root_{};
  std::size_t answer_bytes_ = 0;
  std::uint64_t piece_bytes_ = 0;
  std::size_t items_ = 0;
  std::size_t unreadable_ = 0;
  bool over_ = false;
};

}  // namespace tokenrail::providers
