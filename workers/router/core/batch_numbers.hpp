// Which delivery reports say an offset. librdkafka numbers the reports of a batch that it sent twice -1, 0, 1, …: none
// of these is one. Pure; one for each log, over all that is reported of it, because such a batch may begin with what an
// earlier ownership sent.
#pragma once

#include <cstdint>
#include <optional>

namespace tokenrail::router {

class BatchNumbers {
 public:
  /// The offset that a report says; nothing: it says none.
  std::optional<std::int64_t> offset_of(std::int64_t reported) {
    if (reported < 0) {
      next_ = 0;
      return std::nullopt;
    }
    if (next_ && reported == *next_) {
      ++*next_;
      return std::nullopt;
    }
    next_.reset();
    return reported;
  }

 private:
  std::optional<std::int64_t> next_{};  ///< the report that would continue such a batch
};

}  // namespace tokenrail::router
