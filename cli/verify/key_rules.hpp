// All records about one request have its key. The rules that compare them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "cli/verify/known.hpp"

namespace tokenrail::verify {

/// A null key and an empty one are the same here: no order is judged by it.
[[nodiscard]] std::size_t key_hash(const kafka::Record& record);

class KeyRules : Rules {
 public:
  explicit KeyRules(Known& known) : Rules(known) {}

  /// A record of an attempt against the first one about it.
  void check(const Subject& subject, std::int64_t number, KeySeen& seen, const kafka::Record& record, bool chunk);
  void report_other(const Subject& subject, std::int64_t number, const KeySeen& seen, const KeySeen& other);
  /// A record of a duplicate's answer. Judged when all is known: a response of another log may follow, whose key a
  /// chunk has.
  static void note(DuplicateAnswer& answer, const kafka::Record& record, bool chunk);
  /// The records of an attempt against the request's own.
  void judge(const Subject& subject, std::int64_t number, std::int64_t source_offset, std::int64_t source_ms,
             const KeySeen& seen);
};

}  // namespace tokenrail::verify
