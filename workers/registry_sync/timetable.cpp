#include "workers/registry_sync/timetable.hpp"

#include <utility>

#include <spdlog/spdlog.h>

#include "workers/registry_sync/loop_step.hpp"
#include "workers/registry_sync/retry.hpp"

namespace tokenrail::registry_sync {

namespace {

using namespace std::chrono_literals;

constexpr auto prune_every = 1h;
constexpr auto words_every = 5s;  ///< connections that are gone are no longer reported

}  // namespace

Timetable::Timetable(boost::asio::io_context& loop, const Options& options, registry::StorePool& stores,
                     ConnectionSyncs& syncs, const Leadership& leadership, DatabaseNotes& notes, Hooks hooks)
    : options_(options),
      stores_(stores),
      syncs_(syncs),
      leadership_(leadership),
      notes_(notes),
      hooks_(std::move(hooks)),
      wait_(loop, loop_step_name) {}

void Timetable::begin() {
  connections_made_ = false;
  prune_due_ = {};
}

void Timetable::end() {
  syncs_.show_health({});
  held_.clear();
}

boost::asio::awaitable<Result<void>> Timetable::make_connections() {
  const auto platform = options_.platform;
  co_return co_await stores_.run([platform](registry::Store& store) -> Result<void> {
    for (const auto& connection : platform) {
      if (const auto made = store.ensure_platform_connection(connection); !made) {
        return std::unexpected(made.error());
      }
    }
    if (auto due = store.make_due("start"); !due) return due;
    return store.let_syncs_begin();
  });
}

boost::asio::awaitable<void> Timetable::keep() {
  while (!leadership_.over() && !hooks_.prepared()) co_await wait_.wait(retry_after);
  while (!leadership_.over() && !connections_made_) {
    connections_made_ = notes_.noted("timetable", co_await make_connections());
    if (!connections_made_ && !leadership_.over()) co_await wait_.wait(retry_after);
  }
  hooks_.connections_due();
  while (!leadership_.over()) {
    co_await prune_when_due();
    co_await note_connections();
    if (!leadership_.over()) co_await wait_.wait(words_every);
  }
}

boost::asio::awaitable<void> Timetable::note_connections() {
  const auto all = co_await stores_.run([](registry::Store& store) { return store.connections(); });
  if (!notes_.noted("timetable", all)) co_return;
  syncs_.keep_words(*all);
  if (!leadership_.over()) syncs_.show_health(*all);
  const auto held = co_await stores_.run([](registry::Store& store) { return store.held_changes(""); });
  if (notes_.noted("timetable", held) && !leadership_.over()) held_ = registry::held_words(*held);
}

boost::asio::awaitable<void> Timetable::prune_when_due() {
  if (leadership_.over() || Clock::now() < prune_due_) co_return;
  prune_due_ = Clock::now() + prune_every;
  const auto age = options_.history_age;
  const auto pruned = co_await stores_.run([age](registry::Store& store) { return store.prune(age); });
  if (!pruned) spdlog::warn("old records were not removed: {}", pruned.error().detail);
}

}  // namespace tokenrail::registry_sync
