#include "common/registry/lease.hpp"

#include <algorithm>
#include <utility>

#include "common/registry/session.hpp"

namespace tokenrail::registry {

namespace {

/// The row has expired. A time in the future comes from another database host's clock, and says nothing.
constexpr const char* expired =
    "(renewed_at < clock_timestamp() - make_interval(secs => CAST(:ms AS float8) / 1000) OR "
    "renewed_at > clock_timestamp() + make_interval(secs => CAST(:ms AS float8) / 1000))";

}  // namespace

struct Lease::Impl {
  Session session;
  std::string holder;
  std::shared_ptr<Fence> fence;
};

Lease::Lease(DatabaseOptions options, std::string holder, std::shared_ptr<Fence> fence)
    : impl_(std::make_unique<Impl>(Session(std::move(options)), std::move(holder), std::move(fence))) {}
Lease::~Lease() = default;

Result<bool> Lease::hold() {
  return impl_->session.run([&](soci::session& sql) -> Result<bool> {
    if (const long long mine = impl_->fence->epoch(); mine != 0) {
      // No condition on the time: as long as the number is ours, no other process has led since.
      long long renewed = 0;
      sql << "UPDATE registry_lease SET renewed_at = clock_timestamp() WHERE name = 'registry-sync' AND "
             "epoch = :mine RETURNING epoch",
          soci::use(mine), soci::into(renewed);
      if (sql.got_data()) return true;
      impl_->fence->set(0);
    }
    const long long ms = lease_duration.count();
    long long epoch = 0;
    sql << std::string(
               "UPDATE registry_lease SET epoch = epoch + 1, holder = :holder, "
               "acquired_at = clock_timestamp(), renewed_at = clock_timestamp() "
               "WHERE name = 'registry-sync' AND ") +
               expired + " RETURNING epoch",
        soci::use(impl_->holder, "holder"), soci::use(ms, "ms"), soci::into(epoch);
    if (!sql.got_data()) return false;
    impl_->fence->set(epoch);
    return true;
  });
}

void Lease::release() {
  const long long mine = impl_->fence->epoch();
  impl_->fence->set(0);
  if (mine == 0) return;
  // Where that fails, the lease expires by itself.
  static_cast<void>(impl_->session.run([&](soci::session& sql) -> Result<void> {
    sql << "UPDATE registry_lease SET renewed_at = '-infinity' WHERE name = 'registry-sync' AND epoch = :mine",
        soci::use(mine);
    return {};
  }));
  impl_->session.close();
}

Result<std::optional<Leader>> Lease::look(const DatabaseOptions& options) {
  return Session(options).run([](soci::session& sql) -> Result<std::optional<Leader>> {
    Leader leader;
    const long long ms = lease_duration.count();
    long long epoch = 0;
    long long since_ms = 0;
    long long renewed_ms = 0;
    sql << std::string(
               "SELECT holder, epoch, CAST(floor(extract(epoch FROM acquired_at) * 1000) AS bigint), "
               "CAST(floor(extract(epoch FROM clock_timestamp() - renewed_at) * 1000) AS bigint) "
               "FROM registry_lease WHERE name = 'registry-sync' AND NOT ") +
               expired,
        soci::use(ms, "ms"), soci::into(leader.holder), soci::into(epoch), soci::into(since_ms), soci::into(renewed_ms);
    if (!sql.got_data()) return std::nullopt;
    leader.epoch = epoch;
    leader.since_ms = since_ms;
    leader.renewed_ago = std::chrono::milliseconds(std::max<long long>(renewed_ms, 0));
    return leader;
  });
}

}  // namespace tokenrail::registry
