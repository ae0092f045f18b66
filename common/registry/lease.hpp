// Leadership among several registry-syncs: one row in the database, which the leader renews and another process takes
// over when it was not renewed for `lease_duration` by the database's clock. Each takeover raises the fencing number
// (epoch); a Store with a Fence writes only while the row holds the fence's number.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/registry/database.hpp"
#include "common/result.hpp"

namespace tokenrail::registry {

/// Without a renewal for that long, another process may lead.
inline constexpr std::chrono::milliseconds lease_duration{10'000};
/// How often the leader renews, and others look.
inline constexpr std::chrono::milliseconds lease_renewal{2'000};

/// The fencing number under which this process leads. Any thread.
class Fence {
 public:
  /// 0: this process does not lead.
  [[nodiscard]] std::int64_t epoch() const { return epoch_.load(); }
  void set(std::int64_t epoch) { epoch_.store(epoch); }

 private:
  std::atomic<std::int64_t> epoch_{0};
};

/// What the row says.
struct Leader {
  std::string holder;
  std::int64_t epoch = 0;
  std::int64_t since_ms = 0;  ///< Unix time
  std::chrono::milliseconds renewed_ago{0};
};

/// Blocking, one thread at a time, like Store.
class Lease {
 public:
  /// `holder`: names this process, and no other one, to people.
  Lease(DatabaseOptions options, std::string holder, std::shared_ptr<Fence> fence);
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  /// Renews the lease if this process holds it, else takes it if it has expired. True: this process leads, and the
  /// fence has its number. False: another process leads. An error changes nothing: the lease may still be held.
  Result<bool> hold();
  /// Gives the lease up, so that another process can take it at once.
  void release();

  /// Who leads. Nothing: there is no leader, or the lease has expired.
  static Result<std::optional<Leader>> look(const DatabaseOptions& options);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tokenrail::registry
