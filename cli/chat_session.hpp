// One question of a person: asks by common/chat, and blocks until the answer is whole, the time is up, the person ends
// it, or the reader of its output goes away.
#pragma once

#include <functional>
#include <string>

#include "cli/chat.hpp"
#include "common/chat/client.hpp"
#include "common/kafka/record.hpp"
#include "common/result.hpp"

namespace tokenrail::cli {

struct ChatHooks {
  /// Every chunk of the answer, by the reader's rule, with its record value.
  std::function<void(AnswerReader::Step, const events::Chunk&, std::string_view raw)> on_chunk;
  /// Something worth reporting while it lasts.
  std::function<void(const std::string&)> on_note;
  /// Whether the reader of the answer has gone. Asked behind each chunk, and while there is none.
  std::function<bool()> reader_gone;
};

enum class ChatEnd {
  answered,  ///< a terminal chunk came, whatever it says
  timed_out,
  interrupted,  ///< Ctrl-C; Kafka has the cancellation, or the answer has ended
  abandoned,    ///< Ctrl-C; whether Kafka has the cancellation is not known
  unread,       ///< the reader of the answer has gone; the cancellation was sent
};

/// Errors as chat::Listener::on_end().
[[nodiscard]] Result<ChatEnd> ask(const kafka::Properties& properties, const topics::Names& topics,
                                  const ChatCall& call, const ChatHooks& hooks);

}  // namespace tokenrail::cli
