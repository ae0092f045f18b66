// One question over Kafka: the request out on chat.requests, the answer in from the same partition of chat.chunks.
// Blocks until the answer is whole, the time is up or a person ends it.
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
};

enum class ChatEnd {
  answered,  ///< a terminal chunk came, whatever it says
  timed_out,
  interrupted,  ///< Ctrl-C; Kafka has the cancellation, or the answer has ended
  abandoned,    ///< Ctrl-C; whether Kafka has the cancellation is not known
};

/// Errors: not_found (topics are missing), invalid_input (the request is larger than the topic takes), unavailable,
/// rejected (chunks are missing from the log).
[[nodiscard]] Result<ChatEnd> ask(const kafka::Properties& properties, const ChatTopics& topics, const ChatCall& call,
                                  const ChatHooks& hooks);

}  // namespace tokenrail::cli
