// One question over Kafka: the request out on chat.requests, the answer in from the same partition of chat.chunks.
// Blocks until the answer is whole, the time is up, a person ends it or nobody reads it any more.
#pragma once

#include <functional>
#include <string>

#include "cli/chat.hpp"
#include "common/kafka/record.hpp"
#include "common/result.hpp"

namespace tokenrail::cli {

struct ChatTopics {
  std::string requests;
  std::string chunks;
  std::string cancellations;
};

struct ChatHooks {
  /// Every chunk of the answer, by the reader's rule, with its record value.
  std::function<void(AnswerReader::Step, const events::Chunk&, std::string_view raw)> on_chunk;
  /// Something worth telling while it lasts.
  std::function<void(const std::string&)> on_note;
  /// Whether nobody reads the answer any more. Asked behind each chunk, and while there is none.
  std::function<bool()> reader_gone;
};

enum class ChatEnd {
  answered,  ///< a terminal chunk came, whatever it says
  timed_out,
  interrupted,  ///< Ctrl-C; Kafka has the cancellation, or the answer has ended
  abandoned,    ///< Ctrl-C; whether Kafka has the cancellation is not known
  unread,       ///< nobody reads the answer any more; the cancellation was sent
};

/// Errors: not_found (topics are missing), invalid_input (the request is larger than the topic takes), unavailable,
/// rejected (chunks are missing from the log).
[[nodiscard]] Result<ChatEnd> ask(const kafka::Properties& properties, const ChatTopics& topics, const ChatCall& call,
                                  const ChatHooks& hooks);

}  // namespace tokenrail::cli
