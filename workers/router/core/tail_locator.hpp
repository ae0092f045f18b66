// Where the tails of a partition's two logs begin when no commit says so (protocol R15): both are asked for the offset
// of a time, until both have answered or the brokers have refused too often. Pure.
//
// Owned by Partition, one for each. It never asks: it says what is to be asked, and takes the answers.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "common/events/offsets.hpp"
#include "common/result.hpp"
#include "workers/router/core/environment.hpp"
#include "workers/router/core/log_questions.hpp"
#include "workers/router/core/services.hpp"

namespace tokenrail::router {

class TailLocator {
 public:
  /// The first offsets of the tails; kafka::offset_beginning: as far back as a log goes.
  struct Tails {
    events::AuditOffset audit{};
    events::ChunkOffset chunk{};
    bool chunk_may_be_cut = true;  ///< whether older chunks were deleted cannot be told
  };

  /// Forgets questions and answers of before; what was found stays until the next result.
  void begin();
  /// The tails begin at this time (Unix).
  void look_from(Millis time) { from_ = time; }
  [[nodiscard]] Millis from() const { return from_; }

  /// The logs that have to be asked about now.
  [[nodiscard]] std::vector<Log> to_ask();
  /// It was asked under that number (never 0).
  void asked(Log log, std::uint32_t question) { (log == Log::audit ? audit_ : chunks_).question = question; }
  /// It is time to ask again.
  [[nodiscard]] bool is_due(Millis now) const { return now >= ask_at_; }
  enum class Step {
    waits,     ///< for another answer, or to ask again; or the answer is an old one
    found,     ///< found() says where
    given_up,  ///< the brokers do not say
  };
  Step answered(std::uint32_t question, const Result<LogPlaces>& answer, Millis now);

  /// Where the tails begin, by whatever means.
  void find(const Tails& tails);
  [[nodiscard]] const std::optional<Tails>& found() const { return found_; }
  void clear() { *this = {}; }

 private:
  struct Asked {
    std::uint32_t question = 0;  ///< on its way; 0: none
    std::optional<LogPlaces> answer{};
  };
  Asked audit_{};
  Asked chunks_{};
  Millis from_{0};
  int refused_ = 0;
  Millis ask_at_ = Millis::max();  ///< steady
  std::optional<Tails> found_{};
};

}  // namespace tokenrail::router
