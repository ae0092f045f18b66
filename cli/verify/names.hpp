// Request ids over all partitions. Routers recognise a duplicate within its partition alone, so one requestId on two
// partitions is two requests; readers know an answer by its ids and its attempt's number, so the two must not share a
// number. Pure. Bounded: the oldest ids are forgotten first.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tokenrail::verify {

class Names {
 public:
  explicit Names(std::size_t names_max = 1'000'000) : requests_(names_max), attempts_(names_max) {}

  /// That request has an attempt on that partition. Whether it is the first on a partition other than the one on which
  /// it was seen first.
  bool asked(std::string_view org_id, std::string_view request_id, std::int32_t partition);
  /// The partition on which an attempt of the same ids and number was seen before; nothing: on no other one.
  std::optional<std::int32_t> attempted(std::string_view org_id, std::string_view request_id, std::int64_t number,
                                        std::int32_t partition);

 private:
  /// By a hash of 64 bits. Two names that share one would be a false alarm; of a million names that is one run in ten
  /// million.
  class Table {
   public:
    explicit Table(std::size_t size_max) : size_max_(size_max) {}
    struct Entry {
      std::int32_t first = 0;  ///< partition
      bool elsewhere = false;  ///< seen on another one too
    };
    Entry& at(std::size_t hash, std::int32_t partition);

   private:
    std::size_t size_max_;
    std::unordered_map<std::size_t, Entry> entries_{};
    std::deque<std::size_t> order_{};
  };

  Table requests_;
  Table attempts_;
};

}  // namespace tokenrail::verify
